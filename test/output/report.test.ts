import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LOGS } from '../../src/log/logs.ts'
import { type Report, type RunFacts, report, summary } from '../../src/output/report.ts'
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
  lookbackSeconds: 130_000,
  longestRowSeconds: 43_600,
  watermark: 1_764_000_000,
  gaps: 1,
}

const error = slackAnswerError('team.accessLogs', 'paid_only')

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
      lookback_s: 130_000,
      longest_row_s: 43_600,
      watermark: 1_764_000_000,
      gaps: 1,
      version: '1.0.0',
    })
  })

  test('has the same fields of the same types after a failure, and what failed', () => {
    const bare = report(facts({ log: LOGS.integration, error, complete: false }))
    const { watermark, error: reported, ...others } = bare
    assert.deepEqual(reported, { class: 'plan', code: 'paid_only', message: error.message })
    assert.deepEqual([bare.log, bare.outcome, watermark], ['integration', 'failure', null])
    const full: Record<string, unknown> = report(facts(FULL))
    for (const [field, value] of Object.entries(others)) {
      assert.equal(typeof value, typeof full[field], field)
      if (typeof value === 'number') assert.equal(value, field === 'duration_ms' ? 1235 : 0, field)
    }
    assert.deepEqual(Object.keys(bare), [...Object.keys(full), 'error'])
  })
})

describe('the closing line', () => {
  const cut = { ...FULL, complete: false }
  const one = { pages: 1, rowsRead: 1, rowsPrinted: 1 }
  const rest = '; later runs read the rest'
  const cases: [
    what: string,
    run: Partial<RunFacts>,
    limit: string | undefined,
    remembers: boolean,
    end: string,
  ][] = [
    [
      'of a run that read all',
      FULL,
      undefined,
      true,
      '1,234 printed of 3,996 rows read in 4 pages, complete',
    ],
    ['of one row', { ...FULL, counts: one }, undefined, true, '1 printed of 1 row read in 1 page, complete'],
    [
      'of a failure before the first page',
      { complete: false, error },
      undefined,
      false,
      `access: ${error.message}`,
    ],
    ['of a limit, with a state', cut, '--max-rows', true, `4 pages; stopped at --max-rows${rest}`],
    ['of a limit, without one', cut, '--max-rows', false, '4 pages; stopped at --max-rows'],
    [
      'of a failure that leaves a gap',
      { ...cut, error },
      undefined,
      true,
      `4 pages; ${error.message}${rest}`,
    ],
    ['of a failure that is not remembered', { ...cut, error }, undefined, false, `4 pages; ${error.message}`],
    ['of an omission', { ...cut, gaps: 0 }, undefined, true, '4 pages; possibly incomplete'],
  ]
  for (const [what, run, limit, remembers, end] of cases) {
    test(what, () => {
      const line = summary(report(facts(run)) satisfies Report, limit, remembers)
      assert.ok(line.startsWith('access: ') && line.endsWith(end), line)
    })
  }
})
