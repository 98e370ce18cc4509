import { badAnswer } from '../errors.ts'
import { asObject } from '../json.ts'
import type { Ids } from './ids.ts'
import type { Log } from './logs.ts'

/** The two times of an entry, or a bound on both, in epoch seconds. */
export interface Times {
  /** `date_last` of an access row, `date` of an integration entry. */
  readonly time: number
  /** `date_first` of an access row, `date` of an integration entry. */
  readonly began: number
}

/** An entry as Slack sent it, with what this program computes with. */
export interface Entry extends Ids, Times {
  readonly raw: Record<string, unknown>
  /** False where a time could not be read and is borrowed from a neighbour. */
  readonly dated: boolean
}

export interface Page {
  readonly entries: readonly Entry[]
  readonly nextCursor: string | undefined
  /** `paging` of classic mode: the number of this page, how many there are, and how many rows make one. */
  readonly page: number | undefined
  readonly pages: number | undefined
  readonly perPage: number | undefined
}

/** Where an entry without a readable time gets one from. */
export interface Neighbour {
  /** The entry read last, on the page before this one. Undefined on the first page. */
  readonly above: Times | undefined
  /** For a page on which no entry has a time; epoch seconds. */
  readonly lastResort: number
}

/**
 * The page that an answer holds. Only what this program computes with is checked; the entry itself is evidence and
 * goes on whole. An entry whose time cannot be read takes the time of the entry above it, or of the one below it where
 * nothing stands above: it is printed, and it never decides where a walk ends.
 * @throws SlackCallError of class `contract` if there is no list, or an entry that is no object.
 */
export function readPage(log: Log, answer: unknown, teamId: string, neighbour: Neighbour): Page {
  const body = asObject(answer)
  const list = body?.[log.list]
  if (!Array.isArray(list)) throw badAnswer(log.method, `no list "${log.list}"`)
  const raws = list.map((entry: unknown, index) => {
    const raw = asObject(entry)
    if (!raw) throw badAnswer(log.method, `entry ${index + 1} of "${log.list}" is no object`)
    return raw
  })
  const borrow = (field: string, above: number | undefined): ((raw: Record<string, unknown>) => number) => {
    let last = above
    return (raw) => {
      last = readTime(raw[field]) ?? last ?? firstTime(raws, field) ?? neighbour.lastResort
      return last
    }
  }
  const timeOf = borrow(log.timeField, neighbour.above?.time)
  const beganOf = borrow(log.beganField, neighbour.above?.began)
  const paging = asObject(body?.['paging'])
  const nextCursor = asObject(body?.['response_metadata'])?.['next_cursor']
  return {
    entries: raws.map((raw) => {
      const { id, row } = log.ids(teamId, raw)
      const dated = readTime(raw[log.timeField]) !== undefined && readTime(raw[log.beganField]) !== undefined
      return { id, row, time: timeOf(raw), began: beganOf(raw), dated, raw }
    }),
    // An empty cursor is Slack's way to say "none".
    nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : undefined,
    page: positive(paging?.['page']),
    pages: positive(paging?.['pages']),
    perPage: positive(paging?.['count']),
  }
}

/** Epoch seconds from a number or a numeric string: Slack has sent both. Milliseconds and words are no time. */
function readTime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && seconds > 0 && seconds < 1e11 ? Math.floor(seconds) : undefined
}

function firstTime(raws: readonly Record<string, unknown>[], field: string): number | undefined {
  for (const raw of raws) {
    const time = readTime(raw[field])
    if (time !== undefined) return time
  }
  return undefined
}

function positive(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number > 0 ? number : undefined
}
