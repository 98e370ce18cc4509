import { type Collected, collect } from '../../src/collect.ts'
import { SlackCallError, slackAnswerError } from '../../src/errors.ts'
import { LOGS, readPage } from '../../src/logs.ts'
import { emptyState, OVERLAP_SECONDS } from '../../src/state.ts'
import { loadState, type Owner, saveState } from '../../src/store.ts'
import { Slack } from '../fake-slack/slack.ts'
import { Workspace } from '../fake-slack/workspace.ts'
import { FakeDisk } from './disk.ts'
import type { History, RunPlan } from './history.ts'

const START = 1_790_000_000
const PATH = 'state/access.json'

/** A state of an entry: from when on it could be read, and until when. */
interface Standing {
  readonly id: string
  readonly key: string
  readonly from: number
  until: number
}

/**
 * Plays a history against the real walk, state and store, and looks after each run whether a promise was broken.
 * @returns what was broken, in words; undefined if all is well.
 */
export async function play(history: History): Promise<string | undefined> {
  return new World(history).play()
}

class World {
  readonly #history: History
  readonly #workspace: Workspace
  readonly #slack: Slack
  readonly #owner: Owner
  readonly #disk: FakeDisk
  readonly #standings: Standing[] = []
  readonly #current = new Map<string, Standing>()
  /** How often each id was printed, and how often that was in a run that was killed. */
  readonly #printed = new Map<string, number>()
  readonly #printedByKilled = new Map<string, number>()
  #time = START
  #stepsLeft = Number.POSITIVE_INFINITY
  #die: () => void = () => {}
  #last: Collected | undefined
  #excused = false

  constructor(history: History) {
    const { seed, rows, days, slack } = history
    this.#history = history
    this.#workspace = new Workspace({
      seed,
      now: START,
      accessRows: history.log === 'access' ? rows : 0,
      integrationRows: history.log === 'integration' ? rows : 0,
      days,
    })
    this.#slack = new Slack({ ...slack, workspace: this.#workspace })
    this.#owner = { teamId: this.#workspace.team.id, workspace: undefined, log: LOGS[history.log] }
    this.#disk = new FakeDisk(() => this.#step())
    for (const row of this.#workspace.accessRows()) this.#note('access', row)
    for (const row of this.#workspace.integrationRows()) this.#note('integration', row)
    this.#workspace.onChange = (kind, row) => this.#note(kind, row)
  }

  async play(): Promise<string | undefined> {
    for (const [index, plan] of this.#history.runs.entries()) {
      const broken = await this.#run(plan)
      if (broken) return `run ${index + 1}: ${broken}`
    }
    return this.#drain()
  }

  /** Calm runs, until nothing is left to read: then every state that still stands must have been printed. */
  async #drain(): Promise<string | undefined> {
    const calm: RunPlan = {
      pause: 1800,
      requestSeconds: 0,
      maxRows: null,
      maxSeconds: null,
      failAt: null,
      crashAt: null,
    }
    for (let run = 1; run <= 3; run += 1) {
      const broken = (await this.#run(calm)) ?? this.#troubled()
      if (broken) return `calm run ${run}: ${broken}`
    }
    const loaded = await loadState(PATH, this.#owner, this.#disk)
    const gaps = loaded?.state.gaps.length ?? 0
    return gaps > 0 && !this.#excused ? `${gaps} gaps are left after calm runs` : undefined
  }

  async #run(plan: RunPlan): Promise<string | undefined> {
    this.#advance(plan.pause)
    const startedAt = this.#time
    this.#stepsLeft = plan.crashAt ?? Number.POSITIVE_INFINITY
    const printedNow: string[] = []
    const work = async (): Promise<Collected> => {
      const result = await this.#collect(plan, printedNow)
      await saveState(PATH, this.#owner, result.state, this.#disk)
      return result
    }
    const death = new Promise<undefined>((resolve) => {
      this.#die = () => resolve(undefined)
    })
    const collected = await Promise.race([work(), death])
    this.#stepsLeft = Number.POSITIVE_INFINITY
    this.#last = collected
    if (!collected) this.#disk.crash()
    this.#count(printedNow, !collected)
    if (collected && this.#mayBeExcused(collected)) this.#excused = true
    const repeated = this.#repeated(printedNow)
    if (repeated) return repeated
    if (!collected) return undefined
    return this.#lost(collected, startedAt) ?? overgrown(collected)
  }

  async #collect(plan: RunPlan, printedNow: string[]): Promise<Collected> {
    const { log } = this.#owner
    const loaded = await loadState(PATH, this.#owner, this.#disk)
    let requests = 0
    return collect(
      {
        log,
        args: {},
        until: undefined,
        // Longer than any history: what the look-back gives up is given up on purpose, and has tests of its own.
        lookbackSeconds: 3 * 365 * 86_400,
        maxRows: plan.maxRows ?? Number.POSITIVE_INFINITY,
        deadline: (this.#time + (plan.maxSeconds ?? Number.POSITIVE_INFINITY)) * 1000,
      },
      loaded?.state ?? emptyState(log, Number.NEGATIVE_INFINITY),
      {
        fetchPage: async (args, neighbour) => {
          this.#advance(plan.requestSeconds)
          requests += 1
          if (requests > 2000) throw new Error('a walk that does not end')
          if (requests === plan.failAt)
            throw new SlackCallError('outage', 'http_503', 'down', { retry: false })
          const answer = this.#slack.answer(log.method, args)
          if (answer['ok'] !== true) throw slackAnswerError(log.method, String(answer['error']))
          return readPage(log, answer, this.#owner.teamId, neighbour)
        },
        print: async (entries) => {
          await this.#step()
          printedNow.push(...entries.map(({ id }) => id))
          await this.#step()
        },
        now: () => this.#time * 1000,
        warn: () => {},
        onPage: () => {},
      },
    )
  }

  #count(ids: readonly string[], killed: boolean): void {
    for (const id of ids) {
      this.#printed.set(id, (this.#printed.get(id) ?? 0) + 1)
      if (killed) this.#printedByKilled.set(id, (this.#printedByKilled.get(id) ?? 0) + 1)
    }
  }

  /** Nothing is repeated, but for what a killed run had printed. */
  #repeated(ids: readonly string[]): string | undefined {
    if (this.#excused) return undefined
    const twice = ids.find((id) => (this.#printed.get(id) ?? 0) > 1 + (this.#printedByKilled.get(id) ?? 0))
    return twice && `printed twice: ${twice}`
  }

  /** Nothing is lost: what stood all through a run that was complete has been printed by its end. */
  #lost({ complete }: Collected, startedAt: number): string | undefined {
    if (!complete || this.#excused) return undefined
    const missing = this.#standings.find(
      ({ id, from, until }) => from <= startedAt && until > this.#time && !this.#printed.has(id),
    )
    return missing && `never printed: ${JSON.stringify(missing)}`
  }

  /**
   * Where "before" compares another field than Slack sorts by, a walk that goes below may lose, repeat or not get on;
   * where the log does not descend at all, the place where a walk was cut is hard to find again. Both must be said.
   */
  #mayBeExcused({ complete, doubts, error }: Collected): boolean {
    const { order, filter, integrationOrder } = this.#history.slack
    const hard = this.#history.log === 'access' ? order !== filter : integrationOrder === 'ascending'
    return hard && !complete && (doubts.length > 0 || error?.code === 'no_advance')
  }

  /** With nothing in its way a run fails at nothing. Where a listing breaks off it may lack proof that nothing is left out. */
  #troubled(): string | undefined {
    const { pageCap, cursorLife } = this.#history.slack
    // A listing that ends just at page 100 may have been cut there, so the walk looks below it.
    const breaksOff = pageCap !== 100 || cursorLife !== undefined || (this.#last?.counts.pages ?? 0) > 100
    const unproven = breaksOff && (this.#last?.doubts.length ?? 0) > 0
    if (this.#excused || this.#last?.complete || unproven) return undefined
    return `not complete: ${this.#last?.error?.message ?? this.#last?.doubts.join()}`
  }

  #note(kind: 'access' | 'integration', row: Record<string, unknown>): void {
    if (kind !== this.#history.log) return
    const { id, row: key } = this.#owner.log.identify(this.#owner.teamId, row)
    const standing = { id, key: key ?? id, from: this.#workspace.now, until: Number.POSITIVE_INFINITY }
    const before = this.#current.get(standing.key)
    // A twin changes nothing.
    if (before?.id === id) return
    if (before) before.until = this.#workspace.now
    this.#current.set(standing.key, standing)
    this.#standings.push(standing)
  }

  #advance(seconds: number): void {
    this.#time += seconds
    this.#workspace.advanceTo(this.#time, { perHour: this.#history.perHour, burst: this.#history.burst })
  }

  /** A step of the run. The one at which it is killed never comes back. */
  async #step(): Promise<void> {
    this.#stepsLeft -= 1
    if (this.#stepsLeft > 0) return
    this.#die()
    await new Promise(() => {})
  }
}

/** `seen` is bounded by the overlap. */
function overgrown({ state }: Collected): string | undefined {
  const floor = (state.watermark ?? Number.NEGATIVE_INFINITY) - OVERLAP_SECONDS
  const old = [...state.seen].find(([, time]) => time < floor)
  return old && `seen holds ${old[0]}, which lies under the overlap`
}
