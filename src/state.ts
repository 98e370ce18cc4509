import type { Entry, Log } from './logs.ts'
import { JITTER_SECONDS, LATENESS_SECONDS, liesBelow, type Order, standing, unknownOrder } from './order.ts'
import type { Trail } from './trail.ts'

/**
 * Every run reads again what lies up to two hours under the watermark: one for rows that arrive late, and one as room
 * for clocks and jitter.
 */
export const OVERLAP_SECONDS = LATENESS_SECONDS + 3600

/** A clock that was set back by less than this leaves the overlap wide enough; a later watermark is not believed. */
const CLOCK_TOLERANCE_SECONDS = 3600

/**
 * A stretch of the log, from `top` down to `floor`. Both hold one value (epoch seconds) per time field of the log,
 * because the order of the log may come out only later.
 */
export interface Stretch {
  /** The lowest values read above it: it begins there, boundary included. */
  readonly top: readonly number[]
  /** Entries whose own time lies under `floor[0]` are not wanted; a walk may stop where all lies under `floor`. */
  readonly floor: readonly number[]
  /** Ids of entries along `top` that were read already. */
  readonly ids: ReadonlySet<string>
  /** Ids printed by earlier runs that may lie in it: `seen`, as it was when the stretch was first to be read. */
  readonly printed: ReadonlySet<string>
}

/** What is remembered of one log of one workspace from run to run. */
export interface State {
  /** The newest own time on the first page of the last walk from the head. Null: no entry was seen yet. */
  readonly watermark: number | null
  /** What `--since` said in the first run: nothing older is ever wanted. -Infinity: all of it. */
  readonly since: number
  /** Ids printed at or above watermark - overlap, with the own time of each. */
  readonly seen: ReadonlyMap<string, number>
  /** Stretches that cut walks left unread, newest first. */
  readonly gaps: readonly Stretch[]
  readonly order: Order
}

/** The state before the first run. */
export function emptyState(log: Log, since: number): State {
  return { watermark: null, since, seen: new Map(), gaps: [], order: unknownOrder(log.timeFields.length) }
}

/** A watermark from the future would pass over all that comes until then; it is taken for the present. */
export function believedWatermark(state: State, now: number): number | null {
  if (state.watermark === null) return null
  return state.watermark > now + CLOCK_TOLERANCE_SECONDS ? now : state.watermark
}

/** The stretch a run reads first: from the head down to the overlap, or as far back as was asked for. */
export function headStretch(log: Log, state: State, now: number, lookbackSeconds: number): Stretch {
  const watermark = believedWatermark(state, now)
  const floor = Math.max(state.since, watermark === null ? state.since : watermark - OVERLAP_SECONDS)
  // The look-back bounds the search for changed rows where the log is sorted by another field than the own time.
  const lookback = Math.min(floor, now - lookbackSeconds)
  return {
    top: log.timeFields.map(() => Number.POSITIVE_INFINITY),
    floor: log.timeFields.map((_, field) => (field === 0 ? floor : lookback)),
    ids: new Set(),
    printed: new Set(state.seen.keys()),
  }
}

/** The watermark after a walk from the head that began at `now` and whose first page held these entries. */
export function nextWatermark(state: State, firstPage: readonly Entry[], now: number): number | null {
  const newest = firstPage.reduce((max, { times }) => Math.max(max, times[0] ?? 0), Number.NEGATIVE_INFINITY)
  const before = believedWatermark(state, now)
  if (!Number.isFinite(newest)) return before
  // Rows move to the head while later pages are read, so no watermark is later than the start of the walk. Nor does it
  // go back: what was read stays read.
  return Math.max(Math.min(newest, now), before ?? Number.NEGATIVE_INFINITY)
}

/**
 * Where a run stands among the stretches it has to read, newest first. Each entry belongs to the oldest stretch that
 * covers it, so that what two stretches share at their boundary is printed once.
 */
export class Itinerary {
  readonly #stretches: Stretch[]
  readonly #order: Order
  #at = 0

  constructor(stretches: readonly Stretch[], order: Order) {
    this.#stretches = [...stretches]
    this.#order = order
  }

  /** The stretch that is being read; undefined when all are done. */
  get current(): Stretch | undefined {
    return this.#stretches[this.#at]
  }

  /** Those of the entries that are to be printed, as far as the stretches tell. */
  wanted(entries: readonly Entry[]): Entry[] {
    const fields = this.#fields()
    const ahead = this.#stretches.slice(this.#at)
    return entries.filter(({ id, times }) => {
      const owner = ahead.findLast((stretch) => covers(stretch, times, fields))
      const late = (times[0] ?? 0) >= (owner?.floor[0] ?? Number.POSITIVE_INFINITY)
      return late && !owner?.ids.has(id) && !owner?.printed.has(id)
    })
  }

  /** Goes on to the next stretch if this page lies wholly below the current one. Says whether it did. */
  passedBy(page: readonly Entry[]): boolean {
    const stretch = this.current
    if (!stretch) return false
    const nextTop = this.#stretches[this.#at + 1]?.top
    const bounds = stretch.floor.map((floor, field) =>
      Math.max(floor, nextTop?.[field] ?? Number.NEGATIVE_INFINITY),
    )
    const times = page.map((entry) => entry.times)
    if (!liesBelow(this.#order, times, bounds)) return false
    this.#at += 1
    return true
  }

  /** The log has ended: nothing lies below. */
  finish(): void {
    this.#at = this.#stretches.length
  }

  /** What is left to read when a walk ends here: the unread rest of each stretch, as gaps for a later run. */
  rest(trail: Trail): Stretch[] {
    return this.#stretches.slice(this.#at).map((stretch) => this.#below(stretch, trail))
  }

  #below(stretch: Stretch, trail: Trail): Stretch {
    const fields = this.#fields()
    const reached = fields.some(
      (field) => (trail.lowest[field] ?? 0) <= (stretch.top[field] ?? 0) + JITTER_SECONDS,
    )
    if (!reached) return stretch
    const top = stretch.top.map((value, field) => Math.min(value, trail.lowest[field] ?? value))
    const near = fields.some((field) => (top[field] ?? 0) + JITTER_SECONDS >= (stretch.top[field] ?? 0))
    return { ...stretch, top, ids: new Set([...trail.boundary(fields), ...(near ? stretch.ids : [])]) }
  }

  /** The fields in which a boundary means something: those that may be the sort key, all while none is known to be. */
  #fields(): number[] {
    const fields = standing(this.#order)
    return fields.length > 0 ? fields : this.#order.refuted.map((_, field) => field)
  }
}

/** Does the entry lie in the stretch, or along its upper boundary? */
function covers(stretch: Stretch, times: readonly number[], fields: readonly number[]): boolean {
  return fields.some((field) => (times[field] ?? 0) <= (stretch.top[field] ?? 0) + JITTER_SECONDS)
}
