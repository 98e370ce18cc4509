import type { Entry } from '../log/page.ts'

/*
 * What the entries of a listing show: how far down it has been read, and how long rows last. A listing is what Slack
 * gives for one `before`. Slack documents neither the field it sorts the access log by nor the field `before` compares.
 * Nothing here depends on either.
 */

const DAY_SECONDS = 86_400

/** Entries may be out of order by this much before the look-back is needed to cover it. */
const JITTER_SECONDS = 300

/** No place and no stop rests on fewer entries, so that a few odd times decide nothing. */
export const FEW_ENTRIES = 5

/** The five lowest values added, each from a different entry. */
export class LowestFive {
  readonly #lowest: { id: string; value: number }[] = []

  add(id: string, value: number): void {
    const lowest = this.#lowest
    if (lowest.length === FEW_ENTRIES && value >= (lowest.at(-1)?.value ?? 0)) return
    if (lowest.some((other) => other.id === id)) return
    const at = lowest.findIndex((other) => value < other.value)
    lowest.splice(at < 0 ? lowest.length : at, 0, { id, value })
    lowest.length = Math.min(lowest.length, FEW_ENTRIES)
  }

  get isFull(): boolean {
    return this.#lowest.length === FEW_ENTRIES
  }

  /** The fifth-lowest value; of fewer than five the highest; undefined if none was added. */
  get value(): number | undefined {
    return this.#lowest.at(-1)?.value
  }
}

/** How far down one listing has been read. */
export class Listing {
  readonly #times = new LowestFive()
  readonly #begins = new LowestFive()

  add(entries: readonly Entry[]): void {
    for (const { id, time, began, dated } of entries) {
      if (!dated) continue
      this.#times.add(id, time)
      this.#begins.add(id, began)
    }
  }

  /**
   * The place, epoch seconds: a listing with `before` at this time shows everything that this one has not shown yet.
   * Where Slack sorts by date_last, unread rows have a lower time than those read. Where it sorts by date_first, they
   * began earlier, and so their time is at most one look-back later. Undefined before the first dated entry.
   */
  place(lookbackSeconds: number): number | undefined {
    const time = this.#times.value
    const began = this.#begins.value
    if (time === undefined || began === undefined) return undefined
    return Math.max(time, began + lookbackSeconds) + JITTER_SECONDS
  }

  /** A lower place, for where `place` does not advance. It may skip rows if Slack sorts by date_first. */
  get placeByTime(): number | undefined {
    const time = this.#times.value
    return time === undefined ? undefined : time + JITTER_SECONDS
  }
}

/**
 * How long after it began a row may still change: twice the longest row that this run or the one before has met, at
 * least a day more than it, and at most 30 days. A row is a session. Public data shows none longer than about a day.
 */
export class LookBack {
  static readonly MOST_SECONDS = 30 * DAY_SECONDS
  readonly #fixedSeconds: number | undefined
  readonly #knownSeconds: number
  readonly #recentSince: number
  /** The longest row this run has met, in seconds. Only rows of the last 30 days, and no longer than that, count. */
  metSeconds = 0

  /** `fixedSeconds`: --lookback. `knownSeconds`: the longest row of the run before. `startedAt`: epoch seconds. */
  constructor(fixedSeconds: number | undefined, knownSeconds: number, startedAt: number) {
    this.#fixedSeconds = fixedSeconds
    this.#knownSeconds = knownSeconds
    this.#recentSince = startedAt - LookBack.MOST_SECONDS
  }

  add(entries: readonly Entry[]): void {
    for (const { time, began, dated } of entries) {
      // No look-back covers a longer row, and an odd date_first must not make every run read 30 days.
      const isUsual = dated && time >= this.#recentSince && time - began <= LookBack.MOST_SECONDS
      if (isUsual) this.metSeconds = Math.max(this.metSeconds, time - began)
    }
  }

  /** The longest row that this run or the one before has met. */
  get longestSeconds(): number {
    return Math.max(this.metSeconds, this.#knownSeconds)
  }

  /** How much longer the look-back may still become in a walk that has come down to this place. */
  mayGrowSeconds(place: number): number {
    const isFinal = this.#fixedSeconds !== undefined || place < this.#recentSince
    return isFinal ? 0 : LookBack.MOST_SECONDS - this.seconds
  }

  get seconds(): number {
    const longest = this.longestSeconds
    return this.#fixedSeconds ?? Math.min(Math.max(2 * longest, longest + DAY_SECONDS), LookBack.MOST_SECONDS)
  }
}
