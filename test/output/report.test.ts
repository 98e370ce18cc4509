import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LOGS } from '../../src/log/logs.ts'
import { type Run, type RunFacts, report, summary } from '../../src/output/report.ts'
import { slackAnswerError } from '../../src/slack/errors.ts'

const START = Date.UTC(2026, 10, 5, 9)

const facts = (more: Partial<RunFacts> = {}): RunFacts => ({
  log: LOGS.access,
  startedMs: START,
  endedMs: START + 1234.56,
  version: '1.0.0',
  complete: true,
  error: undefined,
  ...more,
})

const FULL: Partial<RunFacts> = {
  calls: { requests: 5, retries: 1, rateLimitedMs: 30_000.4 },
  counts: { pages: 4, rowsRead: 3996, rowsPrinted: 1234 },
  sortKeys: ['time'],
  watermark: 1_764_000_000,
  gaps: 1,
}

describe('a report', () => {
  test('says how the run went', () => {
    assert.deepEqual(report(facts(FULL)), {
      log: 'access',
      outcome: 'success',
      complete: true,
      started: '2026-11-05T09:00:00.000Z',
      duration_ms: 1235,
      requests: 5,
      pages: 4,
      rows_read: 3996,
      rows_printed: 1234,
      retries: 1,
      rate_limited_ms: 30_000,
      order: { date_last: true, date_first: false },
      watermark: 1_764_000_000,
      gaps: 1,
      version: '1.0.0',
    })
  })

  test('says what failed: class, code and message', () => {
    const error = slackAnswerError('team.accessLogs', 'paid_only')
    const run = report(facts({ error, complete: false }))
    assert.deepEqual([run.outcome, run.complete], ['failure', false])
    assert.deepEqual(run.error, { class: 'plan', code: 'paid_only', message: error.message })
  })

  test('has the same fields of the same types in every case; only the watermark may be null and the error missing', () => {
    const types = (run: Run) =>
      Object.entries(run).flatMap(([field, value]) =>
        field === 'watermark' || field === 'error' ? [] : [`${field}: ${typeof value}`],
      )
    const full = report(facts(FULL))
    const bare = report(facts({ error: slackAnswerError('auth.test', 'not_authed'), complete: false }))
    assert.deepEqual(types(bare), types(full))
    assert.equal(bare.watermark, null)
    const counts = Object.values(bare).filter((value) => typeof value === 'number')
    assert.deepEqual(counts, [1235, 0, 0, 0, 0, 0, 0, 0], 'only the duration is known')
    assert.deepEqual(Object.keys(bare.order), Object.keys(full.order))
    for (const number of [full.duration_ms, full.rate_limited_ms]) assert.ok(Number.isInteger(number))
  })

  test('knows the one time field of the integration log', () => {
    assert.deepEqual(report(facts({ log: LOGS.integration })).order, { date: true })
  })
})

describe('the closing line', () => {
  const error = slackAnswerError('team.accessLogs', 'paid_only')
  const cut = { ...FULL, complete: false }
  const cases: [what: string, run: Run, limit: string | undefined, remembered: boolean, line: RegExp][] = [
    [
      'of a run that read all',
      report(facts(FULL)),
      undefined,
      true,
      /^access: 1,234 printed of 3,996 rows read in 4 pages, complete$/,
    ],
    [
      'of one page',
      report(facts({ ...FULL, counts: { pages: 1, rowsRead: 1, rowsPrinted: 1 } })),
      undefined,
      true,
      /^access: 1 printed of 1 row read in 1 page, complete$/,
    ],
    [
      'of a failure',
      report(facts({ complete: false, error })),
      undefined,
      false,
      /^access: team\.accessLogs: paid_only: /,
    ],
    [
      'of a limit, with a state',
      report(facts(cut)),
      '--max-rows',
      true,
      /4 pages; stopped at --max-rows; later runs read the rest$/,
    ],
    ['of a limit, without one', report(facts(cut)), '--max-rows', false, /; stopped at --max-rows$/],
    [
      'of a failure that leaves a gap',
      report(facts({ ...cut, error })),
      undefined,
      true,
      /paid_only: .*; later runs read the rest$/,
    ],
    ['of a doubt', report(facts({ ...cut, gaps: 0 })), undefined, true, /; perhaps not complete$/],
  ]
  for (const [what, run, limit, remembered, line] of cases) {
    test(what, () => assert.match(summary(run, limit, remembered), line))
  }
})
