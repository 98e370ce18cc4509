import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SlackCallError } from '../../src/errors.ts'
import { LOGS } from '../../src/log/logs.ts'
import { type Neighbour, readPage } from '../../src/log/page.ts'

const T = 1_764_000_000

const NOTHING_YET: Neighbour = { above: undefined, lastResort: T + 7 }

/** A page of the access log with these rows. */
const access = (logins: unknown, extra: object = {}, neighbour = NOTHING_YET) =>
  readPage(LOGS.access, { ok: true, logins, ...extra }, 'T1', neighbour)

/** `[time, began]` of each entry. */
const timesOf = (logins: unknown[], neighbour?: Neighbour) =>
  access(logins, {}, neighbour).entries.map(({ time, began }) => [time, began])

/** Whether each entry has both its times. */
const datedOf = (logins: unknown[]) => access(logins).entries.map(({ dated }) => dated)

describe('the time of an entry', () => {
  const readable: [string, unknown][] = [
    ['a number', T],
    ['a string', `${T}`],
    ['a string with blanks', ` ${T} `],
    ['a fraction', T + 0.9],
    ['a fraction as a string', `${T}.9`],
  ]
  for (const [what, date] of readable) {
    test(`may be ${what}`, () => {
      const rows = [{ date_last: date, date_first: date }]
      assert.deepEqual([timesOf(rows), datedOf(rows)], [[[T, T]], [true]])
    })
  }

  const unreadable = [
    T * 1000,
    `${T * 1000}`,
    0,
    '0',
    -T,
    'yesterday',
    '',
    ' ',
    null,
    true,
    [T],
    { t: T },
    NaN,
  ]
  for (const date of [...unreadable, undefined]) {
    test(`cannot be read from ${JSON.stringify(date)}: it is borrowed from the entry above, which is marked`, () => {
      const rows = [
        { date_last: T, date_first: T - 5 },
        { date_last: date, date_first: date },
        { date_last: 9, date_first: 8 },
      ]
      assert.deepEqual(timesOf(rows), [
        [T, T - 5],
        [T, T - 5],
        [9, 8],
      ])
      assert.deepEqual(datedOf(rows), [true, false, true])
    })
  }

  test('at the top of a page is that of the walk so far, else of the entry below', () => {
    const rows = [{}, {}, { date_last: T, date_first: T - 5 }]
    assert.deepEqual(timesOf(rows).slice(0, 2), Array(2).fill([T, T - 5]))
    const above = { above: { time: T + 60, began: T + 50 }, lastResort: 1 }
    assert.deepEqual(timesOf(rows, above).slice(0, 2), Array(2).fill([T + 60, T + 50]))
  })

  test('on a page without any is the last resort', () => {
    assert.deepEqual(timesOf([{}, { date_last: 'x' }]), Array(2).fill([T + 7, T + 7]))
  })

  test('is borrowed together with that of its beginning if either of the two is missing', () => {
    const rows = [{ date_last: T, date_first: T - 9 }, { date_last: T + 5 }, { date_first: T - 99 }]
    assert.deepEqual(timesOf(rows), Array(3).fill([T, T - 9]))
    assert.deepEqual(datedOf(rows), [true, false, false])
  })

  test('is never earlier than that of its beginning', () => {
    assert.deepEqual(timesOf([{ date_last: T, date_first: T + 9 }]), [[T, T]])
  })

  test('is `date` in the integration log, both its own and that of its beginning', () => {
    const logs = [{ date: `${T}` }, { date_last: T + 5, date_first: T + 5 }]
    const { entries } = readPage(LOGS.integration, { ok: true, logs }, 'T1', NOTHING_YET)
    assert.deepEqual(
      entries.map(({ time, began, dated }) => [time, began, dated]),
      [
        [T, T, true],
        [T, T, false],
      ],
    )
  })
})

describe('an entry', () => {
  test('is kept whole and untouched, however odd', () => {
    const odd = { date_last: `${T}`, ip: null, count: '7', nested: { a: [null, 1.5] }, '': 0, user_id: 0 }
    const page = access([odd])
    assert.equal(page.entries[0]?.raw, odd)
    assert.deepEqual(odd, {
      date_last: `${T}`,
      ip: null,
      count: '7',
      nested: { a: [null, 1.5] },
      '': 0,
      user_id: 0,
    })
  })

  test('is named by its log', () => {
    const row = { user_id: 'U1', date_first: T, date_last: T }
    const { id, row: name } = access([row]).entries[0] ?? {}
    assert.deepEqual({ id, row: name }, LOGS.access.ids('T1', row))
    const [entry] = readPage(LOGS.integration, { logs: [row] }, 'T1', NOTHING_YET).entries
    assert.equal(entry?.id, LOGS.integration.ids('T1', row).id)
    assert.equal(entry?.row, undefined)
  })

  /** An entry of so many levels, itself the first. */
  const nested = (levels: number) => {
    let entry: Record<string, unknown> = { date: T }
    for (let level = 1; level < levels; level += 1) entry = { date: T, deeper: entry }
    return entry
  }
  const rawOf = (entry: unknown) => {
    const { entries, unreadable } = readPage(LOGS.integration, { logs: [entry] }, 'T1', NOTHING_YET)
    return [entries.map(({ raw }) => raw), unreadable]
  }

  test('of up to 50 levels is kept as it is, a deeper one as one string of JSON', () => {
    assert.deepEqual(rawOf(nested(50)), [[nested(50)], 0])
    assert.deepEqual(rawOf(nested(51)), [[JSON.stringify(nested(51))], 0])
  })

  test('nested too deep to be written as JSON is unreadable', () => {
    assert.deepEqual(rawOf(nested(100_000)), [[], 1])
  })

  for (const odd of [null, 7, 'row', []]) {
    test(`that is ${JSON.stringify(odd)} is counted as unreadable, and the others stay`, () => {
      const { entries, unreadable } = access([{ user_id: 'U1' }, odd, { user_id: 'U2' }])
      assert.deepEqual(
        [entries.map(({ raw }) => raw), unreadable],
        [[{ user_id: 'U1' }, { user_id: 'U2' }], 1],
      )
    })
  }
})

describe('an answer', () => {
  const wrong: [string, unknown][] = [
    ['null', null],
    ['a list', []],
    ['a word', 'ok'],
    ['no list', { ok: true }],
    ['the list of the other log', { ok: true, logs: [] }],
    ['null for a list', { ok: true, logins: null }],
    ['an object for a list', { ok: true, logins: {} }],
  ]
  for (const [what, answer] of wrong) {
    test(`that is or holds ${what} is a contract error that names the list`, () => {
      assert.throws(
        () => readPage(LOGS.access, answer, 'T1', NOTHING_YET),
        (error) =>
          error instanceof SlackCallError &&
          error.class === 'contract' &&
          /no list "logins"/.test(error.message),
      )
    })
  }

  test('without entries is a page all the same', () => {
    assert.deepEqual(access([]), {
      entries: [],
      unreadable: 0,
      nextCursor: undefined,
      page: undefined,
      pages: undefined,
      perPage: undefined,
    })
  })

  test('names the next cursor, unless it is empty or not a string', () => {
    const cursor = (next_cursor: unknown) => access([], { response_metadata: { next_cursor } }).nextCursor
    assert.equal(cursor('dXNlcjpVMEc5V0ZYTlo='), 'dXNlcjpVMEc5V0ZYTlo=')
    for (const none of ['', null, undefined, 7, {}]) assert.equal(cursor(none), undefined)
    assert.equal(access([], { response_metadata: null }).nextCursor, undefined)
  })

  test('names page, pages and the size of a page, as numbers or digits', () => {
    const paging = (numbers: unknown) => {
      const { page, pages, perPage } = access([], { paging: numbers })
      return [page, pages, perPage]
    }
    assert.deepEqual(paging({ count: 100, total: 250, page: 2, pages: 3 }), [2, 3, 100])
    assert.deepEqual(paging({ count: '100', page: '2', pages: '3' }), [2, 3, 100])
    assert.deepEqual(paging({ count: 1, page: 1, pages: 1 }), [1, 1, 1])
    assert.deepEqual(paging({ count: 0, page: -1, pages: 1.5 }), [undefined, undefined, undefined])
    assert.deepEqual(paging({ count: null, page: 'two', pages: '' }), [undefined, undefined, undefined])
    assert.deepEqual(paging(null), [undefined, undefined, undefined])
  })
})
