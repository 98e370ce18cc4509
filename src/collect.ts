import { AuditError, asAuditError, OutOfTimeError } from './errors.ts'
import type { Log } from './log/logs.ts'
import type { Entry, Neighbour, Page, Times } from './log/page.ts'
import { believedWatermark, overlapFloor, type State } from './state/state.ts'
import { showCount, showTime } from './text.ts'
import { LookBack } from './walk/listing.ts'
import { ReadPlan } from './walk/plan.ts'
import { isIn, type Range } from './walk/range.ts'
import { RecentEntries } from './walk/recent.ts'
import { type Step, walk } from './walk/walk.ts'

export interface CollectOptions {
  readonly log: Log
  /** Sent with every request: team_id, filters. */
  readonly args: Record<string, string>
  /** Entries later than this are neither requested nor printed; epoch seconds. */
  readonly until: number | undefined
  /** --lookback; undefined: taken from the log. */
  readonly lookbackSeconds: number | undefined
  /** Stop at the end of the page on which this many rows have been printed. */
  readonly maxRows: number
  /** Stop at this moment, epoch milliseconds. */
  readonly deadlineMs: number
}

/** Everything collect() depends on, so that tests can stand in for Slack, the clock and stdout. */
export interface Dependencies {
  /** A page of the log, retried where that helps. */
  readonly fetchPage: (args: Record<string, string>, neighbour: Neighbour) => Promise<Page>
  /** Prints these entries as one chunk. Resolves once the reader took them. */
  readonly print: (entries: readonly Entry[]) => Promise<void>
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** Waits before an answer without entries is requested once more. */
  readonly pause: () => Promise<void>
  /** A warning for the operator. */
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
  readonly counts: Readonly<Counts>
  /** What to remember. The same object as before if nothing was read. */
  readonly state: State
  readonly lookbackSeconds: number
  readonly longestRowSeconds: number
  /** What ended the walk early: an error, or a limit the user set. */
  readonly error: AuditError | undefined
  readonly limit: '--max-rows' | '--max-time' | undefined
  /** What was or may have been left out although no call failed. */
  readonly omissions: readonly string[]
  /** Whether everything requested was read. */
  readonly complete: boolean
}

/**
 * Reads one log: from the head down to what is known, then the gaps that earlier runs left, newest first. It prints
 * what is new. It saves nothing: the caller saves `state` after stdout took the last line (deliver, then remember).
 * A fault at Slack is in `error`.
 * @throws AuditError of class `output` if stdout fails.
 */
export async function collect(
  options: CollectOptions,
  previous: State,
  dependencies: Dependencies,
): Promise<Collected> {
  return new Collection(options, previous, dependencies).run()
}

class Collection {
  readonly #options: CollectOptions
  readonly #previous: State
  readonly #deps: Dependencies
  /** Epoch seconds. */
  readonly #startedAt: number
  /** Whatever is at or above this time is printed unless it was before, wherever it is met. */
  readonly #floor: number
  readonly #plan: ReadPlan
  readonly #recent: RecentEntries
  readonly #lookBack: LookBack
  readonly #counts: Counts = { pages: 0, rowsRead: 0, rowsPrinted: 0 }
  readonly #omissions = new Set<string>()
  #watermark: number | null
  #lastEntry: Times | undefined
  /** The lowest time met so far. */
  #oldest = Number.POSITIVE_INFINITY
  #undated = 0
  #unreadable = 0

  constructor(options: CollectOptions, previous: State, deps: Dependencies) {
    this.#options = options
    this.#previous = previous
    this.#deps = deps
    this.#startedAt = Math.floor(deps.nowMs() / 1000)
    this.#watermark = believedWatermark(previous, this.#startedAt)
    this.#floor = Math.max(previous.since, overlapFloor(this.#watermark))
    this.#plan = new ReadPlan(this.#floor, previous.gaps, this.#watermark)
    this.#recent = new RecentEntries(previous.seen, this.#startedAt)
    this.#lookBack = new LookBack(options.lookbackSeconds, previous.longestRowSeconds, this.#startedAt)
  }

  async run(): Promise<Collected> {
    if (this.#watermark !== this.#previous.watermark) {
      this.#deps.warn(
        `the watermark ${showTime(this.#previous.watermark ?? 0)} is in the future: was the clock set back? Using the current time instead; some entries may repeat, with the same ids`,
      )
    }
    let error: AuditError | undefined
    let limit: Collected['limit']
    try {
      limit = await this.#read()
    } catch (thrown) {
      error = asAuditError(thrown)
      if (error.class === 'output') throw error
      // Nothing failed; time simply ran out. That is a limit, not an error.
      if (error instanceof OutOfTimeError && this.#counts.pages > 0) {
        limit = '--max-time'
        error = undefined
      }
    }
    return this.#result(error, limit)
  }

  /** Walks until nothing is left to read. Returns the limit that ended the walk earlier, if one did. */
  async #read(): Promise<Collected['limit']> {
    const { until, maxRows, deadlineMs, log } = this.#options
    let steps = this.#walk(until)
    for (;;) {
      const { value: step, done } = await steps.next()
      if (!done) await this.#take(step)
      if (done || step.last) {
        this.#assertNotEmpty()
        this.#plan.finish(log.hasBefore)
      }
      if (this.#plan.done) return undefined
      if (this.#counts.rowsPrinted >= maxRows) return '--max-rows'
      if (this.#deps.nowMs() >= deadlineMs) return '--max-time'
      const top = log.hasBefore ? this.#plan.nextTop : undefined
      if (top !== undefined) {
        this.#lastEntry = undefined
        steps = this.#walk(top)
      }
    }
  }

  #walk(before: number | undefined): AsyncGenerator<Step, void> {
    const { log, args } = this.#options
    const options = {
      log,
      args,
      startedAt: this.#startedAt,
      fetchPage: (pageArgs: Record<string, string>) => this.#fetchPage(pageArgs),
      pause: this.#deps.pause,
      mayEnd: (page: Page) => this.#mayEnd(page),
      lookbackSeconds: () => this.#lookBack.seconds,
      onSkip: (reason: string) => this.#omissions.add(reason),
    }
    return walk(options, log.hasBefore ? before : undefined)
  }

  async #fetchPage(args: Record<string, string>): Promise<Page> {
    const lastResort = Number(args['before'] ?? this.#startedAt)
    const page = await this.#deps.fetchPage(args, { above: this.#lastEntry, lastResort })
    this.#counts.pages += 1
    this.#unreadable += page.unreadable
    this.#lookBack.add(page.entries)
    return page
  }

  /** Prints what is new on a page, then records how far the walk has come. */
  async #take({ page, place }: Step): Promise<void> {
    const { entries } = page
    this.#raiseWatermark(entries)
    this.#counts.rowsRead += entries.length
    const news = new Map<string, Entry>()
    for (const entry of entries) {
      if (!this.#recent.has(entry) && this.#wants(entry)) news.set(entry.id, entry)
      if (!entry.dated) this.#undated += 1
    }
    if (news.size > 0) await this.#deps.print([...news.values()])
    this.#counts.rowsPrinted += news.size
    for (const entry of entries) {
      // An undated entry is remembered by when it was last met, so it is noted each time.
      if (news.has(entry.id) || (!entry.dated && this.#recent.has(entry))) this.#recent.add(entry)
    }
    this.#plan.markRead(page, place, this.#lookBack.seconds)
    // A longer row on a later page makes the look-back longer, and with it the part that is read again.
    const growth = this.#lookBack.mayGrowSeconds(place)
    const gaps = this.#plan.unread().map(({ top, floor }) => ({ top: top + growth, floor }))
    this.#recent.prune(this.#mayBeMetAgain(gaps))
    this.#lastEntry = entries.at(-1) ?? this.#lastEntry
    if (this.#lastEntry) this.#deps.onPage(this.#counts, this.#lastEntry.time)
  }

  #wants(entry: Entry): boolean {
    const { until = Number.POSITIVE_INFINITY } = this.#options
    if (entry.time > until) return false
    // A borrowed time says nothing about whether the entry was printed before.
    if (!entry.dated) return entry.time >= this.#previous.since
    return entry.time >= this.#floor || this.#plan.wants(entry)
  }

  /** By the first page with a dated entry alone: rows move to the head while later pages are read. */
  #raiseWatermark(entries: readonly Entry[]): void {
    const isFirst = this.#oldest === Number.POSITIVE_INFINITY
    let newest = 0
    for (const { time, dated } of entries) {
      if (!dated) continue
      newest = Math.max(newest, time)
      this.#oldest = Math.min(this.#oldest, time)
    }
    if (isFirst && newest > 0)
      this.#watermark = Math.max(Math.min(newest, this.#startedAt), this.#watermark ?? 0)
  }

  /** An answer without entries is an unlikely end, and so is one before anything as old as the watermark was met. */
  #mayEnd({ entries }: Page): boolean {
    const known = this.#previous.watermark ?? Number.POSITIVE_INFINITY
    return entries.length > 0 && (this.#oldest <= known || entries.some(({ time }) => time <= known))
  }

  #assertNotEmpty(): void {
    if (this.#counts.rowsRead > 0 || this.#previous.watermark === null) return
    const { method } = this.#options.log
    throw new AuditError(
      'contract',
      'no_entries',
      `${method}: Slack says that the log is empty, though it was not; the next run will try again`,
    )
  }

  /** Whether an entry with these times may be met again, by this run or a later one. */
  #mayBeMetAgain(gaps: readonly Range[]): (times: Times) => boolean {
    const floor = overlapFloor(this.#watermark)
    return (times) => times.time >= floor || gaps.some((gap) => isIn(gap, times))
  }

  #result(error: AuditError | undefined, limit: Collected['limit']): Collected {
    // Slack never serves these pages, as the error says. A gap would fail in every run.
    if (error?.code === 'pages_unread') this.#plan.finish(false)
    // What began after this run did is at the head of the next one.
    const gaps = this.#plan.unread().map(({ top, floor }) => ({ top: Math.min(top, this.#startedAt), floor }))
    if (this.#undated > 0) {
      this.#deps.warn(
        `${showCount(this.#undated, 'entry', 'entries')} without a readable time, printed anyway`,
      )
    }
    if (this.#unreadable > 0) {
      const count = showCount(this.#unreadable, 'entry', 'entries')
      this.#omissions.add(`${count} left out, because Slack sent something other than an object`)
    }
    return {
      counts: this.#counts,
      state: this.#nextState(gaps, error),
      lookbackSeconds: this.#lookBack.seconds,
      longestRowSeconds: this.#lookBack.longestSeconds,
      error,
      limit,
      omissions: [...this.#omissions],
      complete: gaps.length === 0 && this.#omissions.size === 0 && error === undefined,
    }
  }

  #nextState(gaps: readonly Range[], error: AuditError | undefined): State {
    const isUseless = error !== undefined && (this.#counts.rowsRead === 0 || error.class === 'state')
    if (isUseless) return this.#previous
    return {
      watermark: this.#watermark,
      since: this.#previous.since,
      longestRowSeconds: gaps.length > 0 ? this.#lookBack.longestSeconds : this.#lookBack.metSeconds,
      gaps,
      seen: this.#recent.kept(this.#mayBeMetAgain(gaps)),
    }
  }
}
