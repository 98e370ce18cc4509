import type { Entry, Times } from '../log/page.ts'
import { JITTER_SECONDS, LATENESS_SECONDS, type SortedBy } from '../walk/order.ts'
import type { Range } from './plan.ts'

/**
 * Every run reads again what lies up to two hours below the watermark: one hour for rows that arrive late, and one as
 * room for clocks and jitter.
 */
export const OVERLAP_SECONDS = LATENESS_SECONDS + 3600

/** The overlap covers a clock that was set back by up to this much. A watermark that is later still is not believed. */
const CLOCK_TOLERANCE_SECONDS = 3600

/** What is remembered of one log of one workspace from run to run. */
export interface State {
  /** The newest time on the first page of the last walk from the head. Null: no entry was seen yet. */
  readonly watermark: number | null
  /** What `--since` said in the first run: nothing older is ever wanted. -Infinity: all of it. */
  readonly since: number
  /** The printed entries that may be met again, by id: in the overlap, and in gaps. */
  readonly seen: ReadonlyMap<string, Times>
  /** Ranges that earlier runs left unread, newest first. */
  readonly gaps: readonly Range[]
  readonly order: SortedBy
}

/** The state before the first run. */
export function emptyState(since = Number.NEGATIVE_INFINITY): State {
  return { watermark: null, since, seen: new Map(), gaps: [], order: 'unsure' }
}

/** A watermark from the future would pass over all that comes until then. It is taken for the present. */
export function believedWatermark(state: State, now: number): number | null {
  if (state.watermark === null) return null
  return state.watermark > now + CLOCK_TOLERANCE_SECONDS ? now : state.watermark
}

/** The watermark after a walk from the head that began at `now` and whose first page held these entries. */
export function nextWatermark(state: State, firstPage: readonly Entry[], now: number): number | null {
  const known = believedWatermark(state, now) ?? Number.NEGATIVE_INFINITY
  const newest = firstPage.reduce((max, { time }) => Math.max(max, time), Number.NEGATIVE_INFINITY)
  // Rows move to the head while later pages are read, so no watermark is later than the start of the walk. It never
  // goes back either: what was read stays read.
  const next = Math.max(Math.min(newest, now), known)
  return Number.isFinite(next) ? next : null
}

/** Entries at or above this time belong to the overlap. */
export function overlapFloor(watermark: number | null): number {
  return (watermark ?? Number.NEGATIVE_INFINITY) - OVERLAP_SECONDS
}

/**
 * What a run reads before the gaps: what is new since the watermark, and below it the overlap, for what arrived late or
 * changed. Where nothing was read yet, all that was asked for is new.
 */
export function headRanges(
  state: State,
  now: number,
  lookbackSeconds: number,
): { news: Range; overlap: Range | undefined } {
  const watermark = believedWatermark(state, now)
  const time = Math.max(state.since, overlapFloor(watermark))
  // In a log sorted by the time at which rows began, the look-back bounds the search for rows that changed.
  const floor = { time, began: Math.min(time, now - lookbackSeconds) }
  const top = { time: Number.POSITIVE_INFINITY, began: Number.POSITIVE_INFINITY }
  if (watermark === null || watermark - JITTER_SECONDS <= time) {
    return { news: { top, floor }, overlap: undefined }
  }
  const known = watermark - JITTER_SECONDS
  return {
    news: { top, floor: { time: known, began: known } },
    overlap: { top: { time: watermark, began: watermark }, floor },
  }
}
