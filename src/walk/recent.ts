import type { Entry, Times } from '../log/page.ts'
import { LookBack } from './listing.ts'

/** The entries printed last are kept whatever their age, because each new row pushes an older one onto the next page. */
const LATEST_ENTRIES = 5_000

/**
 * The printed entries that may be met again, by id: those of earlier runs and those of this one. An undated entry is
 * remembered for 30 days after it was last met, so that it does not depend on the entry above it.
 */
export class RecentEntries {
  readonly #met: Map<string, Times>
  readonly #startedAt: number
  #pruneAt: number

  /** `printed`: what earlier runs printed. `startedAt`: when this run began, epoch seconds. */
  constructor(printed: ReadonlyMap<string, Times>, startedAt: number) {
    this.#met = new Map(printed)
    this.#startedAt = startedAt
    this.#pruneAt = this.#met.size + 2 * LATEST_ENTRIES
  }

  /** How many entries are held, for a test of the memory. */
  get size(): number {
    return this.#met.size
  }

  has({ id }: Entry): boolean {
    return this.#met.has(id)
  }

  add({ id, time, began, dated }: Entry): void {
    this.#met.set(id, dated ? { time, began } : { time: this.#startedAt + LookBack.MOST_SECONDS, began: 0 })
  }

  /** Call after each page. Every few thousand entries, drops those that cannot be met again. */
  prune(mayBeMetAgain: (times: Times) => boolean): void {
    if (this.#met.size < this.#pruneAt) return
    let old = this.#met.size - LATEST_ENTRIES
    for (const [id, times] of this.#met) {
      if (old === 0) break
      old -= 1
      if (!mayBeMetAgain(times)) this.#met.delete(id)
    }
    this.#pruneAt = this.#met.size + LATEST_ENTRIES
  }

  /** The entries to remember for later runs. */
  kept(mayBeMetAgain: (times: Times) => boolean): Map<string, Times> {
    return new Map([...this.#met].filter(([, times]) => mayBeMetAgain(times)))
  }
}
