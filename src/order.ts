/**
 * Which time field the log is sorted by, and which one `before` compares, as far as answers have shown it.
 * Slack documents neither, so both are observed and never assumed.
 */

/** An inversion of up to this many seconds is jitter and refutes nothing. */
export const JITTER_SECONDS = 300

/** A row may arrive this long after its own time: "access logs are updated every hour" (help centre). */
export const LATENESS_SECONDS = 3600

/** What answers have shown so far. Times are arrays with one value per time field of the log, its own time first. */
export interface Order {
  /** Per time field: has an answer shown that the log does not descend in it? */
  readonly refuted: boolean[]
  /** The time field that `before` compares, once an answer has shown it. */
  beforeField: number | undefined
}

/** Nothing is known yet. */
export function unknownOrder(fields: number): Order {
  return { refuted: Array<boolean>(fields).fill(false), beforeField: undefined }
}

/** The fields that may be the sort key. */
export function standing(order: Order): number[] {
  return order.refuted.flatMap((refuted, field) => (refuted ? [] : [field]))
}

/** The field in which a walk goes on below: the one that stands as the sort key, the own time while all or none do. */
export function anchorField(order: Order): number {
  const fields = standing(order)
  return fields.length === 1 ? (fields[0] ?? 0) : 0
}

/**
 * Is nothing left out when a listing is started at `before` = the anchor, and not read down to it?
 * `unknown` where the first page of that listing can still show it (see `Listing.observe`).
 */
export function shortcut(order: Order): 'safe' | 'unsafe' | 'unknown' {
  const fields = standing(order)
  if (fields.length === 0) return 'unsafe'
  // Under the order of its own time an entry further down is older in every field, so either filter lets it through.
  if (fields.length === 1 && fields[0] === 0) return 'safe'
  // Else the filter must be the other field: a filter on the own time hides long-lived rows that lie further down.
  if (order.beforeField === undefined) return 'unknown'
  return order.beforeField === 0 ? 'unsafe' : 'safe'
}

/** Has an answer shown that `before` compares another field than the one the log is sorted by, or may it be so? */
export function beforeIsDoubtful(order: Order): boolean {
  const fields = standing(order)
  if (fields.length === 1 && fields[0] === 0)
    return order.beforeField !== undefined && order.beforeField !== 0
  return shortcut(order) !== 'safe'
}

/** May the walk stop below this page? Only if all of it lies under the bound of every field not refuted. */
export function liesBelow(
  order: Order,
  page: readonly (readonly number[])[],
  bounds: readonly number[],
): boolean {
  const fields = standing(order)
  return (
    fields.length > 0 &&
    page.length > 0 &&
    page.every((times) => fields.every((field) => (times[field] ?? 0) < (bounds[field] ?? 0)))
  )
}

/** Watches one listing, from its first page down, and adds to what is known of the order. */
export class Listing {
  /** Lowest and highest value read in this listing, per time field. */
  readonly lowest: number[]
  readonly highest: number[]
  /** Was anything out of order, if only by jitter? Per time field. */
  readonly uneven: boolean[]
  readonly #order: Order
  readonly #before: number | undefined
  /** Only entries older than this tell anything when they stand below an entry of an earlier page. */
  readonly #settledBefore: number
  #lowestOnPage: number[]

  /** `startedAt`: when the listing was begun, epoch seconds. */
  constructor(order: Order, before: number | undefined, startedAt: number) {
    this.#order = order
    this.#before = before
    this.#settledBefore = startedAt - LATENESS_SECONDS
    this.lowest = order.refuted.map(() => Number.POSITIVE_INFINITY)
    this.highest = order.refuted.map(() => Number.NEGATIVE_INFINITY)
    this.uneven = order.refuted.map(() => false)
    this.#lowestOnPage = [...this.lowest]
  }

  /** The entries that follow stand on a page of their own. */
  turnPage(): void {
    this.#lowestOnPage = this.#lowestOnPage.map(() => Number.POSITIVE_INFINITY)
  }

  /**
   * Takes note of an entry. One that was read before in this walk (`known`) says nothing about the order, and one that
   * may have arrived since the walk began says nothing next to an earlier page: what arrives above a page already read
   * pushes it, and what stands below it, onto the next one.
   */
  observe(times: readonly number[], known: boolean): void {
    for (const [field, time] of times.entries()) {
      const above = time < this.#settledBefore ? this.lowest : this.#lowestOnPage
      const lowest = above[field] ?? 0
      if (!known && time > lowest) {
        this.uneven[field] = true
        if (time > lowest + JITTER_SECONDS) this.#order.refuted[field] = true
      }
      this.lowest[field] = Math.min(time, this.lowest[field] ?? time)
      this.highest[field] = Math.max(time, this.highest[field] ?? time)
      this.#lowestOnPage[field] = Math.min(time, this.#lowestOnPage[field] ?? time)
    }
    // A row whose own time is later than `before` shows that `before` compares the other field.
    if (this.#before !== undefined && times.length > 1 && (times[0] ?? 0) > this.#before)
      this.#order.beforeField = 1
  }
}
