/** Writes the tables of logstash/detections.md between the marks that stand in it. The rest of it is written by hand. */
import { readFileSync } from 'node:fs'
import type { Detection } from '../../detections/detection.ts'
import { LISTS } from '../../detections/lists.ts'

/** How often each fired on the fake company: written by `npm run measure:detections`. */
export const RATES = new URL('rates.json', import.meta.url)

export interface Rates {
  members: number
  days: number
  /** Of the invented company. */
  seeds: number[]
  /** Of what was measured: see rates.ts. */
  fingerprint: string
  /** By slug, one figure per seed. */
  alarms: Record<string, number[]>
}

export function documentWith(detections: Detection[], text: string): string {
  const rates = JSON.parse(readFileSync(RATES, 'utf8')) as Rates
  const tables: Record<string, string> = {
    budget: budget(detections, rates),
    access: table(detections, 'access-', rates),
    integration: table(detections, 'integration-', rates),
    collector: table(detections, 'collector-', rates),
    lists: lists(),
  }
  return text.replace(
    /(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)/gs,
    (_, begin: string, name: string, end: string) => `${begin}\n${tables[name] ?? ''}\n${end}`,
  )
}

function budget(detections: Detection[], rates: Rates): string {
  const row = (what: string, of: Detection[], most: string) => {
    const sums = rates.seeds.map((_, seed) =>
      of.reduce((sum, { slug }) => sum + (rates.alarms[slug]?.[seed] ?? 0), 0),
    )
    return [what, String(of.length), aWeek(sums, rates), most]
  }
  const loud = (severity: string) =>
    detections.filter((detection) => detection.severity === severity && !detection.buildingBlock)
  return markdown([
    ['Severity', 'Detections', 'Alarms a week', 'Budget'],
    row('high', loud('high'), '2'),
    row('medium', loud('medium'), '15'),
    row('low', loud('low'), 'none'),
    row(
      'low, building block',
      detections.filter(({ buildingBlock }) => buildingBlock),
      'none',
    ),
  ])
}

function table(detections: Detection[], prefix: string, rates: Rates): string {
  const ours = detections.filter(({ slug }) => slug.startsWith(prefix))
  const rows = ours.map((detection) => [
    `**${titleOf(detection)}**`,
    detection.buildingBlock ? 'low, building block' : detection.severity,
    detection.why,
    detection.falsePositives.join(', '),
    detection.tune,
    aWeek(rates.alarms[detection.slug] ?? [], rates),
  ])
  const head = ['Detection', 'Severity', 'Why it matters', 'False positives', 'Tuning', 'Alarms a week']
  const definitions = ours.map((detection) => `- *${titleOf(detection)}*: ${detection.finds}\n`)
  return `${markdown([head, ...rows])}\nDefinitions:\n\n${definitions.join('')}`
}

function markdown([head = [], ...rows]: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** Without whose it is, which the heading says. */
function titleOf({ name }: Detection): string {
  const title = name.replace(/^[\w-]+: /, '')
  return title.slice(0, 1).toUpperCase() + title.slice(1)
}

/** The least and the most of the seeds. */
function aWeek(counts: number[], { days }: Rates): string {
  if (counts.length === 0) return '–'
  const [least, most] = [Math.min(...counts), Math.max(...counts)].map((count) =>
    String(Math.round((count / days) * 70) / 10),
  )
  return least === most ? String(least) : `${least} to ${most}`
}

function lists(): string {
  const rows = Object.entries(LISTS).map(([name, { what, field, values }]) => [
    `\`${name}\``,
    what,
    `\`${field}\``,
    values.length > 8 ? `${values.length} names` : values.map((value) => `\`${value}\``).join(' '),
  ])
  return markdown([['List', 'What is in it', 'Field', 'As shipped'], ...rows])
}
