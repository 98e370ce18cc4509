import { badAnswer } from '../errors.ts'
import { asObject, nestsDeeperThan } from '../json.ts'
import type { Ids } from './ids.ts'
import type { Log } from './logs.ts'

/** The two times of an entry in epoch seconds. `began` is never later than `time`. */
export interface Times {
  /** `date_last` of an access row, `date` of an integration entry. */
  readonly time: number
  /** `date_first` of an access row, `date` of an integration entry. */
  readonly began: number
}

/** An entry with what this program computes with. */
export interface Entry extends Ids, Times {
  /** The entry as Slack sent it; as one string of JSON if it is nested too deep for its readers. */
  readonly raw: Record<string, unknown> | string
  /** False if a time could not be read and is borrowed from a neighbour. */
  readonly dated: boolean
}

export interface Page {
  readonly entries: readonly Entry[]
  /** How many entries were left out because they cannot be read as objects. */
  readonly unreadable: number
  readonly nextCursor: string | undefined
  /** `paging` of classic mode: the number of this page, how many there are, and how many rows make one. */
  readonly page: number | undefined
  readonly pages: number | undefined
  readonly perPage: number | undefined
}

/** Fallback times for entries that have no readable one. */
export interface Neighbour {
  /** The entry read last, on the page before this one. Undefined on the first page. */
  readonly above: Times | undefined
  /** For a page on which no entry has a time; epoch seconds. */
  readonly lastResort: number
}

/** A value nested 1,500 to 2,000 levels deep ends Logstash 7.17 with a stack overflow; 500 make Logstash 9 drop fields. */
const DEEPEST = 50

/**
 * The page that an answer holds. Only what this program computes with is checked. The entry itself is evidence and is
 * kept whole. An entry without a readable time takes the time of the entry above it, or of the first one on the page
 * that has one: it is printed, and it never decides where a walk ends.
 * @throws SlackCallError of class `contract` if there is no list.
 */
export function readPage(log: Log, answer: unknown, teamId: string, { above, lastResort }: Neighbour): Page {
  const body = asObject(answer)
  const list = body?.[log.list]
  if (!Array.isArray(list)) throw badAnswer(log.method, `no list "${log.list}"`)
  let last = above
  const entries = list.flatMap((value: unknown) => {
    const raw = asObject(value)
    const times = raw && readTimes(log, raw)
    last = times ?? last ?? firstTimes(log, list) ?? { time: lastResort, began: lastResort }
    return (raw && toEntry(log, raw, teamId, last, times !== undefined)) ?? []
  })
  const paging = asObject(body?.['paging'])
  const nextCursor = asObject(body?.['response_metadata'])?.['next_cursor']
  return {
    entries,
    unreadable: list.length - entries.length,
    // An empty cursor is Slack's way to say "none".
    nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : undefined,
    page: positive(paging?.['page']),
    pages: positive(paging?.['pages']),
    perPage: positive(paging?.['count']),
  }
}

/** Undefined if the entry is nested so deep that it cannot be written as JSON. */
function toEntry(
  log: Log,
  raw: Record<string, unknown>,
  teamId: string,
  { time, began }: Times,
  dated: boolean,
): Entry | undefined {
  try {
    const { id, row } = log.ids(teamId, raw)
    return { id, row, time, began, dated, raw: nestsDeeperThan(DEEPEST, raw) ? JSON.stringify(raw) : raw }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function firstTimes(log: Log, list: readonly unknown[]): Times | undefined {
  for (const value of list) {
    const raw = asObject(value)
    const times = raw && readTimes(log, raw)
    if (times) return times
  }
  return undefined
}

function readTimes({ timeField, beganField }: Log, raw: Record<string, unknown>): Times | undefined {
  const time = readTime(raw[timeField])
  const began = readTime(raw[beganField])
  return time === undefined || began === undefined ? undefined : { time, began: Math.min(began, time) }
}

/** Epoch seconds from a number or a numeric string: Slack has sent both. Milliseconds and words are not times. */
function readTime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && seconds > 0 && seconds < 1e11 ? Math.floor(seconds) : undefined
}

function positive(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number > 0 ? number : undefined
}
