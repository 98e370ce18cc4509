/** Writes the list of panels of logstash/dashboard.md between the marks in it. The rest of it is written by hand. */
import { SECTIONS } from '../../dashboard/panels.ts'

export function dashboardDocument(text: string): string {
  const parts = SECTIONS.map(({ title, panels }) => {
    const lines = panels.map((panel) => `- **${panel.title}.** ${panel.what}`)
    return `*${title}*\n\n${lines.join('\n')}\n`
  })
  return text.replace(/(<!-- begin panels -->\n).*?(<!-- end panels -->)/s, (_, begin: string, end: string) =>
    [begin, ...parts, end].join('\n'),
  )
}
