import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Entry } from '../../src/log/page.ts'
import { Listing, Order, type SortedBy, type SortKey } from '../../src/walk/order.ts'
import { entry, series } from '../entries.ts'

const T = 1_764_000_000
const HOUR = 3600
/** All entries here are old enough to be compared with those of earlier pages. */
const LATER = T + 24 * HOUR

/** Shows these entries to a listing, page by page. */
function observed(
  pages: readonly (readonly Entry[])[],
  { known = 'unsure', before, now = LATER }: { known?: SortedBy; before?: number; now?: number } = {},
) {
  const order = new Order(known)
  const listing = new Listing(order, before, now)
  for (const page of pages) {
    listing.turnPage()
    for (const each of page) listing.observe(each, false)
  }
  return { order, listing }
}

describe('a time field is refuted as the sort key', () => {
  const cases: [what: string, began: number[], refuted: boolean][] = [
    ['by two entries that are newer than two above them', [T, T - 1, T + 600, T + 700], true],
    ['by two entries that are newer by more than five minutes', [T, T, T + 301, T + 301], true],
    ['not by two entries that are newer by five minutes', [T, T, T + 300, T + 300], false],
    ['not by one entry that stands too low', [T, T - 1, T + 9000, T - 2, T - 3], false],
    ['not by one odd time that is too low', [T, T - 864_000, T - 1, T - 2, T - 3, T - 4], false],
    ['not by one odd time that is too high', [T, T + 864_000, T - 1, T - 2, T - 3], false],
    ['not by equal times', [T, T, T, T], false],
    ['not by a log that descends', [T, T - 1000, T - 2000, T - 3000], false],
  ]
  for (const [what, began, refuted] of cases) {
    test(what, () => {
      const entries = began.map((time, index) => entry(T + 1e7 - index, time))
      const { order } = observed([entries])
      assert.deepEqual(order.sortKeys, refuted ? ['time'] : ['time', 'began'])
    })
  }

  test('across pages too, unless the entries may have arrived while the walk went on', () => {
    const pages = [
      [entry(T - 9000), entry(T - 9001)],
      [entry(T), entry(T - 1)],
    ]
    assert.deepEqual(observed(pages, { now: T + HOUR + 1 }).order.sortKeys, [])
    assert.deepEqual(observed(pages, { now: T + HOUR - 1 }).order.sortKeys, ['time', 'began'])
    const anHourOld = [pages[0] ?? [], [entry(T, T, 'a'), entry(T, T, 'b')]]
    assert.deepEqual(observed(anHourOld, { now: T + HOUR }).order.sortKeys, ['time', 'began'])
  })

  test('not by an entry that another listing of the run has shown, but such an entry counts as read', () => {
    const order = new Order('unsure')
    const listing = new Listing(order, undefined, LATER)
    for (const each of [entry(T - 9000), entry(T - 9001)]) listing.observe(each, true)
    for (const each of [entry(T), entry(T - 1)]) listing.observe(each, true)
    assert.deepEqual(order.sortKeys, ['time', 'began'])
    for (const each of [entry(T + 1), entry(T + 2)]) listing.observe(each, false)
    assert.deepEqual(order.sortKeys, [])
  })

  test('not by entries whose time is borrowed', () => {
    const odd = [T, T - 1, T + 600, T + 700].map((time) => ({ ...entry(time), dated: false }))
    assert.deepEqual(observed([odd]).order.sortKeys, ['time', 'began'])
  })
})

describe('what a run learns of the order', () => {
  const inversions: Record<string, SortKey[]> = {
    nothing: [],
    'that it is not began': ['began', 'began'],
    'that it is not time': ['time', 'time'],
    'that it is neither': ['began', 'began', 'time', 'time'],
    'one odd entry': ['time'],
  }
  const cases: [known: SortedBy, seen: keyof typeof inversions, readAll: boolean, learnt: SortedBy][] = [
    ['unsure', 'nothing', true, 'unsure'],
    ['unsure', 'that it is not began', false, 'time'],
    ['unsure', 'that it is not time', false, 'began'],
    ['unsure', 'that it is neither', true, 'none'],
    ['unsure', 'one odd entry', true, 'unsure'],
    ['time', 'nothing', false, 'time'],
    ['time', 'that it is not began', false, 'time'],
    ['time', 'that it is not time', true, 'began'],
    ['time', 'that it is neither', true, 'time'],
    ['began', 'that it is not began', true, 'time'],
    ['none', 'that it is not began', true, 'time'],
    ['none', 'that it is neither', true, 'none'],
    ['none', 'nothing', false, 'none'],
    ['none', 'nothing', true, 'unsure'],
  ]
  for (const [known, seen, readAll, learnt] of cases) {
    test(`from ${known}, having seen ${seen}${readAll ? ' in the whole log' : ''}: ${learnt}`, () => {
      const order = new Order(known)
      for (const key of inversions[seen] ?? []) order.noteInversion(key)
      assert.equal(order.learnt(readAll), learnt)
    })
  }

  test('holds for the rest of the run: a field refuted now or earlier is no sort key', () => {
    const order = new Order('time')
    for (const key of ['time', 'time'] as const) order.noteInversion(key)
    assert.deepEqual(order.sortKeys, [])
  })
})

describe('what may be left out below a `before`', () => {
  const cases: [known: SortedBy, comparesBegan: boolean, canSeek: Order['canSeek'], doubt: RegExp | null][] =
    [
      ['time', false, 'yes', null],
      ['time', true, 'yes', /compares another field/],
      ['began', false, 'unproven', /does not show/],
      ['began', true, 'yes', null],
      ['unsure', false, 'unproven', /does not show/],
      ['unsure', true, 'yes', null],
      ['none', true, 'no', /in no order/],
      ['none', false, 'no', /in no order/],
    ]
  for (const [known, comparesBegan, canSeek, doubt] of cases) {
    test(`in a log sorted by ${known}, where \`before\` ${comparesBegan ? 'compares began' : 'shows nothing'}`, () => {
      const order = new Order(known)
      order.beforeComparesBegan = comparesBegan
      assert.equal(order.canSeek, canSeek)
      if (doubt) assert.match(order.doubtBelow ?? '', doubt)
      else assert.equal(order.doubtBelow, undefined)
      assert.equal(order.anchorKey, known === 'began' ? 'began' : 'time')
    })
  }

  test('is shown by two rows that are newer than `before`, not by one', () => {
    const above = [entry(T + 5, T - 9), entry(T + 6, T - 8)]
    assert.equal(observed([above.slice(0, 1)], { before: T }).order.beforeComparesBegan, false)
    assert.equal(observed([above], { before: T }).order.beforeComparesBegan, true)
    assert.equal(observed([above], {}).order.beforeComparesBegan, false)
    assert.equal(observed([[entry(T), entry(T)]], { before: T }).order.beforeComparesBegan, false)
  })
})

describe('the anchor of a listing', () => {
  test('is unknown before five entries were read', () => {
    assert.equal(observed([series(4, T, 10)]).listing.anchor, undefined)
    assert.equal(observed([series(4, T, 10)]).listing.highestOfFew, T)
  })

  for (const [count, nth] of [
    [5, 5],
    [50, 5],
    [100, 10],
    [999, 10],
  ] as const) {
    test(`after ${count} entries is the time that ${nth} of them share or lie under`, () => {
      const { anchor } = observed([series(count, T, 10)]).listing
      const time = T - (count - nth) * 10
      assert.deepEqual(anchor, { time, began: time })
    })
  }

  test('is not moved by one odd time, too low or too high', () => {
    const usual = series(100, T, 10)
    const { anchor } = observed([usual]).listing
    for (const odd of [T - 864_000, T + 864_000]) {
      const moved = observed([[...usual.slice(0, 99), entry(odd)]]).listing.anchor
      assert.ok(Math.abs((moved?.time ?? 0) - (anchor?.time ?? 0)) <= 10, String(moved?.time))
    }
  })

  test('takes no borrowed time', () => {
    const borrowed = series(5, T - 9000, 0).map((each) => ({ ...each, dated: false }))
    assert.deepEqual(observed([[...series(5, T, 10), ...borrowed]]).listing.anchor, { time: T, began: T })
  })
})

test('a listing knows in which field it was out of order, if only by a second', () => {
  const { listing } = observed([[entry(T, T - 9), entry(T - 1, T - 8)]])
  assert.deepEqual(listing.uneven, { time: false, began: true })
})

test('a listing holds a handful of times, however many entries it shows', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const listing = new Listing(new Order('time'), undefined, LATER)
  const held = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const before = held()
  for (let nth = 0; nth < 50_000; nth += 1) listing.observe(entry(T - nth), false)
  const grown = held() - before
  assert.ok(grown < 400_000, `${grown} bytes more are held`)
  assert.deepEqual(listing.anchor, { time: T - 49_990, began: T - 49_990 })
})
