import type { Entry, Times } from '../log/page.ts'
import { JITTER_SECONDS, LEAST_ANCHOR_ENTRIES, lower, type Order, type SortKey } from '../walk/order.ts'

/** A range of the log that is to be read, from `top` down to `floor`. Saved in the state, it is a gap. */
export interface Range {
  /** What was read above it ended here. Infinity: it begins at the head. */
  readonly top: Times
  /** Entries whose own time lies under `floor.time` are not wanted. A walk may stop where all lies under `floor`. */
  readonly floor: Times
}

/** Whether an entry with these times lies in the range, or within jitter of it, by one of these fields. */
export function liesIn({ top, floor }: Range, times: Times, keys: readonly SortKey[]): boolean {
  if (times.time < floor.time) return false
  return keys.some(
    (key) => times[key] <= top[key] + JITTER_SECONDS && times[key] >= floor[key] - JITTER_SECONDS,
  )
}

/** Both fields, for what must hold whichever of them turns out to be the sort key. */
export const BOTH_KEYS: readonly SortKey[] = ['time', 'began']

interface Planned {
  readonly range: Range
  readonly kind: 'news' | 'overlap' | 'gap'
  /** How many entries in a row lay under its floor. */
  entriesBelow: number
}

/** What one run has to read: what is new, the overlap, and the gaps that earlier runs left. */
export class ReadPlan {
  readonly #order: Order
  #ranges: Planned[]
  /** What this run will not read any more. */
  #leftForLater: Range[] = []

  constructor(
    { news, overlap }: { news: Range; overlap: Range | undefined },
    gaps: readonly Range[],
    order: Order,
  ) {
    const planned = (kind: Planned['kind']) => (range: Range) => ({ range, kind, entriesBelow: 0 })
    this.#order = order
    this.#ranges = [
      planned('news')(news),
      ...(overlap ? [overlap] : []).map(planned('overlap')),
      ...gaps.map(planned('gap')),
    ]
  }

  get done(): boolean {
    return this.#ranges.length === 0
  }

  /** Whether an entry that was not met before is to be printed; `later`: by a run that reads what this one leaves. */
  wants(entry: Entry): boolean | 'later' {
    // It must lie in a range by each field that may be the sort key: a later run may know which one it is.
    if (this.#leftForLater.some((range) => this.#keys.every((key) => liesIn(range, entry, [key]))))
      return 'later'
    if (this.#leftForLater.some((range) => liesIn(range, entry, this.#keys))) return true
    // Wherever an entry stands that is late enough for the head, it has come or changed since the last run.
    return this.#ranges.some(({ range, kind }) =>
      kind === 'gap' ? liesIn(range, entry, this.#keys) : entry.time >= range.floor.time,
    )
  }

  /**
   * Takes a page as read, with the anchor of the walk after it, and strikes out the ranges that end above it: those
   * whose floor lies above all of the page, above several entries in a row, and above the anchor by more than jitter.
   */
  pass(page: readonly Entry[], anchor: Times | undefined): void {
    const { sortKeys } = this.#order
    if (page.length === 0 || sortKeys.length === 0) return
    this.#ranges = this.#ranges.filter((planned) => {
      if (!this.#reached(planned.range, anchor)) return true
      const below = page.every((entry) => sortKeys.every((key) => entry[key] < planned.range.floor[key]))
      planned.entriesBelow = below ? planned.entriesBelow + page.length : 0
      const few = planned.entriesBelow < LEAST_ANCHOR_ENTRIES
      return few || !isEmpty(this.#below(planned.range, anchor), sortKeys)
    })
  }

  /** The log has ended: nothing lies below. */
  finish(): void {
    this.#ranges = []
  }

  /**
   * A limit was reached: from here on the run reads the overlap only, and prints what arrived late or changed there. A
   * gap that included the overlap would have to remember everything that was printed in it.
   */
  leaveAllButOverlap(anchor: Times | undefined): void {
    const leaves = this.#ranges.filter(({ kind }) => kind !== 'overlap')
    this.#leftForLater.push(...leaves.map(({ range }) => this.#below(range, anchor)))
    this.#ranges = this.#ranges.filter(({ kind }) => kind === 'overlap')
  }

  /** Where the next range begins, if all that is left to read lies further down than the walk has come. */
  topOfNextGap(anchor: Times | undefined): Times | undefined {
    if (this.#ranges.some(({ range }) => this.#reached(range, anchor))) return undefined
    const key = this.#order.anchorKey
    const tops = this.#ranges.map(({ range }) => range.top)
    return tops.reduce<Times | undefined>((highest, top) => {
      return highest && highest[key] >= top[key] ? highest : top
    }, undefined)
  }

  /** What is left to read when the walk ends here, newest first: the gaps for later runs. */
  rest(anchor: Times | undefined): Range[] {
    const left = [...this.#leftForLater, ...this.#ranges.map(({ range }) => this.#below(range, anchor))]
    return merge(
      left.filter((range) => !isEmpty(range, this.#order.sortKeys)),
      this.#order,
    )
  }

  /** The part of the range that lies below this place. */
  #below(range: Range, anchor: Times | undefined): Range {
    return anchor && this.#reached(range, anchor) ? { ...range, top: lower(range.top, anchor) } : range
  }

  #reached({ top }: Range, anchor: Times | undefined): boolean {
    if (!Number.isFinite(top.time)) return true
    return anchor !== undefined && this.#keys.some((key) => anchor[key] <= top[key] + JITTER_SECONDS)
  }

  /** The fields in which a bound means something: both while none is known to be the sort key. */
  get #keys(): readonly SortKey[] {
    return this.#order.sortKeys.length > 0 ? this.#order.sortKeys : BOTH_KEYS
  }
}

/** Nothing below the top is still above the floor. */
function isEmpty({ top, floor }: Range, sortKeys: readonly SortKey[]): boolean {
  return sortKeys.length > 0 && sortKeys.every((key) => top[key] + JITTER_SECONDS < floor[key])
}

/** Ranges that touch become one, newest first. */
function merge(ranges: readonly Range[], order: Order): Range[] {
  const key = order.anchorKey
  const merged: Range[] = []
  for (const range of ranges.toSorted((a, b) => b.top[key] - a.top[key])) {
    const above = merged.at(-1)
    if (above && touch(above, range, order)) merged[merged.length - 1] = union(above, range)
    else merged.push(range)
  }
  return merged
}

/**
 * Whether the range made of both holds nothing that neither of them held. Where the log may be sorted by the time at
 * which rows began, the one with the higher floor must not reach further down, nor further up than to rows that began
 * above that floor: what lies there was printed and is not remembered.
 */
function touch(above: Range, below: Range, { sortKeys }: Order): boolean {
  const keys = sortKeys.length > 0 ? sortKeys : BOTH_KEYS
  if (!keys.every((key) => above.floor[key] <= below.top[key] + JITTER_SECONDS)) return false
  if (keys.length === 1 && keys[0] === 'time') return true
  const [lower, higher] = above.floor.time <= below.floor.time ? [above, below] : [below, above]
  const noFurtherUp = higher.top.began <= lower.top.began || higher.floor.time <= lower.top.began
  return higher.floor.time === lower.floor.time || (noFurtherUp && higher.floor.began >= lower.floor.began)
}

function union(one: Range, other: Range): Range {
  const both = (pick: (...values: number[]) => number, side: keyof Range): Times => ({
    time: pick(one[side].time, other[side].time),
    began: pick(one[side].began, other[side].began),
  })
  return { top: both(Math.max, 'top'), floor: both(Math.min, 'floor') }
}
