import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type CollectOptions, collect } from '../src/collect.ts'
import { AuditError, OutOfTimeError, SlackCallError } from '../src/errors.ts'
import { LOGS, type Log } from '../src/log/logs.ts'
import { readPage, type Times } from '../src/log/page.ts'
import { slackAnswerError } from '../src/slack/errors.ts'
import { emptyState, type State } from '../src/state/state.ts'

/** When every run here begins, unless it says otherwise. */
const NOW = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ALL = Number.NEGATIVE_INFINITY

type Row = Record<string, unknown>
type Answer = Row | Error
/** Slack's answers, one to each request; or what it answers to a request. */
type Slack = Answer[] | ((args: Record<string, string>) => Answer)

/** An access row, or an integration entry, by its times; `first` is date_first. */
const row = (last: number, first = last): Row => ({ date_last: last, date_first: first, date: last })

/** So many rows, the first at this time, each older than the one before by `step` seconds. */
const rowsFrom = (count: number, last: number, step: number): Row[] =>
  Array.from({ length: count }, (_, index) => row(last - index * step))

const page = (rows: unknown[], more: Row = {}): Row => ({ ok: true, logins: rows, logs: rows, ...more })
const cursor = (next_cursor: string) => ({ response_metadata: { next_cursor } })

/** A Slack that holds these rows, sorts them by date_first and filters by it, and pages through them by cursor. */
const holding =
  (rows: Row[], size: number): Slack =>
  ({ before = Number.POSITIVE_INFINITY, cursor: from = 0 }) => {
    const began = (each: Row) => Number(each['date_first'])
    const listing = rows.filter((each) => began(each) <= Number(before))
    const end = Number(from) + size
    return page(listing.slice(Number(from), end), end < listing.length ? cursor(String(end)) : {})
  }

interface Setting extends Partial<CollectOptions> {
  previous?: State
  log?: Log
  startedAt?: number
  /** Seconds that every request takes. */
  requestSeconds?: number
  print?: () => Promise<void>
}

async function run(slack: Slack, setting: Setting = {}) {
  const { log = LOGS.access, previous = emptyState(ALL), startedAt = NOW, requestSeconds = 0 } = setting
  const { print, ...options } = setting
  let now = startedAt
  let pauses = 0
  const requested: Record<string, string>[] = []
  const chunks: unknown[][] = []
  const warnings: string[] = []
  const progress: [pages: number, rowsRead: number, oldest: number][] = []
  const result = await collect(
    {
      log,
      args: {},
      until: undefined,
      lookbackSeconds: undefined,
      maxRows: Number.POSITIVE_INFINITY,
      deadlineMs: Number.POSITIVE_INFINITY,
      ...options,
    },
    previous,
    {
      fetchPage: async (args, neighbour) => {
        now += requestSeconds
        requested.push(args)
        const answer = typeof slack === 'function' ? slack(args) : slack[requested.length - 1]
        if (answer instanceof Error) throw answer
        return readPage(log, answer ?? assert.fail('one request more than was scripted'), 'T1', neighbour)
      },
      print: print ?? (async (entries) => void chunks.push(entries.map(({ raw }) => raw))),
      nowMs: () => now * 1000,
      pause: async () => {
        pauses += 1
      },
      warn: (message) => warnings.push(message),
      onPage: ({ pages, rowsRead }, oldest) => progress.push([pages, rowsRead, oldest]),
    },
  )
  return { ...result, requested, chunks, printed: chunks.flat(), warnings, progress, pauses }
}

const seenOf = (...rows: Row[]) =>
  new Map<string, Times>(
    rows.map((raw) => {
      const times = { time: Number(raw['date_last']), began: Number(raw['date_first']) }
      return [LOGS.access.ids('T1', raw).id, times]
    }),
  )

/** The state after a run whose newest entry had this time. */
const stateAt = (watermark: number, more: Partial<State> = {}): State => ({
  ...emptyState(ALL),
  watermark,
  ...more,
})

/** Five entries that end the head of any run here whose look-back is a day. */
const UNDER = rowsFrom(5, NOW - 10 * DAY, 1)

/** --max-time is up after two requests. */
const TWO_REQUESTS = { deadlineMs: (NOW + 60) * 1000, requestSeconds: 30 }

describe('a first run', () => {
  test('prints every page as one chunk, and remembers what is in the overlap', async () => {
    const rows = [row(NOW - 10), row(NOW - HOUR), row(NOW - 10 - 2 * HOUR), row(NOW - 11 - 2 * HOUR)]
    const [a, b, c, d] = rows as [Row, Row, Row, Row]
    const got = await run([page([a, b], cursor('x')), page([c, d, c])])
    assert.deepEqual([got.printed, got.chunks.map(({ length }) => length)], [rows, [2, 2]])
    assert.deepEqual(got.counts, { pages: 2, rowsRead: 5, rowsPrinted: 4 })
    assert.deepEqual([got.complete, got.limit, got.error, got.omissions], [true, undefined, undefined, []])
    assert.deepEqual(got.state, stateAt(NOW - 10, { seen: seenOf(a, b, c) }))
    assert.deepEqual(got.progress.flat(), [1, 2, NOW - HOUR, 2, 5, NOW - 10 - 2 * HOUR])
  })

  test('stops below --since and the look-back, and prints nothing older', async () => {
    const long = [NOW - DAY, NOW - DAY - 1].map((last) => row(last, NOW - 3 * DAY))
    const rows = [...rowsFrom(5, NOW, 1), ...long]
    const within = page(rowsFrom(5, NOW - 5 * DAY, 1), cursor('y'))
    const below = page(rowsFrom(5, NOW - 5 * DAY - 6, 1), cursor('z'))
    const got = await run([page(rows, cursor('x')), within, below], { previous: emptyState(NOW - DAY) })
    assert.deepEqual(got.printed, rows.slice(0, 6))
    assert.deepEqual([got.complete, got.lookbackSeconds, got.state.since], [true, 4 * DAY, NOW - DAY])
  })

  test('prints nothing later than --until, at which it begins', async () => {
    const until = NOW - DAY
    const got = await run([page([row(until + 1, until - 9), row(until), row(until - 1)])], { until })
    assert.deepEqual(got.requested, [{ before: String(until), limit: '999' }])
    assert.deepEqual(got.printed, [row(until), row(until - 1)])
  })

  test('of the integration log applies --until itself, because Slack cannot', async () => {
    const until = NOW - DAY
    const got = await run([page([row(NOW), row(until)])], { until, log: LOGS.integration })
    assert.deepEqual(got.requested, [{ count: '1000', page: '1' }])
    assert.deepEqual(got.printed, [row(until)])
  })

  test('of an empty log saves a state too, so that --since of the first run holds', async () => {
    const previous = emptyState(NOW - DAY)
    const got = await run([page([]), page([])], { previous })
    assert.deepEqual([got.complete, got.chunks, got.pauses], [true, [], 1])
    assert.deepEqual(got.state, previous)
    assert.notEqual(got.state, previous, 'the very state before the run is not saved')
  })
})

describe('a later run', () => {
  const known = row(NOW - HOUR)
  const previous = stateAt(NOW - HOUR, { seen: seenOf(known) })
  const old = row(NOW - 3 * HOUR - 1)

  test('prints what is new, changed or late within the overlap, and nothing else', async () => {
    const changed = { ...known, count: 2 }
    const late = row(NOW - 3 * HOUR)
    const got = await run([page([row(NOW), changed, known, late, old])], { previous })
    assert.deepEqual(got.printed, [row(NOW), changed, late])
    assert.deepEqual(got.state.seen, seenOf(row(NOW), changed, known))
  })

  test('prints a row of the overlap wherever it meets it, however long or short ago the row began', async () => {
    const [long, short] = [row(NOW, NOW - 9 * DAY), row(NOW)]
    const answers = [page([known], cursor('a')), page([...UNDER, long, short])]
    assert.deepEqual((await run(answers, { previous, lookbackSeconds: 0 })).printed, [long, short])
  })

  test('reads down to five entries under the overlap less the look-back, and no further', async () => {
    const floor = NOW - 3 * HOUR
    const within = page(rowsFrom(5, floor - DAY, 1), cursor('b'))
    const below = page(rowsFrom(5, floor - DAY - 1, 1), cursor('c'))
    const got = await run([page([row(NOW)], cursor('a')), within, below], { previous })
    assert.deepEqual([got.complete, got.state.gaps], [true, []])
  })

  test('reads further once it meets a row that makes the look-back longer', async () => {
    const below = (from: number, next: string) => page(rowsFrom(5, NOW - from * DAY, 1), cursor(next))
    const long = page([row(NOW, NOW - 2 * DAY)], cursor('b'))
    const got = await run([page([row(NOW)], cursor('a')), long, below(3, 'c'), below(5, 'd')], {
      previous,
    })
    assert.deepEqual([got.complete, got.lookbackSeconds, got.longestRowSeconds], [true, 4 * DAY, 2 * DAY])
  })

  const watermarks: [what: string, before: number, pages: number[][], watermark: number][] = [
    ['is the newest time of its first page', NOW - HOUR, [[NOW - 9, NOW - 7]], NOW - 7],
    ['is not a time of a later page', NOW - HOUR, [[NOW - 9], [NOW - 3]], NOW - 9],
    ['is taken from the first page that holds entries', NOW - HOUR, [[], [NOW - 7], [NOW - 3]], NOW - 7],
    ['is never later than the start of the run', NOW - HOUR, [[NOW + 50]], NOW],
    ['is never lower than the one before', NOW - HOUR, [[NOW - 2 * HOUR]], NOW - HOUR],
    ['may be an hour in the future', NOW + HOUR, [[NOW]], NOW + HOUR],
  ]
  for (const [what, watermark, pages, expected] of watermarks) {
    test(`has a watermark that ${what}`, async () => {
      const isLast = (index: number) => index === pages.length - 1
      const answers = pages.map((times, index) => {
        const rows = times.map((time) => row(time))
        return isLast(index) ? page([...rows, row(NOW - 9 * DAY)]) : page(rows, cursor(String(index)))
      })
      const got = await run(answers, { previous: stateAt(watermark) })
      assert.deepEqual([got.state.watermark, got.warnings], [expected, []])
    })
  }

  test('says that a watermark is in the future, and continues from the present', async () => {
    const got = await run([page([row(NOW), old])], { previous: stateAt(NOW + HOUR + 1) })
    assert.match(
      got.warnings.join(),
      /watermark 2025-11-24 17:00:01Z is in the future: was the clock set back\?/,
    )
    assert.deepEqual([got.state.watermark, got.printed], [NOW, [row(NOW)]])
  })
})

describe('the longest row that is remembered', () => {
  const cases: [what: string, before: number, setting: Setting, remembered: number, lookback: number][] = [
    ['is that of a complete run alone, and the look-back that of both runs', 9 * DAY, {}, 2 * DAY, 18 * DAY],
    ['is never lowered by a run that was cut short', 9 * DAY, { maxRows: 1 }, 9 * DAY, 18 * DAY],
    ['is raised by a run that was cut short', DAY, { maxRows: 1 }, 2 * DAY, 4 * DAY],
    ['is remembered also with a fixed look-back', DAY, { lookbackSeconds: HOUR }, 2 * DAY, HOUR],
  ]
  for (const [what, before, setting, remembered, lookback] of cases) {
    test(what, async () => {
      const previous = stateAt(NOW - HOUR, { longestRowSeconds: before })
      const answers = [
        page([row(NOW, NOW - 2 * DAY)], cursor('a')),
        page([row(NOW - 40 * DAY, NOW - 80 * DAY)]),
      ]
      const got = await run(answers, { previous, ...setting })
      assert.deepEqual([got.state.longestRowSeconds, got.lookbackSeconds], [remembered, lookback])
    })
  }
})

describe('a run that is cut', () => {
  const rows = rowsFrom(10, NOW - 10, HOUR)
  const pages = [page(rows.slice(0, 4), cursor('a')), page(rows.slice(4), cursor('b'))]
  const lookbackSeconds = 0
  /** What is left of a first run after both pages: five rows began at or before its top less five minutes. */
  const gap = { top: NOW - 10 - 5 * HOUR + 300, floor: ALL }
  const outage = new SlackCallError('outage', 'http_503', 'down', { retry: true })
  const late = new OutOfTimeError('rate_limit', 'ratelimited', 'late')

  const cuts: [what: string, answers: Answer[], Setting, limit: string | undefined, error?: AuditError][] = [
    ['by --max-rows, at the end of the page that reaches it,', pages, { maxRows: 5 }, '--max-rows'],
    ['by exactly --max-rows', pages, { maxRows: 10 }, '--max-rows'],
    ['by --max-time', pages, TWO_REQUESTS, '--max-time'],
    ['by --max-time in the middle of a request', [...pages, late], {}, '--max-time'],
    ['by an error of Slack', [...pages, outage], {}, undefined, outage],
  ]
  for (const [what, answers, setting, limit, error] of cuts) {
    test(`${what} leaves the rest as a gap, and ${error ? 'is a failure' : 'is not a failure'}`, async () => {
      const got = await run(answers, { lookbackSeconds, ...setting })
      assert.deepEqual([got.limit, got.error, got.complete], [limit, error, false])
      assert.deepEqual([got.counts.rowsPrinted, got.state.watermark], [10, NOW - 10])
      assert.deepEqual(got.state.gaps, [gap])
      assert.deepEqual(got.state.seen, seenOf(...rows.slice(0, 3), ...rows.slice(5)), 'overlap and gap')
    })
  }

  test('is continued by the next one at the top of its gap, and nothing is printed twice or left out', async () => {
    const first = await run(pages, { lookbackSeconds, maxRows: 5 })
    const rest = rowsFrom(5, NOW - 10 - 10 * HOUR, HOUR)
    const answers = [page([row(NOW), ...rows], cursor('x')), page([...rows.slice(5), ...rest])]
    const second = await run(answers, { lookbackSeconds, previous: first.state })
    assert.deepEqual([second.printed, second.complete], [[row(NOW), ...rest], true])
    assert.deepEqual(second.requested[1], { limit: '999', cursor: 'x' }, 'the head has come down to the gap')
  })

  test('has read everything if the page that reaches a limit is the last one', async () => {
    const last = [pages[0] as Row, page(rows.slice(4))]
    for (const setting of [{ maxRows: 5 }, TWO_REQUESTS]) {
      const got = await run(last, setting)
      assert.deepEqual([got.complete, got.limit, got.state.gaps], [true, undefined, []])
    }
  })

  test('leaves a gap that begins no later than the run did', async () => {
    const got = await run(pages, { lookbackSeconds: DAY, maxRows: 5 })
    assert.deepEqual(got.state.gaps, [{ top: NOW, floor: ALL }])
  })

  test('remembers what began in its gap, also if it ended between the gap and the overlap', async () => {
    const [long, short] = [row(NOW - 3 * HOUR, NOW - 12 * DAY), row(NOW - 3 * HOUR)]
    const printed = page([row(NOW), long, short, ...UNDER], cursor('a'))
    const got = await run([printed], { lookbackSeconds, maxRows: 1 })
    assert.deepEqual(got.state.gaps, [{ top: NOW - 10 * DAY + 300, floor: ALL }])
    assert.deepEqual(got.state.seen, seenOf(row(NOW), long, ...UNDER))
  })

  test('by --max-time after one page is not a failure either', async () => {
    const got = await run([...pages.slice(0, 1), late])
    assert.deepEqual([got.limit, got.error, got.state.gaps.length], ['--max-time', undefined, 1])
  })

  const lost = new AuditError('state', 'lock_lost', 'taken')
  const failures: [what: string, answers: Answer[], error: AuditError][] = [
    ['by --max-time before its first page', [late], late],
    ['by an error before any entry was read', [page([], cursor('a')), outage], outage],
    ['because another run took its lock', [...pages, lost], lost],
  ]
  for (const [what, answers, error] of failures) {
    test(`${what} is a failure and remembers nothing`, async () => {
      const previous = emptyState(ALL)
      const got = await run(answers, { previous })
      assert.deepEqual([got.error, got.limit, got.complete], [error, undefined, false])
      assert.equal(got.state, previous)
    })
  }

  test('by something unforeseen says so and remembers what it printed', async () => {
    const got = await run([...pages, new TypeError('x is not a function')], { lookbackSeconds })
    assert.deepEqual([got.error?.code, got.state.gaps], ['unexpected', [gap]])
  })

  test('because nobody reads its lines ends at once with that error, and nothing to remember', async () => {
    const gone = new AuditError('output', 'EPIPE', 'nobody reads')
    await assert.rejects(run(pages, { print: () => Promise.reject(gone) }), (thrown) => thrown === gone)
  })

  const refusal = slackAnswerError('team.accessLogs', 'over_pagination_limit')

  test('by the last page of the integration log that Slack serves leaves no gap, which no run could read', async () => {
    const answers = [page([row(NOW)], { paging: { page: 1, pages: 200 } }), refusal]
    const got = await run(answers, { log: LOGS.integration })
    assert.deepEqual([got.error?.code, got.complete, got.state.gaps], ['pages_unread', false, []])
  })

  test('by a refusal of the access log, also with a lower `before`, leaves a gap: later runs try again', async () => {
    const got = await run([...pages, refusal, refusal], { lookbackSeconds })
    assert.deepEqual(got.requested.at(-1), { before: String(gap.top), limit: '999' })
    assert.deepEqual([got.error?.code, got.complete], ['over_pagination_limit', false])
    assert.deepEqual(got.state.gaps, [gap])
  })

  test('within one look-back is not complete, because the walk may have skipped entries', async () => {
    const got = await run([page(rows, cursor('a')), refusal, page([row(9)])])
    assert.deepEqual([got.error, got.complete, got.state.gaps], [undefined, false, []])
    assert.match(got.omissions.join(), /within one look-back/)
  })
})

describe('from the head down to a gap', () => {
  const gap = { top: NOW - 5 * DAY, floor: ALL }
  const along = [row(gap.top), row(gap.top - 60)]
  const previous = stateAt(NOW - HOUR, { gaps: [gap], seen: seenOf(...along) })
  const jump = { before: String(gap.top), limit: '999' }
  const head = page(rowsFrom(6, NOW, HOUR), cursor('a'))
  const below = page(rowsFrom(5, NOW - 2 * DAY, HOUR), cursor('b'))
  const rest = [...along, ...rowsFrom(9, gap.top - 60 - HOUR, HOUR)]

  test('the walk jumps once the head is read, and prints nothing in between or for a second time', async () => {
    const got = await run([head, below, page(rest)], { previous, lookbackSeconds: 0 })
    assert.deepEqual(got.requested.slice(1), [{ limit: '999', cursor: 'a' }, jump])
    assert.deepEqual(got.printed, [...rowsFrom(4, NOW, HOUR), ...rest.slice(2)])
    assert.deepEqual([got.complete, got.state.gaps], [true, []])
  })

  test('the walk does not jump where it has come down to the gap', async () => {
    const rows = rowsFrom(5, gap.top - DAY - 300, 0).map((each, user_id) => ({ ...each, user_id }))
    const near = page(rows, cursor('b'))
    const got = await run([head, near, page(rest)], { previous })
    assert.deepEqual(got.requested[2], { limit: '999', cursor: 'b' })
    assert.equal(got.complete, true)
  })

  test('the walk jumps to several gaps, newest first, and reads each to its floor', async () => {
    const upper = { top: NOW - 3 * DAY, floor: NOW - 4 * DAY }
    const between = rowsFrom(5, NOW - 6 * DAY, 1)
    const lower = { top: NOW - 9 * DAY, floor: ALL }
    const within = page([row(upper.top), ...between.slice(0, 1)], cursor('c'))
    const answers = [head, below, within, page(between, cursor('d')), page([row(lower.top)])]
    const got = await run(answers, { previous: stateAt(NOW - HOUR, { gaps: [upper, lower] }) })
    assert.deepEqual(
      got.requested.map(({ before, cursor }) => before ?? cursor),
      [undefined, 'a', String(upper.top), String(upper.top), String(lower.top)],
    )
    assert.deepEqual(got.printed.slice(4), [row(upper.top), row(lower.top)])
    assert.equal(got.complete, true)
  })

  test('the walk stops at a limit instead of jumping, and the gap stays as it was', async () => {
    const got = await run([head, below], { previous, ...TWO_REQUESTS })
    assert.deepEqual([got.limit, got.state.gaps], ['--max-time', [gap]])
    assert.ok([...seenOf(...along).keys()].every((id) => got.state.seen.has(id)))
  })

  test('the walk of the integration log, which has no `before`, reads on through what is known', async () => {
    const paged = [head, below, page(rest)].map((answer, index) => ({
      ok: true,
      logs: answer['logs'],
      paging: { page: index + 1, pages: 3 },
    }))
    const got = await run(paged, { log: LOGS.integration, previous: { ...previous, seen: new Map() } })
    assert.deepEqual([got.requested.length, got.printed.slice(4), got.complete], [3, rest, true])
  })

  test('a row that changed since the head was read is printed where the walk meets it', async () => {
    const changed = row(NOW + 1, gap.top - 3)
    const got = await run([head, below, page([changed, ...rest])], { previous })
    assert.deepEqual(got.printed.slice(4), [changed, ...rest.slice(2)])
  })

  test('an entry without a readable time at the top of the gap is printed, whatever was met above', async () => {
    const odd = { user_id: 'U1', date_last: '?', date_first: '?' }
    const since = NOW - 9 * DAY
    const tooOld = page([...rowsFrom(5, NOW - 2 * DAY, HOUR), row(NOW - 10 * DAY)], cursor('b'))
    const answers = [head, tooOld, page([odd, ...rest])]
    const got = await run(answers, { previous: { ...previous, since, gaps: [{ ...gap, floor: since }] } })
    assert.deepEqual(got.printed.slice(4), [odd, ...rest.slice(2)])
  })

  test('one empty answer does not end the gap; a second one to the same request does', async () => {
    const once = await run([head, below, page([]), page(rest)], { previous })
    assert.deepEqual(once.requested.slice(2), [jump, jump])
    assert.deepEqual([once.printed.length, once.complete], [13, true])
    const twice = await run([head, below, page([]), page([])], { previous })
    assert.deepEqual([twice.pauses, twice.complete, twice.state.gaps], [1, true, []])
  })
})

describe('an empty answer on the first page of a log that had entries', () => {
  const previous = stateAt(NOW - HOUR, { seen: seenOf(row(NOW - HOUR)) })

  test('is an error if Slack repeats it, and the state stays', async () => {
    const got = await run([page([]), page([])], { previous })
    assert.deepEqual([got.error?.class, got.error?.code, got.complete], ['contract', 'no_entries', false])
    assert.equal(got.state, previous)
  })

  test('is forgotten if the repeated request is answered', async () => {
    const got = await run([page([]), page([row(NOW)])], { previous })
    assert.deepEqual([got.printed, got.error, got.complete], [[row(NOW)], undefined, true])
  })

  test('may also be one whose entries are all unreadable', async () => {
    const got = await run([page([null]), page([null])], { previous })
    assert.deepEqual([got.error?.code, got.pauses, got.state], ['no_entries', 1, previous])
  })
})

describe('an answer that is cut short, without a cursor,', () => {
  const known = row(NOW - HOUR)

  test('does not end the log before it has shown anything as old as the watermark', async () => {
    const previous = stateAt(NOW - HOUR, { seen: seenOf(known) })
    const whole = page([row(NOW), row(NOW - 60), known])
    const got = await run([page([row(NOW)]), whole], { previous })
    assert.deepEqual([got.printed, got.pauses, got.complete], [[row(NOW), row(NOW - 60)], 1, true])
  })

  test('counts although the repeated answer is empty', async () => {
    const previous = stateAt(NOW - HOUR, { seen: seenOf(known) })
    const got = await run([page([row(NOW)]), page([])], { previous })
    assert.deepEqual([got.printed, got.complete], [[row(NOW)], true])
  })

  test('forgets no gap further down', async () => {
    const gap = { top: NOW - 10 * DAY, floor: ALL }
    const previous = stateAt(NOW - HOUR, { seen: seenOf(known), gaps: [gap] })
    const rest = rowsFrom(3, NOW - 10 * DAY, HOUR)
    const got = await run([page([row(NOW), known]), page(rest)], { previous })
    assert.deepEqual(got.requested[1], { before: String(gap.top), limit: '999' })
    assert.deepEqual([got.printed, got.complete], [[row(NOW), ...rest], true])
  })
})

test('an entry that is not an object is left out and named, the run is not complete, and all others are read', async () => {
  const rows = rowsFrom(3, NOW, 1)
  const got = await run([page([rows[0], null, rows[1]], cursor('a')), page([rows[2], 'row', 7])])
  assert.deepEqual([got.printed, got.error, got.complete, got.state.gaps], [rows, undefined, false, []])
  assert.deepEqual(got.omissions, ['3 entries left out, because Slack sent something other than an object'])
})

describe('an entry without a readable time', () => {
  const odd = { user_id: 'U1', date_last: 'yesterday', date_first: NOW - 30 }

  test('is printed and counted in a warning, and decides nothing', async () => {
    const got = await run([page([{ user_id: 'U2' }, row(NOW - DAY), odd])])
    assert.deepEqual(got.printed, [{ user_id: 'U2' }, row(NOW - DAY), odd])
    assert.equal(got.state.watermark, NOW - DAY)
    assert.deepEqual(got.warnings, ['2 entries without a readable time, printed anyway'])
    assert.deepEqual((await run([page([row(NOW)])])).warnings, [])
  })

  test('is printed alone and at the top of a walk that begins at --until, too', async () => {
    const until = NOW - DAY
    for (const rows of [[odd], [odd, row(until - 5)]]) {
      const got = await run([page(rows)], { until })
      assert.deepEqual([got.printed, got.complete], [rows, true])
    }
  })

  test('is not printed below --since, also where an empty page is in between', async () => {
    const above = page([row(NOW), row(NOW - 2 * DAY)], cursor('a'))
    const answers = [above, page([], cursor('b')), page([odd])]
    assert.deepEqual((await run(answers, { previous: emptyState(NOW - DAY) })).printed, [row(NOW)])
  })

  test('is printed also among entries that are known', async () => {
    const got = await run([page([row(NOW), ...UNDER, odd])], { previous: stateAt(NOW - HOUR) })
    assert.deepEqual(got.printed, [row(NOW), odd])
  })

  test('is printed once, however the entry above it changes, as long as it is met every 30 days', async () => {
    let state = emptyState(ALL)
    let last: unknown[] = []
    for (const days of [0, 29, 58, 59]) {
      const startedAt = NOW + days * DAY
      const above = row(startedAt - DAY, startedAt - 2 * DAY)
      const oldest = row(NOW - 9 * DAY)
      const got = await run([page([row(startedAt), above, odd, oldest])], { previous: state, startedAt })
      state = got.state
      last = got.printed
      assert.equal(got.printed.includes(odd), days === 0, `day ${days}`)
    }
    assert.equal(last.length, 1 + 1, 'the run did print')
  })
})

describe('nothing is lost or printed twice', () => {
  test('in a log sorted by date_first that holds 12,000 rows in one look-back, one of them long-lived', async () => {
    const short = rowsFrom(12_000, NOW, 120).map((each, user_id) => ({ ...each, user_id }))
    const log = (changed: number) => holding([...short, row(changed, NOW - 17 * DAY)], 999)
    const first = await run(log(NOW - 600))
    const second = await run(log(NOW - 600), { previous: first.state, startedAt: NOW + 600 })
    const third = await run(log(NOW), { previous: second.state, startedAt: NOW + 1200 })
    assert.deepEqual([first.counts.rowsPrinted, second.printed, third.printed.length], [12_001, [], 1])
  })

  test('prints no row twice where a longer row on a late page makes the look-back longer', async () => {
    const rows = rowsFrom(60_000, NOW, 17)
    const at = 20_500
    rows[at] = row(NOW - at * 17 + 3.5 * DAY, NOW - at * 17)
    const first = await run(holding(rows, 999), { maxRows: 21_000 })
    const second = await run(holding(rows, 999), { previous: first.state })
    assert.equal(second.complete, true)
    assert.equal(first.printed.length + second.printed.length, rows.length)
  })

  test('by a backfill that leaves some of more than 10,000 rows to a second run', async () => {
    const slack = holding(rowsFrom(12_000, NOW, 120), 999)
    const first = await run(slack, { maxRows: 11_000, lookbackSeconds: 5 * DAY })
    const second = await run(slack, { previous: first.state, lookbackSeconds: 5 * DAY })
    assert.deepEqual([first.complete, second.complete], [false, true])
    assert.equal(first.counts.rowsPrinted + second.counts.rowsPrinted, 12_000)
  })

  test('by runs with --max-rows below what arrives, whose state and requests stay few', async () => {
    const rows: Row[] = []
    const printed: unknown[] = []
    let state = emptyState(ALL)
    for (let nth = 0; nth < 60; nth += 1) {
      const startedAt = NOW + nth * 1800
      for (let each = 0; each < 30; each += 1) rows.unshift(row(startedAt - 1800 + each * 60))
      const got = await run(holding(rows, 20), { previous: state, startedAt, maxRows: 5 })
      printed.push(...got.printed)
      state = got.state
      assert.ok(got.state.gaps.length <= 1 && got.requested.length <= 2, `run ${nth}`)
    }
    assert.ok(printed.length < rows.length)
    const rest = await run(holding(rows, 20), { previous: state, startedAt: NOW + 60 * 1800 })
    printed.push(...rest.printed)
    assert.deepEqual([rest.complete, printed.length, new Set(printed).size], [true, rows.length, rows.length])
  })

  test('in a log of more than 100 pages with two misplaced rows, whose rows have equal times', async () => {
    const rows = rowsFrom(2_100, NOW, 60)
    rows.splice(40, 0, ...rows.splice(1_500, 2))
    const got = await run(holding(rows, 20))
    assert.deepEqual([got.complete, got.counts.rowsPrinted, got.omissions], [true, 2_100, []])
    assert.ok(got.requested.some(({ before }) => before !== undefined))
  })
})

test('what a walk over 200,000 rows holds does not grow with them', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const heldNow = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const heldBefore = heldNow()
  let held = 0
  const slack: Slack = (args) => {
    const nth = Number(args['cursor'] ?? 0)
    if (nth % 50 === 49) held = Math.max(held, heldNow() - heldBefore)
    return page(rowsFrom(2_500, NOW - nth * 2_500 * 60, 60), nth < 80 ? cursor(String(nth + 1)) : {})
  }
  const { state, counts } = await run(slack, { print: async () => {} })
  assert.deepEqual([counts.rowsPrinted, state.seen.size], [81 * 2_500, 121])
  // More than the latest 10,000 entries take, and less than the ids alone of 200,000.
  assert.ok(held > 0 && held < 12_000_000, `${held} bytes were held`)
})
