import { seeded } from '../fake-slack/random.ts'
import type { SlackOptions } from '../fake-slack/slack.ts'

const HOUR = 3600
const DAY = 24 * HOUR

/** What happens to one run. All of it is data, so that a failing history can be made smaller and printed. */
export interface RunPlan {
  /** Seconds that pass before it. */
  pause: number
  /** Seconds that pass, and in which the workspace lives on, before each of its requests. */
  requestSeconds: number
  maxRows: number | null
  maxSeconds: number | null
  /** The n-th request to a log, from 1, fails for good. */
  failAt: number | null
  /** The run is killed before its n-th step; steps are the calls to the reader and to the disk. */
  crashAt: number | null
  /** The n-th call to the disk, from 1, fails: it is full. */
  diskFullAt: number | null
  /** The n-th answer, from 1, is odd in this way. */
  oddAnswer: { at: number; kind: 'disordered' | 'empty' | 'null' | 'nulls' } | null
  /** The collector's clock is off by this many seconds. */
  clockOff: number
  /** The reader is killed after the run and loses its lines. The next run has another reader. */
  readerDies: boolean
}

/** How one row of the log always shows itself. */
export type Oddity =
  | { kind: 'time' | 'began'; seconds: number }
  /** Its time cannot be read. */
  | { kind: 'undated' }

/** One history: a Slack, a workspace, and the runs against it. */
export interface History {
  seed: number
  logs: ('access' | 'integration')[]
  slack: Omit<SlackOptions, 'workspace'>
  rows: number
  days: number
  perHour: number
  burst: number
  /** The share of rows that last for weeks. */
  longRows: number
  /** --lookback, in days. */
  lookbackDays: number | null
  /** --since of the first run: days before it. */
  sinceDays: number | null
  /** Whether the runs are given --reader. */
  reader: boolean
  oddRow: Oddity | null
  runs: RunPlan[]
}

/** A run that nothing happens to. */
export const CALM: RunPlan = {
  pause: 1800,
  requestSeconds: 0,
  maxRows: null,
  maxSeconds: null,
  failAt: null,
  crashAt: null,
  diskFullAt: null,
  oddAnswer: null,
  clockOff: 0,
  readerDies: false,
}

const YEARS = 3 * 365 * DAY

/** The history that belongs to a seed. */
export function makeHistory(seed: number): History {
  const random = seeded(seed)
  const among = <T>(...list: T[]): T => random.pick(list)
  const sometimes = <T>(probability: number, value: T): T | null =>
    random.chance(probability) ? value : null
  const order = among('date_last' as const, 'date_first' as const)
  const paging = among('cursor' as const, 'cursor' as const, 'classic' as const)
  const cursors = among('keyed' as const, 'keyed' as const, 'offset' as const)
  const isKeyed = paging === 'cursor' && cursors === 'keyed'
  const logs: History['logs'] = among(
    ['access' as const],
    ['access' as const],
    ['access' as const],
    ['integration' as const],
    ['access' as const, 'integration' as const],
  )
  const perHour = among(1, 4, 15, 30)
  const flood = random.chance(0.15)
  const jitterSeconds = random.chance(0.25) ? among(1200, HOUR, 6 * HOUR) : among(0, 0, 60, 240)
  const oddRow = sometimes(
    0.3,
    among<Oddity>(
      { kind: 'undated' },
      { kind: 'time', seconds: -YEARS },
      { kind: 'time', seconds: -3 * HOUR },
      { kind: 'time', seconds: 3 * HOUR },
      { kind: 'time', seconds: YEARS },
      { kind: 'began', seconds: -YEARS },
    ),
  )
  // A row from the future together with a clock that was too fast would be two faults at once.
  const mayBeFast = oddRow?.kind !== 'time' || oddRow.seconds < 0
  return {
    seed,
    logs,
    slack: {
      order,
      filter: among('date_last', 'date_first'),
      paging,
      cursors,
      // No real integration log was seen to ascend, to be out of order or to hold times from the future. One that ascends
      // and has another of these faults is not played.
      integrationOrder:
        jitterSeconds > HOUR || !mayBeFast || random.chance(0.85) ? 'descending' : 'ascending',
      jitterSeconds,
      maxPageRows: among(7, 12, 20, 40),
      shortPages: isKeyed ? among(0, 0, 0.2) : 0,
      // Below the cap of pages the integration log cannot be read by anyone.
      pageCap: logs.includes('integration') ? 100 : among(100, 100, 100, 30, 5),
      ...(random.chance(0.1) && { cursorLife: 4 }),
      pagingInCursorMode: random.chance(0.3),
    },
    rows: among(0, 5, 60, 200),
    days: among(2, 20, 200),
    perHour,
    burst: among(1, 3, 6),
    longRows: among(0, 0, 0.2),
    // Disorder is covered by what the look-back exceeds the longest row.
    lookbackDays: sometimes(0.2, jitterSeconds > 240 ? 30 : among(1, 5, 30)),
    sinceDays: sometimes(0.2, among(1, 10)),
    reader: random.chance(0.4),
    oddRow,
    runs: Array.from({ length: flood ? 12 + random.int(12) : 3 + random.int(9) }, () => ({
      pause: flood ? 1800 : among(60, 600, 1800, 1800, HOUR, 6 * HOUR),
      requestSeconds: among(0, 1, 5, 30, 300),
      // A flood brings more rows than the limit lets through.
      maxRows: flood ? Math.ceil(perHour / 4) : sometimes(0.35, among(1, 15, 50)),
      maxSeconds: sometimes(0.15, among(10, 60)),
      failAt: sometimes(0.2, 1 + random.int(6)),
      crashAt: sometimes(0.25, 1 + random.int(12)),
      diskFullAt: sometimes(0.1, 1 + random.int(6)),
      oddAnswer: sometimes(0.15, {
        at: 1 + random.int(3),
        kind: among(...(['disordered', 'empty', 'null', 'nulls'] as const)),
      }),
      clockOff: random.chance(0.05) ? among(-5 * HOUR, -1800, ...(mayBeFast ? [1800, 2 * HOUR] : [])) : 0,
      readerDies: random.chance(0.15),
    })),
  }
}

/** Smaller histories that may still fail, likeliest first. */
export function* smaller(history: History): Generator<History> {
  for (const index of history.runs.keys()) {
    yield { ...history, runs: history.runs.filter((_, at) => at !== index) }
  }
  if (history.logs.length > 1) {
    for (const log of history.logs) yield { ...history, logs: [log] }
  }
  const calmer: Partial<History> = {
    oddRow: null,
    lookbackDays: null,
    sinceDays: null,
    longRows: 0,
    reader: false,
    burst: 1,
  }
  for (const [key, value] of Object.entries(calmer)) {
    if (history[key as keyof History] !== value) yield { ...history, [key]: value }
  }
  for (const [index, run] of history.runs.entries()) {
    for (const [key, value] of Object.entries(CALM)) {
      if (key === 'pause' || run[key as keyof RunPlan] === value) continue
      yield { ...history, runs: history.runs.with(index, { ...run, [key]: value }) }
    }
  }
  const { slack } = history
  const plainer: Partial<History['slack']> = {
    jitterSeconds: 0,
    shortPages: 0,
    pagingInCursorMode: false,
    pageCap: 100,
  }
  for (const [key, value] of Object.entries(plainer)) {
    if (slack[key as keyof History['slack']] !== value)
      yield { ...history, slack: { ...slack, [key]: value } }
  }
  if (history.rows > 0) yield { ...history, rows: Math.floor(history.rows / 2) }
  if (history.perHour > 1) yield { ...history, perHour: Math.floor(history.perHour / 2) }
}
