import type { Times } from '../log/page.ts'

/** So many of the entries met last are remembered whatever their times: a row that arrives pushes others down a page. */
const LATEST = 5_000

interface Met extends Times {
  /** The listing of this run that showed the entry last; 0 where an earlier run printed it. */
  readonly listing: number
}

/**
 * The entries that may be met again, by id: those that earlier runs printed and those that this run met. An entry met
 * again is neither printed again nor taken as evidence of the order.
 */
export class RecentEntries {
  #met: Map<string, Met>
  #pruneAt: number
  #listings = 0

  /** `printed`: what earlier runs printed and may be met again. */
  constructor(printed: ReadonlyMap<string, Times>) {
    this.#met = new Map([...printed].map(([id, { time, began }]) => [id, { time, began, listing: 0 }]))
    this.#pruneAt = this.#met.size + 2 * LATEST
  }

  /** How many entries are held, for a test of the memory. */
  get size(): number {
    return this.#met.size
  }

  /** The number of a listing that begins now, from 1. */
  startListing(): number {
    this.#listings += 1
    return this.#listings
  }

  /** The listing that showed this entry last; 0: an earlier run printed it; undefined: it is new. */
  metIn(id: string): number | undefined {
    return this.#met.get(id)?.listing
  }

  add({ id, time, began }: Times & { id: string }, listing: number): void {
    this.#met.delete(id)
    this.#met.set(id, { time, began, listing })
  }

  /** The entry was met and left to a later run. */
  forget({ id }: { id: string }): void {
    this.#met.delete(id)
  }

  /** To be called after each page: forgets, now and then, what is neither `needed` nor among the latest entries. */
  prune(needed: (times: Times) => boolean): void {
    if (this.#met.size < this.#pruneAt) return
    let old = this.#met.size - LATEST
    for (const [id, met] of this.#met) {
      if (old === 0) break
      old -= 1
      if (!needed(met)) this.#met.delete(id)
    }
    this.#pruneAt = this.#met.size + LATEST
  }

  /** The entries to remember for later runs. */
  needed(needed: (times: Times) => boolean): Map<string, Times> {
    const kept = [...this.#met].filter(([, met]) => needed(met))
    return new Map(kept.map(([id, { time, began }]) => [id, { time, began }]))
  }
}
