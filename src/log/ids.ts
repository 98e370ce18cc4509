import { createRequire } from 'node:module'

/** The ids of an entry. `id` names one state of it; `row`, in the access log only, names the row through all its states. */
export interface Ids {
  readonly id: string
  readonly row: string | undefined
}

/** The ids of an access-log row. The README holds the recipe; changing it is a breaking change. */
export function accessIds(teamId: string, row: Record<string, unknown>): Ids {
  const { user_id, ip, user_agent, date_first, date_last, count } = row
  const parts = [JSON.stringify(teamId), ...[user_id, ip, user_agent, date_first].map(canonicalJson)].join()
  return {
    id: hash(`[${parts},${canonicalJson(date_last)},${canonicalJson(count)}]`),
    row: hash(`[${parts}]`),
  }
}

/** The id of an integration entry. It covers the whole entry, so byte-identical twins share one id. */
export function integrationIds(teamId: string, entry: Record<string, unknown>): Ids {
  return { id: hash(`[${JSON.stringify(teamId)},${canonicalJson(entry)}]`), row: undefined }
}

/** The id of a report: over the team id and all that the report says. */
export function reportId(teamId: string | null, run: object): string {
  return hash(`[${canonicalJson(teamId)},${canonicalJson(run)}]`)
}

/** Loaded with the first id: --help and usage errors start faster without. */
let crypto: typeof import('node:crypto') | undefined

/** `crypto.hash` (Node 20.12 and later) takes half the time of `createHash`. */
function sha256(text: string): string {
  crypto ??= createRequire(process.execPath)('node:crypto') as typeof import('node:crypto')
  return crypto.hash ? crypto.hash('sha256', text) : crypto.createHash('sha256').update(text).digest('hex')
}

/** The text is a JSON array and not a plain join, so that `"a","b"` and `"a,b"` stay apart. */
function hash(json: string): string {
  return sha256(json).slice(0, 32)
}

/**
 * JSON with sorted keys, in which a missing field counts as null and a number as its decimal string, because Slack has
 * changed types over the years. Within an object, a null field counts as missing.
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
