import { seeded } from '../fake-slack/random.ts'
import type { SlackOptions } from '../fake-slack/slack.ts'

const DAY = 86_400

/** What the world does to one run. All of it is data, so that a failing history can be made smaller and printed. */
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
  /** In the n-th answer, from 1, one row stands a few places too high. */
  oddAnswer: number | null
}

/** One history: a Slack, a workspace, and the runs against it. */
export interface History {
  seed: number
  logs: ('access' | 'integration')[]
  slack: Omit<SlackOptions, 'workspace'>
  rows: number
  days: number
  perHour: number
  burst: number
  lookbackDays: number
  /** One row always shows a `date_last` or `date` that is off by so many seconds. */
  oddTime: number | null
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
}

/** The history that belongs to a seed. */
export function makeHistory(seed: number): History {
  const random = seeded(seed)
  const among = <T>(...list: T[]): T => random.pick(list)
  const order = among('date_last' as const, 'date_first' as const)
  const paging = among('cursor' as const, 'cursor' as const, 'classic' as const)
  const cursors = paging === 'cursor' && random.chance(0.8) ? ('keyed' as const) : ('offset' as const)
  const disorder = cursors === 'keyed' && random.chance(0.2)
  const slack: History['slack'] = {
    order,
    // Most often `before` compares what the log is sorted by; where it does not, a walk that goes below must say so.
    filter: random.chance(0.7) ? order : among('date_last', 'date_first'),
    paging,
    cursors,
    integrationOrder: random.chance(0.85) ? 'descending' : 'ascending',
    jitterSeconds: disorder ? among(600, 1200, 1800) : among(0, 0, 60, 240),
    // A page number, or a cursor that counts rows, shifts when a row above it goes. Where a page spans hardly more than
    // the jitter, a walk below a "before" cannot see that, and nobody could: such a Slack is not played.
    maxPageRows: cursors === 'keyed' ? among(7, 12, 20, 40) : among(20, 40),
    shortPages: cursors === 'keyed' ? among(0, 0, 0.2) : 0,
    pageCap: among(100, 100, 100, 5, 3),
    ...(random.chance(0.1) && { cursorLife: 4 }),
    pagingInCursorMode: random.chance(0.3),
  }
  const logs: History['logs'] = among(
    ['access' as const],
    ['access' as const],
    ['access' as const],
    ['integration' as const],
    ['access' as const, 'integration' as const],
  )
  const perHour = among(4, 15, 30)
  const flood = random.chance(0.15)
  return {
    seed,
    logs,
    // Below the cap of pages the integration log cannot be read by anyone.
    slack: logs.includes('integration') ? { ...slack, pageCap: 100 } : slack,
    rows: among(0, 5, 60, 200),
    days: among(2, 20, 200),
    perHour,
    burst: among(1, 3, 6),
    lookbackDays: random.chance(0.3) ? among(1, 5, 30) : 3 * 365,
    oddTime: random.chance(0.2) ? among(-10 * DAY, -10 * DAY, -3 * 3600, 3 * 3600) : null,
    runs: Array.from({ length: flood ? 12 + random.int(12) : 3 + random.int(9) }, () => ({
      pause: flood ? 1800 : among(60, 600, 1800, 1800, 3600, 6 * 3600),
      requestSeconds: among(0, 1, 5, 30, 300),
      // A flood brings more rows than the limit lets through.
      maxRows: flood ? Math.ceil(perHour / 4) : random.chance(0.35) ? among(1, 15, 50) : null,
      maxSeconds: random.chance(0.15) ? among(10, 60) : null,
      failAt: random.chance(0.2) ? 1 + random.int(6) : null,
      crashAt: random.chance(0.25) ? 1 + random.int(12) : null,
      diskFullAt: random.chance(0.1) ? 1 + random.int(6) : null,
      oddAnswer: random.chance(0.1) ? 1 + random.int(3) : null,
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
  if (history.oddTime !== null) yield { ...history, oddTime: null }
  for (const [index, run] of history.runs.entries()) {
    for (const key of ['crashAt', 'diskFullAt', 'failAt', 'oddAnswer', 'maxSeconds', 'maxRows'] as const) {
      if (run[key] === null) continue
      yield { ...history, runs: history.runs.with(index, { ...run, [key]: null }) }
    }
    if (run.requestSeconds > 0) {
      yield { ...history, runs: history.runs.with(index, { ...run, requestSeconds: 0 }) }
    }
  }
  const { slack } = history
  if (slack.jitterSeconds) yield { ...history, slack: { ...slack, jitterSeconds: 0 } }
  if (slack.shortPages) yield { ...history, slack: { ...slack, shortPages: 0 } }
  if (slack.pagingInCursorMode) yield { ...history, slack: { ...slack, pagingInCursorMode: false } }
  if (slack.pageCap !== 100) yield { ...history, slack: { ...slack, pageCap: 100 } }
  if (history.rows > 0) yield { ...history, rows: Math.floor(history.rows / 2) }
  if (history.perHour > 1) yield { ...history, perHour: Math.floor(history.perHour / 2) }
  if (history.burst > 1) yield { ...history, burst: 1 }
}
