import * as crypto from 'node:crypto'
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
  const { user_id, ip, user_agent, date_first, date_last, count } = entry
  const parts = [JSON.stringify(teamId), ...[user_id, ip, user_agent, date_first].map(canonicalJson)].join()
  return {
    id: hash(`[${parts},${canonicalJson(date_last)},${canonicalJson(count)}]`),
    row: hash(`[${parts}]`),
  }
}

/** The id of an integration-log entry: the whole entry counts, so byte-identical twins share one id. */
export function identifyIntegration(teamId: string, entry: Record<string, unknown>): Identity {
  return { id: hash(`[${JSON.stringify(teamId)},${canonicalJson(entry)}]`) }
}

/** In one call where Node has it (20.12 and later), which is quicker by half. */
const sha256: (text: string) => string = crypto.hash
  ? (text) => crypto.hash('sha256', text)
  : (text) => crypto.createHash('sha256').update(text).digest('hex')

/** Over a JSON array and not a plain join, so that `"a","b"` and `"a,b"` stay apart. */
function hash(json: string): string {
  return sha256(json).slice(0, 32)
}

/**
 * JSON with sorted keys, in which a missing field counts as null and a number as its decimal string: Slack has
 * changed types over the years. Within an object, a field that is null is the same as one that is missing.
 */
function canonicalJson(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'number')
    return `"${Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value}"`
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`
}

/** A printer of entries: the line, newline included, in ASCII, so that no cut can fall into a letter. */
export function linePrinter(log: Log, team: Team): (entry: Identity & { raw: unknown }) => string {
  const head = `{"dataset":"slack.${log.name}","id":"`
  const tail = ascii(`","team":${JSON.stringify({ id: team.id, name: team.name })},"${log.name}":`)
  return ({ id, row, raw }) =>
    `${head}${id}${row === undefined ? '' : `","row":"${row}`}${tail}${ascii(JSON.stringify(raw))}}\n`
}

/** The line of a report, newline included. Its id is over the team id and all it says. */
export function reportLine(team: Team, run: object): string {
  const id = hash(`[${canonicalJson(team.id)},${canonicalJson(run)}]`)
  return ascii(`${JSON.stringify({ dataset: 'slack.auditor', id, team, run })}\n`)
}

const NOT_ASCII = /[\u007f-\uffff]/g

/** JSON in which every character outside ASCII is written as `\uXXXX`. */
function ascii(json: string): string {
  return json.replace(NOT_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
