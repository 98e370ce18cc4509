import type { Times } from '../log/page.ts'
import type { Range } from '../walk/range.ts'

/**
 * Every run reads again what is up to two hours below the watermark: one hour for rows that arrive late ("access logs are
 * updated every hour", help centre), and one as room for clocks and disorder.
 */
const OVERLAP_SECONDS = 2 * 3600

/** The overlap covers a clock that was set back by up to this much. A watermark that is later still is not believed. */
const CLOCK_TOLERANCE_SECONDS = 3600

/** What is remembered of one log of one workspace from run to run. Times are epoch seconds. */
export interface State {
  /** The newest time on the first page of the last walk from the head. Null: no entry was seen yet. */
  readonly watermark: number | null
  /** The --since of the first run: nothing older is ever wanted. -Infinity: everything. */
  readonly since: number
  /** The longest row the last run met, in seconds. */
  readonly longestRowSeconds: number
  /** What earlier runs left unread, newest first. */
  readonly gaps: readonly Range[]
  /** The printed entries that may be met again, by id: those in the overlap and those in gaps. */
  readonly seen: ReadonlyMap<string, Times>
}

/** The state before the first run. */
export function emptyState(since = Number.NEGATIVE_INFINITY): State {
  return { watermark: null, since, longestRowSeconds: 0, gaps: [], seen: new Map() }
}

/** A watermark in the future would skip everything until then, so the present (`now`, epoch seconds) is used instead. */
export function believedWatermark({ watermark }: State, now: number): number | null {
  return watermark !== null && watermark > now + CLOCK_TOLERANCE_SECONDS ? now : watermark
}

/** Entries at or above this time are read in every run. -Infinity without a watermark. */
export function overlapFloor(watermark: number | null): number {
  return (watermark ?? Number.NEGATIVE_INFINITY) - OVERLAP_SECONDS
}
