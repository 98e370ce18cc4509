import { type AuditError, asAuditError, OutOfTimeError } from './errors.ts'
import type { Log } from './log/logs.ts'
import type { Entry, Neighbour, Page, Times } from './log/page.ts'
import type { Counts } from './output/report.ts'
import { BOTH_KEYS, liesIn, type Range, ReadPlan } from './state/plan.ts'
import { believedWatermark, headRanges, nextWatermark, overlapFloor, type State } from './state/state.ts'
import { showTime } from './text.ts'
import { JITTER_SECONDS, lower, Order } from './walk/order.ts'
import { RecentEntries } from './walk/recent.ts'
import { type Step, walk } from './walk/walk.ts'

export interface CollectOptions {
  readonly log: Log
  /** Sent with every request: team_id, filters. */
  readonly args: Record<string, string>
  /** Entries later than this are neither asked for nor printed; epoch seconds. */
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
  /** Something the operator should know that is no failure. */
  readonly warn: (message: string) => void
  /** Called after each page. `oldest`: how far back in time the walk is, epoch seconds. */
  readonly onPage: (counts: Counts, oldest: number) => void
}

export interface Collected {
  readonly counts: Counts
  /** What to remember. The same object as before if no page was read. */
  readonly state: State
  /** The fields that may be the sort key, as far as this run knows. */
  readonly order: Order
  /** Why the walk ended early, if it did: an error, or a limit that was asked for. */
  readonly error: AuditError | undefined
  readonly limit: '--max-rows' | '--max-time' | undefined
  /** Why something may have been left out though no call failed. */
  readonly doubts: readonly string[]
  /** Whether all that was asked for was read, beyond doubt. */
  readonly complete: boolean
}

/**
 * Reads one log: from the head down to what is known, then the gaps that earlier runs left, newest first. It prints
 * what is new. It saves nothing: the caller saves `state` after stdout took the last line (deliver, then remember).
 * What Slack did wrong is in `error`.
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
  readonly #oldState: State
  readonly #startedAt: number
  readonly #order: Order
  readonly #plan: ReadPlan
  readonly #recent: RecentEntries
  readonly #counts: Counts = { pages: 0, rowsRead: 0, rowsPrinted: 0 }
  readonly #doubts = new Set<string>()
  #watermark: number | null
  #lastEntry: Times | undefined
  #readDownTo: Times | undefined
  #wentBelow = false
  #reachedEnd = false
  #seekRefused = false
  #undated = 0

  constructor(options: CollectOptions, before: State, world: Surroundings) {
    this.#options = options
    this.#world = world
    this.#oldState = before
    this.#startedAt = Math.floor(world.now() / 1000)
    this.#order = new Order(before.order)
    this.#watermark = believedWatermark(before, this.#startedAt)
    const head = headRanges(before, this.#startedAt, options.lookbackSeconds)
    this.#plan = new ReadPlan(head, before.gaps, this.#order)
    this.#recent = new RecentEntries(before.seen)
  }

  async run(): Promise<Collected> {
    if (this.#watermark !== this.#oldState.watermark) {
      this.#world.warn(
        `the watermark ${showTime(this.#oldState.watermark ?? 0)} lies in the future: was the clock set back? This run reads on from now; entries may repeat, with equal ids`,
      )
    }
    let error: AuditError | undefined
    let limit: Collected['limit']
    try {
      limit = await this.#read()
    } catch (thrown) {
      error = asAuditError(thrown)
      if (error.class === 'output') throw error
      // The deadline came in the middle of a walk that had no trouble: it is a limit, no failure.
      if (error instanceof OutOfTimeError && this.#counts.pages > 0) {
        limit = '--max-time'
        error = undefined
      }
    }
    return this.#result(error, limit)
  }

  /** Walks until nothing is left to read; returns the limit that ended it earlier, if one did. */
  async #read(): Promise<Collected['limit']> {
    let steps = this.#walk(this.#options.until)
    let limit: Collected['limit']
    for (;;) {
      const { value: step, done } = await steps.next()
      if (done) {
        this.#reachedEnd = true
        this.#plan.finish()
        return limit
      }
      await this.#take(step)
      if (!limit && this.#counts.rowsPrinted >= this.#options.maxRows) {
        limit = '--max-rows'
        this.#plan.leaveAllButOverlap(this.#readDownTo)
      }
      if (this.#plan.done) return limit
      if (this.#world.now() >= this.#options.deadline) return '--max-time'
      steps = (await this.#seek()) ?? steps
    }
  }

  #walk(before: number | undefined, firstPage?: Page): AsyncGenerator<Step, void> {
    let given = firstPage
    const options = {
      log: this.#options.log,
      args: this.#options.args,
      order: this.#order,
      recent: this.#recent,
      now: () => Math.floor(this.#world.now() / 1000),
      fetchPage: async (args: Record<string, string>) => {
        const page = given ?? (await this.#fetchPage(args, this.#lastEntry))
        given = undefined
        return page
      },
      onGoingBelow: (doubt?: string) => {
        this.#wentBelow = true
        if (doubt) this.#doubts.add(doubt)
      },
    }
    return walk(options, this.#options.log.hasBefore ? before : undefined)
  }

  async #fetchPage(args: Record<string, string>, above: Times | undefined): Promise<Page> {
    const lastResort = Number(args['before'] ?? this.#startedAt)
    const page = await this.#world.fetchPage(args, { above, lastResort })
    this.#counts.pages += 1
    this.#undated += page.entries.filter(({ dated }) => !dated).length
    return page
  }

  /** Prints what is new on a page, then notes how far the walk has come. */
  async #take({ entries, fresh, anchor }: Step): Promise<void> {
    if (this.#counts.rowsRead === 0) this.#watermark = nextWatermark(this.#oldState, entries, this.#startedAt)
    this.#counts.rowsRead += entries.length
    const { until = Number.POSITIVE_INFINITY } = this.#options
    // All that was printed above this floor is remembered. So what is fresh there has changed while the run went on.
    const floor = Math.max(this.#oldState.since, overlapFloor(this.#watermark))
    const wanted = fresh.filter((entry) => {
      const wants = this.#plan.wants(entry)
      if (wants === 'later') this.#recent.forget(entry)
      return (wants === true || (wants === false && entry.time >= floor)) && entry.time <= until
    })
    if (wanted.length > 0) await this.#world.print(wanted)
    this.#counts.rowsPrinted += wanted.length
    if (anchor) this.#readDownTo = this.#readDownTo ? lower(this.#readDownTo, anchor) : anchor
    this.#plan.pass(entries, this.#readDownTo)
    this.#recent.prune(this.#mayBeMetAgain())
    this.#lastEntry = entries.at(-1) ?? this.#lastEntry
    if (this.#lastEntry) this.#world.onPage(this.#counts, this.#lastEntry.time)
  }

  /**
   * A walk that skips what is known between here and the next gap. Undefined where the gap is reached, or where
   * `before` may hide entries of it: then the walk goes on through what is known.
   */
  async #seek(): Promise<AsyncGenerator<Step, void> | undefined> {
    const top = this.#plan.topOfNextGap(this.#readDownTo)
    const { canSeek, anchorKey } = this.#order
    if (!top || !this.#options.log.hasBefore || canSeek === 'no' || this.#seekRefused) return undefined
    const before = top[anchorKey] + JITTER_SECONDS
    if (canSeek === 'yes') return this.#jump(top, before)
    // The first page below has to show that `before` hides nothing: rows that began before it and lasted longer.
    const { args, log } = this.#options
    const asked = { ...args, limit: String(log.limit), before: String(before) }
    const first = await this.#fetchPage(asked, undefined)
    if (first.entries.filter(({ time, dated }) => dated && time > before).length < 2) {
      this.#seekRefused = true
      return undefined
    }
    return this.#jump(top, before, first)
  }

  #jump(top: Times, before: number, firstPage?: Page): AsyncGenerator<Step, void> {
    this.#wentBelow = true
    this.#readDownTo = this.#readDownTo ? lower(this.#readDownTo, top) : top
    this.#lastEntry = undefined
    return this.#walk(before, firstPage)
  }

  /** Tells whether an entry with these times may be met again, by this run or a later one. */
  #mayBeMetAgain(gaps: readonly Range[] = this.#plan.rest(this.#readDownTo)): (times: Times) => boolean {
    const floor = overlapFloor(this.#watermark)
    return (times) => times.time >= floor || gaps.some((gap) => liesIn(gap, times, BOTH_KEYS))
  }

  #result(error: AuditError | undefined, limit: Collected['limit']): Collected {
    // Slack never gives these pages, and the operator is told. A gap would fail in every run.
    if (error?.code === 'pages_unread') this.#plan.finish()
    const gaps = this.#plan.rest(this.#readDownTo)
    if (this.#wentBelow && this.#order.doubtBelow) this.#doubts.add(this.#order.doubtBelow)
    if (this.#oldState.gaps.length > 0 && this.#order.sortKeys.length === 0) {
      this.#doubts.add(
        'the log is in no order, so the place where an earlier run stopped cannot be found again',
      )
    }
    if (this.#undated > 0) {
      const who = this.#undated === 1 ? '1 entry has' : `${this.#undated} entries have`
      this.#world.warn(
        `${who} no readable time: printed all the same, and taken to be as old as the entry above`,
      )
    }
    return {
      counts: this.#counts,
      state: this.#nextState(gaps, error),
      order: this.#order,
      error,
      limit: gaps.length > 0 ? limit : undefined,
      doubts: [...this.#doubts],
      complete: gaps.length === 0 && this.#doubts.size === 0 && error === undefined,
    }
  }

  #nextState(gaps: readonly Range[], error: AuditError | undefined): State {
    if (this.#counts.pages === 0 || error?.class === 'state') return this.#oldState
    return {
      watermark: this.#watermark,
      since: this.#oldState.since,
      seen: this.#recent.needed(this.#mayBeMetAgain(gaps)),
      gaps,
      order: this.#order.learnt(this.#reachedEnd && !this.#wentBelow),
    }
  }
}
