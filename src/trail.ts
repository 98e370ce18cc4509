import { JITTER_SECONDS } from './order.ts'

/** So many ids are remembered, in each of two generations: those of several pages of the largest size. */
const GENERATION = 20_000

interface Passed {
  readonly id: string
  readonly row?: string
  readonly times: readonly number[]
}

/**
 * What a walk has passed, in bounded memory: the lowest time read in each field, the ids along that boundary, and the
 * ids of the last pages, by which an entry that is met again is known.
 */
export class Trail {
  readonly lowest: number[]
  #boundary: Passed[] = []
  #boundaryIds = new Set<string>()
  #recent = new Set<string>()
  #older = new Set<string>()

  constructor(fields: number) {
    this.lowest = Array<number>(fields).fill(Number.POSITIVE_INFINITY)
  }

  /** Was this entry met on the last pages, or along the boundary? */
  knows(id: string): boolean {
    return this.#recent.has(id) || this.#older.has(id) || this.#boundaryIds.has(id)
  }

  pass(entry: Passed): void {
    for (const [field, time] of entry.times.entries()) {
      if (time < (this.lowest[field] ?? 0)) this.lowest[field] = time
    }
    this.#boundary.push({ id: entry.id, times: entry.times })
    if (this.#recent.size >= GENERATION) {
      this.#older = this.#recent
      this.#recent = new Set()
    }
    this.#recent.add(entry.id)
    if (entry.row !== undefined) this.#recent.add(entry.row)
  }

  /** Was this entry met on the last pages, if only in an earlier state of it? */
  knowsRow({ id, row }: Passed): boolean {
    return this.knows(id) || (row !== undefined && this.knows(row))
  }

  /** To be called after each page: lets go of what no longer lies at the boundary. */
  settle(): void {
    this.#boundary = this.#boundary.filter(({ times }) =>
      this.#atBoundary(
        times,
        times.map((_, field) => field),
      ),
    )
    this.#boundaryIds = new Set(this.#boundary.map(({ id }) => id))
  }

  /** Ids of the entries read within jitter of the lowest value of one of these fields: they may come again below. */
  boundary(fields: readonly number[]): string[] {
    return this.#boundary.filter(({ times }) => this.#atBoundary(times, fields)).map(({ id }) => id)
  }

  #atBoundary(times: readonly number[], fields: readonly number[]): boolean {
    return fields.some((field) => (times[field] ?? 0) <= (this.lowest[field] ?? 0) + JITTER_SECONDS)
  }
}
