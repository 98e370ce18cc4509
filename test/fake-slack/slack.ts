import { seeded } from './random.ts'
import type { AccessRow, IntegrationRow, Workspace } from './workspace.ts'

/** What Slack leaves open, to be played either way. */
export interface SlackOptions {
  workspace: Workspace
  /** Which field the access log descends in. Default 'date_last'. */
  order?: 'date_last' | 'date_first'
  /** Which field `before` compares, inclusively. Default 'date_last'. */
  filter?: 'date_last' | 'date_first'
  /** 'cursor': `limit` switches cursor mode on. 'classic': `limit` and `cursor` are unknown and ignored. Default 'cursor'. */
  paging?: 'cursor' | 'classic'
  /** What a cursor holds: the place of the last row in the order, or a number of rows to skip. Default 'keyed'. */
  cursors?: 'keyed' | 'offset'
  /** Whether `paging` comes in cursor mode too. Default false. */
  pagingInCursorMode?: boolean
  /** Default 'descending'. */
  integrationOrder?: 'descending' | 'ascending'
  /** Rows may stand out of order by up to so many seconds, each by its own fixed amount. Default 0. */
  jitterSeconds?: number
  /** Pages of one listing before `over_pagination_limit`, in both modes. Default 100. */
  pageCap?: number
  /** No page holds more, whatever was asked for; classic paging then says so in `paging.count`. Default: none. */
  maxPageRows?: number
  /** Chance that a cursor page is short or empty though more follow. Default 0. */
  shortPages?: number
  /**
   * How many access-log calls the cursors of a listing live, its first call included; later they are
   * `invalid_cursor`. With 1 no cursor is ever good. Default: for ever.
   */
  cursorLife?: number
  /** Default ['admin', 'identify']. */
  scopes?: string[]
  /** Default 'user'. Slack gives neither log to a bot. */
  tokenType?: 'user' | 'bot'
}

/** Arguments as they arrive: text, numbers too. */
export type Arguments = Record<string, string | undefined>

/** The JSON body of an answer. */
export type Answer = Record<string, unknown>

/** The methods that need `admin` and a user token. */
export const LOG_METHODS: readonly string[] = ['team.accessLogs', 'team.integrationLogs']

/** Where a row stands: `key` descends, `tie` decides between equal ones. */
interface Place {
  key: number
  tie: number
}

/** A row, its place, and the time that `before` is compared with. */
interface Entry<Row> extends Place {
  row: Row
  time: number
}

interface Cursor {
  /** The number of the call that began the listing, and of the page this cursor leads to. */
  begun: number
  page: number
  /** Rows to skip, or the last row's place; neither: the listing's start. */
  skip?: number
  after?: Place
}

const CHANGE_TYPES = ['added', 'removed', 'enabled', 'disabled', 'updated']

/** Slack's answers to calls, without the HTTP: simulations call it directly. */
export class Slack {
  /** Every call so far. */
  readonly calls: { method: string; args: Arguments }[] = []
  readonly scopes: readonly string[]

  readonly #options: SlackOptions
  readonly #workspace: Workspace
  readonly #random = seeded(1)
  readonly #access: Ordered<AccessRow>
  readonly #integrations: Ordered<IntegrationRow>
  #accessCalls = 0

  constructor(options: SlackOptions) {
    const { order = 'date_last', filter = 'date_last', integrationOrder, jitterSeconds = 0 } = options
    this.#options = options
    this.#workspace = options.workspace
    this.scopes = options.scopes ?? ['admin', 'identify']
    this.#access = new Ordered(
      (row) => Number(row[order]),
      (row) => Number(row[filter]),
      jitterSeconds,
    )
    const sign = integrationOrder === 'ascending' ? -1 : 1
    this.#integrations = new Ordered(
      (row) => sign * Number(row.date),
      (row) => Number(row.date),
      jitterSeconds,
    )
  }

  answer(method: string, args: Arguments): Answer {
    this.calls.push({ method, args })
    if (method === 'auth.test') return this.#authTest()
    if (!LOG_METHODS.includes(method)) return refusal('unknown_method', { req_method: method })
    if (this.#options.tokenType === 'bot') return refusal('not_allowed_token_type')
    if (!this.scopes.includes('admin'))
      return refusal('missing_scope', { needed: 'admin', provided: this.scopes.join(',') })
    return method === 'team.accessLogs' ? this.#accessLogs(args) : this.#integrationLogs(args)
  }

  #authTest(): Answer {
    const { id, name, ...rest } = this.#workspace.team
    return { ok: true, ...rest, team: name, team_id: id, is_enterprise_install: false }
  }

  #accessLogs(args: Arguments): Answer {
    const { paging } = this.#options
    this.#accessCalls++
    // Digits only: a number that some client wrote as 1.566e+09 is no time.
    if (args['before'] !== undefined && !/^\d+$/.test(args['before'])) return refusal('invalid_arguments')
    const all = this.#access.entries(this.#workspace.accessRows(), this.#workspace.version)
    const before = Number(args['before'])
    const entries = args['before'] === undefined ? all : all.filter((entry) => entry.time <= before)
    if (args['limit'] !== undefined && paging !== 'classic') return this.#cursorPage(entries, args)
    const answer = this.#classicPage('logins', entries, args)
    return paging === 'classic' || !answer['ok']
      ? answer
      : { ...answer, warning: 'use_cursor_pagination_instead' }
  }

  #integrationLogs(args: Arguments): Answer {
    if (args['change_type'] !== undefined && !CHANGE_TYPES.includes(args['change_type']))
      return refusal('invalid_arguments')
    const asked = Object.entries({
      app_id: args['app_id'],
      service_id: args['service_id'],
      user_id: args['user'],
      change_type: args['change_type'],
    }).filter(([, value]) => value !== undefined)
    const entries = this.#integrations
      .entries(this.#workspace.integrationRows(), this.#workspace.version)
      .filter(({ row }) =>
        asked.every(([field, value]) => row[field] !== undefined && String(row[field]) === value),
      )
    return this.#classicPage('logs', entries, args)
  }

  #classicPage(list: string, entries: Entry<unknown>[], args: Arguments): Answer {
    const { pageCap = 100, maxPageRows = Infinity } = this.#options
    const asked = positive(args['count'] ?? '100')
    const page = positive(args['page'] ?? '1')
    if (!asked || !page) return refusal('invalid_arguments')
    if (asked > 1000 || page > pageCap) return refusal('over_pagination_limit')
    const count = Math.min(asked, maxPageRows)
    return {
      ok: true,
      [list]: entries.slice((page - 1) * count, page * count).map(({ row }) => row),
      // `pages` counts on beyond the cap, as Slack's does.
      paging: { count, total: entries.length, page, pages: Math.ceil(entries.length / count) },
    }
  }

  #cursorPage(entries: Entry<AccessRow>[], args: Arguments): Answer {
    const { pageCap = 100, maxPageRows = Infinity, shortPages = 0, cursorLife = Infinity } = this.#options
    const limit = positive(args['limit'])
    if (!limit || limit > 1000) return refusal('invalid_limit')
    const cursor = args['cursor'] ? read(args['cursor']) : { begun: this.#accessCalls, page: 1 }
    if (!cursor || (args['cursor'] && this.#accessCalls - cursor.begun >= cursorLife))
      return refusal('invalid_cursor')
    if (cursor.page > pageCap) return refusal('over_pagination_limit')

    // The arguments of this call decide what is listed; those of the call that gave the cursor are forgotten.
    const { after } = cursor
    const next = after ? entries.findIndex((entry) => compare(entry, after) > 0) : (cursor.skip ?? 0)
    const start = next < 0 ? entries.length : next
    const most = Math.min(limit, maxPageRows)
    const short = entries.length - start > most && this.#random.chance(shortPages)
    const page = entries.slice(start, start + (short ? this.#random.int(most) : most))
    const more = start + page.length < entries.length
    return {
      ok: true,
      logins: page.map(({ row }) => row),
      response_metadata: { next_cursor: more ? this.#nextCursor(cursor, start, page) : '' },
      // No page was asked for, so this is always the first: whoever mixes the modes reads the log twice.
      ...(this.#options.pagingInCursorMode && {
        paging: { count: limit, total: entries.length, page: 1, pages: Math.ceil(entries.length / limit) },
      }),
    }
  }

  #nextCursor({ begun, page, after }: Cursor, start: number, rows: Entry<AccessRow>[]): string {
    if (this.#options.cursors === 'offset') return write({ begun, page: page + 1, skip: start + rows.length })
    const last = rows.at(-1) ?? after
    return write({ begun, page: page + 1, ...(last && { after: { key: last.key, tie: last.tie } }) })
  }
}

/**
 * The rows of one log in descending order. It sorts what it sorted before, which is nearly in order and hence
 * quick: a workspace that changes between any two calls must not cost a full sort each time.
 */
class Ordered<Row extends object> {
  readonly #byPosition: Entry<Row>[] = []
  readonly #sorted: Entry<Row>[] = []
  readonly #key: (row: Row) => number
  readonly #time: (row: Row) => number
  readonly #jitterSeconds: number
  #version = -1

  constructor(key: (row: Row) => number, time: (row: Row) => number, jitterSeconds: number) {
    this.#key = key
    this.#time = time
    this.#jitterSeconds = jitterSeconds
  }

  entries(rows: readonly Row[], version: number): Entry<Row>[] {
    if (version === this.#version) return this.#sorted
    this.#version = version
    rows.forEach((row, position) => {
      let entry = this.#byPosition[position]
      if (entry?.row === row) return
      // Spread over all 32 bits without a collision: rows of one second stand in no order that means anything.
      const tie = Math.imul(position + 1, 0x9e3779b1) >>> 0
      if (!entry) {
        entry = { row, key: 0, tie, time: 0 }
        this.#byPosition.push(entry)
        this.#sorted.push(entry)
      }
      entry.row = row
      entry.time = this.#time(row)
      entry.key = this.#key(row) + (tie % (this.#jitterSeconds + 1))
    })
    this.#sorted.sort(compare)
    return this.#sorted
  }
}

function compare(a: Place, b: Place): number {
  return b.key - a.key || b.tie - a.tie
}

function refusal(error: string, extra: Answer = {}): Answer {
  return { ok: false, error, ...extra }
}

/** A whole number from 1 up; anything else is undefined. */
function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : undefined
}

function write(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64')
}

function read(text: string): Cursor | undefined {
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString()) as Cursor
  } catch {
    return undefined
  }
}
