import { contractError } from './errors.ts'
import { type Identity, identifyAccess, identifyIntegration } from './lines.ts'

/** One of the two logs, as data: what differs between them stands here and nowhere else. */
export interface Log {
  readonly name: 'access' | 'integration'
  readonly method: string
  /** The field of the answer that holds the entries. */
  readonly list: string
  /** The time fields of an entry. The first one is the entry's own time, which floors and the watermark mean. */
  readonly timeFields: readonly string[]
  /** Rows to ask for: with `limit` and a cursor, and with `count` and a page number. */
  readonly limit: number | undefined
  readonly count: number
  /** Whether the method has the argument `before`, by which a walk goes on below the last page Slack gives. */
  readonly hasBefore: boolean
  readonly identify: (teamId: string, entry: Record<string, unknown>) => Identity
}

/** `limit` must stay "under 1000" (docs.slack.dev, team.accessLogs); `count` may be 1000 in both methods. */
export const LOGS: Record<Log['name'], Log> = {
  access: {
    name: 'access',
    method: 'team.accessLogs',
    list: 'logins',
    timeFields: ['date_last', 'date_first'],
    limit: 999,
    count: 1000,
    hasBefore: true,
    identify: identifyAccess,
  },
  integration: {
    name: 'integration',
    method: 'team.integrationLogs',
    list: 'logs',
    timeFields: ['date'],
    limit: undefined,
    count: 1000,
    hasBefore: false,
    identify: identifyIntegration,
  },
}

/** An entry as Slack sent it, with what this program computes with. */
export interface Entry extends Identity {
  readonly raw: Record<string, unknown>
  /** Epoch seconds, one for each of the log's time fields. */
  readonly times: readonly number[]
}

export interface Page {
  readonly entries: readonly Entry[]
  readonly nextCursor: string | undefined
  /** `paging` of classic mode: this page, how many there are, and how many rows make one. */
  readonly page: number | undefined
  readonly pages: number | undefined
  readonly perPage: number | undefined
  /** How many entries had no readable time of their own. */
  readonly undated: number
}

/** Where an entry without a readable time gets one from if no entry of its page stands above it. */
export interface Neighbour {
  /** Epoch seconds per time field: what the walk read last. Undefined: nothing yet, so the entry below it lends its time. */
  readonly above: readonly (number | undefined)[]
  /** For a page on which no entry has a time. */
  readonly lastResort: number
}

/**
 * Checks an answer of Slack, taken as `unknown`, and gives the page it holds. Only what is computed with is checked;
 * an entry is evidence and goes on whole. A time that cannot be read is taken from the entry above it, for the first one
 * from `neighbour`, so that an odd entry is printed and never decides where a walk ends.
 * @throws SlackCallError of class `contract` if there is no list, or an entry that is no object.
 */
export function readPage(log: Log, answer: unknown, teamId: string, neighbour: Neighbour): Page {
  const body = asObject(answer)
  const list = body?.[log.list]
  if (!Array.isArray(list)) throw contractError(log.method, `no list "${log.list}"`)
  const raws = list.map((entry: unknown, index) => {
    const raw = asObject(entry)
    if (!raw) throw contractError(log.method, `entry ${index + 1} of "${log.list}" is no object`)
    return raw
  })
  const found = log.timeFields.map((field) => raws.map((raw) => readTime(raw[field])))
  const columns = found.map((times, index) => fillGaps(times, neighbour.above[index], neighbour.lastResort))
  const paging = asObject(body?.['paging'])
  const nextCursor = asObject(body?.['response_metadata'])?.['next_cursor']
  return {
    entries: raws.map((raw, index) => {
      const { id, row } = log.identify(teamId, raw)
      const times = columns.map((column) => column[index] ?? 0)
      return row === undefined ? { id, raw, times } : { id, row, raw, times }
    }),
    // An empty cursor is Slack's way to say "none".
    nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : undefined,
    page: positive(paging?.['page']),
    pages: positive(paging?.['pages']),
    perPage: positive(paging?.['count']),
    undated: found[0]?.filter((time) => time === undefined).length ?? 0,
  }
}

/** An object of JSON, not an array and not null; else undefined. */
export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

/** Epoch seconds from a number or a numeric string: Slack has sent both. Milliseconds and words are no time. */
function readTime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && seconds > 0 && seconds < 1e11 ? Math.floor(seconds) : undefined
}

function positive(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number > 0 ? number : undefined
}

/** Each missing time becomes that of the entry above it. */
function fillGaps(
  times: readonly (number | undefined)[],
  above: number | undefined,
  lastResort: number,
): number[] {
  let last = above ?? times.find((time) => time !== undefined) ?? lastResort
  return times.map((time) => {
    last = time ?? last
    return last
  })
}
