import type { Entry, Times } from '../log/page.ts'

/**
 * The order of a log. Slack documents neither the field an access log is sorted by nor the field that `before`
 * compares, so both are observed and never assumed.
 */

/** Entries may stand out of order by up to this many seconds. Smaller inversions prove nothing. */
export const JITTER_SECONDS = 300

/** A row may arrive this long after its own time: "access logs are updated every hour" (help centre). */
export const LATENESS_SECONDS = 3600

/** A field that may be the sort key. */
export type SortKey = keyof Times
const SORT_KEYS: readonly SortKey[] = ['time', 'began']

/** What is known of the sort key. `unsure`: either field may be it. `none`: the log descends in neither field. */
export type SortedBy = SortKey | 'unsure' | 'none'

/** One odd entry proves nothing: it takes two entries out of order, each below two entries that are older than it. */
const ENTRIES_TO_REFUTE = 2

/** The order of a log: `known` is what earlier runs learnt, and inversions are what this run has seen. */
export class Order {
  /** The fields that may be the sort key: those that no run has refuted. */
  sortKeys: readonly SortKey[]
  readonly #known: SortedBy
  readonly #inversions: Record<SortKey, number> = { time: 0, began: 0 }
  /** Whether answers of this run show that `before` compares the time at which a row began. */
  beforeComparesBegan = false

  constructor(known: SortedBy) {
    this.#known = known
    this.sortKeys = SORT_KEYS.filter((key) => known === 'unsure' || known === key)
  }

  /** An entry stands below several that are older in this field. */
  noteInversion(key: SortKey): void {
    this.#inversions[key] += 1
    if (this.#inversions[key] >= ENTRIES_TO_REFUTE)
      this.sortKeys = this.sortKeys.filter((other) => other !== key)
  }

  /** The field whose value tells how far down the log a place is: the sort key, or the own time while that is open. */
  get anchorKey(): SortKey {
    return this.sortKeys.length === 1 ? (this.sortKeys[0] ?? 'time') : 'time'
  }

  /** Whether a walk may skip entries with `before` and leave out only what lies above. `unproven`: an answer can show it. */
  get canSeek(): 'yes' | 'no' | 'unproven' {
    if (this.sortKeys.length === 0) return 'no'
    // In the order of its own time, an entry further down is older in both fields: it passes either filter.
    if (this.sortKeys.length === 1 && this.sortKeys[0] === 'time') return 'yes'
    // Otherwise a filter on the own time would hide long-lived rows that lie further down.
    return this.beforeComparesBegan ? 'yes' : 'unproven'
  }

  /** Why a walk that went on below with `before` may have left something out. Undefined: it left out nothing. */
  get doubtBelow(): string | undefined {
    if (this.sortKeys.length === 0) return 'the log is in no order'
    const sortedByTime = this.sortKeys.length === 1 && this.sortKeys[0] === 'time'
    if (sortedByTime === this.beforeComparesBegan)
      return sortedByTime
        ? '"before" compares another field than the one Slack sorts by'
        : 'Slack does not show that "before" compares the field it sorts by'
    return undefined
  }

  /**
   * What to remember. Evidence of this run that tells the fields apart replaces what was known; a run without evidence
   * forgets nothing, but one that read the whole log (`readAll`) and found it in order lifts `none`.
   */
  learnt(readAll: boolean): SortedBy {
    const refuted = SORT_KEYS.filter((key) => this.#inversions[key] >= ENTRIES_TO_REFUTE)
    if (refuted.length === 1) return refuted[0] === 'time' ? 'began' : 'time'
    if (refuted.length === 2) return this.#known === 'unsure' ? 'none' : this.#known
    return this.#known === 'none' && readAll ? 'unsure' : this.#known
  }
}

/** The lowest values of one field, ascending: as many as an anchor needs. */
class Lowest {
  readonly values: number[] = []

  add(value: number): void {
    const { values } = this
    if (values.length === ANCHOR_ENTRIES && value >= (values[ANCHOR_ENTRIES - 1] ?? 0)) return
    const at = values.findIndex((other) => value < other)
    values.splice(at < 0 ? values.length : at, 0, value)
    values.length = Math.min(values.length, ANCHOR_ENTRIES)
  }
}

/** A place in the log is anchored on a time that at least five entries share or lie under, and at most ten. */
export const LEAST_ANCHOR_ENTRIES = 5
const ANCHOR_ENTRIES = 10

/** Watches one listing, which is what Slack gives for one `before`, and tells what it sees to the order. */
export class Listing {
  /** Was anything out of order in this field, if only by jitter? */
  readonly uneven: Record<SortKey, boolean> = { time: false, began: false }
  readonly #order: Order
  readonly #before: number | undefined
  readonly #settledBefore: number
  readonly #lowest: Record<SortKey, Lowest> = { time: new Lowest(), began: new Lowest() }
  #lowestOnPage = { time: new Lowest(), began: new Lowest() }
  #entries = 0
  #aboveBefore = 0

  /** `startedAt`: when the listing was begun, epoch seconds. */
  constructor(order: Order, before: number | undefined, startedAt: number) {
    this.#order = order
    this.#before = before
    this.#settledBefore = startedAt - LATENESS_SECONDS
  }

  /** The entries that follow stand on a page of their own. */
  turnPage(): void {
    this.#lowestOnPage = { time: new Lowest(), began: new Lowest() }
  }

  /** Takes note of an entry that this listing has not shown before. `metEarlier`: another listing of this run has. */
  observe(entry: Entry, metEarlier: boolean): void {
    this.#entries += 1
    if (!entry.dated) return
    if (this.#before !== undefined && entry.time > this.#before) {
      this.#aboveBefore += 1
      if (this.#aboveBefore >= ENTRIES_TO_REFUTE) this.#order.beforeComparesBegan = true
    }
    // What arrives above a page already read pushes itself and others onto the next page. So an entry that may have
    // arrived or changed since the walk began is compared with its own page only.
    const above = entry.time < this.#settledBefore ? this.#lowest : this.#lowestOnPage
    for (const key of SORT_KEYS) {
      const [lowest = Number.POSITIVE_INFINITY, second = Number.POSITIVE_INFINITY] = above[key].values
      if (!metEarlier && entry[key] > lowest) {
        this.uneven[key] = true
        if (entry[key] > second + JITTER_SECONDS) this.#order.noteInversion(key)
      }
      this.#lowest[key].add(entry[key])
      this.#lowestOnPage[key].add(entry[key])
    }
  }

  /**
   * How far down the listing was read. No single entry decides it: several entries share these times or lie under
   * them, a tenth of what was read, up to ten. Undefined before five entries were read.
   */
  get anchor(): Times | undefined {
    if (this.#entries < LEAST_ANCHOR_ENTRIES) return undefined
    const nth = Math.max(LEAST_ANCHOR_ENTRIES, Math.min(ANCHOR_ENTRIES, Math.floor(this.#entries / 10))) - 1
    const time = this.#lowest.time.values[nth]
    const began = this.#lowest.began.values[nth]
    return time === undefined || began === undefined ? undefined : { time, began }
  }

  /** The highest of the lowest times read, for a listing too short to have an anchor. */
  get highestOfFew(): number | undefined {
    return this.#lowest[this.#order.anchorKey].values.at(-1)
  }
}

/** The lower of two places, field by field. */
export function lower(one: Times, other: Times): Times {
  return { time: Math.min(one.time, other.time), began: Math.min(one.began, other.began) }
}
