import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CollectOptions, collect } from '../src/collect.ts'
import { AuditError, OutOfTimeError, SlackCallError, slackAnswerError } from '../src/errors.ts'
import { LOGS, type Log, readPage } from '../src/logs.ts'
import { emptyState, OVERLAP_SECONDS, type State, type Stretch } from '../src/state.ts'

/** When every run here begins. */
const NOW = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ALL = Number.NEGATIVE_INFINITY

type Row = Record<string, unknown>
type Answer = Row | Error

/** An access row, or an integration entry, by its time; `first` is date_first. */
const row = (last: number, first = last): Row => ({ date_last: last, date_first: first, date: last })

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
  const { log = LOGS.access, before = emptyState(log, ALL), requestSeconds = 0, print, ...options } = setting
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
  new Map(rows.map((raw) => [LOGS.access.identify('T1', raw).id, Number(raw['date_last'])]))

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
    const before = emptyState(LOGS.access, NOW - DAY)
    const got = await collected([page(rows, cursor('x')), page([row(NOW - 31 * DAY)], cursor('y'))], {
      before,
    })
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
  const refutedBy = async (newer: number) => {
    const got = await collected([page([row(NOW - 9000)], cursor('a')), page([row(newer)])])
    return got.state.order.refuted
  }

  test('comes of rows of different pages only if they cannot have arrived meanwhile', async () => {
    assert.deepEqual(await refutedBy(NOW - HOUR - 1), [true, true])
    assert.deepEqual(await refutedBy(NOW - HOUR), [false, false])
  })

  test('is no doubt by itself: a log in no order is read to its end', async () => {
    const before = {
      ...emptyState(LOGS.access, ALL),
      order: { refuted: [true, true], beforeField: undefined },
    }
    const got = await collected([page([row(NOW - DAY)], cursor('a')), page([row(NOW)])], { before })
    assert.deepEqual([got.complete, got.doubts], [true, []])
  })
})

describe('a later run', () => {
  const known = row(NOW - HOUR)
  const before: State = { ...emptyState(LOGS.access, ALL), watermark: NOW - HOUR, seen: seenOf(known) }
  const old = row(NOW - HOUR - OVERLAP_SECONDS - 1, NOW - 31 * DAY)

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
    const order = { refuted: [false, true], beforeField: 0 }
    const quiet = { ...before, order }
    const got = await collected([page([row(NOW), row(NOW - 2 * DAY)], cursor('x'))], { before: quiet })
    const next = await collected([page([row(NOW)], cursor('x')), page([row(NOW - 2 * DAY)], cursor('y'))], {
      before: got.state,
    })
    assert.deepEqual(next.state.order, order)
    assert.equal(next.asked.length, 2, 'so that it stops below the floor, look-back or not')
    assert.deepEqual(quiet.order, { refuted: [false, true], beforeField: 0 }, 'the old state is not touched')
  })
})

describe('a run that is cut', () => {
  const pages = [
    page([row(NOW - 10), row(NOW - 20)], cursor('a')),
    page([row(NOW - HOUR), row(NOW - 2 * HOUR, NOW - DAY)], cursor('b')),
  ]
  /** What is left of the first run after both pages. */
  const gap: Stretch = {
    top: [NOW - 2 * HOUR, NOW - DAY],
    floor: [ALL, ALL],
    ids: new Set(seenOf(row(NOW - 2 * HOUR, NOW - DAY)).keys()),
    printed: new Set(),
  }
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
      { maxRows: 3 },
      '--max-rows',
      undefined,
    ],
    ['by --max-rows that just suffice', pages, { maxRows: 4 }, '--max-rows', undefined],
    ['by --max-time', pages, { deadline: (NOW + 60) * 1000, requestSeconds: 30 }, '--max-time', undefined],
    ['by --max-time in the middle of a request', [...pages, late], {}, '--max-time', undefined],
    ['by an error of Slack', [...pages, outage], {}, undefined, outage],
  ]
  for (const [what, answers, setting, limit, error] of cuts) {
    test(`${what} leaves the rest as a gap, and ${error ? 'is a failure' : 'is no failure'}`, async () => {
      const got = await collected(answers, setting)
      assert.deepEqual([got.limit, got.error, got.complete], [limit, error, false])
      assert.equal(got.counts.rowsPrinted, 4)
      assert.deepEqual(got.state.gaps, [gap])
      assert.equal(got.state.watermark, NOW - 10)
    })
  }

  test('by --max-time after one page is no failure either', async () => {
    const got = await collected([...pages.slice(0, 1), late])
    assert.deepEqual([got.limit, got.error, got.state.gaps.length], ['--max-time', undefined, 1])
  })

  test('by --max-time before its first page failed, and learnt nothing', async () => {
    const before = emptyState(LOGS.access, ALL)
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
    assert.deepEqual([got.error?.code, got.complete, got.state.gaps], ['over_pagination_limit', false, []])
  })

  test('by the same refusal of the access log, even below with `before`, leaves a gap: later runs try again', async () => {
    const refusal = slackAnswerError('team.accessLogs', 'over_pagination_limit')
    const first = page([row(NOW), row(NOW - DAY)], cursor('x'))
    const got = await collected([first, refusal, refusal])
    assert.deepEqual(got.asked.at(-1), { before: String(NOW - DAY + 300), limit: '999' })
    assert.deepEqual([got.error?.code, got.complete], ['over_pagination_limit', false])
    assert.deepEqual(
      got.state.gaps.map(({ top }) => top),
      [[NOW - DAY, NOW - DAY]],
    )
  })
})

describe('an entry without a readable time', () => {
  test('is printed and counted in a warning, and decides nothing', async () => {
    const odd = [{ user_id: 'U1' }, { user_id: 'U2', date_last: 'x', date_first: NOW - 30 }]
    const rows = [odd[0] as Row, row(NOW - DAY), odd[1] as Row]
    const got = await collected([page(rows)])
    assert.deepEqual(got.printed, rows)
    assert.equal(got.state.watermark, NOW - DAY)
    assert.match(got.warnings.join(), /^2 entries have no readable time: they are printed/)
  })

  test('is printed at the top of a walk that begins at --until, too', async () => {
    const until = NOW - DAY
    for (const odd of [{ user_id: 'U1' }, { user_id: 'U1', date_first: until - 9 }]) {
      const got = await collected([page([odd, row(until - 5)])], { until })
      assert.deepEqual([got.printed, got.error, got.complete], [[odd, row(until - 5)], undefined, true])
      assert.equal(got.state.order.beforeField, undefined)
    }
    const alone = await collected([page([{ user_id: 'U1' }])], { until })
    assert.deepEqual([alone.printed, alone.error], [[{ user_id: 'U1' }], undefined])
    assert.equal(alone.warnings.length, 1)
    assert.deepEqual((await collected([page([row(NOW)])])).warnings, [])
  })
})

describe('from the head down to a gap', () => {
  const top = NOW - 10 * DAY
  /** A state with a gap from ten days ago to the end of the log. */
  const withGap = (order: State['order']): State => ({
    ...emptyState(LOGS.access, ALL),
    watermark: NOW - HOUR,
    gaps: [
      {
        top: [top, top],
        floor: [ALL, ALL],
        ids: new Set(seenOf(row(top), row(top + 300)).keys()),
        printed: new Set(),
      },
    ],
    order,
  })
  const byLast = { refuted: [false, true], beforeField: undefined }
  const byFirst = (beforeField?: number) => ({ refuted: [true, false], beforeField })
  const head = page([row(NOW), row(NOW - 31 * DAY)], cursor('deep'))
  /** A page wholly below the overlap and the look-back, but above the gap. */
  const below = page([row(NOW - DAY, top + HOUR)], cursor('on'))
  const rest = page([row(top), row(top - 5)])
  const jump = { before: String(top + 300), limit: '999' }

  test('under date_last it jumps, since an entry further down is older in every time', async () => {
    const before = withGap(byLast)
    const got = await collected([page([row(NOW)], cursor('a')), below, rest], { before })
    assert.deepEqual(got.asked[2], jump)
    assert.deepEqual(
      got.printed,
      [row(NOW), row(top - 5)],
      'what was read along the top of the gap is not printed',
    )
    assert.deepEqual([got.complete, got.state.gaps], [true, []])
  })

  test('that is doubtful if a row there shows that `before` compares date_first', async () => {
    const shows = page([row(top + 301, top - 5)])
    const got = await collected([page([row(NOW)], cursor('a')), below, shows], { before: withGap(byLast) })
    assert.deepEqual([got.complete, got.doubts.length, got.state.order.beforeField], [false, 1, 1])
  })

  test('that needs no jump where the gap begins on the page', async () => {
    const answers = [page([row(NOW)], cursor('a')), page([row(NOW - DAY), row(top + 300)], cursor('b')), rest]
    const got = await collected(answers, { before: withGap(byLast) })
    assert.deepEqual(got.asked[2], { limit: '999', cursor: 'b' })
    assert.deepEqual([got.printed, got.complete], [[row(NOW), row(top - 5)], true])
  })

  const young = page([row(NOW, NOW - DAY)], cursor('a'))
  const passed = page([row(NOW - 5 * DAY, NOW - 6 * DAY)], cursor('b'))

  test('under date_first it tries a jump, and goes on there if a row shows what `before` compares', async () => {
    const shows = page([row(top - 5), row(NOW - 2, top), row(top - 7)])
    const before = withGap(byFirst())
    const got = await collected([young, passed, shows], { before, lookbackSeconds: DAY })
    assert.deepEqual(got.asked.slice(1), [{ limit: '999', cursor: 'a' }, jump])
    assert.equal(got.state.order.beforeField, 1)
    assert.deepEqual([got.counts.rowsPrinted, got.complete], [4, true])
  })

  test('or goes on through what is known if none does', async () => {
    const silent = page([row(top + 300, top), row(top - 5)])
    const before = withGap(byFirst())
    const got = await collected([young, passed, silent, rest], { before, lookbackSeconds: DAY })
    assert.deepEqual(got.asked.slice(2), [jump, { limit: '999', cursor: 'b' }])
    assert.deepEqual([got.complete, got.doubts], [true, []])
    assert.deepEqual(got.printed, [row(NOW, NOW - DAY), row(top - 5)])
  })

  test('it does not try where `before` is known to compare date_last', async () => {
    const got = await collected([young, passed, rest], { before: withGap(byFirst(0)), lookbackSeconds: DAY })
    assert.deepEqual(got.asked[2], { limit: '999', cursor: 'b' })
  })

  test('where the log is in no order it reads all, and doubts that it found the place', async () => {
    const order = { refuted: [true, true], beforeField: undefined }
    const got = await collected([head, below, rest], { before: withGap(order) })
    assert.deepEqual(got.asked[2], { limit: '999', cursor: 'on' })
    assert.match(got.doubts.join(), /in no order/)
    assert.equal(got.complete, false)
  })
})

describe('a walk that went on below with `before`', () => {
  const cut = slackAnswerError('team.accessLogs', 'over_pagination_limit')
  const first = page([row(NOW), row(NOW - DAY, NOW - 9 * DAY)], cursor('a'))

  const cases: [what: string, order: State['order'], rows: Row[], complete: boolean][] = [
    [
      'is complete under date_last',
      { refuted: [false, true], beforeField: undefined },
      [row(NOW - 2 * DAY)],
      true,
    ],
    [
      'is doubtful while both may be the order',
      { refuted: [false, false], beforeField: undefined },
      [row(NOW - 10 * DAY)],
      false,
    ],
    [
      'is complete under date_first if a row shows that `before` compares that',
      { refuted: [true, false], beforeField: undefined },
      [row(NOW - 5, NOW - 10 * DAY)],
      true,
    ],
    [
      'is doubtful under date_first if none does',
      { refuted: [true, false], beforeField: undefined },
      [row(NOW - 10 * DAY)],
      false,
    ],
    [
      'is doubtful under date_last if a row shows that `before` compares date_first',
      { refuted: [false, true], beforeField: undefined },
      [row(NOW - 5, NOW - 10 * DAY)],
      false,
    ],
  ]
  for (const [what, order, rows, complete] of cases) {
    test(what, async () => {
      const before = { ...emptyState(LOGS.access, ALL), order }
      const got = await collected([first, cut, page(rows)], { before })
      assert.equal(got.error, undefined)
      assert.equal(got.complete, complete)
      assert.equal(got.doubts.length, complete ? 0 : 1)
      if (!complete) assert.match(got.doubts.join(), /"before" compares the field it sorts by/)
      assert.deepEqual(got.state.gaps, [], 'a doubt is no gap')
    })
  }
})
