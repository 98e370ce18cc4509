import { type Collected, collect } from '../../src/collect.ts'
import { SlackCallError } from '../../src/errors.ts'
import { LOGS, type Log } from '../../src/log/logs.ts'
import { type Entry, readPage } from '../../src/log/page.ts'
import { slackAnswerError } from '../../src/slack/errors.ts'
import { emptyState, OVERLAP_SECONDS, type State } from '../../src/state/state.ts'
import { loadState, type Owner, type PreparedState, prepareState } from '../../src/state/store.ts'
import { type Answer, Slack } from '../fake-slack/slack.ts'
import { Workspace } from '../fake-slack/workspace.ts'
import { FakeDisk } from './disk.ts'
import { CALM, type History, type RunPlan } from './history.ts'

const START = 1_790_000_000
const DAY = 86_400

/** A state of an entry: from when on it could be read, and until when. */
interface Standing {
  readonly id: string
  readonly key: string
  readonly time: number
  readonly began: number
  readonly from: number
  until: number
  /** Its time is odd: it may be lost, but nothing else because of it. */
  readonly odd: boolean
}

/** One log of the history: what stood in it, what was printed of it. */
interface Lane {
  readonly log: Log
  readonly owner: Owner
  readonly path: string
  readonly standings: Standing[]
  readonly current: Map<string, Standing>
  /** How often each id was printed, and how often by a run that could not remember it. */
  readonly printed: Map<string, number>
  readonly forgotten: Map<string, number>
  last: Collected | undefined
  excused: boolean
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
  #time = START
  #process = new FakeProcess()

  constructor(history: History) {
    const { seed, rows, days, slack, logs } = history
    this.#history = history
    this.#workspace = new Workspace({
      seed,
      now: START,
      accessRows: logs.includes('access') ? rows : 0,
      integrationRows: logs.includes('integration') ? rows : 0,
      days,
    })
    this.#slack = new Slack({ ...slack, workspace: this.#workspace })
    this.#disk = new FakeDisk(() => this.#process.diskStep())
    this.#lanes = logs.map((name) => ({
      log: LOGS[name],
      owner: { teamId: this.#workspace.team.id, workspace: undefined, log: LOGS[name] },
      path: `state/${name}.json`,
      standings: [],
      current: new Map(),
      printed: new Map(),
      forgotten: new Map(),
      last: undefined,
      excused: false,
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
    return (await this.#drain()) ?? (await this.#readPart(0)) ?? this.#readPart(3 * DAY)
  }

  /** Calm runs, until nothing is left to read: then every state that still stands must have been printed. */
  async #drain(): Promise<string | undefined> {
    for (let run = 1; run <= 3; run += 1) {
      const broken = await this.#run(CALM)
      if (broken) return `calm run ${run}: ${broken}`
      for (const lane of this.#lanes) {
        const troubled = this.#troubled(lane) ?? (run > 2 ? this.#expensive(lane) : undefined)
        if (troubled) return `calm run ${run}: ${troubled}`
      }
    }
    for (const lane of this.#lanes) {
      const gaps = lane.last?.state.gaps.length ?? 0
      if (gaps > 0 && !lane.excused) return `${gaps} gaps are left after calm runs`
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
        this.#lanes.map(
          async (lane) => [lane, await this.#collect(lane, plan, printedNow.get(lane) ?? [])] as const,
        ),
      )
      const prepared: [Lane, PreparedState][] = []
      for (const [lane, { state }] of results) {
        try {
          prepared.push([lane, await prepareState(lane.path, lane.owner, state, this.#disk)])
        } catch {}
      }
      for (const [lane, state] of prepared) {
        try {
          await state.commit()
          saved.add(lane)
        } catch {}
      }
      return new Map(results)
    }
    const collected = await Promise.race([work(), process.death])
    if (!collected) this.#disk.crash()
    for (const lane of this.#lanes) {
      const ids = printedNow.get(lane) ?? []
      const result = collected?.get(lane)
      lane.last = result
      for (const id of ids) {
        lane.printed.set(id, (lane.printed.get(id) ?? 0) + 1)
        if (!saved.has(lane)) lane.forgotten.set(id, (lane.forgotten.get(id) ?? 0) + 1)
      }
      if (result && this.#mayBeExcused(lane, result)) lane.excused = true
      const broken =
        repeated(lane, ids) ??
        (result &&
          (this.#lost(lane, result, startedAt) ??
            (lane.excused ? undefined : overgrown(result.state, ids.length))))
      if (broken) return `${lane.log.name}: ${broken}`
    }
    return undefined
  }

  async #collect(lane: Lane, plan: RunPlan, printedNow: string[]): Promise<Collected> {
    const loaded = await loadState(lane.path, lane.owner, this.#disk)
    const process = this.#process
    return this.#collectFrom(loaded?.state ?? emptyState(Number.NEGATIVE_INFINITY), lane, plan, {
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
    { log, owner }: Lane,
    plan: RunPlan,
    { until, print }: { until: number | undefined; print: (entries: readonly Entry[]) => Promise<void> },
  ): Promise<Collected> {
    let requests = 0
    const process = this.#process
    return collect(
      {
        log,
        args: {},
        until,
        lookbackSeconds: this.#history.lookbackDays * DAY,
        maxRows: plan.maxRows ?? Number.POSITIVE_INFINITY,
        deadline: (this.#time + (plan.maxSeconds ?? Number.POSITIVE_INFINITY)) * 1000,
      },
      state,
      {
        fetchPage: async (args, neighbour) => {
          await process.stillAlive()
          this.#advance(plan.requestSeconds)
          requests += 1
          if (requests > 4000) throw new Error('a walk that does not end')
          if (requests === plan.failAt) {
            throw new SlackCallError('outage', 'http_503', 'down', { retry: false })
          }
          const answer = this.#shown(log, this.#slack.answer(log.method, args))
          if (answer['ok'] !== true) throw slackAnswerError(log.method, String(answer['error']))
          if (requests === plan.oddAnswer) raiseOneRow(answer[log.list] as object[])
          return readPage(log, answer, owner.teamId, neighbour)
        },
        print,
        now: () => this.#time * 1000,
        warn: () => {},
        onPage: () => {},
      },
    )
  }

  /** A run without a state, with --since and --until two days ago: it prints what lies between, each entry once. */
  async #readPart(days: number): Promise<string | undefined> {
    const until = this.#time - 2 * DAY
    const since = days === 0 ? Number.NEGATIVE_INFINITY : until - days
    for (const lane of this.#lanes) {
      const printed: Entry[] = []
      const result = await this.#collectFrom(emptyState(since), lane, CALM, {
        until,
        print: async (entries) => void printed.push(...entries),
      })
      const ids = new Set(printed.map(({ id }) => id))
      const name = `${lane.log.name} ${days === 0 ? 'until' : 'since and until'}`
      if (printed.some(({ time }) => time > until || time < since)) return `${name}: printed beyond`
      if (ids.size < printed.length && !lane.excused) return `${name}: printed twice`
      const missing = lane.standings.find(
        ({ id, time, began, until: end, odd }) =>
          !odd &&
          time <= until &&
          time >= since &&
          (days === 0 || began >= this.#givenUp(lane.log)) &&
          end > this.#time &&
          !ids.has(id),
      )
      if (missing && result.complete && !this.#mayBeExcused(lane, result)) {
        return `${name}: not printed: ${JSON.stringify(missing)}`
      }
    }
    return undefined
  }

  /** Nothing is lost: what stood all through a run that was complete has been printed by its end. */
  #lost({ log, standings, printed, excused }: Lane, { complete }: Collected, startedAt: number) {
    if (!complete || excused) return undefined
    const givenUp = this.#givenUp(log)
    const missing = standings.find(
      ({ id, from, until, odd, began }) =>
        !odd && from <= startedAt && until > this.#time && began >= givenUp && !printed.has(id),
    )
    return missing && `never printed: ${JSON.stringify(missing)}`
  }

  /** Sorted by date_first, a row that began before the look-back is not looked at again: a chosen loss. */
  #givenUp(log: Log): number {
    const byBegan = log.hasBefore && this.#history.slack.order === 'date_first'
    return byBegan ? this.#time - this.#history.lookbackDays * DAY : Number.NEGATIVE_INFINITY
  }

  /**
   * Where "before" compares another field than Slack sorts by, a walk that goes below may lose, repeat or not get on;
   * where the log does not descend at all, the place where a walk was cut is hard to find again. Both must be said.
   */
  #mayBeExcused({ log }: Lane, { complete, doubts, error }: Collected): boolean {
    const { order, filter, integrationOrder, jitterSeconds = 0 } = this.#history.slack
    const unlike = log.hasBefore ? order !== filter : integrationOrder === 'ascending'
    const hard = unlike || jitterSeconds > 300
    return hard && !complete && (doubts.length > 0 || error?.code === 'no_advance')
  }

  /** With nothing in its way a run fails at nothing. Where a listing breaks off it may lack proof that nothing is left out. */
  #troubled({ last, excused }: Lane): string | undefined {
    const { pageCap, cursorLife } = this.#history.slack
    // A listing that ends exactly at page 100 may have been cut there, so the walk looks below it.
    const breaksOff = pageCap !== 100 || cursorLife !== undefined || (last?.counts.pages ?? 0) > 100
    const unproven = breaksOff && (last?.doubts.length ?? 0) > 0
    // One odd entry refutes no order, but an odd time and an odd answer are two.
    const odd =
      this.#history.oddTime !== null && this.#history.runs.some(({ oddAnswer }) => oddAnswer !== null)
    if (excused || last?.complete || unproven || odd) return undefined
    return `not complete: ${last?.error?.message ?? last?.doubts.join()}`
  }

  /** When all is calm again, a log sorted by its own time is read no further than a page below the floor. */
  #expensive({ log, last, standings }: Lane): string | undefined {
    const { order, jitterSeconds = 0, maxPageRows = 0, shortPages, pageCap, cursorLife } = this.#history.slack
    if (pageCap !== 100 || cursorLife !== undefined) return undefined
    if (!last || !log.hasBefore || order !== 'date_last' || jitterSeconds > 300 || shortPages)
      return undefined
    // In a log that never told its fields apart, both bounds hold.
    if (last.state.order !== 'time') return undefined
    const floor = (last.state.watermark ?? 0) - OVERLAP_SECONDS - 1800 - jitterSeconds - DAY / 24
    const above = standings.filter(({ time, until }) => until > this.#time && time >= floor).length
    const needed = Math.ceil(above / maxPageRows) + 2
    const { pages } = last.counts
    return pages > needed ? `${pages} pages read where ${needed} would do` : undefined
  }

  #note(kind: 'access' | 'integration', row: Record<string, unknown>): void {
    const lane = this.#lanes.find(({ log }) => log.name === kind)
    if (!lane) return
    const { log, owner, current, standings } = lane
    const { id: key } = log.ids(owner.teamId, { ...row, date_last: 0, count: 0 })
    const shown = this.#withOddTime(log, row)
    const { id } = log.ids(owner.teamId, shown)
    const standing: Standing = {
      id,
      key: log.hasBefore ? key : id,
      time: Number(shown[log.timeField]),
      began: Number(shown[log.beganField]),
      from: this.#workspace.now,
      until: Number.POSITIVE_INFINITY,
      odd: shown !== row,
    }
    const before = current.get(standing.key)
    // A twin changes nothing.
    if (before?.id === id) return
    if (before) before.until = this.#workspace.now
    current.set(standing.key, standing)
    standings.push(standing)
  }

  /** Slack's answer, in which one row has its odd time. */
  #shown(log: Log, answer: Answer): Answer {
    const rows = answer[log.list]
    if (this.#history.oddTime === null || !Array.isArray(rows)) return answer
    return { ...answer, [log.list]: rows.map((row: Record<string, unknown>) => this.#withOddTime(log, row)) }
  }

  #oddRow: unknown

  /** The first row seen of a workspace that is not among its oldest shows an odd time, whatever becomes of it. */
  #withOddTime(log: Log, row: Record<string, unknown>): Record<string, unknown> {
    const { oddTime } = this.#history
    if (oddTime === null) return row
    const identity = [
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
      .map((field) => row[field])
      .join()
    if (this.#oddRow === undefined && Number(row[log.timeField]) > START - DAY) this.#oddRow = identity
    if (identity !== this.#oddRow) return row
    return { ...row, [log.timeField]: Number(row[log.timeField]) + oddTime }
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

/** Puts a row of the page three places higher than it belongs. */
function raiseOneRow(rows: object[]): void {
  const from = Math.min(rows.length - 1, 5)
  const [row] = from < 3 ? [] : rows.splice(from, 1)
  if (row) rows.splice(from - 3, 0, row)
}

/** Nothing is repeated, but for what a run printed that could not remember it. */
function repeated({ printed, forgotten, excused }: Lane, ids: readonly string[]): string | undefined {
  if (excused) return undefined
  const twice = ids.find((id) => (printed.get(id) ?? 0) > 1 + (forgotten.get(id) ?? 0))
  return twice && `printed twice: ${twice}`
}

/** The state holds what lies in the overlap and, for each gap, what is near its top; gaps that touch are one. */
function overgrown({ watermark, seen, gaps }: State, printedNow: number): string | undefined {
  const floor = (watermark ?? Number.NEGATIVE_INFINITY) - OVERLAP_SECONDS
  const old = [...seen.values()].filter(({ time }) => time < floor).length
  if (gaps.length === 0 && old > 0) return `seen holds ${old} entries under the overlap without a gap`
  const most = 150 + 60 * gaps.length + 2 * printedNow
  return old > most ? `seen holds ${old} entries under the overlap for ${gaps.length} gaps` : undefined
}
