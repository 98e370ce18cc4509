import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError, SlackCallError, slackAnswerError } from '../src/errors.ts'
import { type Entry, LOGS, type Log, type Page } from '../src/logs.ts'
import { type Order, unknownOrder } from '../src/order.ts'
import { Trail } from '../src/trail.ts'
import { walk } from '../src/walk.ts'

const T = 1_764_000_000
const HOUR = 3600

type Arguments = Record<string, string>
/** What Slack answers to the nth request, from 1. */
type Script = (nth: number, args: Arguments) => Page | Error

/** Own time and other time, named by both: equal times are one entry, unless a tag tells them apart. */
const entry = (last: number, first = last, tag = '') => ({
  id: `${last}/${first}${tag}`,
  raw: {},
  times: [last, first],
})

function page(times: (number | [number, number])[], next: Partial<Page> = {}): Page {
  return {
    entries: times.map((time) => (typeof time === 'number' ? entry(time) : entry(...time))),
    nextCursor: undefined,
    page: undefined,
    pages: undefined,
    perPage: undefined,
    undated: 0,
    ...next,
  }
}

const cursor = (nextCursor: string) => ({ nextCursor })
const refusal = (code: string) => slackAnswerError('team.accessLogs', code)

/** Walks to the end, or to the error that ends it. */
async function walked(
  script: Script | (Page | Error)[],
  {
    log = LOGS.access,
    args = {},
    before,
    order = unknownOrder(2),
    now = T + 24 * HOUR,
  }: Partial<Setting> = {},
) {
  const asked: Arguments[] = []
  const fresh: string[] = []
  const doubts: (string | undefined)[] = []
  const answer = (request: Arguments): Page | Error => {
    if (typeof script === 'function') return script(asked.length, request)
    return script[asked.length - 1] ?? new Error('one request more than was scripted')
  }
  let error: AuditError | undefined
  try {
    const steps = walk(
      {
        log,
        args,
        order,
        trail: new Trail(2),
        now: () => now,
        fetchPage: async (request) => {
          asked.push(request)
          const answered = answer(request)
          if (answered instanceof Error) throw answered
          return answered
        },
        onGoingOn: (doubt) => doubts.push(doubt),
      },
      before,
    )
    for await (const step of steps) fresh.push(...step.fresh.map(({ id }) => id))
  } catch (thrown) {
    if (!(thrown instanceof AuditError)) throw thrown
    error = thrown
  }
  return { asked, fresh, doubts, error }
}

interface Setting {
  now: number
  log: Log
  args: Arguments
  before: number | undefined
  order: Order
}

/** The own times of the fresh entries, where both times are equal. */
const ids = (...times: number[]) => times.map((time) => entry(time).id)

describe('after a page', () => {
  test('with a cursor comes the next one, with limit 999 and every other argument again', async () => {
    const script = [page([T], cursor('a')), page([T - 1], cursor('b')), page([T - 2])]
    const { asked, fresh, error } = await walked(script, { args: { team_id: 'T1' }, before: T })
    assert.equal(error, undefined)
    const all = { team_id: 'T1', before: String(T), limit: '999' }
    assert.deepEqual(asked, [all, { ...all, cursor: 'a' }, { ...all, cursor: 'b' }])
    assert.deepEqual(fresh, ids(T, T - 1, T - 2))
  })

  test('that is short or empty the walk goes on while there is a cursor', async () => {
    const script = [page([], cursor('a')), page([T], cursor('b')), page([], cursor('c')), page([T - 1])]
    assert.deepEqual((await walked(script)).fresh, ids(T, T - 1))
  })

  test('without a cursor the log ends, whatever `paging` says, once there was a cursor', async () => {
    const script = [page([T], cursor('a')), page([T - 1], { page: 1, pages: 7, perPage: 999 })]
    const { asked, error } = await walked(script)
    assert.deepEqual([asked.length, error], [2, undefined])
  })

  test('a page counts of its own pages do nothing beside a cursor', async () => {
    const script = [page([T], { ...cursor('a'), page: 1, pages: 7, perPage: 999 }), page([T - 1])]
    assert.deepEqual((await walked(script)).asked[1], { limit: '999', cursor: 'a' })
  })

  test('without anything further the log ends', async () => {
    for (const last of [page([T]), page([]), page([T], { page: 1, pages: 1, perPage: 999 })]) {
      assert.equal((await walked([last])).asked.length, 1)
    }
  })

  test('of classic paging comes the next one, in the size the answer names', async () => {
    const script = [
      page([T], { page: 1, pages: 3, perPage: 100 }),
      page([T - 1], { page: 2, pages: 3, perPage: 100 }),
      page([], { page: 3, pages: 3, perPage: 100 }),
    ]
    const { asked, fresh } = await walked(script, { args: { team_id: 'T1' } })
    assert.deepEqual(asked, [
      { team_id: 'T1', limit: '999' },
      { team_id: 'T1', count: '100', page: '2' },
      { team_id: 'T1', count: '100', page: '3' },
    ])
    assert.deepEqual(fresh, ids(T, T - 1))
  })

  test('of classic paging that names no size all comes again from page 1, 1000 rows at a time', async () => {
    const script = [
      page([T], { pages: 2 }),
      page([T, T - 1], { page: 1, pages: 2 }),
      page([T - 2], { page: 2, pages: 2 }),
    ]
    const { asked, fresh } = await walked(script)
    assert.deepEqual(asked, [{ limit: '999' }, { count: '1000', page: '1' }, { count: '1000', page: '2' }])
    assert.deepEqual(fresh, ids(T, T - 1, T - 2))
  })

  test('of the integration log comes the next one of 1000 entries, with the filters', async () => {
    const script = [page([T], { page: 1, pages: 2 }), page([T - 1], { page: 2, pages: 2 })]
    const { asked } = await walked(script, { log: LOGS.integration, args: { user: 'U1' } })
    assert.deepEqual(asked, [
      { user: 'U1', count: '1000', page: '1' },
      { user: 'U1', count: '1000', page: '2' },
    ])
  })

  test('an entry that was met before is passed on, but is not fresh', async () => {
    const script = [page([T, T - 1], cursor('a')), page([T - 1, T - 2])]
    assert.deepEqual((await walked(script)).fresh, ids(T, T - 1, T - 2))
  })
})

describe('the order', () => {
  const newer = [page([T - 9000], cursor('a')), page([T])]
  for (const [what, now, known] of [
    ['is refuted by a newer entry on a later page', T + HOUR + 1, true],
    ['is not refuted by one that may have arrived since the first page was read', T + HOUR, false],
  ] as const) {
    test(what, async () => {
      const order = unknownOrder(2)
      await walked(newer, { order, now })
      assert.deepEqual(order.refuted, [known, known])
    })
  }

  test('is not refuted by a row that moves while the pages are read, though its new state is fresh', async () => {
    const order = unknownOrder(2)
    const state = (last: number): Entry => ({ ...entry(last, T - 9000), row: 'r' })
    const { fresh } = await walked(
      [
        { ...page([], cursor('a')), entries: [state(T - 9000)] },
        { ...page([]), entries: [state(T)] },
      ],
      { order },
    )
    assert.deepEqual(order.refuted, [false, false])
    assert.equal(fresh.length, 2)
  })

  test('is not refuted by an entry that comes a second time', async () => {
    const order = unknownOrder(2)
    await walked([page([T, T - 9000], cursor('a')), page([T])], { order })
    assert.deepEqual(order.refuted, [false, false])
  })
})

describe('where Slack gives no further page', () => {
  for (const code of ['over_pagination_limit', 'invalid_cursor']) {
    test(`(${code}) the walk goes on below, five minutes above the lowest time read`, async () => {
      const script = [
        page([T, T - HOUR], cursor('a')),
        refusal(code),
        page([T - HOUR, T - 2 * HOUR], cursor('b')),
        page([T - 3 * HOUR]),
      ]
      const { asked, fresh, doubts, error } = await walked(script, { args: { team_id: 'T1' } })
      assert.equal(error, undefined)
      const before = String(T - HOUR + 300)
      assert.deepEqual(asked.slice(2), [
        { team_id: 'T1', before, limit: '999' },
        { team_id: 'T1', before, limit: '999', cursor: 'b' },
      ])
      assert.deepEqual(fresh, ids(T, T - HOUR, T - 2 * HOUR, T - 3 * HOUR))
      assert.deepEqual(doubts, [undefined])
    })
  }

  const anchors: [what: string, refuted: [boolean, boolean], before: number][] = [
    ['date_last while both fields stand', [false, false], T - 10 * HOUR + 300],
    ['date_last where it alone stands', [false, true], T - 10 * HOUR + 300],
    ['date_first where it alone stands', [true, false], T - 50 * HOUR + 300],
    ['date_last where nothing stands', [true, true], T - 10 * HOUR + 300],
  ]
  for (const [what, refuted, before] of anchors) {
    test(`it goes on at the lowest ${what}`, async () => {
      const rows: [number, number][] = [
        [T, T - HOUR],
        [T - 10 * HOUR, T - 50 * HOUR],
      ]
      const script = [page(rows, cursor('a')), refusal('invalid_cursor'), page([])]
      const { asked } = await walked(script, { order: { refuted, beforeField: undefined } })
      assert.equal(asked[2]?.['before'], String(before))
    })
  }

  test('it goes on at the lowest time itself if five minutes more would leave out nothing read', async () => {
    const script = [page([T, T - 300], cursor('a')), refusal('invalid_cursor'), page([])]
    const { asked, doubts } = await walked(script)
    assert.equal(asked[2]?.['before'], String(T - 300))
    assert.deepEqual(doubts, [undefined])
  })

  test('it goes on at the lowest time itself if five minutes more would not lie below this `before`', async () => {
    const script = [page([T - 1, T - 299], cursor('a')), refusal('invalid_cursor'), page([])]
    assert.equal((await walked(script, { before: T })).asked[2]?.['before'], String(T - 299))
  })

  test('that is doubtful where the log is out of order by seconds there', async () => {
    const script = [page([T, T - 100, T - 50], cursor('a')), refusal('invalid_cursor'), page([])]
    const { asked, doubts } = await walked(script)
    assert.equal(asked[2]?.['before'], String(T - 100))
    assert.match(doubts[0] ?? '', /out of order where its pages end/)
  })

  test('a second that fills all pages is stepped over, with a doubt', async () => {
    const script = [
      page([T], cursor('a')),
      { ...page([]), entries: [entry(T, T, 'twin')], nextCursor: 'b' },
      refusal('over_pagination_limit'),
      page([T - 1]),
    ]
    const { asked, fresh, doubts, error } = await walked(script)
    assert.equal(error, undefined)
    assert.equal(asked[3]?.['before'], String(T - 1))
    assert.deepEqual(fresh, [...ids(T), entry(T, T, 'twin').id, ...ids(T - 1)])
    assert.match(doubts[0] ?? '', new RegExp(`share the second ${T}`))
  })

  test('likewise below a `before` that is that second', async () => {
    const script = [page([T], cursor('a')), refusal('over_pagination_limit'), page([])]
    const { asked, doubts } = await walked(script, { before: T })
    assert.deepEqual([asked[2]?.['before'], doubts.length], [String(T - 1), 1])
  })

  test('that is no reason to go on from a first page that was refused, nor is any other error later', async () => {
    for (const code of ['over_pagination_limit', 'invalid_cursor']) {
      const { asked, error } = await walked([refusal(code)])
      assert.deepEqual([asked.length, error?.code], [1, code])
    }
    const other = new SlackCallError('outage', 'http_503', 'down', { retry: true })
    const { asked, error } = await walked([page([T], cursor('a')), other])
    assert.deepEqual([asked.length, error], [2, other])
  })

  /** A log of a page a minute, behind `pages` cursors per listing. */
  const cursors =
    (pages: number): Script =>
    (nth, args) => {
      const at = Number(args['cursor'] ?? 1)
      const top = args['before'] === undefined ? T : Number(args['before'])
      return nth > 300 ? page([]) : page([top - at * 60], at < pages ? cursor(String(at + 1)) : {})
    }

  test('without a word, just at page 100, the walk looks below', async () => {
    const whole = await walked((nth, args) => (args['before'] ? page([]) : cursors(100)(nth, args)))
    assert.equal(whole.asked.length, 101)
    assert.deepEqual(whole.asked[100], { limit: '999', before: String(T - 100 * 60 + 300) })
    for (const pages of [99, 101]) {
      const { asked } = await walked((nth, args) => (args['before'] ? page([]) : cursors(pages)(nth, args)))
      assert.equal(asked.length, pages, `${pages} pages are the end`)
    }
  })

  test('page 101 of classic paging is not asked for: the walk goes on below', async () => {
    const script: Script = (_, args) =>
      args['before'] !== undefined
        ? page([])
        : page([T - 60 * Number(args['page'] ?? 1)], {
            page: Number(args['page'] ?? 1),
            pages: 130,
            perPage: 1,
          })
    const { asked, error } = await walked(script)
    assert.equal(error, undefined)
    assert.equal(asked.length, 101)
    assert.equal(asked[99]?.['page'], '100')
    assert.deepEqual(asked[100], { limit: '999', before: String(T - 6000 + 300) })
  })
})

describe('the integration log beyond its pages', () => {
  const capped = (cap: number): Script => {
    return (_, args) => {
      const at = Number(args['page'])
      return at > cap ? refusal('over_pagination_limit') : page([T - at], { page: at, pages: 130 })
    }
  }

  for (const [what, cap, read] of [
    ['that Slack refuses', 20, 20],
    ['after page 100, which are not asked for', 200, 100],
  ] as const) {
    test(`${what} cannot be read: an error says what is missing, and how to get it`, async () => {
      const { asked, fresh, error } = await walked(capped(cap), { log: LOGS.integration })
      assert.equal(fresh.length, read)
      assert.equal(asked.length, cap < 100 ? cap + 1 : 100)
      assert.deepEqual([error?.class, error?.code], ['contract', 'over_pagination_limit'])
      assert.match(error?.message ?? '', new RegExp(`gives ${read} of 130 pages.*--app-id`))
    })
  }

  test('is no matter if the log ends at page 100', async () => {
    const script: Script = (nth) => page([T - nth], { page: nth, pages: 100 })
    const { asked, error } = await walked(script, { log: LOGS.integration })
    assert.deepEqual([asked.length, error], [100, undefined])
  })
})

describe('a walk that does not advance is an error of class contract that says why:', () => {
  const cases: [what: string, script: (Page | Error)[], setting: Partial<Setting>, reason: RegExp][] = [
    [
      'the same cursor twice',
      [page([T], cursor('a')), page([T - 1], cursor('b')), page([T - 2], cursor('a'))],
      {},
      /the same cursor twice/,
    ],
    [
      'another page than was asked for',
      [page([T], { page: 2, pages: 3 })],
      { log: LOGS.integration },
      /page 1 was asked for, page 2 came/,
    ],
    [
      'page 1 for ever',
      [page([T], { page: 1, pages: 3, perPage: 9 }), page([T], { page: 1, pages: 3, perPage: 9 })],
      {},
      /page 2 was asked for, page 1 came/,
    ],
    ['`before` not heeded', [page([T, T - 9])], { before: T - 1 }, /does not heed "before"/],
    [
      'one row above `before` in both times, amid others',
      [page([T - 9, [T, T], T - 10])],
      { before: T - 1 },
      /does not heed "before"/,
    ],
    [
      'nothing to go on from, as nothing was read',
      [page([], cursor('a')), refusal('invalid_cursor')],
      {},
      /the same entries again/,
    ],
    [
      'nothing below where the log is sorted and filtered by other fields',
      [
        page(
          [
            [T, T - HOUR],
            [T + 10, T - HOUR],
          ],
          cursor('a'),
        ),
        refusal('over_pagination_limit'),
      ],
      { before: T - 1 },
      /the same entries again/,
    ],
  ]
  for (const [what, script, setting, reason] of cases) {
    test(what, async () => {
      const { asked, error } = await walked(script, setting)
      assert.deepEqual([error?.class, error?.code], ['contract', 'no_advance'])
      assert.match(error?.message ?? '', reason)
      assert.equal(asked.length, script.length)
    })
  }

  test('but a row above `before` in one of its times is none', async () => {
    const rows: [number, number][] = [
      [T + 5, T - 5],
      [T - 5, T - 6],
    ]
    assert.equal((await walked([page(rows)], { before: T })).error, undefined)
  })
})

describe('below a `before`, where date_last is the order, each page is asked for with a `before` of its own,', () => {
  const sorted: () => Order = () => ({ refuted: [false, true], beforeField: undefined })
  const pages = (perPage: number) => ({ page: 1, pages: 9, perPage })

  test('so that a row that is touched pulls none over the edge of a page already read', async () => {
    const script = [
      page([T, T - HOUR], pages(2)),
      page([T - HOUR, T - 2 * HOUR], pages(2)),
      page([T - 2 * HOUR], { page: 1, pages: 1 }),
    ]
    const { asked, fresh, doubts } = await walked(script, {
      before: T,
      order: sorted(),
      args: { team_id: 'T1' },
    })
    assert.deepEqual(
      asked,
      [T, T - HOUR + 300, T - 2 * HOUR + 300].map((before) => ({
        team_id: 'T1',
        before: String(before),
        limit: '999',
      })),
    )
    assert.deepEqual(fresh, ids(T, T - HOUR, T - 2 * HOUR))
    assert.deepEqual(doubts, [], 'this is no cut')
  })

  test('also where a cursor would lead on, as long as that leaves out something read', async () => {
    const next = async (span: number) => {
      const script = [page([T, T - span], cursor('a')), page([])]
      return (await walked(script, { before: T, order: sorted() })).asked[1]
    }
    assert.deepEqual(await next(301), { limit: '999', before: String(T - 1) })
    assert.deepEqual(await next(300), { limit: '999', before: String(T), cursor: 'a' })
  })

  test('not where all of the page lies within five minutes', async () => {
    const script = [page([T - HOUR, T - HOUR - 300], pages(2)), page([], { page: 2 })]
    const { asked } = await walked(script, { before: T, order: sorted() })
    assert.equal(asked[1]?.['page'], '2')
  })

  const turned: [what: string, before: number | undefined, order: Order][] = [
    ['not from the head', undefined, sorted()],
    ['not while both times may be the order', T, unknownOrder(2)],
    ['not where date_first is the order', T, { refuted: [true, false], beforeField: undefined }],
    ['not where nothing is', T, { refuted: [true, true], beforeField: undefined }],
    ['not where `before` compares date_first', T, { refuted: [false, true], beforeField: 1 }],
  ]
  for (const [what, before, order] of turned) {
    test(what, async () => {
      const { asked } = await walked([page([T, T - HOUR], pages(2)), page([], { page: 2 })], {
        before,
        order,
      })
      assert.equal(asked[1]?.['page'], '2')
      assert.equal(asked[1]?.['before'], asked[0]?.['before'])
    })
  }
})
