import { JITTER_SECONDS } from './order.ts'

/** So many entries are remembered, in each of two generations: those of several pages of the largest size. */
const GENERATION = 10_000

interface Passed {
  readonly id: string
  readonly row?: string
  readonly times: readonly number[]
}

/**
 * What a walk has passed, in bounded memory: the lowest time read in each field, the ids along that boundary, and the
 * last pages, by which an entry that is met again is known.
 */
export class Trail {
  readonly lowest: number[]
  #boundary: Passed[] = []
  /** By row, or by id where the log has no rows: the id it was met with. */
  #atBoundary = new Map<string, string>()
  #recent = new Map<string, string>()
  #older = new Map<string, string>()

  constructor(fields: number) {
    this.lowest = Array<number>(fields).fill(Number.POSITIVE_INFINITY)
  }

  /** Was this entry met on the last pages or along the boundary: in this very state, or in another one? */
  knows({ id, row = id }: Passed): 'state' | 'row' | undefined {
    const met = this.#recent.get(row) ?? this.#older.get(row) ?? this.#atBoundary.get(row)
    return met === undefined ? undefined : met === id ? 'state' : 'row'
  }

  pass(entry: Passed): void {
    for (const [field, time] of entry.times.entries()) {
      if (time < (this.lowest[field] ?? 0)) this.lowest[field] = time
    }
    this.#boundary.push(entry)
    if (this.#recent.size >= GENERATION) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(entry.row ?? entry.id, entry.id)
  }

  /** To be called after each page: lets go of what no longer lies at the boundary. */
  settle(): void {
    const fields = this.lowest.map((_, field) => field)
    this.#boundary = this.#boundary
      .filter(({ times }) => this.#liesAtBoundary(times, fields))
      .map(({ id, row = id, times }) => ({ id, row, times }))
    this.#atBoundary = new Map(this.#boundary.map(({ id, row = id }) => [row, id]))
  }

  /** Ids of the entries read within jitter of the lowest value of one of these fields: they may come again below. */
  boundary(fields: readonly number[]): string[] {
    return this.#boundary.filter(({ times }) => this.#liesAtBoundary(times, fields)).map(({ id }) => id)
  }

  #liesAtBoundary(times: readonly number[], fields: readonly number[]): boolean {
    return fields.some((field) => (times[field] ?? 0) <= (this.lowest[field] ?? 0) + JITTER_SECONDS)
  }
}
