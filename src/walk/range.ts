/**
 * A part of the log, by time. Saved in the state, it is a gap: what a run left unread. Both bounds are epoch seconds and
 * belong to it.
 */
export interface Range {
  /** What is unread began at or before this time. Infinity: from the head. */
  readonly top: number
  /** Nothing with an earlier `time` is wanted. -Infinity: down to the oldest entry. */
  readonly floor: number
}

/** Whether an entry with these times is in the range. */
export function isIn({ top, floor }: Range, { time, began }: { time: number; began: number }): boolean {
  return began <= top && time >= floor
}

/**
 * The same ranges, newest first, with those that touch made one. An entry that is in the union but in neither part
 * would have begun after the lower top and ended before the higher floor, hence before it began.
 */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const range of ranges.toSorted((a, b) => b.top - a.top)) {
    const above = merged.at(-1)
    if (above && above.floor <= range.top) {
      merged[merged.length - 1] = { top: above.top, floor: Math.min(above.floor, range.floor) }
    } else {
      merged.push(range)
    }
  }
  return merged
}
