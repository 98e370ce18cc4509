import { createHash } from 'node:crypto'
import type { Log } from './logs.ts'

/** Who the entries belong to. Null only in the report of a run that Slack did not let in. */
export interface Team {
  readonly id: string | null
  readonly name: string | null
}

/** Names an entry. `id` is one state of it; `row`, of the access log only, is the row through all its states. */
export interface Identity {
  readonly id: string
  readonly row?: string
}

/** The ids of an access-log row. The recipe stands in the README; to change it is a breaking change. */
export function identifyAccess(teamId: string, entry: Record<string, unknown>): Identity {
  const row = ['user_id', 'ip', 'user_agent', 'date_first'].map((field) => canonicalJson(entry[field]))
  const state = ['date_last', 'count'].map((field) => canonicalJson(entry[field]))
  const team = JSON.stringify(teamId)
  return { id: hash([team, ...row, ...state]), row: hash([team, ...row]) }
}

/** The id of an integration-log entry: the whole entry counts, so byte-identical twins share one id. */
export function identifyIntegration(teamId: string, entry: Record<string, unknown>): Identity {
  return { id: hash([JSON.stringify(teamId), canonicalJson(entry)]) }
}

/** The parts as one JSON array and not a plain join: `"a","b"` and `"a,b"` stay apart. */
function hash(parts: string[]): string {
  return createHash('sha256')
    .update(`[${parts.join(',')}]`)
    .digest('hex')
    .slice(0, 32)
}

/**
 * JSON with sorted keys, in which a missing field counts as null and a number as its decimal string: Slack has
 * changed types over the years. Within an object, a field that is null is the same as one that is missing.
 */
function canonicalJson(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'number') return `"${Number.isInteger(value) ? BigInt(value) : value}"`
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`
}

/** A printer of entries: the line, newline included, in ASCII, so that no cut can fall into a letter. */
export function linePrinter(log: Log, team: Team): (entry: Identity & { raw: unknown }) => string {
  const head = `{"dataset":"slack.${log.name}","id":"`
  const tail = `","team":${JSON.stringify({ id: team.id, name: team.name })},"${log.name}":`
  return ({ id, row, raw }) =>
    ascii(`${head}${id}${row === undefined ? '' : `","row":"${row}`}${tail}${JSON.stringify(raw)}}\n`)
}

/** The line of a report, newline included. Its id is over the team id and all it says. */
export function reportLine(team: Team, run: object): string {
  const id = hash([canonicalJson(team.id), canonicalJson(run)])
  return ascii(`${JSON.stringify({ dataset: 'slack.auditor', id, team, run })}\n`)
}

const NOT_ASCII = /[\u007f-\uffff]/g

/** JSON in which every character outside ASCII is written as `\uXXXX`. */
function ascii(json: string): string {
  return json.replace(NOT_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
