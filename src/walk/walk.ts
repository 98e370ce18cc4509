import { AuditError, SlackCallError } from '../errors.ts'
import type { Log } from '../log/logs.ts'
import type { Page } from '../log/page.ts'
import { Listing } from './listing.ts'

/** Slack gives this many pages of one listing (docs.slack.dev, over_pagination_limit). */
const PAGE_CAP = 100
/** This many pages in a row without an entry are a loop, and so are this many that repeat the page above. */
const MOST_EMPTY_PAGES = 100
const MOST_REPEATS = 2

export interface WalkOptions {
  readonly log: Log
  /** team_id and filters: repeated with every request, because Slack does not remember them with a cursor. */
  readonly args: Record<string, string>
  readonly fetchPage: (args: Record<string, string>) => Promise<Page>
  /** Whether the log may end with this page. If not, its last page is requested once more after a pause. */
  readonly mayEnd: (page: Page) => boolean
  readonly pause: () => Promise<void>
  /** When the run began, epoch seconds. */
  readonly startedAt: number
  /** How long after it began a row may still change, by what the run has met so far. */
  readonly lookbackSeconds: () => number
  /** Called where the walk may skip entries, with the reason. */
  readonly onSkip: (reason: string) => void
}

/** A page of a walk. */
export interface Step {
  readonly page: Page
  /** What is unread began at or before this time: epoch seconds, or Infinity before the first dated entry. */
  readonly place: number
  /** Whether the log ends with this page. */
  readonly last: boolean
}

/** A page of a listing: by cursor, by number, or neither for the first one. */
interface Position {
  readonly cursor?: string
  readonly page?: number
  readonly count?: number
}

/**
 * Walks a log from `before` (epoch seconds, inclusive; undefined: from its head) to its end, page by page. Where Slack
 * cuts a listing short, the walk continues in a new one with a lower `before`.
 * @throws SlackCallError of a call; AuditError if the walk does not advance or cannot continue.
 */
export async function* walk(options: WalkOptions, before: number | undefined): AsyncGenerator<Step, void> {
  for (let from: number | undefined | 'end' = before; from !== 'end'; ) {
    from = yield* walkListing(options, from)
  }
}

/** Walks one listing, which is what Slack gives for one `before`. Returns the `before` of the next one, or `end`. */
async function* walkListing(
  options: WalkOptions,
  before: number | undefined,
): AsyncGenerator<Step, number | 'end'> {
  const { log } = options
  const listing = new Listing()
  const loops = new LoopGuard(log)
  let position: Position = log.cursorPageSize === undefined ? { page: 1, count: log.pageSize } : {}
  let page: Page | undefined
  for (let read = 1; ; read += 1) {
    let next: Position | 'end'
    try {
      ;({ page, next } = await turn(options, loops, position, before))
    } catch (error) {
      if (!page || !endsListing(error)) throw error
      if (log.hasBefore) return lowerBefore(options, listing, before)
      throw pagesUnread(log, read - 1, page.pages)
    }
    loops.assertNew(page)
    listing.add(page.entries)
    const isBeyondCap = next !== 'end' && (next.page ?? 0) > PAGE_CAP
    // A listing that ends at page 100 may have been cut there without a word.
    const isCut = log.hasBefore && (isBeyondCap || (read >= PAGE_CAP && page.entries.length > 0))
    const place = listing.place(options.lookbackSeconds()) ?? Number.POSITIVE_INFINITY
    yield { page, place: Math.min(place, before ?? place), last: next === 'end' && !isCut }
    if (isCut) return lowerBefore(options, listing, before)
    if (next === 'end') return 'end'
    if (isBeyondCap) throw pagesUnread(log, read, page.pages)
    position = next
  }
}

/**
 * Fetches a page and finds what follows it. Slack has given empty answers in the middle of a log, so an unlikely end is
 * believed only if Slack repeats it after a pause.
 */
async function turn(
  { log, args, fetchPage, mayEnd, pause }: WalkOptions,
  loops: LoopGuard,
  position: Position,
  before: number | undefined,
): Promise<{ page: Page; next: Position | 'end' }> {
  const { cursor, page: number, count } = position
  for (let first: Page | undefined; ; ) {
    const page = await fetchPage({
      ...args,
      ...(before !== undefined && { before: String(before) }),
      ...(number === undefined
        ? { limit: String(log.cursorPageSize ?? log.pageSize) }
        : { count: String(count), page: String(number) }),
      ...(cursor !== undefined && { cursor }),
    })
    assertAskedFor(log, page, number, before)
    const next = following(log, position, page, loops)
    if (next !== 'end' || mayEnd(page)) return { page, next }
    if (first) return { page: first.entries.length > page.entries.length ? first : page, next }
    first = page
    await pause()
  }
}

/**
 * The answer decides what follows: a cursor; else, in a walk that was never given one, a further page by its `paging`;
 * else, where a page of a numbered listing came full and without `paging`, the next page; else the end.
 */
function following(log: Log, position: Position, page: Page, loops: LoopGuard): Position | 'end' {
  if (page.nextCursor !== undefined) {
    loops.assertNewCursor(page.nextCursor)
    return { cursor: page.nextCursor }
  }
  if (position.cursor !== undefined) return 'end'
  if (position.page !== undefined) {
    const count = position.count ?? log.pageSize
    // Slack may give fewer rows a page than requested, and then says so.
    const isFull = page.entries.length + page.unreadable >= Math.min(page.perPage ?? count, count)
    const more = page.pages === undefined ? isFull : page.pages > position.page
    return more ? { page: position.page + 1, count } : 'end'
  }
  if ((page.pages ?? 0) <= 1) return 'end'
  // Slack took `limit` for classic paging. The next pages have the size that the answer names, else start over.
  return page.perPage === undefined ? { page: 1, count: log.pageSize } : { page: 2, count: page.perPage }
}

/** Whether Slack gives nothing further in this listing, but would in a new one. */
function endsListing(error: unknown): boolean {
  return error instanceof SlackCallError && /^(over_pagination_limit|invalid_cursor)$/.test(error.code)
}

/** The `before` with which a walk continues where Slack cut a listing. @throws AuditError if nothing was read in it. */
function lowerBefore(
  { log, startedAt, lookbackSeconds, onSkip }: WalkOptions,
  listing: Listing,
  before: number | undefined,
): number {
  const place = listing.place(lookbackSeconds())
  const byTime = listing.placeByTime
  if (place === undefined || byTime === undefined) {
    throw notAdvancing(log, 'Slack cut the listing before it gave an entry with a readable time')
  }
  const ceiling = before ?? startedAt
  if (place < ceiling) return place
  onSkip('Slack cut a listing within one look-back, so older entries that changed there may be missing')
  return Math.min(byTime, ceiling - 1)
}

/** Proves that a listing advances. */
class LoopGuard {
  readonly #log: Log
  readonly #cursors = new Set<string>()
  #ids: ReadonlySet<string> = new Set()
  #empty = 0
  #repeats = 0

  constructor(log: Log) {
    this.#log = log
  }

  assertNewCursor(cursor: string): void {
    if (this.#cursors.has(cursor)) throw notAdvancing(this.#log, 'Slack gave the same cursor twice')
    this.#cursors.add(cursor)
  }

  assertNew({ entries }: Page): void {
    this.#empty = entries.length === 0 ? this.#empty + 1 : 0
    if (this.#empty >= MOST_EMPTY_PAGES) throw notAdvancing(this.#log, `${this.#empty} empty pages in a row`)
    if (entries.length === 0) return
    // Rows that arrive push others onto the next page, so a single repeat proves nothing.
    this.#repeats = entries.every(({ id }) => this.#ids.has(id)) ? this.#repeats + 1 : 0
    if (this.#repeats >= MOST_REPEATS) throw notAdvancing(this.#log, 'Slack gave the same page three times')
    this.#ids = new Set(entries.map(({ id }) => id))
  }
}

function assertAskedFor(
  log: Log,
  { entries, page }: Page,
  number: number | undefined,
  before: number | undefined,
): void {
  if (number !== undefined && page !== undefined && page !== number) {
    throw notAdvancing(log, `page ${number} was requested, page ${page} came`)
  }
  if (before === undefined) return
  const above = entries.filter(({ began, dated }) => dated && began > before)
  // One odd entry among others proves nothing.
  if (above.length > 1 || (above.length === 1 && entries.length === 1)) {
    throw notAdvancing(log, 'Slack, or a gateway, ignores "before"')
  }
}

function notAdvancing(log: Log, what: string): AuditError {
  return new AuditError('contract', 'no_advance', `${log.method}: the walk does not advance: ${what}`)
}

function pagesUnread(log: Log, read: number, pages: number | undefined): AuditError {
  return new AuditError(
    'contract',
    'pages_unread',
    `${log.method}: Slack serves only ${read} of ${pages ?? 'more'} pages, so the oldest entries were not read. Fetch them in parts with --app-id, --service-id, --user or --change-type`,
  )
}
