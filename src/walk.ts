import { AuditError, SlackCallError } from './errors.ts'
import type { Entry, Log, Page } from './logs.ts'
import { anchorField, JITTER_SECONDS, Listing, type Order, standing } from './order.ts'
import type { Trail } from './trail.ts'

/** Slack gives this many pages of one listing (docs.slack.dev, over_pagination_limit). */
const PAGE_CAP = 100

export interface WalkOptions {
  readonly log: Log
  /** Sent with every request: team_id, filters. Slack forgets what is not repeated with a cursor. */
  readonly args: Record<string, string>
  readonly fetchPage: (args: Record<string, string>) => Promise<Page>
  /** Epoch seconds. */
  readonly now: () => number
  /** What is known of the order; the walk adds to it. */
  readonly order: Order
  /** What this walk has passed; the walk adds to it. */
  readonly trail: Trail
  /** Called when the walk goes on below with `before`, with the reason where that may have left something out. */
  readonly onGoingOn: (doubt?: string) => void
}

/** A page of a walk: all its entries, and those of them that this walk has not met before. */
export interface Step {
  readonly entries: readonly Entry[]
  readonly fresh: readonly Entry[]
}

/** What follows a page: a cursor, or a page number with the size of the pages. */
interface Place {
  readonly cursor?: string
  readonly page?: number
  readonly count?: number
}

/**
 * Walks a log from `before` (epoch seconds, inclusive; undefined: from its head) to its end, page by page. Where Slack
 * gives no further page it goes on below with a lower `before`.
 * @throws SlackCallError of a call, AuditError if the walk does not advance or cannot go on.
 */
export async function* walk(options: WalkOptions, before: number | undefined): AsyncGenerator<Step, void> {
  for (let from: number | undefined | 'end' = before; from !== 'end'; ) {
    from = yield* walkListing(options, from)
  }
}

/** Walks one listing, which is what one `before` gives; returns the `before` to go on with, or `end`. */
async function* walkListing(
  options: WalkOptions,
  before: number | undefined,
): AsyncGenerator<Step, number | 'end'> {
  const { log, order, trail } = options
  const listing = new Listing(order, before, options.now())
  const cursors = new Set<string>()
  let place: Place = log.limit === undefined ? { page: 1, count: log.count } : {}
  let page: Page | undefined
  for (let pagesRead = 1; ; pagesRead += 1) {
    try {
      page = await options.fetchPage(argumentsOf(options, place, before))
    } catch (error) {
      if (!page || !endsListing(error)) throw error
      if (log.hasBefore) return goOnBelow(options, listing, before)
      throw pagesUnread(log, pagesRead - 1, page.pages)
    }
    assertTurned(log, place, page)
    assertBelow(log, page, before)
    listing.turnPage()
    const fresh: Entry[] = []
    for (const entry of page.entries) {
      const known = trail.knows(entry)
      listing.observe(entry.times, known !== undefined)
      if (known === 'state') continue
      trail.pass(entry)
      fresh.push(entry)
    }
    trail.settle()
    yield { entries: page.entries, fresh }

    const next = following(log, place, page, cursors)
    if (next === 'end') {
      // A listing that ends just where Slack's cap lies may have been cut there without a word.
      return pagesRead === PAGE_CAP && log.hasBefore ? goOnBelow(options, listing, before) : 'end'
    }
    if (next.page !== undefined && next.page > PAGE_CAP) {
      if (log.hasBefore) return goOnBelow(options, listing, before)
      throw pagesUnread(log, pagesRead, page.pages)
    }
    const lower = rolledDown(order, listing, before)
    if (lower !== undefined) return lower
    place = next
  }
}

function argumentsOf(
  { log, args }: WalkOptions,
  place: Place,
  before: number | undefined,
): Record<string, string> {
  const { cursor, page, count } = place
  return {
    ...args,
    ...(before !== undefined && { before: String(before) }),
    ...(page === undefined ? { limit: String(log.limit) } : { count: String(count), page: String(page) }),
    ...(cursor !== undefined && { cursor }),
  }
}

/** Decided by what the answer holds: a cursor; else, if none was ever given, a further page; else the end. */
function following(log: Log, place: Place, page: Page, cursors: Set<string>): Place | 'end' {
  if (page.nextCursor !== undefined) {
    if (cursors.has(page.nextCursor)) throw notAdvancing(log, 'Slack gave the same cursor twice')
    cursors.add(page.nextCursor)
    return { cursor: page.nextCursor }
  }
  const number = place.page ?? 1
  if (cursors.size > 0 || (page.pages ?? 0) <= number) return 'end'
  if (place.page !== undefined) return { ...place, page: number + 1 }
  // `limit` was taken for classic paging. Its pages go on in the size the answer names, else from the first one.
  return page.perPage === undefined ? { page: 1, count: log.count } : { page: 2, count: page.perPage }
}

/** Slack gives nothing further down in this listing, but would in another. */
function endsListing(error: unknown): boolean {
  return error instanceof SlackCallError && /^(over_pagination_limit|invalid_cursor)$/.test(error.code)
}

/**
 * The `before` under which a capped listing goes on: the lowest value read in the field that stands as the sort key,
 * with room for jitter if that still leaves out something read. A second that fills a whole listing is stepped over.
 * @throws AuditError if no `before` is lower than the one of this listing.
 */
function goOnBelow(
  { log, order, onGoingOn }: WalkOptions,
  listing: Listing,
  before: number | undefined,
): number {
  const field = anchorField(order)
  const lowest = listing.lowest[field] ?? Number.POSITIVE_INFINITY
  const ceiling = Math.min(before ?? Number.POSITIVE_INFINITY, listing.highest[field] ?? 0)
  if (lowest + JITTER_SECONDS < ceiling) {
    onGoingOn()
    return lowest + JITTER_SECONDS
  }
  if (lowest < ceiling) {
    onGoingOn(listing.uneven[field] ? 'the log is out of order where its pages end' : undefined)
    return lowest
  }
  if (!Number.isFinite(lowest) || (before !== undefined && lowest - 1 >= before)) {
    throw notAdvancing(log, 'Slack gives the same entries again')
  }
  onGoingOn(`more entries share the second ${lowest} than Slack gives pages for`)
  return lowest - 1
}

/**
 * Below a `before` that compares the own time, a row that is touched leaves the listing and pulls the rows under it up,
 * over the edge of a page already read (a cursor may count rows too, as page numbers do). So there each page is asked
 * for with a `before` of its own, as long as that leaves out something read; undefined where the page is to be turned.
 */
function rolledDown(order: Order, listing: Listing, before: number | undefined): number | undefined {
  const fields = standing(order)
  if (before === undefined || fields.length !== 1 || fields[0] !== 0 || order.beforeField === 1)
    return undefined
  const lower = (listing.lowest[0] ?? 0) + JITTER_SECONDS
  return lower < Math.min(before, listing.highest[0] ?? 0) ? lower : undefined
}

function assertTurned(log: Log, place: Place, page: Page): void {
  if (place.page !== undefined && page.page !== undefined && page.page !== place.page) {
    throw notAdvancing(log, `page ${place.page} was asked for, page ${page.page} came`)
  }
}

function assertBelow(log: Log, page: Page, before: number | undefined): void {
  if (before === undefined) return
  const above = page.entries.some((entry) => entry.times.every((time) => time > before))
  if (above) throw notAdvancing(log, 'Slack, or a gateway, does not heed "before"')
}

function notAdvancing(log: Log, what: string): AuditError {
  return new AuditError('contract', 'no_advance', `${log.method}: the walk does not advance: ${what}`)
}

function pagesUnread(log: Log, read: number, pages: number | undefined): AuditError {
  return new AuditError(
    'contract',
    'over_pagination_limit',
    `${log.method}: Slack gives ${read} of ${pages ?? 'more'} pages, and this log has no other way down: the oldest entries were not read. Read them by parts, with --app-id, --service-id, --user or --change-type`,
  )
}
