import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type CollectOptions, collect } from '../src/collect.ts'
import { AuditError, OutOfTimeError, SlackCallError } from '../src/errors.ts'
import { LOGS, type Log } from '../src/log/logs.ts'
import { readPage, type Times } from '../src/log/page.ts'
import { slackAnswerError } from '../src/slack/errors.ts'
import type { Range } from '../src/state/plan.ts'
import { emptyState, OVERLAP_SECONDS, type State } from '../src/state/state.ts'
import type { SortedBy } from '../src/walk/order.ts'

/** When every run here begins. */
const NOW = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ALL = Number.NEGATIVE_INFINITY

type Row = Record<string, unknown>
type Answer = Row | Error

/** An access row, or an integration entry, by its times; `first` is date_first. */
const row = (last: number, first = last): Row => ({ date_last: last, date_first: first, date: last })

/** So many rows, the first at this time, each older than the one before by `step` seconds. */
const rowsFrom = (count: number, last: number, step: number): Row[] =>
  Array.from({ length: count }, (_, index) => row(last - index * step))

const page = (rows: Row[], more: Row = {}): Row => ({ ok: true, logins: rows, logs: rows, ...more })
const cursor = (next_cursor: string) => ({ response_metadata: { next_cursor } })

interface Setting extends Partial<CollectOptions> {
  before?: State
  log?: Log
  /** Seconds that every request takes. */
  requestSeconds?: number
  print?: () => Promise<void>
}

/** Collects from a Slack that gives these answers, one to each request. */
async function collected(answers: Answer[], setting: Setting = {}) {
  const { log = LOGS.access, before = emptyState(ALL), requestSeconds = 0, print, ...options } = setting
  let now = NOW
  const asked: Record<string, string>[] = []
  const chunks: Row[][] = []
  const warnings: string[] = []
  const progress: [pages: number, rowsRead: number, oldest: number][] = []
  const result = await collect(
    {
      log,
      args: {},
      until: undefined,
      lookbackSeconds: 30 * DAY,
      maxRows: Number.POSITIVE_INFINITY,
      deadline: Number.POSITIVE_INFINITY,
      ...options,
    },
    before,
    {
      fetchPage: async (args, neighbour) => {
        now += requestSeconds
        asked.push(args)
        const answer = answers[asked.length - 1] ?? new Error('one request more than was scripted')
        if (answer instanceof Error) throw answer
        return readPage(log, answer, 'T1', neighbour)
      },
      print: async (entries) => {
        await print?.()
        chunks.push(entries.map(({ raw }) => raw))
      },
      now: () => now * 1000,
      warn: (message) => warnings.push(message),
      onPage: ({ pages, rowsRead }, oldest) => progress.push([pages, rowsRead, oldest]),
    },
  )
  return { ...result, asked, chunks, printed: chunks.flat(), warnings, progress }
}

const seenOf = (...rows: Row[]) =>
  new Map<string, Times>(
    rows.map((raw) => {
      const times = { time: Number(raw['date_last']), began: Number(raw['date_first']) }
      return [LOGS.access.ids('T1', raw).id, times]
    }),
  )

describe('a first run', () => {
  test('prints every page as one chunk, and remembers what lies in the overlap', async () => {
    const rows = [row(NOW - 10), row(NOW - HOUR), row(NOW - 10 - 2 * HOUR), row(NOW - 11 - 2 * HOUR)]
    const [a, b, c, d] = rows as [Row, Row, Row, Row]
    const got = await collected([page([a, b], cursor('x')), page([c, d, c])])
    assert.deepEqual(got.chunks, [
      [a, b],
      [c, d],
    ])
    assert.deepEqual(got.counts, { pages: 2, rowsRead: 5, rowsPrinted: 4 })
    assert.deepEqual([got.complete, got.limit, got.error, got.doubts], [true, undefined, undefined, []])
    assert.equal(got.state.watermark, NOW - 10)
    assert.deepEqual(got.state.seen, seenOf(a, b, c))
    assert.deepEqual(got.state.gaps, [])
    assert.deepEqual(got.progress, [
      [1, 2, NOW - HOUR],
      [2, 5, NOW - 10 - 2 * HOUR],
    ])
  })

  test('stops below --since and the look-back, and prints nothing older', async () => {
    const rows = [row(NOW - 10), row(NOW - DAY, NOW - 40 * DAY), row(NOW - DAY - 1, NOW - 40 * DAY)]
    const before = emptyState(NOW - DAY)
    const below = page(rowsFrom(5, NOW - 31 * DAY, 1), cursor('y'))
    const got = await collected([page(rows, cursor('x')), below], { before })
    assert.deepEqual(got.printed, rows.slice(0, 2))
    assert.equal(got.complete, true)
  })

  test('prints nothing later than --until, from which it begins', async () => {
    const until = NOW - DAY
    const got = await collected([page([row(until + 1, until - 9), row(until), row(until - 1)])], { until })
    assert.deepEqual(got.asked, [{ before: String(until), limit: '999' }])
    assert.deepEqual(got.printed, [row(until), row(until - 1)])
  })

  test('of the integration log heeds --until though Slack cannot', async () => {
    const until = NOW - DAY
    const got = await collected([page([row(NOW), row(until)])], { until, log: LOGS.integration })
    assert.deepEqual(got.asked, [{ count: '1000', page: '1' }])
    assert.deepEqual(got.printed, [row(until)])
  })

  test('of an empty log learns nothing but that', async () => {
    const got = await collected([page([])])
    assert.deepEqual([got.complete, got.chunks, got.state.watermark], [true, [], null])
  })
})

describe('what a run learns of the order', () => {
  const sortedAfter = async (newer: number) => {
    const old = [row(NOW - 9000), row(NOW - 9001)]
    const got = await collected([page(old, cursor('a')), page([row(newer), row(newer - 1)])])
    return got.state.order
  }

  test('comes of rows of different pages only if they cannot have arrived meanwhile', async () => {
    assert.equal(await sortedAfter(NOW - HOUR - 1), 'none')
    assert.equal(await sortedAfter(NOW - HOUR + 1), 'unsure')
  })

  test('that the log is in no order, is no doubt by itself: such a log is read to its end', async () => {
    const before = { ...emptyState(ALL), order: 'none' as const }
    const got = await collected([page([row(NOW - DAY)], cursor('a')), page([row(NOW)])], { before })
    assert.deepEqual([got.complete, got.doubts], [true, []])
  })

  test('and held for no order, is taken back by a run that reads the whole log and finds it in order', async () => {
    const before = { ...emptyState(ALL), order: 'none' as const }
    const whole = await collected([page(rowsFrom(9, NOW, HOUR))], { before })
    assert.equal(whole.state.order, 'unsure')
    const part = await collected([page(rowsFrom(9, NOW, HOUR), cursor('a'))], { before, maxRows: 1 })
    assert.equal(part.state.order, 'none')
  })
})

describe('a later run', () => {
  const known = row(NOW - HOUR)
  const before: State = { ...emptyState(ALL), watermark: NOW - HOUR, seen: seenOf(known) }
  const old = row(NOW - HOUR - OVERLAP_SECONDS - 1, NOW - 31 * DAY)
  const older = rowsFrom(5, NOW - 32 * DAY, 1)

  test('prints what is new, changed or late within the overlap, and nothing else', async () => {
    const changed = { ...known, count: 2 }
    const late = row(NOW - 2 * HOUR)
    const rows = [row(NOW), changed, known, late, old]
    const got = await collected([page(rows)], { before })
    assert.deepEqual(got.printed, [row(NOW), changed, late])
    assert.deepEqual(got.state.seen, seenOf(row(NOW), changed, known, late))
  })

  test('has a watermark no later than its start, and not one of a later page', async () => {
    const got = await collected([page([row(NOW + 50), known], cursor('x')), page([row(NOW + 99), old])], {
      before,
    })
    assert.equal(got.state.watermark, NOW)
    const slow = await collected([page([row(NOW - 9)], cursor('x')), page([row(NOW - 3), old])], { before })
    assert.equal(slow.state.watermark, NOW - 9)
  })

  test('forgets what no longer lies in the overlap', async () => {
    const got = await collected([page([row(NOW)])], {
      before: { ...before, watermark: NOW - 5, seen: seenOf(row(NOW - 3 * HOUR)) },
    })
    assert.deepEqual([...got.state.seen.keys()], [...seenOf(row(NOW)).keys()])
  })

  test('says that a watermark lies in the future, and reads on from now', async () => {
    const future = NOW + 2 * HOUR
    const got = await collected([page([row(NOW), old])], { before: { ...before, watermark: future } })
    assert.match(
      got.warnings.join(),
      /watermark 2025-11-24 18:00:00Z lies in the future: was the clock set back\?/,
    )
    assert.deepEqual([got.state.watermark, got.printed], [NOW, [row(NOW)]])
  })

  test('keeps what earlier runs learnt of the order', async () => {
    const quiet: State = { ...before, order: 'time' }
    const first = page([row(NOW), ...rowsFrom(5, NOW - 2 * DAY, 1)], cursor('x'))
    const got = await collected([first, page(rowsFrom(5, NOW - 3 * DAY, 1), cursor('y'))], { before: quiet })
    assert.deepEqual([got.state.order, got.asked.length], ['time', 2], 'look-back or not')
    assert.deepEqual(quiet.order, 'time', 'the old state is not touched')
  })

  test('is not led astray by one row that stands too high, and reads no further for it', async () => {
    const sorted: State = { ...before, order: 'time' }
    const rows = [row(NOW), row(NOW - 3 * DAY), row(NOW - 60), row(NOW - HOUR), ...older]
    const got = await collected([page(rows, cursor('x')), page(older, cursor('y'))], { before: sorted })
    assert.deepEqual([got.asked.length, got.complete, got.state.order], [2, true, 'time'])
  })

  test('saves a state for an empty log too, so that --since of the first run holds', async () => {
    const first = emptyState(NOW - DAY)
    const got = await collected([page([])], { before: first })
    assert.notEqual(got.state, first, 'the state before the run is not saved')
    assert.equal(got.state.since, NOW - DAY)
  })

  test('takes its watermark from the first page that holds rows', async () => {
    const got = await collected([
      page([], cursor('x')),
      page([row(NOW - 7)], cursor('y')),
      page([row(NOW - 3)]),
    ])
    assert.equal(got.state.watermark, NOW - 7)
  })
})

describe('a run that is cut', () => {
  const rows = rowsFrom(10, NOW - 10, HOUR)
  const pages = [page(rows.slice(0, 4), cursor('a')), page(rows.slice(4), cursor('b'))]
  /** What is left of a first run after both pages: five rows lie under its top or share it. */
  const top = NOW - 10 - 5 * HOUR
  const gap: Range = { top: { time: top, began: top }, floor: { time: ALL, began: ALL } }
  const outage = new SlackCallError('outage', 'http_503', 'down', { retry: true })
  const late = new OutOfTimeError('rate_limit', 'ratelimited', 'late')

  const cuts: [
    what: string,
    answers: Answer[],
    setting: Setting,
    limit: string | undefined,
    error: AuditError | undefined,
  ][] = [
    [
      'by --max-rows, at the end of the page that reaches it,',
      pages,
      { maxRows: 5 },
      '--max-rows',
      undefined,
    ],
    ['by --max-rows that just suffice', pages, { maxRows: 10 }, '--max-rows', undefined],
    ['by --max-time', pages, { deadline: (NOW + 60) * 1000, requestSeconds: 30 }, '--max-time', undefined],
    ['by --max-time in the middle of a request', [...pages, late], {}, '--max-time', undefined],
    ['by an error of Slack', [...pages, outage], {}, undefined, outage],
  ]
  for (const [what, answers, setting, limit, error] of cuts) {
    test(`${what} leaves the rest as a gap, and ${error ? 'is a failure' : 'is no failure'}`, async () => {
      const got = await collected(answers, setting)
      assert.deepEqual([got.limit, got.error, got.complete], [limit, error, false])
      assert.equal(got.counts.rowsPrinted, 10)
      assert.deepEqual(got.state.gaps, [gap])
      const remembered = [...got.state.seen.values()].map(({ time }) => time)
      const within = rows
        .map((each) => Number(each['date_last']))
        .filter((time) => time >= NOW - 10 - 2 * HOUR || time <= top)
      assert.deepEqual(remembered, within, 'the overlap, and what lies in the gap')
      assert.equal(got.state.watermark, NOW - 10)
    })
  }

  test('by --max-time after one page is no failure either', async () => {
    const got = await collected([...pages.slice(0, 1), late])
    assert.deepEqual([got.limit, got.error, got.state.gaps.length], ['--max-time', undefined, 1])
  })

  test('by --max-time before its first page failed, and learnt nothing', async () => {
    const before = emptyState(ALL)
    const got = await collected([late], { before })
    assert.deepEqual([got.limit, got.error], [undefined, late])
    assert.equal(got.state, before)
  })

  test('by something unforeseen says so and remembers what it printed', async () => {
    const got = await collected([...pages, new TypeError('x is no function')])
    assert.deepEqual([got.error?.code, got.state.gaps], ['unexpected', [gap]])
  })

  test('because nobody reads its lines ends at once with that error, and nothing to remember', async () => {
    const gone = new AuditError('output', 'EPIPE', 'nobody reads')
    await assert.rejects(collected(pages, { print: () => Promise.reject(gone) }), (thrown) => thrown === gone)
  })

  test('by the last page of the integration log that Slack gives leaves no gap, which no run could read', async () => {
    const refusal = slackAnswerError('team.integrationLogs', 'over_pagination_limit')
    const answers = [page([row(NOW)], { paging: { page: 1, pages: 200 } }), refusal]
    const got = await collected(answers, { log: LOGS.integration })
    assert.deepEqual([got.error?.code, got.complete, got.state.gaps], ['pages_unread', false, []])
  })

  test('by a refusal of the access log, even below with `before`, leaves a gap: later runs try again', async () => {
    const refusal = slackAnswerError('team.accessLogs', 'over_pagination_limit')
    const got = await collected([page(rows, cursor('x')), refusal, refusal])
    assert.deepEqual(got.asked.at(-1), { before: String(top + 300), limit: '999' })
    assert.deepEqual([got.error?.code, got.complete], ['over_pagination_limit', false])
    assert.deepEqual(got.state.gaps, [gap])
  })

  test('because another run took its lock remembers nothing', async () => {
    const lost = new AuditError('state', 'lock_lost', 'taken')
    const before = emptyState(ALL)
    const got = await collected([...pages, lost], { before })
    assert.deepEqual([got.error, got.state], [lost, before])
  })

  test('with one odd time on its last page leaves all that lies below the other rows', async () => {
    const odd = [...rows.slice(4, 9), row(NOW - 300 * DAY)]
    const got = await collected([page(rows.slice(0, 4), cursor('a')), page(odd, cursor('b'))], {
      maxRows: 10,
    })
    assert.deepEqual(got.state.gaps, [gap])
  })

  test('at --max-rows, reads on through the overlap, so that no gap has to remember it', async () => {
    const seen = rowsFrom(12, NOW - HOUR, 600)
    const before: State = { ...emptyState(ALL), watermark: NOW - HOUR, seen: seenOf(...seen), order: 'time' }
    const news = rowsFrom(6, NOW, 60)
    const late = row(NOW - HOUR - 60)
    const got = await collected(
      [
        page([...news, ...seen.slice(0, 8)], cursor('a')),
        page([late, ...seen.slice(8)], cursor('b')),
        page(rowsFrom(5, NOW - DAY, 1), cursor('c')),
      ],
      { before, maxRows: 3 },
    )
    assert.deepEqual(got.printed, [...news, late])
    assert.deepEqual([got.complete, got.limit, got.state.gaps], [true, undefined, []])
  })

  test('at --max-rows, skips the news it may not print, and leaves them as a gap above the overlap', async () => {
    const seen = rowsFrom(6, NOW - 9 * HOUR, 600)
    const before: State = {
      ...emptyState(ALL),
      watermark: NOW - 9 * HOUR,
      seen: seenOf(...seen),
      order: 'time',
    }
    const got = await collected(
      [
        page(rowsFrom(6, NOW, 60), cursor('a')),
        page(seen, cursor('b')),
        page(rowsFrom(5, NOW - DAY, 1), cursor('c')),
      ],
      { before, maxRows: 3 },
    )
    assert.deepEqual(got.asked[1], { before: String(NOW - 9 * HOUR + 300), limit: '999' })
    assert.deepEqual([got.counts.rowsPrinted, got.limit], [6, '--max-rows'])
    const [start, end] = [NOW - 60, NOW - 9 * HOUR - 300]
    assert.deepEqual(got.state.gaps, [
      { top: { time: start, began: start }, floor: { time: end, began: end } },
    ])
  })
})

describe('news that a limit leaves to a later run', () => {
  const before: State = {
    ...emptyState(ALL),
    watermark: NOW - 9 * HOUR,
    seen: seenOf(...rowsFrom(6, NOW - 9 * HOUR, 600)),
  }
  const news = rowsFrom(6, NOW, 60)
  const left = rowsFrom(6, NOW - HOUR, HOUR)
  const known = rowsFrom(6, NOW - 9 * HOUR, 600)
  const below = rowsFrom(6, NOW - 40 * DAY, 60)

  test('is printed by that run, though this one met it on its way to the overlap', async () => {
    const refused = page(known, cursor('x'))
    const answers = [
      page(news, cursor('a')),
      refused,
      page(left, cursor('b')),
      page(known, cursor('c')),
      page(below),
    ]
    const first = await collected(answers, { before, maxRows: 3 })
    assert.deepEqual(first.printed, news)
    assert.deepEqual(first.asked[2], { limit: '999', cursor: 'a' })
    const second = await collected([page([...news, ...left, ...known, ...below])], { before: first.state })
    assert.deepEqual([second.printed, second.complete], [left, true])
  })

  test('is not jumped over in a log in no order, where nothing can prove the jump', async () => {
    const answers = [page(news, cursor('a')), page([...left, ...known, ...below])]
    const got = await collected(answers, { before: { ...before, order: 'none' }, maxRows: 3 })
    assert.deepEqual(got.asked[1], { limit: '999', cursor: 'a' })
  })
})

test('a row near the top of a gap is remembered by whichever of its times lies near it', async () => {
  const before: State = { ...emptyState(ALL), order: 'began' }
  const rows = Array.from({ length: 10 }, (_, nth) =>
    row(NOW - 3 * HOUR - (9 - nth) * 600, NOW - (nth + 1) * DAY),
  )
  const got = await collected([page([row(NOW), ...rows], cursor('a'))], { before, maxRows: 1 })
  assert.deepEqual(got.state.gaps[0]?.top, { time: NOW - 3 * HOUR - 3000, began: NOW - 6 * DAY })
  assert.deepEqual(got.state.seen, seenOf(row(NOW), ...rows))
})

test('of a run with many rows in the overlap all of them are remembered', async () => {
  const rows = Array.from({ length: 16_000 }, (_, nth) => ({
    ...row(NOW - Math.floor(nth / 4)),
    user_id: nth,
  }))
  const pages = Array.from({ length: 16 }, (_, nth) =>
    page(rows.slice(nth * 1000, (nth + 1) * 1000), nth < 15 ? cursor(String(nth)) : {}),
  )
  assert.equal((await collected(pages)).state.seen.size, 16_000)
})

describe('an entry without a readable time', () => {
  test('is printed and counted in a warning, and decides nothing', async () => {
    const odd = [{ user_id: 'U1' }, { user_id: 'U2', date_last: 'x', date_first: NOW - 30 }]
    const rows = [odd[0] as Row, row(NOW - DAY), odd[1] as Row]
    const got = await collected([page(rows)])
    assert.deepEqual(got.printed, rows)
    assert.equal(got.state.watermark, NOW - DAY)
    assert.match(got.warnings.join(), /^2 entries have no readable time: printed all the same/)
  })

  test('is printed at the top of a walk that begins at --until, too', async () => {
    const until = NOW - DAY
    for (const odd of [{ user_id: 'U1' }, { user_id: 'U1', date_first: until - 9 }]) {
      const got = await collected([page([odd, row(until - 5)])], { until })
      assert.deepEqual([got.printed, got.error, got.complete], [[odd, row(until - 5)], undefined, true])
      assert.equal(got.order.beforeComparesBegan, false)
    }
    const alone = await collected([page([{ user_id: 'U1' }])], { until })
    assert.deepEqual([alone.printed, alone.error], [[{ user_id: 'U1' }], undefined])
    assert.equal(alone.warnings.length, 1)
    assert.deepEqual((await collected([page([row(NOW)])])).warnings, [])
  })
})

describe('from the head down to a gap', () => {
  const top = NOW - 10 * DAY
  const along = [row(top), row(top + 300)]
  /** A state with a gap from ten days ago to the end of the log. */
  const withGap = (order: SortedBy): State => ({
    ...emptyState(ALL),
    watermark: NOW - HOUR,
    seen: seenOf(...along),
    gaps: [{ top: { time: top, began: top }, floor: { time: ALL, began: ALL } }],
    order,
  })
  const jump = { before: String(top + 300), limit: '999' }
  const head = page([row(NOW), ...rowsFrom(5, NOW - DAY, HOUR)], cursor('a'))
  const below = page(rowsFrom(5, NOW - 2 * DAY, HOUR), cursor('b'))
  const rest = page([...along.toReversed(), ...rowsFrom(5, top - 5, 1)])

  test('in a log sorted by date_last the walk jumps, since an entry further down is older in both times', async () => {
    const got = await collected([head, below, rest], { before: withGap('time') })
    assert.deepEqual(got.asked[2], jump)
    const printed = [row(NOW), ...rowsFrom(5, top - 5, 1)]
    assert.deepEqual(got.printed, printed, 'without what was read along the top of the gap')
    assert.deepEqual([got.complete, got.state.gaps], [true, []])
  })

  test('a jump is doubtful if rows below it show that `before` compares date_first', async () => {
    const shows = page([row(top + 301, top - 5), row(top + 301, top - 6), ...rowsFrom(5, top - 7, 1)])
    const got = await collected([head, below, shows], { before: withGap('time') })
    assert.deepEqual([got.complete, got.doubts.length], [false, 1])
  })

  test('no jump is needed where the gap begins on the page', async () => {
    const near = page([...rowsFrom(5, NOW - DAY, HOUR), ...rowsFrom(5, top + 300, 1)], cursor('b'))
    const got = await collected([head, near, rest], { before: withGap('time') })
    assert.deepEqual(got.asked[2], { limit: '999', cursor: 'b' })
    assert.equal(got.complete, true)
  })

  test('one odd time on a page does not make the walk believe that it has reached the gap', async () => {
    const odd = page([...rowsFrom(5, NOW - 2 * DAY, HOUR), row(top - 90 * DAY)], cursor('b'))
    const got = await collected([head, odd, rest], { before: withGap('time') })
    assert.deepEqual(got.asked[2], jump)
  })

  const young = page([row(NOW), ...rowsFrom(5, NOW - 2 * DAY, HOUR)], cursor('a'))
  const passed = page(rowsFrom(5, NOW - 5 * DAY, HOUR), cursor('b'))

  test('in a log sorted by date_first a jump counts if rows show what `before` compares', async () => {
    const shows = page([row(NOW - 2, top), row(NOW - 3, top - 1), ...rowsFrom(5, top - 5, 1)])
    const got = await collected([young, passed, shows], { before: withGap('began'), lookbackSeconds: DAY })
    assert.deepEqual(got.asked.slice(1), [{ limit: '999', cursor: 'a' }, jump])
    assert.deepEqual([got.counts.rowsPrinted, got.complete], [8, true])
  })

  test('a jump goes on with what follows the page that proved it', async () => {
    const proof = [row(NOW - 2, top), row(NOW - 3, top - 1), ...rowsFrom(5, top - 5, 1)]
    const last = page(rowsFrom(2, top - 20, 1))
    const got = await collected([young, passed, page(proof, cursor('y')), last], {
      before: withGap('began'),
      lookbackSeconds: DAY,
    })
    assert.deepEqual(got.asked.slice(2), [jump, { ...jump, cursor: 'y' }])
    assert.deepEqual([got.counts, got.complete], [{ pages: 4, rowsRead: 20, rowsPrinted: 10 }, true])
  })

  for (const [what, ...shown] of [
    ['none does', row(top, top)],
    ['only one does', row(NOW - 2, top)],
    ['they stand just at `before`', row(top + 300, top), { ...row(top + 300, top), count: 2 }],
    ['only ones without a readable time do', { date_last: '?' }, { date_last: '??' }],
  ] as [what: string, ...Row[]][]) {
    test(`or the walk goes on through what is known, if ${what}`, async () => {
      const silent = page([...shown, ...rowsFrom(5, top - 5, 1)])
      const answers = [young, passed, silent, page(rowsFrom(5, NOW - 8 * DAY, HOUR), cursor('c')), rest]
      const got = await collected(answers, { before: withGap('began'), lookbackSeconds: DAY })
      assert.deepEqual(got.asked.slice(2), [
        jump,
        { limit: '999', cursor: 'b' },
        { limit: '999', cursor: 'c' },
      ])
      assert.deepEqual([got.complete, got.doubts], [true, []])
    })
  }

  test('an entry without a readable time that stands first below a jump is taken to lie in the gap', async () => {
    const odd = { user_id: 'U1', date_last: '?', date_first: '?' }
    const got = await collected([head, below, page([odd, ...rowsFrom(5, top - 5, 1)])], {
      before: withGap('time'),
    })
    assert.deepEqual(got.printed, [row(NOW), odd, ...rowsFrom(5, top - 5, 1)])
  })

  test('and also where rows had to prove the jump', async () => {
    const odd = { user_id: 'U1', date_last: '?', date_first: '?' }
    const proof = [row(NOW - 2, top), row(NOW - 3, top - 1), ...rowsFrom(5, top - 5, 1)]
    const got = await collected([young, passed, page([odd, ...proof])], {
      before: withGap('began'),
      lookbackSeconds: DAY,
    })
    assert.deepEqual(got.printed, [row(NOW), odd, ...proof])
  })

  test('a row that changed since the head was read is printed where the walk meets it below', async () => {
    const changed = row(NOW + 1, top - 3)
    const got = await collected([head, below, page([changed, ...rowsFrom(5, top - 5, 1)])], {
      before: withGap('time'),
    })
    assert.deepEqual(got.printed, [row(NOW), changed, ...rowsFrom(5, top - 5, 1)])
  })

  test('in a log in no order all is read, with a doubt that the place was found again', async () => {
    const got = await collected([head, below, rest], { before: withGap('none') })
    assert.deepEqual(got.asked[2], { limit: '999', cursor: 'b' })
    assert.match(got.doubts.join(), /in no order/)
    assert.equal(got.complete, false)
  })

  test('a first page of a jump with few rows does not send the walk back to where it began', async () => {
    const few = page([row(top - 5)], cursor('x'))
    const got = await collected([head, below, few, page(rowsFrom(5, top - 6, 1))], {
      before: withGap('time'),
    })
    assert.deepEqual(got.asked.slice(2), [jump, { ...jump, cursor: 'x' }])
    assert.equal(got.complete, true)
  })
})

describe('a walk that went on below with `before`', () => {
  const cut = slackAnswerError('team.accessLogs', 'over_pagination_limit')

  test('is doubtful where it read too few rows to know its place, whatever the order', async () => {
    const before: State = { ...emptyState(ALL), order: 'time' }
    const few = page(rowsFrom(2, NOW - DAY, HOUR), cursor('a'))
    const got = await collected([few, cut, page([])], { before })
    assert.match(got.doubts.join(), /after a handful of entries/)
    assert.equal(got.complete, false)
  })

  test('has not read the whole log, so it does not take back that the log is in no order', async () => {
    const before: State = { ...emptyState(ALL), order: 'none' }
    const got = await collected([first, cut, page([])], { before })
    assert.equal(got.state.order, 'none')
  })

  const first = page(rowsFrom(10, NOW - 9 * DAY, HOUR), cursor('a'))
  const longLived = [row(NOW - 5, NOW - 12 * DAY), row(NOW - 6, NOW - 13 * DAY)]
  const shortLived = rowsFrom(2, NOW - 12 * DAY, 1)

  const cases: [what: string, order: SortedBy, rows: Row[], complete: boolean][] = [
    ['is complete in a log sorted by date_last', 'time', shortLived, true],
    ['is doubtful while either field may be the sort key', 'unsure', shortLived, false],
    [
      'is complete in a log sorted by date_first if rows show that `before` compares that',
      'began',
      longLived,
      true,
    ],
    ['is doubtful in a log sorted by date_first if none does', 'began', shortLived, false],
    [
      'is doubtful in a log sorted by date_last if rows show that `before` compares date_first',
      'time',
      longLived,
      false,
    ],
    ['is doubtful in a log in no order', 'none', shortLived, false],
  ]
  for (const [what, order, rows, complete] of cases) {
    test(what, async () => {
      const got = await collected([first, cut, page(rows)], { before: { ...emptyState(ALL), order } })
      assert.equal(got.error, undefined)
      assert.equal(got.complete, complete)
      assert.equal(got.doubts.length, complete ? 0 : 1)
      assert.deepEqual(got.state.gaps, [], 'a doubt is no gap')
    })
  }
})

test('what a walk over 200,000 rows holds does not grow with them', async () => {
  const PAGE = 999
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const heldNow = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const heldBefore = heldNow()
  let held = 0
  let pages = 0
  const world = {
    fetchPage: async () => {
      pages += 1
      const rows = rowsFrom(PAGE, NOW - pages * PAGE * 60, 60)
      const answer = page(rows, pages * PAGE < 200_000 ? cursor(String(pages)) : {})
      return readPage(LOGS.access, answer, 'T1', { above: undefined, lastResort: NOW })
    },
    print: async () => {},
    now: () => NOW * 1000,
    warn: () => {},
    onPage: () => {
      if (pages % 50 === 0) held = Math.max(held, heldNow() - heldBefore)
    },
  }
  const { state, counts } = await collect(
    {
      log: LOGS.access,
      args: {},
      until: undefined,
      lookbackSeconds: 30 * DAY,
      maxRows: Number.POSITIVE_INFINITY,
      deadline: Number.POSITIVE_INFINITY,
    },
    emptyState(ALL),
    world,
  )
  assert.ok(counts.rowsPrinted >= 200_000)
  assert.ok(state.seen.size < 200, `${state.seen.size} ids are remembered`)
  // More than the latest 10,000 entries take, and less than the ids alone of 200,000.
  assert.ok(held < 12_000_000, `${held} bytes were held`)
})
