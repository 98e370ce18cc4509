import type { Entry, Page, Times } from '../log/page.ts'
import { FEW_ENTRIES, LowestFive } from './listing.ts'
import { isIn, mergeRanges, type Range } from './range.ts'

interface Planned extends Range {
  /** Whether the walk has come down to its top. */
  reached: boolean
  /** How many entries in a row, on whole pages, were older than anything it wants. */
  entriesBelow: number
}

/** What one run has to read: the head, then the gaps that earlier runs left, newest first. */
export class ReadPlan {
  /** Null if it proves nothing: it is missing, or older than --since. */
  readonly #watermark: number | null
  #ranges: Planned[]
  /** How far down the walk has come. What is unread began at or before this time. */
  #place = Number.POSITIVE_INFINITY
  /** Whether a page so far held an entry at or above the watermark. */
  #descends = false
  readonly #newest = new LowestFive()

  /** `floor`: of the head, epoch seconds. `watermark`: null before the first entry. */
  constructor(floor: number, gaps: readonly Range[], watermark: number | null) {
    this.#watermark = watermark !== null && watermark >= floor ? watermark : null
    const head = { top: Number.POSITIVE_INFINITY, floor }
    this.#ranges = [head, ...gaps].map((range, index) => ({
      ...range,
      reached: index === 0,
      entriesBelow: 0,
    }))
  }

  get done(): boolean {
    return this.#ranges.length === 0
  }

  /** Whether an entry with these times is in what is still unread. */
  wants(times: Times): boolean {
    return this.#ranges.some((range) => isIn(this.#unreadPartOf(range), times))
  }

  /**
   * Records a page as read, with the place of the walk after it, and drops the ranges it completes: those under which at
   * least five entries in a row are, on pages without any newer entry. An entry is under a range if its `time` is earlier
   * than the floor and it began more than a look-back before the floor.
   */
  markRead({ entries }: Page, place: number, lookbackSeconds: number): void {
    this.#place = place
    for (const range of this.#ranges) range.reached ||= range.top >= place
    // A borrowed time decides nothing.
    const dated = entries.filter((entry) => entry.dated)
    if (dated.length === 0) return
    const counts = this.#isOld(dated)
    this.#ranges = this.#ranges.filter((range) => {
      const { floor } = range
      const isBelow = ({ time, began }: Times) => time < floor && began < floor - lookbackSeconds
      range.entriesBelow = counts && dated.every(isBelow) ? range.entriesBelow + dated.length : 0
      return !range.reached || range.entriesBelow < FEW_ENTRIES
    })
  }

  /** The log has ended: nothing is left below. `hasBefore`: a gap further down can still be requested by itself. */
  finish(hasBefore: boolean): void {
    this.#ranges = hasBefore ? this.#ranges.filter(({ reached }) => !reached) : []
  }

  /** The top of the next gap, if the walk has yet to come down to it and may skip what is above. */
  get nextTop(): number | undefined {
    if (this.#ranges.some(({ reached }) => reached)) return undefined
    return this.#ranges.reduce<number | undefined>(
      (top, range) => Math.max(top ?? range.top, range.top),
      undefined,
    )
  }

  /** What is left unread if the walk ends here: the gaps for later runs, newest first. */
  unread(): Range[] {
    return mergeRanges(this.#ranges.map((range) => this.#unreadPartOf(range)))
  }

  #unreadPartOf({ top, floor }: Range): Range {
    return { top: Math.min(top, this.#place), floor }
  }

  /**
   * Whether a page that is under a range may be taken for the end of it. A log that is not newest first is read to
   * its end, so the page itself or one above it must hold an entry at or above the watermark. Without a watermark, five
   * entries above it must be newer than all of it.
   */
  #isOld(entries: readonly Entry[]): boolean {
    if (this.#watermark === null) {
      const { isFull, value = 0 } = this.#newest
      const isOlder = isFull && entries.every(({ time }) => time < -value)
      for (const { id, time } of entries) this.#newest.add(id, -time)
      return isOlder
    }
    const watermark = this.#watermark
    this.#descends ||= entries.some(({ time }) => time >= watermark)
    return this.#descends
  }
}
