import { type Ids, reportId } from '../log/ids.ts'
import type { Log } from '../log/logs.ts'
import type { Team } from '../log/team.ts'

/** Makes the lines of entries, newlines included. They are ASCII, so that no cut can fall into a letter. */
export function entryLines(
  log: Log,
  team: Team,
): (entries: readonly (Ids & { readonly raw: unknown })[]) => string {
  const head = `{"dataset":"slack.${log.name}","id":"`
  const tail = ascii(`","team":${JSON.stringify({ id: team.id, name: team.name })},"${log.name}":`)
  const toLine = ({ id, row, raw }: Ids & { readonly raw: unknown }): string =>
    `${head}${id}${row === undefined ? '' : `","row":"${row}`}${tail}${ascii(JSON.stringify(raw))}}\n`
  return (entries) => entries.map(toLine).join('')
}

/** The line of a report, newline included. */
export function reportLine(team: Team, run: object): string {
  return ascii(`${JSON.stringify({ dataset: 'slack.auditor', id: reportId(team.id, run), team, run })}\n`)
}

const NOT_ASCII = /[\u007f-\uffff]/g

/** JSON in which every character outside ASCII is written as `\uXXXX`. */
function ascii(json: string): string {
  return json.replace(NOT_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
