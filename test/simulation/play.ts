import { type Collected, collect } from '../../src/collect.ts'
import { SlackCallError } from '../../src/errors.ts'
import { LOGS, type Log } from '../../src/log/logs.ts'
import { type Entry, readPage } from '../../src/log/page.ts'
import { slackAnswerError } from '../../src/slack/errors.ts'
import type { Owner } from '../../src/state/format.ts'
import { type Reader, stateFor } from '../../src/state/reader.ts'
import { emptyState, type State } from '../../src/state/state.ts'
import { loadState, type PreparedState, prepareState } from '../../src/state/store.ts'
import { type Answer, Slack } from '../fake-slack/slack.ts'
import { Workspace } from '../fake-slack/workspace.ts'
import { FakeDisk } from './disk.ts'
import { CALM, type History, type RunPlan } from './history.ts'

const START = 1_790_000_000
const HOUR = 3600
const DAY = 24 * HOUR
/** Two hours, by the contract. */
const OVERLAP = 2 * HOUR

/** A state of an entry: from when on it could be read, and until when. */
interface Standing {
  readonly id: string
  readonly time: number
  readonly began: number
  readonly from: number
  until: number
  /** It shows an odd time: it may be lost, but nothing else because of it. */
  readonly odd: boolean
  /** It lasted longer than the look-back of a run that could have read it. */
  tooLong: boolean
}

/** One log of the history: what stood in it, what was printed of it. */
interface Lane {
  readonly log: Log
  readonly owner: Owner
  readonly path: string
  readonly standings: Standing[]
  /** By what names an entry through all its states. */
  readonly current: Map<string, Standing>
  /** How often each id was printed. */
  readonly printed: Map<string, number>
  /** How often it may be printed again: the run was not saved, or its reader is gone. */
  readonly forgotten: Map<string, number>
  /** How often its reader lost it. */
  readonly undelivered: Map<string, number>
  /** What the last run printed, and the last one that was saved. */
  lastPrinted: readonly string[]
  lastSaved: { readonly ids: readonly string[]; readonly reader: number }
  last: Collected | undefined
  /** The shortest look-back of the runs so far, in seconds. */
  shortestLookback: number
  /** The watermark with which the last run began. */
  watermark: number
  /** A run said that it may have skipped entries, and for this Slack that can be so. */
  maySkip: boolean
}

/**
 * Plays a history against the real walk, state and store, and checks after each run that no promise was broken.
 * @returns what was broken, in words; undefined if nothing was.
 */
export async function play(history: History): Promise<string | undefined> {
  return new World(history).play()
}

class World {
  readonly #history: History
  readonly #workspace: Workspace
  readonly #slack: Slack
  readonly #disk: FakeDisk
  readonly #lanes: Lane[]
  readonly #since: number
  #time = START
  #process = new FakeProcess()
  #reader = 1

  constructor(history: History) {
    const { seed, rows, days, slack, logs, longRows, sinceDays } = history
    this.#history = history
    this.#since = sinceDays === null ? Number.NEGATIVE_INFINITY : START - sinceDays * DAY
    this.#workspace = new Workspace({
      seed,
      now: START,
      accessRows: logs.includes('access') ? rows : 0,
      integrationRows: logs.includes('integration') ? rows : 0,
      days,
      longRows,
    })
    this.#slack = new Slack({ ...slack, workspace: this.#workspace })
    this.#disk = new FakeDisk(() => this.#process.diskStep())
    this.#lanes = logs.map((name) => ({
      log: LOGS[name],
      owner: { tokenTeamId: this.#workspace.team.id, requestedTeamId: undefined, log: LOGS[name] },
      path: `state/${name}.json`,
      standings: [],
      current: new Map(),
      printed: new Map(),
      forgotten: new Map(),
      undelivered: new Map(),
      lastPrinted: [],
      lastSaved: { ids: [], reader: 1 },
      last: undefined,
      shortestLookback: Number.POSITIVE_INFINITY,
      watermark: 0,
      maySkip: false,
    }))
    for (const row of this.#workspace.accessRows()) this.#note('access', row)
    for (const row of this.#workspace.integrationRows()) this.#note('integration', row)
    this.#workspace.onChange = (kind, row) => this.#note(kind, row)
  }

  async play(): Promise<string | undefined> {
    for (const [index, plan] of this.#history.runs.entries()) {
      const broken = await this.#run(plan)
      if (broken) return `run ${index + 1}: ${broken}`
    }
    return (await this.#drain()) ?? (await this.#readPart(null)) ?? this.#readPart(3)
  }

  /** Calm runs, until nothing is left to read: then every state that Slack still shows must have been printed. */
  async #drain(): Promise<string | undefined> {
    for (let run = 1; run <= 3; run += 1) {
      const broken = await this.#run(CALM)
      if (broken) return `calm run ${run}: ${broken}`
      for (const lane of this.#lanes) {
        const troubled = this.#troubled(lane) ?? (run > 2 ? this.#expensive(lane) : undefined)
        if (troubled) return `calm run ${run}: ${troubled}`
      }
    }
    const left = this.#disk.files().filter((path) => !this.#lanes.some((lane) => lane.path === path))
    return left.length > 0 ? `files are left: ${left}` : undefined
  }

  /** One run of all logs, side by side as the program runs them: read and print, prepare, then commit. */
  async #run(plan: RunPlan): Promise<string | undefined> {
    this.#advance(plan.pause)
    const startedAt = this.#time
    const process = new FakeProcess(plan)
    this.#process = process
    const printedNow = new Map(this.#lanes.map((lane) => [lane, [] as string[]]))
    const saved = new Set<Lane>()
    const work = async (): Promise<Map<Lane, Collected>> => {
      const results = await Promise.all(
        this.#lanes.map(async (lane) => {
          const previous = await this.#previous(lane)
          lane.watermark = previous.watermark ?? 0
          const result = await this.#collect(lane, previous, plan, printedNow.get(lane) ?? [])
          return { lane, previous, result }
        }),
      )
      const prepared: [Lane, PreparedState][] = []
      for (const { lane, previous, result } of results) {
        if (result.state === previous) continue
        const undelivered = this.#history.reader ? { reader: this.#readerNow(), state: previous } : undefined
        const toSave = { at: '', state: result.state, undelivered }
        try {
          prepared.push([lane, await prepareState(lane.path, lane.owner, toSave, this.#disk)])
        } catch {}
      }
      for (const [lane, state] of prepared) {
        try {
          await state.commit()
          saved.add(lane)
        } catch {}
      }
      return new Map(results.map(({ lane, result }) => [lane, result]))
    }
    const collected = await Promise.race([work(), process.death])
    if (!collected) this.#disk.crash()
    for (const lane of this.#lanes) {
      const ids = printedNow.get(lane) ?? []
      const result = collected?.get(lane)
      lane.last = result
      lane.shortestLookback = Math.min(
        lane.shortestLookback,
        result?.lookbackSeconds ?? lane.shortestLookback,
      )
      count(lane.printed, ids)
      if (!saved.has(lane)) count(lane.forgotten, ids)
      lane.lastPrinted = ids
      // The power may fail between two renames: then what counts is what the disk holds.
      if (saved.has(lane) && collected) lane.lastSaved = { ids, reader: this.#reader }
      if (result?.omissions.some((omission) => omission.includes('look-back'))) {
        const { filter, order, jitterSeconds = 0 } = this.#history.slack
        lane.maySkip ||= filter !== order || jitterSeconds > 240
      }
      const broken =
        this.#repeated(lane, ids) ??
        (result && (this.#lost(lane, result, startedAt) ?? overgrown(result.state)))
      if (broken) return `${lane.log.name}: ${broken}`
    }
    if (this.#history.reader && plan.readerDies) this.#killReader()
    return undefined
  }

  #readerNow(): Reader {
    return { pid: 1, started: String(this.#reader), boot: 'b' }
  }

  /** It loses what the last run printed. Its successor cannot know that, and takes the last saved run for lost. */
  #killReader(): void {
    for (const { lastPrinted, undelivered, lastSaved, forgotten } of this.#lanes) {
      count(undelivered, lastPrinted)
      if (lastSaved.reader === this.#reader) count(forgotten, lastSaved.ids)
    }
    this.#reader += 1
  }

  async #previous(lane: Lane): Promise<State> {
    const saved = await loadState(lane.path, lane.owner, this.#disk)
    if (!saved) return emptyState(this.#since)
    return stateFor(saved, this.#history.reader ? this.#readerNow() : undefined).state
  }

  #collect(lane: Lane, previous: State, plan: RunPlan, printedNow: string[]): Promise<Collected> {
    const process = this.#process
    return this.#collectFrom(previous, lane, plan, {
      until: undefined,
      print: async (entries) => {
        await process.step()
        printedNow.push(...entries.map(({ id }) => id))
        await process.step()
      },
    })
  }

  #collectFrom(
    state: State,
    lane: Lane,
    plan: RunPlan,
    { until, print }: { until: number | undefined; print: (entries: readonly Entry[]) => Promise<void> },
  ): Promise<Collected> {
    const { log, owner } = lane
    let requests = 0
    const process = this.#process
    const { lookbackDays } = this.#history
    const nowMs = () => (this.#time + plan.clockOff) * 1000
    return collect(
      {
        log,
        args: {},
        until,
        lookbackSeconds: lookbackDays === null ? undefined : lookbackDays * DAY,
        maxRows: plan.maxRows ?? Number.POSITIVE_INFINITY,
        deadlineMs: nowMs() + (plan.maxSeconds ?? Number.POSITIVE_INFINITY) * 1000,
      },
      state,
      {
        fetchPage: async (args, neighbour) => {
          await process.stillAlive()
          this.#advance(plan.requestSeconds)
          requests += 1
          lane.maySkip ||= this.#mayHide(lane, args['before'])
          if (requests > 4000) throw new Error('a walk that does not end')
          if (requests === plan.failAt) {
            throw new SlackCallError('outage', 'http_503', 'down', { retry: false })
          }
          const answer = this.#shown(log, this.#slack.answer(log.method, args))
          if (answer['ok'] !== true) throw slackAnswerError(log.method, String(answer['error']))
          const odd = requests === plan.oddAnswer?.at ? madeOdd(log, answer, plan.oddAnswer.kind) : answer
          return readPage(log, odd, owner.tokenTeamId, neighbour)
        },
        print,
        nowMs,
        pause: async () => this.#advance(3),
        warn: () => {},
        onPage: () => {},
      },
    )
  }

  /**
   * A row that changes leaves a listing whose `before` compares date_last. Where pages are counted, the rows below it move
   * up then, and one of them onto a page that was read. A row that began a look-back ago no longer changes.
   */
  #mayHide({ log, shortestLookback }: Lane, before: string | undefined): boolean {
    const { filter, paging, cursors } = this.#history.slack
    const isCounted = paging === 'classic' || cursors === 'offset'
    const isYoung = Number(before ?? 0) > this.#time - Math.min(shortestLookback, 30 * DAY)
    return log.hasBefore && filter === 'date_last' && isCounted && isYoung
  }

  /** A run without a state, with --since and --until two days ago: it prints what is between, each entry once. */
  async #readPart(days: number | null): Promise<string | undefined> {
    const until = this.#time - 2 * DAY
    const since = days === null ? Number.NEGATIVE_INFINITY : until - days * DAY
    for (const lane of this.#lanes) {
      const printed: Entry[] = []
      const result = await this.#collectFrom(emptyState(since), lane, CALM, {
        until,
        print: async (entries) => void printed.push(...entries),
      })
      const ids = new Set(printed.map(({ id }) => id))
      const name = `${lane.log.name} ${days === null ? 'until' : 'since and until'}`
      if (printed.some(({ time }) => time > until || time < since)) return `${name}: printed beyond`
      if (ids.size < printed.length) return `${name}: printed twice`
      const missing = lane.standings.find(
        (standing) =>
          !standing.odd &&
          standing.time <= until &&
          standing.time >= since &&
          standing.until > this.#time &&
          !this.#isTooLong(lane, standing, result) &&
          !ids.has(standing.id),
      )
      if (missing && result.complete) return `${name}: not printed: ${JSON.stringify(missing)}`
    }
    return undefined
  }

  /** Nothing is lost: what stood all through a run that was complete has been printed, and delivered, by its end. */
  #lost(lane: Lane, result: Collected, startedAt: number): string | undefined {
    const { standings, printed, undelivered, maySkip } = lane
    for (const standing of standings) standing.tooLong ||= this.#isTooLong(lane, standing, result)
    if (!result.complete || maySkip) return undefined
    const missing = standings.find(
      ({ id, from, until, odd, tooLong, time }) =>
        !odd &&
        !tooLong &&
        time >= this.#since &&
        from <= startedAt &&
        until > this.#time &&
        (printed.get(id) ?? 0) <= (undelivered.get(id) ?? 0),
    )
    return missing && `never printed: ${JSON.stringify(missing)}`
  }

  /**
   * Sorted by date_first, a row that lasts longer than the look-back may be lost. If `before` compares date_last, that is
   * the look-back of the run that left a gap, too.
   */
  #isTooLong(
    { log, shortestLookback }: Lane,
    { time, began }: Standing,
    { lookbackSeconds }: Collected,
  ): boolean {
    const { order, filter } = this.#history.slack
    const lookback = filter === 'date_last' ? Math.min(shortestLookback, lookbackSeconds) : lookbackSeconds
    return log.hasBefore && order === 'date_first' && time - began > lookback
  }

  /** Nothing is repeated, but for what was printed in a run that was or may have been lost, or after a clock was off. */
  #repeated({ printed, forgotten }: Lane, ids: readonly string[]): string | undefined {
    if (this.#history.runs.some(({ clockOff }) => clockOff !== 0)) return undefined
    const twice = ids.find((id) => (printed.get(id) ?? 0) > 1 + (forgotten.get(id) ?? 0))
    return twice && `printed twice: ${twice}`
  }

  /** With nothing in its way a run is complete, unless a listing breaks off within one look-back, which it says. */
  #troubled({ last }: Lane): string | undefined {
    const { pageCap, cursorLife } = this.#history.slack
    const breaksOff = pageCap !== 100 || cursorLife !== undefined || (last?.counts.pages ?? 0) > 100
    if (last?.complete || (breaksOff && last && last.omissions.length > 0)) return undefined
    return `not complete: ${last?.error?.message ?? last?.omissions.join()}`
  }

  /** When all is calm again, a run reads the pages of one look-back below the overlap, and two more. */
  #expensive({ log, last, watermark }: Lane): string | undefined {
    const {
      order = 'date_last',
      jitterSeconds = 0,
      maxPageRows = 0,
      shortPages,
      pageCap,
      cursorLife,
      integrationOrder,
    } = this.#history.slack
    if (pageCap !== 100 || cursorLife !== undefined || shortPages || this.#history.oddRow) return undefined
    if (!last || (!log.hasBefore && integrationOrder === 'ascending')) return undefined
    const floor = watermark - OVERLAP - HOUR - last.lookbackSeconds - jitterSeconds
    const rows: readonly Record<string, unknown>[] = log.hasBefore
      ? this.#workspace.accessRows()
      : this.#workspace.integrationRows()
    const above = rows.filter((row) => Number(row[log.hasBefore ? order : log.timeField]) >= floor).length
    const needed = Math.ceil(above / maxPageRows) + 2
    const { pages } = last.counts
    // Beyond page 100 a look-back is read again.
    return pages > needed && pages <= 100 ? `${pages} pages read where ${needed} would do` : undefined
  }

  #note(kind: 'access' | 'integration', row: Record<string, unknown>): void {
    const lane = this.#lanes.find(({ log }) => log.name === kind)
    if (!lane) return
    const { log, owner, current, standings } = lane
    const { id: key } = log.ids(owner.tokenTeamId, { ...row, date_last: 0, count: 0 })
    const shown = this.#withOddity(log, row)
    const { id } = log.ids(owner.tokenTeamId, shown)
    const standing: Standing = {
      id,
      time: Number(shown[log.timeField]),
      began: Number(shown[log.beganField]),
      from: this.#workspace.now,
      until: Number.POSITIVE_INFINITY,
      odd: shown !== row,
      tooLong: false,
    }
    const name = log.hasBefore ? key : id
    const before = current.get(name)
    // A twin changes nothing.
    if (before?.id === id) return
    if (before) before.until = this.#workspace.now
    current.set(name, standing)
    standings.push(standing)
  }

  /** Slack's answer, in which one row is odd. */
  #shown(log: Log, answer: Answer): Answer {
    const rows = answer[log.list]
    if (this.#history.oddRow === null || !Array.isArray(rows)) return answer
    return { ...answer, [log.list]: rows.map((row: Record<string, unknown>) => this.#withOddity(log, row)) }
  }

  #oddRow: unknown

  /** The first row seen of a workspace that is not among its oldest is odd, whatever becomes of it. */
  #withOddity(log: Log, row: Record<string, unknown>): Record<string, unknown> {
    const { oddRow } = this.#history
    if (oddRow === null) return row
    const naming = [
      'user_id',
      log.beganField,
      'ip',
      'user_agent',
      'change_type',
      'app_id',
      'service_id',
      'scope',
      'channel',
    ]
    const identity = naming.map((field) => row[field]).join()
    if (this.#oddRow === undefined && Number(row[log.timeField]) > START - DAY) this.#oddRow = identity
    if (identity !== this.#oddRow) return row
    if (oddRow.kind === 'undated') return { ...row, [log.timeField]: 'yesterday' }
    const field = oddRow.kind === 'time' ? log.timeField : log.beganField
    return { ...row, [field]: Number(row[field]) + oddRow.seconds }
  }

  #advance(seconds: number): void {
    this.#time += seconds
    this.#workspace.advanceTo(this.#time, { perHour: this.#history.perHour, burst: this.#history.burst })
  }
}

/** A run that may be killed at one of its steps, which then never comes back, and whose disk may be full. */
class FakeProcess {
  readonly death: Promise<undefined>
  #die: () => void = () => {}
  #dead = false
  #stepsLeft: number
  #diskCallsLeft: number

  constructor({ crashAt, diskFullAt }: Pick<RunPlan, 'crashAt' | 'diskFullAt'> = CALM) {
    this.#stepsLeft = crashAt ?? Number.POSITIVE_INFINITY
    this.#diskCallsLeft = diskFullAt ?? Number.POSITIVE_INFINITY
    this.death = new Promise((resolve) => {
      this.#die = () => resolve(undefined)
    })
  }

  async step(): Promise<void> {
    this.#stepsLeft -= 1
    if (this.#stepsLeft === 0) {
      this.#dead = true
      this.#die()
    }
    await this.stillAlive()
  }

  async diskStep(): Promise<void> {
    await this.step()
    this.#diskCallsLeft -= 1
    if (this.#diskCallsLeft === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  }

  /** Never resolves in a process that was killed. */
  async stillAlive(): Promise<void> {
    if (this.#dead) await new Promise(() => {})
  }
}

function madeOdd(log: Log, answer: Answer, kind: NonNullable<RunPlan['oddAnswer']>['kind']): Answer {
  const rows = [...(answer[log.list] as object[])]
  if (kind === 'empty') return { ok: true, [log.list]: [] }
  if (kind === 'nulls') return { ok: true, [log.list]: [null, null] }
  if (kind === 'null') return { ...answer, [log.list]: [null, ...rows] }
  // One row is three places higher than it belongs.
  const from = Math.min(rows.length - 1, 5)
  const [row] = from < 3 ? [] : rows.splice(from, 1)
  if (row) rows.splice(from - 3, 0, row)
  return { ...answer, [log.list]: rows }
}

function count(counts: Map<string, number>, ids: readonly string[]): void {
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
}

/** The state holds what is in the overlap and in the gaps. */
function overgrown({ watermark, seen, gaps }: State): string | undefined {
  const floor = (watermark ?? Number.NEGATIVE_INFINITY) - OVERLAP
  const old = [...seen.values()].filter(({ time }) => time < floor)
  const useless = old.filter(({ time, began }) => !gaps.some((gap) => began <= gap.top && time >= gap.floor))
  if (useless.length > 0) return `seen holds ${useless.length} entries under the overlap and in no gap`
  return gaps.some((gap, index) => index > 0 && gap.top >= (gaps[index - 1]?.floor ?? 0))
    ? 'gaps touch'
    : undefined
}
