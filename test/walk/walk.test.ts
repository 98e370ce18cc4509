import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError, SlackCallError } from '../../src/errors.ts'
import { LOGS, type Log } from '../../src/log/logs.ts'
import type { Entry, Page } from '../../src/log/page.ts'
import { slackAnswerError } from '../../src/slack/errors.ts'
import { walk } from '../../src/walk/walk.ts'
import { entry, pageOf as page, series } from '../entries.ts'

const T = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR

type Arguments = Record<string, string>
/** What Slack answers to the nth request, from 1. */
type Script = (nth: number, args: Arguments) => Page | Error

const cursor = (nextCursor: string) => ({ nextCursor })
const refusal = (code: string) => slackAnswerError('team.accessLogs', code)

interface Setting {
  log: Log
  args: Arguments
  before: number | undefined
  startedAt: number
  lookbackSeconds: number
}

/** Walks to the end, or to the error that ends it. */
async function run(
  script: Script | (Page | Error)[],
  { log = LOGS.access, args = {}, before, startedAt = T, lookbackSeconds = 0 }: Partial<Setting> = {},
) {
  const requested: Arguments[] = []
  const entries: Entry[] = []
  const places: number[] = []
  const lasts: boolean[] = []
  const skips: string[] = []
  let pauses = 0
  let error: AuditError | undefined
  try {
    const steps = walk(
      {
        log,
        args,
        startedAt,
        lookbackSeconds: () => lookbackSeconds,
        mayEnd: ({ entries }) => entries.length > 0,
        pause: async () => {
          pauses += 1
        },
        onSkip: (reason) => skips.push(reason),
        fetchPage: async (request) => {
          requested.push(request)
          const nth = requested.length
          const answer = typeof script === 'function' ? script(nth, request) : script[nth - 1]
          if (answer instanceof Error) throw answer
          return answer ?? assert.fail('one request more than was scripted')
        },
      },
      before,
    )
    for await (const step of steps) {
      entries.push(...step.page.entries)
      places.push(step.place)
      lasts.push(step.last)
    }
  } catch (thrown) {
    if (!(thrown instanceof AuditError)) throw thrown
    error = thrown
  }
  return { requested, entries, times: entries.map(({ time }) => time), places, lasts, skips, pauses, error }
}

describe('after a page', () => {
  test('with a cursor the walk requests the next one, with limit 999 and every other argument again', async () => {
    const script = [page([T], cursor('a')), page([T - 1], cursor('b')), page([T - 2])]
    const { requested, times, lasts, error } = await run(script, { args: { team_id: 'T1' }, before: T })
    assert.equal(error, undefined)
    const all = { team_id: 'T1', before: String(T), limit: '999' }
    assert.deepEqual(requested, [all, { ...all, cursor: 'a' }, { ...all, cursor: 'b' }])
    assert.deepEqual(times, [T, T - 1, T - 2])
    assert.deepEqual(lasts, [false, false, true])
  })

  test('that is short or empty the walk continues while there is a cursor', async () => {
    const script = [page([], cursor('a')), page([T], cursor('b')), page([], cursor('c')), page([T - 1])]
    const { times, pauses } = await run(script)
    assert.deepEqual([times, pauses], [[T, T - 1], 0])
  })

  test('without a cursor the log ends, whatever `paging` says, once there was a cursor', async () => {
    const script = [page([T], cursor('a')), page([T - 1], { page: 1, pages: 7, perPage: 999 })]
    const { requested, lasts } = await run(script)
    assert.deepEqual([requested.length, lasts], [2, [false, true]])
  })

  test('`paging` is ignored while there is a cursor', async () => {
    const script = [page([T], { ...cursor('a'), page: 1, pages: 7, perPage: 999 }), page([T - 1])]
    assert.deepEqual((await run(script)).requested[1], { limit: '999', cursor: 'a' })
  })

  test('without anything further the log ends', async () => {
    for (const last of [page([T]), page([T], { page: 1, pages: 1, perPage: 999 })]) {
      assert.deepEqual((await run([last])).lasts, [true])
    }
  })

  test('of classic paging the walk requests the next one, in the size that the answer names', async () => {
    const paging = { pages: 3, perPage: 100 }
    const script = [1, 2, 3].map((nth) => page([T - nth], { page: nth, ...paging }))
    const { requested, times } = await run(script, { args: { team_id: 'T1' } })
    assert.deepEqual(requested, [
      { team_id: 'T1', limit: '999' },
      { team_id: 'T1', count: '100', page: '2' },
      { team_id: 'T1', count: '100', page: '3' },
    ])
    assert.deepEqual(times, [T - 1, T - 2, T - 3])
  })

  test('of classic paging that names no size the walk starts over at page 1, with 1000 rows a page', async () => {
    const script = [undefined, 1, 2].map((nth = 0) => page([T - nth], { page: nth || undefined, pages: 2 }))
    const [first, ...others] = (await run(script)).requested
    assert.deepEqual(first, { limit: '999' })
    assert.deepEqual(
      others,
      [1, 2].map((nth) => ({ count: '1000', page: String(nth) })),
    )
  })

  test('of the integration log the walk requests the next one of 1000 entries, with the filters and without `before`', async () => {
    const script = [page([T], { page: 1, pages: 2 }), page([T - 1], { page: 2, pages: 2 })]
    const { requested } = await run(script, { log: LOGS.integration, args: { user: 'U1' } })
    assert.deepEqual(
      requested,
      [1, 2].map((nth) => ({ user: 'U1', count: '1000', page: String(nth) })),
    )
  })

  test('without `paging` in the integration log the walk continues where it was full, unreadable entries included', async () => {
    const second = page(series(999, T - 1000, 1), { unreadable: 1 })
    const script = [page(series(1000, T, 1)), second, page([T - 2000])]
    const { requested, lasts } = await run(script, { log: LOGS.integration })
    assert.deepEqual([requested.at(-1), lasts], [{ count: '1000', page: '3' }, [false, false, true]])
  })
})

test('a numbered page without a count of pages is full by the smaller of the sizes requested and named', async () => {
  for (const [size, perPage] of [
    [1000, 5000],
    [100, 100],
  ] as const) {
    const script = [page(series(size, T, 1), { perPage }), page([T - 2000])]
    const { requested, lasts } = await run(script, { log: LOGS.integration })
    assert.deepEqual([requested.length, lasts], [2, [false, true]], `${perPage}`)
  }
})

describe('an answer without entries', () => {
  test('ends a listing only if the same request is answered so again, after a pause', async () => {
    const { requested, pauses, lasts, error } = await run([page([T], cursor('a')), page([]), page([])], {
      before: T,
    })
    const last = { before: String(T), limit: '999', cursor: 'a' }
    assert.deepEqual(requested.slice(1), [last, last])
    assert.deepEqual([pauses, lasts, error], [1, [false, true], undefined])
  })

  test('is forgotten if the repeated request is answered with entries', async () => {
    const { times, pauses } = await run([page([]), page([T], cursor('a')), page([T - 1])])
    assert.deepEqual([times, pauses], [[T, T - 1], 1])
  })

  test('may also be one whose entries are all unreadable', async () => {
    assert.equal((await run([page([], { unreadable: 2 }), page([T])])).pauses, 1)
  })

  test('may come 99 times in a row with new cursors; at 100 the walk does not advance', async () => {
    const empty =
      (count: number): Script =>
      (nth) =>
        nth > count ? page([T]) : page([], cursor(String(nth)))
    assert.deepEqual((await run(empty(99))).times, [T])
    const { requested, error } = await run(empty(100))
    assert.deepEqual([requested.length, error?.code], [100, 'no_advance'])
    assert.match(error?.message ?? '', /100 empty pages in a row/)
    const broken: Script = (nth, { before }) =>
      before ? page([]) : page(nth === 50 ? [T] : nth > 149 ? [9] : [], cursor(String(nth)))
    assert.deepEqual((await run(broken)).times, [T, 9], 'a page with entries starts the count again')
  })
})

describe('the place after a page is', () => {
  const hours = series(9, T, HOUR)
  const undated = { ...entry(T), dated: false }
  const cases: [what: string, entries: Entry[], setting: Partial<Setting>, place: number][] = [
    ['that of the listing', hours, {}, T - 4 * HOUR + 300],
    ['a look-back later, if the walk has one', hours, { lookbackSeconds: DAY }, T - 4 * HOUR + DAY + 300],
    ['not above `before`', hours, { lookbackSeconds: DAY, before: T }, T],
    ['unknown before the first dated entry', [undated], {}, Number.POSITIVE_INFINITY],
    ['`before` until then, if there is one', [undated], { before: T }, T],
  ]
  for (const [what, entries, setting, place] of cases) {
    test(what, async () => assert.deepEqual((await run([page(entries)], setting)).places, [place]))
  }
})

describe('where Slack cuts a listing', () => {
  for (const code of ['over_pagination_limit', 'invalid_cursor']) {
    test(`(${code}) the walk continues in a new one, with the place as its \`before\``, async () => {
      const script = [
        page(series(10, T, HOUR), cursor('a')),
        refusal(code),
        page(series(6, T - 5 * HOUR, HOUR), cursor('b')),
        page([T - 11 * HOUR]),
      ]
      const { requested, skips, lasts, error } = await run(script, { args: { team_id: 'T1' } })
      assert.equal(error, undefined)
      const before = String(T - 5 * HOUR + 300)
      assert.deepEqual(requested.slice(2), [
        { team_id: 'T1', before, limit: '999' },
        { team_id: 'T1', before, limit: '999', cursor: 'b' },
      ])
      assert.deepEqual([skips, lasts], [[], [false, false, true]])
    })
  }

  test('the place is of its entries alone, not of those of the listing above', async () => {
    const script = [
      page(series(10, T, HOUR), cursor('a')),
      refusal('invalid_cursor'),
      page(series(5, T - 5 * HOUR, 600), cursor('b')),
      refusal('invalid_cursor'),
      page([9]),
    ]
    const { requested } = await run(script)
    assert.equal(requested.at(-1)?.['before'], String(T - 5 * HOUR + 300 - 1), 'the place did not advance')
    script[2] = page(series(6, T - 5 * HOUR, 600), cursor('b'))
    assert.equal((await run(script)).requested.at(-1)?.['before'], String(T - 5 * HOUR - 600 + 300))
  })

  const byTime = T - 5 * HOUR + 300
  /** Of ten entries, so many seconds apart. The start of the run is the bound where there is no `before`. */
  const nexts: [what: string, step: number, lookback: number, next: number, skips: boolean][] = [
    ['at the place, if that is lower than `before`', HOUR, 5 * HOUR - 301, T - 1, false],
    [
      'or says so and continues at the fifth-lowest time plus five minutes',
      HOUR,
      5 * HOUR - 300,
      byTime,
      true,
    ],
    ['or says so and continues a second lower, if that time is not lower either', 60, 0, T - 1, true],
  ]
  for (const [what, step, lookbackSeconds, next, isSkip] of nexts) {
    test(`the walk continues ${what}`, async () => {
      const script = [page(series(10, T, step), cursor('a')), refusal('over_pagination_limit'), page([9])]
      for (const before of [T, undefined]) {
        const { requested, skips, error } = await run(script, { before, lookbackSeconds })
        assert.deepEqual([requested[2]?.['before'], error], [String(next), undefined])
        assert.equal(/within one look-back, so older .* may be missing/.test(skips.join()), isSkip)
      }
    })
  }

  test('before it gave an entry with a readable time the walk does not advance', async () => {
    const undated = page([{ ...entry(T), dated: false }], cursor('a'))
    const { error } = await run([undated, refusal('invalid_cursor')])
    assert.match(error?.message ?? '', /does not advance: Slack cut the listing before it gave an entry/)
  })

  test('with its first answer, or by any other error, that error ends the walk', async () => {
    for (const code of ['over_pagination_limit', 'invalid_cursor']) {
      const { requested, error } = await run([refusal(code)])
      assert.deepEqual([requested.length, error?.code], [1, code])
    }
    const other = new SlackCallError('outage', 'http_503', 'down', { retry: true })
    assert.equal((await run([page([T], cursor('a')), other])).error, other)
  })

  /** A log of one entry a minute and page, behind so many cursors. Under a `before` it is empty, and asked twice. */
  const cursors =
    (pages: number): Script =>
    (nth, args) =>
      args['before'] ? page([]) : page([T - nth * 60], nth < pages ? cursor(String(nth)) : {})

  test('at page 100 without a word, the walk looks below', async () => {
    const below = { limit: '999', before: String(T - 96 * 60 + 300) }
    for (const pages of [100, 101]) {
      const { requested, lasts } = await run(cursors(pages))
      assert.deepEqual([requested.slice(100), lasts.indexOf(true)], [[below, below], 100])
    }
    assert.equal((await run(cursors(99))).requested.length, 99)
  })

  test('page 101 of classic paging is not requested: the walk continues below', async () => {
    const script: Script = (nth, args) =>
      args['before'] ? page([9]) : page([T - 60 * nth], { page: nth, pages: 130, perPage: 1 })
    const { requested, error } = await run(script)
    assert.equal(error, undefined)
    assert.deepEqual(
      requested.slice(99).map(({ page, before }) => page ?? before),
      ['100', String(T - 96 * 60 + 300)],
    )
  })
})

describe('the integration log beyond its pages', () => {
  const capped =
    (cap: number, pages: number): Script =>
    (nth) =>
      nth > cap ? refusal('over_pagination_limit') : page([T - nth], { page: nth, pages })

  for (const [what, cap, requests, read] of [
    ['that Slack refuses', 20, 21, 20],
    ['after page 100, which are not requested', 200, 100, 100],
  ] as const) {
    test(`${what} cannot be read: an error says what is missing, and how to get it`, async () => {
      const { requested, times, error } = await run(capped(cap, 130), { log: LOGS.integration })
      assert.deepEqual([requested.length, times.length], [requests, read])
      assert.deepEqual([error?.class, error?.code], ['contract', 'pages_unread'])
      assert.match(error?.message ?? '', new RegExp(`only ${read} of 130 pages.*--app-id`))
    })
  }

  test('is all read if it ends at page 100', async () => {
    const { lasts, error } = await run(capped(100, 100), { log: LOGS.integration })
    assert.deepEqual([lasts.length, lasts.at(-1), error], [100, true, undefined])
  })
})

describe('a walk that does not advance is an error of class contract that says why:', () => {
  const same = page([T, T - 1])
  const cases: [what: string, script: (Page | Error)[], setting: Partial<Setting>, reason: RegExp][] = [
    [
      'the same cursor twice',
      [page([T], cursor('a')), page([T - 1], cursor('b')), page([T - 2], cursor('a'))],
      {},
      /the same cursor twice/,
    ],
    [
      'another page than requested',
      [page([T], { page: 2, pages: 3 })],
      { log: LOGS.integration },
      /page 1 was requested, page 2 came/,
    ],
    [
      'the same page three times',
      ['a', 'b', 'c'].map((name) => ({ ...same, nextCursor: name })),
      {},
      /the same page three times/,
    ],
    [
      'a page that holds part of the one above, twice',
      [page([T, T - 1, T - 2], cursor('a')), page([T, T - 1], cursor('b')), page([T], cursor('c'))],
      {},
      /the same page three times/,
    ],
    ['`before` ignored', [page([T, T + 1, T - 9])], { before: T - 1 }, /ignores "before"/],
    ['`before` ignored by the only row', [page([T])], { before: T - 1 }, /ignores "before"/],
  ]
  for (const [what, script, setting, reason] of cases) {
    test(what, async () => {
      const { requested, error } = await run(script, setting)
      assert.deepEqual([error?.class, error?.code], ['contract', 'no_advance'])
      assert.match(error?.message ?? '', reason)
      assert.equal(requested.length, script.length)
    })
  }

  const fine: [what: string, script: Page[], before?: number][] = [
    ['rows that began by `before` and ended later', [page([entry(T + 5, T), entry(T + 4, T - 6)])], T],
    ['one row above `before` among others', [page([T + 9, T - 1])], T],
    [
      'rows above `before` by a borrowed time',
      [page([T + 9, T + 8, T - 1].map((time) => ({ ...entry(time), dated: time < T })))],
      T,
    ],
    [
      'a page that comes twice',
      [
        { ...same, nextCursor: 'a' },
        { ...same, nextCursor: 'b' },
        page([9], cursor('c')),
        { ...same, nextCursor: 'd' },
        same,
      ],
    ],
    [
      'a page that shares all but one entry with the one above',
      [page([T, T - 1], cursor('a')), page([T, T - 2], cursor('b')), page([T, T - 3])],
    ],
  ]
  for (const [what, script, before] of fine) {
    test(`but not ${what}`, async () => {
      const { error, requested } = await run(script, { before })
      assert.deepEqual([error, requested.length], [undefined, script.length])
    })
  }
})
