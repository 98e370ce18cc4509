import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError, SlackCallError } from '../../src/errors.ts'
import { LOGS, type Log } from '../../src/log/logs.ts'
import type { Entry, Page } from '../../src/log/page.ts'
import { slackAnswerError } from '../../src/slack/errors.ts'
import { Order, type SortedBy } from '../../src/walk/order.ts'
import { RecentEntries } from '../../src/walk/recent.ts'
import { walk } from '../../src/walk/walk.ts'
import { entry, series } from '../entries.ts'

const T = 1_764_000_000
const HOUR = 3600

type Arguments = Record<string, string>
/** What Slack answers to the nth request, from 1. */
type Script = (nth: number, args: Arguments) => Page | Error

/** A page of these entries; a number is an entry with this time. */
function page(entries: (number | Entry)[], next: Partial<Page> = {}): Page {
  return {
    entries: entries.map((each) => (typeof each === 'number' ? entry(each) : each)),
    nextCursor: undefined,
    page: undefined,
    pages: undefined,
    perPage: undefined,
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
    known = 'unsure',
    comparesBegan = false,
    now = T + 24 * HOUR,
    printed = [],
  }: Partial<Setting> = {},
) {
  const asked: Arguments[] = []
  const fresh: string[] = []
  const doubts: (string | undefined)[] = []
  const order = new Order(known)
  order.beforeComparesBegan = comparesBegan
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
        recent: new RecentEntries(new Map(printed.map((each) => [each.id, each]))),
        now: () => now,
        fetchPage: async (request) => {
          asked.push(request)
          const answered = answer(request)
          if (answered instanceof Error) throw answered
          return answered
        },
        onGoingBelow: (doubt) => doubts.push(doubt),
      },
      before,
    )
    for await (const step of steps) fresh.push(...step.fresh.map(({ id }) => id))
  } catch (thrown) {
    if (!(thrown instanceof AuditError)) throw thrown
    error = thrown
  }
  return { asked, fresh, doubts, error, order }
}

interface Setting {
  now: number
  log: Log
  args: Arguments
  before: number | undefined
  known: SortedBy
  comparesBegan: boolean
  /** What earlier runs printed. */
  printed: Entry[]
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
  const newer = [page([T - 9000, T - 9001], cursor('a')), page([T, T - 1])]
  for (const [what, now, keys] of [
    ['is refuted by newer entries on a later page', T + HOUR + 1, []],
    [
      'is not refuted by ones that may have arrived since the first page was read',
      T + HOUR - 1,
      ['time', 'began'],
    ],
  ] as const) {
    test(what, async () => assert.deepEqual((await walked(newer, { now })).order.sortKeys, keys))
  }

  test('is not refuted by entries that come a second time', async () => {
    const { order } = await walked([page([T, T - 1, T - 9000, T - 9001], cursor('a')), page([T, T - 1])])
    assert.deepEqual(order.sortKeys, ['time', 'began'])
  })

  test('is not refuted by entries that another listing of this walk has shown', async () => {
    const newer = series(10, T, HOUR)
    const script = [
      page(newer, cursor('a')),
      refusal('invalid_cursor'),
      page([T - 30 * HOUR, T - 31 * HOUR, ...newer.slice(5)]),
    ]
    const { order, error } = await walked(script)
    assert.deepEqual([error, order.sortKeys], [undefined, ['time', 'began']])
  })

  test('is refuted also by entries that earlier runs printed', async () => {
    const printed = [entry(T), entry(T - 1)]
    const { order, fresh } = await walked([page([T - 9000, T - 9001, ...printed])], { printed })
    assert.deepEqual(order.sortKeys, [])
    assert.deepEqual(fresh, ids(T - 9000, T - 9001))
  })

  test('is not refuted by rows that change while the pages are read, though their new states are fresh', async () => {
    const now = T + HOUR - 1
    const old = [entry(T - 9000), entry(T - 9001)]
    const touched = [entry(T, T - 9000), entry(T - 1, T - 9001)]
    const { order, fresh } = await walked([page(old, cursor('a')), page(touched)], { now })
    assert.deepEqual(order.sortKeys, ['time', 'began'])
    assert.equal(fresh.length, 4)
  })
})

describe('where Slack gives no further page', () => {
  for (const code of ['over_pagination_limit', 'invalid_cursor']) {
    test(`(${code}) the walk goes on below, five minutes above a time that five entries lie under`, async () => {
      const script = [
        page(series(10, T, HOUR), cursor('a')),
        refusal(code),
        page(series(6, T - 5 * HOUR, HOUR), cursor('b')),
        page([T - 11 * HOUR]),
      ]
      const { asked, fresh, doubts, error } = await walked(script, { args: { team_id: 'T1' } })
      assert.equal(error, undefined)
      const before = String(T - 5 * HOUR + 300)
      assert.deepEqual(asked.slice(2), [
        { team_id: 'T1', before, limit: '999' },
        { team_id: 'T1', before, limit: '999', cursor: 'b' },
      ])
      assert.deepEqual(
        fresh,
        series(12, T, HOUR).map(({ id }) => id),
      )
      assert.deepEqual(doubts, [undefined])
    })
  }

  test('one odd time does not move the place where the walk goes on', async () => {
    const odd = [...series(9, T, HOUR), entry(T - 864_000)]
    const { asked } = await walked([page(odd, cursor('a')), refusal('invalid_cursor'), page([])])
    assert.equal(asked[2]?.['before'], String(T - 5 * HOUR + 300))
  })

  test('an entry that Slack shows again and again counts once for that place', async () => {
    const odd = entry(T - 864_000)
    const script = [
      page([...series(9, T, HOUR), odd], cursor('a')),
      page([odd, odd, odd, odd, odd], cursor('b')),
      refusal('invalid_cursor'),
      page([]),
    ]
    assert.equal((await walked(script)).asked[3]?.['before'], String(T - 5 * HOUR + 300))
  })

  const anchors: [known: SortedBy, before: number][] = [
    ['unsure', T - 5 * HOUR + 300],
    ['time', T - 5 * HOUR + 300],
    ['began', T - 50 * HOUR + 300],
    ['none', T - 5 * HOUR + 300],
  ]
  for (const [known, before] of anchors) {
    test(`in a log sorted by ${known} it is a time of ${known === 'began' ? 'date_first' : 'date_last'}`, async () => {
      const rows = series(10, T, HOUR).map(({ time }, index) => entry(time, T - index * 10 * HOUR))
      const { asked } = await walked([page(rows, cursor('a')), refusal('invalid_cursor'), page([])], {
        known,
      })
      assert.equal(asked[2]?.['before'], String(before))
    })
  }

  test('it is that time itself if five minutes more would not lie below this `before`', async () => {
    const script = [page(series(5, T - 1, 1), cursor('a')), refusal('invalid_cursor'), page([])]
    const { asked, doubts } = await walked(script, { before: T })
    assert.equal(asked[2]?.['before'], String(T - 1))
    assert.deepEqual(doubts, [undefined])
  })

  test('it is that time itself if five minutes more would be this `before` again', async () => {
    const twins = ['a', 'b', 'c', 'd', 'e'].map((tag) => entry(T - 300, T - 300, tag))
    const script = [page(twins, cursor('a')), refusal('invalid_cursor'), page([])]
    const { asked, doubts } = await walked(script, { before: T })
    assert.equal(asked[2]?.['before'], String(T - 300))
    assert.deepEqual(doubts, [undefined])
  })

  test('that time is doubtful where the log is out of order by seconds', async () => {
    const script = [
      page([T - 3, T - 1, T - 4, T - 5, T - 6], cursor('a')),
      refusal('invalid_cursor'),
      page([]),
    ]
    const { asked, doubts } = await walked(script, { before: T })
    assert.equal(asked[2]?.['before'], String(T - 1))
    assert.match(doubts[0] ?? '', /out of order where its pages end/)
  })

  test('a second that fills all pages is stepped over, with a doubt', async () => {
    const twins = ['a', 'b', 'c', 'd', 'e', 'f'].map((tag) => entry(T, T, tag))
    const script = [
      page(twins.slice(0, 3), cursor('a')),
      page(twins.slice(3), cursor('b')),
      refusal('over_pagination_limit'),
      page([T - 1]),
    ]
    const { asked, fresh, doubts, error } = await walked(script, { before: T })
    assert.equal(error, undefined)
    assert.equal(asked[3]?.['before'], String(T - 1))
    assert.deepEqual(fresh, [...twins.map(({ id }) => id), ...ids(T - 1)])
    assert.match(doubts[0] ?? '', new RegExp(`share the second ${T}`))
  })

  test('after fewer than five entries the walk goes on at the highest of them, with a doubt', async () => {
    const script = [page([T - 9, T - 9000], cursor('a')), refusal('invalid_cursor'), page([])]
    const { asked, doubts } = await walked(script, { before: T })
    assert.equal(asked[2]?.['before'], String(T - 9))
    assert.match(doubts[0] ?? '', /after a handful of entries/)
  })

  test('a refused first page is an error, and so is any other error later', async () => {
    for (const code of ['over_pagination_limit', 'invalid_cursor']) {
      const { asked, error } = await walked([refusal(code)])
      assert.deepEqual([asked.length, error?.code], [1, code])
    }
    const other = new SlackCallError('outage', 'http_503', 'down', { retry: true })
    const { asked, error } = await walked([page([T], cursor('a')), other])
    assert.deepEqual([asked.length, error], [2, other])
  })

  /** A log of one entry a minute and page, behind `pages` cursors per listing. */
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
    assert.deepEqual(whole.asked[100], { limit: '999', before: String(T - 91 * 60 + 300) })
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
    assert.deepEqual(asked[100], { limit: '999', before: String(T - 5460 + 300) })
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
      assert.deepEqual([error?.class, error?.code], ['contract', 'pages_unread'])
      assert.match(error?.message ?? '', new RegExp(`gives ${read} of 130 pages.*--app-id`))
    })
  }

  test('goes on after a page that came full and without `paging`, and ends with one that is not full', async () => {
    const full = (time: number) => page(series(1000, time, 1))
    const { asked, fresh, error } = await walked([full(T), full(T - 1000), page([T - 2000])], {
      log: LOGS.integration,
    })
    assert.deepEqual(
      asked.map(({ page }) => page),
      ['1', '2', '3'],
    )
    assert.deepEqual([fresh.length, error], [2001, undefined])
  })

  test('goes on where some entries of a full page come again on the next one', async () => {
    const script = [page(series(1000, T, 1)), page(series(1000, T - 990, 1)), page([])]
    const { fresh, error } = await walked(script, { log: LOGS.integration })
    assert.deepEqual([fresh.length, error], [1990, undefined])
  })

  test('goes on where so many entries arrived that a page with `paging` comes whole again', async () => {
    const script = [1, 2, 3].map((nth) => page([nth < 3 ? T : T - 1], { page: nth, pages: 3 }))
    const { fresh, error } = await walked(script, { log: LOGS.integration })
    assert.deepEqual([fresh, error], [ids(T, T - 1), undefined])
  })

  test('is all read if it ends at page 100', async () => {
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
    ['`before` not heeded', [page([T, T, T - 9])], { before: T - 1 }, /does not heed "before"/],
    ['`before` not heeded by the only row', [page([T])], { before: T - 1 }, /does not heed "before"/],
    [
      'the same full page again, without `paging`',
      [page(series(1000, T, 1)), page(series(1000, T, 1))],
      { log: LOGS.integration },
      /page 2 holds the entries of the page before it/,
    ],
    [
      'nothing to go on from, as nothing was read',
      [page([], cursor('a')), refusal('invalid_cursor')],
      {},
      /the same entries again/,
    ],
    [
      'nothing below where the log is sorted and filtered by other fields',
      [page([entry(T, T - HOUR), entry(T + 10, T - HOUR)], cursor('a')), refusal('over_pagination_limit')],
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

  test('but rows above `before` in one of their times, in a borrowed time or alone among others are none', async () => {
    const inOne = [entry(T + 5, T - 5), entry(T + 4, T - 6)]
    assert.equal((await walked([page(inOne)], { before: T })).error, undefined)
    assert.equal((await walked([page([T + 9, T - 1])], { before: T })).error, undefined)
    const borrowed = [entry(T + 9, T + 9, 'a'), entry(T + 9, T + 9, 'b')].map((each) => ({
      ...each,
      dated: false,
    }))
    assert.equal((await walked([page([...borrowed, T - 1])], { before: T })).error, undefined)
  })
})

describe('below a `before`, in a log sorted by date_last, each page is asked for with a `before` of its own', () => {
  const pages = { page: 1, pages: 9, perPage: 20 }
  const hours = (count: number, from: number) => series(count, from, HOUR)

  test('so that a row that is touched pulls none over the edge of a page already read', async () => {
    const script = [
      page(hours(20, T), pages),
      page(hours(20, T - 15 * HOUR), pages),
      page(hours(3, T - 30 * HOUR)),
    ]
    const { asked, fresh, doubts } = await walked(script, {
      before: T,
      known: 'time',
      args: { team_id: 'T1' },
    })
    assert.deepEqual(
      asked,
      [T, T - 15 * HOUR + 300, T - 30 * HOUR + 300].map((before) => ({
        team_id: 'T1',
        before: String(before),
        limit: '999',
      })),
    )
    assert.deepEqual(
      fresh,
      hours(35, T).map(({ id }) => id),
    )
    assert.deepEqual(doubts, [], 'this is no cut')
  })

  test('and one odd time on a page does not move it', async () => {
    const odd = [...hours(19, T), entry(T - 864_000)]
    const { asked } = await walked([page(odd, pages), page([])], { before: T, known: 'time' })
    assert.equal(asked[1]?.['before'], String(T - 15 * HOUR + 300))
  })

  test('also where a cursor would lead on, as long as that leaves out a third of the page', async () => {
    const next = async (step: number) => {
      const script = [page(series(20, T, step), cursor('a')), page([])]
      return (await walked(script, { before: T, known: 'time' })).asked[1]
    }
    assert.deepEqual(await next(60), { limit: '999', before: String(T - 15 * 60 + 300) })
    assert.deepEqual(await next(30), { limit: '999', before: String(T), cursor: 'a' })
  })

  test('but only if that leaves out five rows', async () => {
    const next = async (count: number) => {
      const script = [page(hours(count, T), cursor('a')), page([])]
      return (await walked(script, { before: T, known: 'time' })).asked[1]?.['cursor']
    }
    assert.deepEqual([await next(9), await next(10)], ['a', undefined])
  })

  const turned: [what: string, setting: Partial<Setting>][] = [
    ['but not from the head', { known: 'time' }],
    ['but not while both times may be the sort key', { before: T, known: 'unsure' }],
    ['but not where date_first is the sort key', { before: T, known: 'began' }],
    ['but not where nothing is the sort key', { before: T, known: 'none' }],
    ['but not where `before` compares date_first', { before: T, known: 'time', comparesBegan: true }],
  ]
  for (const [what, setting] of turned) {
    test(what, async () => {
      const { asked } = await walked([page(hours(20, T), pages), page([], { page: 2 })], setting)
      assert.equal(asked[1]?.['page'], '2')
      assert.equal(asked[1]?.['before'], asked[0]?.['before'])
    })
  }
})
