import { AuditError, SlackCallError } from '../errors.ts'
import type { Log } from '../log/logs.ts'
import type { Entry, Page, Times } from '../log/page.ts'
import { JITTER_SECONDS, LEAST_ANCHOR_ENTRIES, Listing, type Order } from './order.ts'
import type { RecentEntries } from './recent.ts'

/** Slack gives this many pages of one listing (docs.slack.dev, over_pagination_limit). */
const PAGE_CAP = 100

export interface WalkOptions {
  readonly log: Log
  /** Sent with every request: team_id, filters. Slack forgets what is not repeated with a cursor. */
  readonly args: Record<string, string>
  readonly fetchPage: (args: Record<string, string>) => Promise<Page>
  /** Epoch seconds. */
  readonly now: () => number
  /** What is known of the order. The walk adds what it sees. */
  readonly order: Order
  /** What may be met again. The walk adds what it meets. */
  readonly recent: RecentEntries
  /** Called when the walk goes on below with `before`, with the reason where that may leave something out. */
  readonly onGoingBelow: (doubt?: string) => void
}

/** A page of a walk. */
export interface Step {
  readonly entries: readonly Entry[]
  /** Those of its entries that neither this run nor, as far as is remembered, an earlier one has met. */
  readonly fresh: readonly Entry[]
  /** How far down this listing was read; no single entry decides it. Undefined: not far enough to say. */
  readonly anchor: Times | undefined
}

/** What follows a page: a cursor, or a page number with the size of the pages. */
interface Place {
  readonly cursor?: string
  readonly page?: number
  readonly count?: number
}

/**
 * Walks a log from `before` (epoch seconds, inclusive; undefined: from its head) to its end, page by page. Where Slack
 * gives no further page, the walk goes on below with a lower `before`.
 * @throws SlackCallError of a call; AuditError if the walk does not advance or cannot go on.
 */
export async function* walk(options: WalkOptions, before: number | undefined): AsyncGenerator<Step, void> {
  for (let from: number | undefined | 'end' = before; from !== 'end'; ) {
    from = yield* walkListing(options, from)
  }
}

/** Walks one listing, which is what Slack gives for one `before`. Returns the `before` to go on with, or `end`. */
async function* walkListing(
  options: WalkOptions,
  before: number | undefined,
): AsyncGenerator<Step, number | 'end'> {
  const { log, order, recent } = options
  const listing = new Listing(order, before, options.now())
  const number = recent.startListing()
  const cursors = new Set<string>()
  let place: Place = log.limit === undefined ? { page: 1, count: log.count } : {}
  let page: Page | undefined
  for (let pagesRead = 1; ; pagesRead += 1) {
    try {
      page = await options.fetchPage(argumentsOf(options, place, before))
    } catch (error) {
      if (!page || !endsListing(error)) throw error
      if (log.hasBefore) return goBelow(options, listing, before)
      throw pagesUnread(log, pagesRead - 1, page.pages)
    }
    assertTurned(log, place, page)
    assertBelow(log, page, before)
    listing.turnPage()
    const fresh: Entry[] = []
    let repeated = 0
    for (const entry of page.entries) {
      const metIn = recent.metIn(entry.id)
      if (metIn === number) repeated += 1
      else listing.observe(entry, metIn !== undefined && metIn > 0)
      recent.add(entry, number)
      if (metIn === undefined) fresh.push(entry)
    }
    if (
      page.pages === undefined &&
      (place.page ?? 1) > 1 &&
      repeated > 0 &&
      repeated === page.entries.length
    ) {
      throw notAdvancing(log, `page ${place.page} holds the entries of the page before it`)
    }
    yield { entries: page.entries, fresh, anchor: listing.anchor }

    const next = following(log, place, page, cursors)
    if (next === 'end') {
      // A listing that ends exactly at Slack's cap may have been cut there without a word.
      return pagesRead === PAGE_CAP && log.hasBefore ? goBelow(options, listing, before) : 'end'
    }
    if (next.page !== undefined && next.page > PAGE_CAP) {
      if (log.hasBefore) return goBelow(options, listing, before)
      throw pagesUnread(log, pagesRead, page.pages)
    }
    const lowered = beforeForNextPage(order, listing, page, before)
    if (lowered !== undefined) return lowered
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

/**
 * The answer decides what follows: a cursor; else, in a walk that was never given one, a further page by its `paging`;
 * else, where a page of a numbered listing came full and without `paging`, the next page; else the end.
 */
function following(log: Log, place: Place, page: Page, cursors: Set<string>): Place | 'end' {
  if (page.nextCursor !== undefined) {
    if (cursors.has(page.nextCursor)) throw notAdvancing(log, 'Slack gave the same cursor twice')
    cursors.add(page.nextCursor)
    return { cursor: page.nextCursor }
  }
  if (cursors.size > 0) return 'end'
  if (place.page !== undefined) {
    const more =
      page.pages === undefined ? page.entries.length >= (place.count ?? log.count) : page.pages > place.page
    return more ? { ...place, page: place.page + 1 } : 'end'
  }
  if ((page.pages ?? 0) <= 1) return 'end'
  // `limit` was taken for classic paging. Its pages go on in the size the answer names, else from the first one.
  return page.perPage === undefined ? { page: 1, count: log.count } : { page: 2, count: page.perPage }
}

/** Slack gives nothing further down in this listing, but it would in another. */
function endsListing(error: unknown): boolean {
  return error instanceof SlackCallError && /^(over_pagination_limit|invalid_cursor)$/.test(error.code)
}

/**
 * The `before` with which a walk goes on below a listing that Slack has cut: the anchor of the listing, with room for
 * jitter where that is still lower than the present `before`.
 * @throws AuditError if no lower `before` can be had.
 */
function goBelow(
  { log, order, onGoingBelow }: WalkOptions,
  listing: Listing,
  before: number | undefined,
): number {
  const key = order.anchorKey
  const anchor = listing.anchor?.[key]
  const ceiling = before ?? Number.POSITIVE_INFINITY
  if (anchor !== undefined && anchor + JITTER_SECONDS < ceiling) {
    onGoingBelow()
    return anchor + JITTER_SECONDS
  }
  const lowest = anchor ?? listing.highestOfFew
  if (lowest === undefined || lowest > ceiling) throw notAdvancing(log, 'Slack gives the same entries again')
  if (anchor === undefined) onGoingBelow('Slack broke off after a handful of entries')
  else if (lowest === ceiling)
    onGoingBelow(`more entries share the second ${lowest} than Slack gives pages for`)
  else onGoingBelow(listing.uneven[key] ? 'the log is out of order where its pages end' : undefined)
  return lowest === ceiling ? lowest - 1 : lowest
}

/**
 * The `before` for the next page of a listing that `before` cuts by the own time; undefined where the page is turned. A
 * row that is touched leaves such a listing, and the rows under it move up onto a page already read. So each page gets a
 * `before` of its own, where that skips at least a third of the page just read.
 */
function beforeForNextPage(
  order: Order,
  listing: Listing,
  { entries }: Page,
  before: number | undefined,
): number | undefined {
  if (before === undefined || !listing.anchor || order.beforeComparesBegan) return undefined
  if (order.sortKeys.length !== 1 || order.anchorKey !== 'time') return undefined
  const next = listing.anchor.time + JITTER_SECONDS
  const left = entries.filter(({ time }) => time > next).length
  return next < before && left * 3 >= entries.length && left >= LEAST_ANCHOR_ENTRIES ? next : undefined
}

function assertTurned(log: Log, place: Place, page: Page): void {
  if (place.page !== undefined && page.page !== undefined && page.page !== place.page) {
    throw notAdvancing(log, `page ${place.page} was asked for, page ${page.page} came`)
  }
}

function assertBelow(log: Log, page: Page, before: number | undefined): void {
  if (before === undefined) return
  const above = page.entries.filter(({ time, began, dated }) => dated && time > before && began > before)
  // One odd entry among others is no proof.
  if (above.length > 1 || (above.length === 1 && page.entries.length === 1))
    throw notAdvancing(log, 'Slack, or a gateway, does not heed "before"')
}

function notAdvancing(log: Log, what: string): AuditError {
  return new AuditError('contract', 'no_advance', `${log.method}: the walk does not advance: ${what}`)
}

function pagesUnread(log: Log, read: number, pages: number | undefined): AuditError {
  return new AuditError(
    'contract',
    'pages_unread',
    `${log.method}: Slack gives ${read} of ${pages ?? 'more'} pages, and this log has no other way down: the oldest entries were not read. Read them in parts, with --app-id, --service-id, --user or --change-type`,
  )
}
