import { type AuditError, asAuditError, OutOfTimeError } from './errors.ts'
import type { Entry, Log, Neighbour, Page } from './logs.ts'
import { anchorField, beforeIsDoubtful, JITTER_SECONDS, type Order, shortcut, standing } from './order.ts'
import {
  believedWatermark,
  headStretch,
  Itinerary,
  nextWatermark,
  OVERLAP_SECONDS,
  type State,
  type Stretch,
} from './state.ts'
import { showTime } from './time.ts'
import { Trail } from './trail.ts'
import { type Step, walk } from './walk.ts'

export interface CollectOptions {
  readonly log: Log
  /** Sent with every request: team_id, filters. */
  readonly args: Record<string, string>
  /** Entries later than this are not asked for and not printed; epoch seconds. */
  readonly until: number | undefined
  readonly lookbackSeconds: number
  /** Stop after about so many printed rows: at the end of the page that reaches it. */
  readonly maxRows: number
  /** Stop at this moment, epoch milliseconds. */
  readonly deadline: number
}

/** All that a collection touches, so that tests can play Slack, the clock and the reader. */
export interface Surroundings {
  /** A page of the log, retried where that helps. */
  readonly fetchPage: (args: Record<string, string>, neighbour: Neighbour) => Promise<Page>
  /** Prints these entries as one chunk and resolves when the reader took them. */
  readonly print: (entries: readonly Entry[]) => Promise<void>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Something the operator should know; not a failure. */
  readonly warn: (message: string) => void
  /** Called after each page. `oldest`: how far back in time the walk is, epoch seconds. */
  readonly onPage: (counts: Counts, oldest: number) => void
}

export interface Counts {
  pages: number
  rowsRead: number
  rowsPrinted: number
}

export interface Collected {
  readonly counts: Counts
  /** What to remember. The same object as before if nothing was learnt. */
  readonly state: State
  /** Why the walk ended early, if it did: an error, or a limit that was asked for. */
  readonly error: AuditError | undefined
  readonly limit: '--max-rows' | '--max-time' | undefined
  /** Why something may have been left out though the walk went well. */
  readonly doubts: readonly string[]
  /** Was all that was asked for read, and is that sure? */
  readonly complete: boolean
}

/** A walk that is under way. */
interface Walk {
  readonly steps: AsyncGenerator<Step, void>
  readonly trail: Trail
}

/**
 * Reads one log: from the head down to what is known, then the gaps that earlier runs left, newest first, and prints
 * what is new. Deliver, then remember: nothing here is saved; the caller saves `state` after stdout took the last line.
 * Never throws what Slack did, which is in `error`.
 * @throws AuditError of class `output` when the lines find no reader.
 */
export async function collect(
  options: CollectOptions,
  before: State,
  world: Surroundings,
): Promise<Collected> {
  return new Collection(options, before, world).run()
}

class Collection {
  readonly #options: CollectOptions
  readonly #world: Surroundings
  readonly #before: State
  readonly #startedAt: number
  readonly #order: Order
  readonly #itinerary: Itinerary
  readonly #seen: Map<string, number>
  readonly #counts: Counts = { pages: 0, rowsRead: 0, rowsPrinted: 0 }
  readonly #doubts = new Set<string>()
  #watermark: number | null
  #wentBelow = false
  #undated = 0

  constructor(options: CollectOptions, before: State, world: Surroundings) {
    this.#options = options
    this.#world = world
    this.#before = before
    this.#startedAt = Math.floor(world.now() / 1000)
    this.#order = { refuted: [...before.order.refuted], beforeField: before.order.beforeField }
    this.#watermark = believedWatermark(before, this.#startedAt)
    if (this.#watermark !== before.watermark) {
      world.warn(
        `its watermark ${showTime(before.watermark ?? 0)} lies in the future: was the clock set back? Reading on from now; entries may repeat, with equal ids`,
      )
    }
    const head = headStretch(options.log, before, this.#startedAt, options.lookbackSeconds)
    this.#itinerary = new Itinerary([head, ...before.gaps], this.#order)
    this.#seen = new Map(before.seen)
  }

  async run(): Promise<Collected> {
    let walked = this.#walk(this.#options.until)
    let error: AuditError | undefined
    let limit: Collected['limit']
    try {
      for (;;) {
        const { value: step, done } = await walked.steps.next()
        if (done) {
          this.#itinerary.finish()
          break
        }
        await this.#take(step)
        const passed = this.#pass(step)
        if (!this.#itinerary.current) break
        limit = this.#limitReached()
        if (limit) break
        if (passed) walked = (await this.#jump(step)) ?? walked
      }
    } catch (thrown) {
      error = asAuditError(thrown)
      if (error.class === 'output') throw error
      // The limit that was asked for came in the middle of a walk that was well: no failure.
      if (error instanceof OutOfTimeError && this.#counts.pages > 0) {
        limit = '--max-time'
        error = undefined
      }
    }
    return this.#result(walked.trail, error, limit)
  }

  #walk(before: number | undefined, fetchPage = this.#fetchPage): Walk {
    const trail = new Trail(this.#options.log.timeFields.length)
    const steps = walk(
      {
        log: this.#options.log,
        args: this.#options.args,
        order: this.#order,
        trail,
        now: () => Math.floor(this.#world.now() / 1000),
        fetchPage: (args) => fetchPage(args, trail.lowest),
        onGoingOn: (doubt) => {
          this.#wentBelow = true
          if (doubt) this.#doubts.add(doubt)
        },
      },
      this.#options.log.hasBefore ? before : undefined,
    )
    return { steps, trail }
  }

  #fetchPage = async (args: Record<string, string>, lowest: readonly number[]): Promise<Page> => {
    const page = await this.#world.fetchPage(args, {
      above: lowest.map((time) => (Number.isFinite(time) ? time : undefined)),
      lastResort: Number(args['before'] ?? this.#startedAt),
    })
    this.#counts.pages += 1
    this.#undated += page.undated
    return page
  }

  /** Prints what is new on a page, then notes it. */
  async #take({ entries, fresh }: Step): Promise<void> {
    if (this.#counts.rowsRead === 0) this.#watermark = nextWatermark(this.#before, entries, this.#startedAt)
    this.#counts.rowsRead += entries.length
    const until = this.#options.until ?? Number.POSITIVE_INFINITY
    const wanted = this.#itinerary
      .wanted(fresh)
      .filter(({ id, times }) => (times[0] ?? 0) <= until && !this.#seen.has(id))
    if (wanted.length > 0) await this.#world.print(wanted)
    this.#counts.rowsPrinted += wanted.length
    const from = this.#overlapFloor()
    for (const { id, times } of wanted) {
      if ((times[0] ?? 0) >= from) this.#seen.set(id, times[0] ?? 0)
    }
    const oldest = entries.at(-1)?.times[0]
    if (oldest !== undefined) this.#world.onPage(this.#counts, oldest)
  }

  #overlapFloor(): number {
    return (this.#watermark ?? Number.NEGATIVE_INFINITY) - OVERLAP_SECONDS
  }

  /** Leaves behind the stretches that lie above this page. */
  #pass({ entries }: Step): boolean {
    let passed = false
    while (this.#itinerary.passedBy(entries)) passed = true
    return passed
  }

  #limitReached(): Collected['limit'] {
    if (this.#counts.rowsPrinted >= this.#options.maxRows) return '--max-rows'
    return this.#world.now() >= this.#options.deadline ? '--max-time' : undefined
  }

  /**
   * A walk that skips the known stretch between this page and the next gap. None where the gap begins on this page, or
   * where `before` may leave something out: then the walk that is under way goes on through the known stretch.
   */
  async #jump({ entries }: Step): Promise<Walk | undefined> {
    const gap = this.#itinerary.current
    const how = this.#options.log.hasBefore ? shortcut(this.#order) : 'unsafe'
    if (!gap || how === 'unsafe') return undefined
    const field = anchorField(this.#order)
    const before = (gap.top[field] ?? 0) + JITTER_SECONDS
    if (entries.some((entry) => (entry.times[field] ?? 0) <= before)) return undefined
    if (how === 'safe') {
      this.#wentBelow = true
      return this.#walk(before)
    }
    return this.#probe(before)
  }

  /** Tries a jump whose first page has to show that `before` leaves nothing out. */
  async #probe(before: number): Promise<Walk | undefined> {
    const { log, args } = this.#options
    const first = await this.#fetchPage({ ...args, limit: String(log.limit), before: String(before) }, [])
    if (!first.entries.some((entry) => (entry.times[0] ?? 0) > before)) return undefined
    this.#wentBelow = true
    let given: Page | undefined = first
    return this.#walk(before, async (next, lowest) => {
      const page = given ?? (await this.#fetchPage(next, lowest))
      given = undefined
      return page
    })
  }

  #result(trail: Trail, error: AuditError | undefined, limit: Collected['limit']): Collected {
    // Without `before` nothing ever reaches these pages: it was said, and a gap would only fail again in every run.
    if (error?.code === 'over_pagination_limit' && !this.#options.log.hasBefore) this.#itinerary.finish()
    const gaps = this.#itinerary.rest(trail)
    if (this.#wentBelow && beforeIsDoubtful(this.#order)) {
      this.#doubts.add('Slack does not show that "before" compares the field it sorts by')
    }
    if (this.#before.gaps.length > 0 && standing(this.#order).length === 0) {
      this.#doubts.add(
        'the log is in no order, so that the place where an earlier run stopped cannot be found again',
      )
    }
    if (this.#undated > 0) {
      const who = this.#undated === 1 ? '1 entry has' : `${this.#undated} entries have`
      this.#world.warn(`${who} no readable time: they are printed, and count as old as their neighbours`)
    }
    const complete = gaps.length === 0 && this.#doubts.size === 0 && error === undefined
    return {
      counts: this.#counts,
      state: this.#nextState(gaps),
      error,
      limit,
      doubts: [...this.#doubts],
      complete,
    }
  }

  #nextState(gaps: readonly Stretch[]): State {
    if (this.#counts.pages === 0) return this.#before
    const from = this.#overlapFloor()
    return {
      watermark: this.#watermark,
      since: this.#before.since,
      seen: new Map([...this.#seen].filter(([, time]) => time >= from)),
      gaps,
      order: this.#order,
    }
  }
}
