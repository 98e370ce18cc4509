import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Times } from '../../src/log/page.ts'
import { liesIn, type Range, ReadPlan } from '../../src/state/plan.ts'
import { emptyState, headRanges } from '../../src/state/state.ts'
import { Order, type SortedBy } from '../../src/walk/order.ts'
import { entry, series } from '../entries.ts'

const T = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ALL = Number.NEGATIVE_INFINITY

const at = (time: number, began = time): Times => ({ time, began })

/** The plan of a run that begins at T with this watermark and these gaps. */
function planned(
  gaps: Range[] = [],
  known: SortedBy = 'time',
  watermark: number | null = T - HOUR,
): ReadPlan {
  const head = headRanges({ ...emptyState(ALL), watermark }, T, 30 * DAY)
  return new ReadPlan(head, gaps, new Order(known))
}

const GAP: Range = { top: at(T - 10 * DAY), floor: at(ALL) }
/** A plan with this range to read, and these below it. */
const planOf = (known: SortedBy, news: Range, ...gaps: Range[]) =>
  new ReadPlan({ news, overlap: undefined }, gaps, new Order(known))

/** Five entries under the floor of the head. */
const BELOW = series(5, T - 40 * DAY, 1)

describe('an entry is printed', () => {
  const cases: [what: string, time: number, began: number, known: SortedBy, wanted: boolean][] = [
    ['if it is new', T, T, 'time', true],
    ['if it lies on the floor', T - 3 * HOUR, T - 3 * HOUR, 'time', true],
    ['unless it lies under the floor', T - 3 * HOUR - 1, T - 3 * HOUR - 1, 'time', false],
    ['if it is changed, however long ago it began', T, T - 300 * DAY, 'time', true],
    ['if it lies in a gap', T - 10 * DAY, T - 10 * DAY, 'time', true],
    ['if it lies within jitter above a gap', T - 10 * DAY + 300, T - 10 * DAY + 300, 'time', true],
    ['unless it lies between the floor and a gap', T - 10 * DAY + 301, T - 10 * DAY + 301, 'time', false],
    ['unless it began in a gap but lies above it', T - 9 * DAY, T - 11 * DAY, 'time', false],
    ['if it began in a gap, in a log sorted by that', T - 9 * DAY, T - 11 * DAY, 'began', true],
    [
      'if it began in a gap, while either field may be the sort key',
      T - 9 * DAY,
      T - 11 * DAY,
      'unsure',
      true,
    ],
    ['if it began in a gap, while neither field is the sort key', T - 9 * DAY, T - 11 * DAY, 'none', true],
    ['if it is changed and met below the look-back', T, T - 31 * DAY, 'began', true],
  ]
  for (const [what, time, began, known, wanted] of cases) {
    test(what, () => assert.equal(planned([GAP], known).wants(entry(time, began)), wanted))
  }

  test('if it is new and began before the look-back, also where no gap holds it', () => {
    assert.equal(planned([], 'began').wants(entry(T, T - 31 * DAY)), true)
  })
})

describe('a range holds', () => {
  const range: Range = { top: at(T), floor: at(T - DAY) }
  const cases: [what: string, times: Times, by: 'time' | 'began', held: boolean][] = [
    ['what lies on its floor', at(T - DAY), 'time', true],
    ['nothing a second under its floor', at(T - DAY - 1), 'time', false],
    ['what began within five minutes under its floor', at(T, T - DAY - 300), 'began', true],
    ['nothing that began further under its floor', at(T, T - DAY - 301), 'began', false],
    ['nothing whose own time lies under its floor, whenever it began', at(T - DAY - 1, T), 'began', false],
  ]
  for (const [what, times, by, held] of cases) {
    test(`${what}, by ${by}`, () => assert.equal(liesIn(range, times, [by]), held))
  }
})

describe('a range is read to its floor', () => {
  test('which takes a whole page under it, in each field that may be the sort key', () => {
    for (const [known, page, done] of [
      ['time', BELOW, true],
      ['time', [entry(T - HOUR), ...BELOW], false],
      ['time', series(5, T - 4 * HOUR, 1), true],
      ['time', series(5, T - 3 * HOUR, 0), false],
      ['unsure', series(5, T - 4 * HOUR, 1), false],
      ['unsure', BELOW, true],
      ['began', series(5, T - 29 * DAY, 1), false],
      ['began', BELOW, true],
      ['none', BELOW, false],
      ['time', [], false],
    ] as const) {
      const plan = planned([], known)
      plan.pass(page, page[0])
      assert.equal(plan.done, done, `${known}, ${page.length} entries`)
    }
  })

  test('which takes each entry of the page under it in each field, however far down the walk has come', () => {
    for (const odd of [entry(T - 2 * HOUR, T - 40 * DAY), entry(T - 4 * HOUR)]) {
      const plan = planned([], 'unsure')
      plan.pass([...BELOW, odd], BELOW[0])
      assert.equal(plan.done, false, odd.id)
    }
  })

  test('which takes five entries in a row, on one page or several', () => {
    const plan = planned()
    const [first, ...others] = BELOW
    assert.ok(first)
    plan.pass([first], first)
    plan.pass([entry(T - HOUR)], first)
    plan.pass(others, first)
    assert.equal(plan.done, false)
    plan.pass([first], first)
    assert.equal(plan.done, true)
  })

  test('which takes room for jitter: an entry below the page may be newer than it by five minutes', () => {
    for (const [below, done] of [
      [300, false],
      [301, true],
    ] as const) {
      const plan = planned()
      const page = series(5, T - 3 * HOUR - below, 0)
      plan.pass(page, page[0])
      assert.equal(plan.done, done, `${below} seconds below the floor`)
    }
  })

  test('which a page of old entries does not do before the walk has come to its top', () => {
    const gap: Range = { top: at(T - 10 * DAY), floor: at(T - 20 * DAY) }
    const plan = planned([gap])
    plan.pass(BELOW, at(T - 9 * DAY))
    assert.deepEqual(plan.rest(at(T - 9 * DAY)), [gap])
  })

  test('and nothing is left when the log has ended', () => {
    const plan = planned([GAP])
    plan.finish()
    assert.deepEqual([plan.done, plan.rest(at(T - 20 * DAY))], [true, []])
  })
})

describe('a gap further down', () => {
  test('is where to go on once the head is read', () => {
    const plan = planned([GAP])
    assert.equal(plan.topOfNextGap(at(T - 9 * DAY)), undefined)
    plan.pass(series(5, T - 9 * DAY, 1), at(T - 9 * DAY))
    assert.deepEqual(plan.topOfNextGap(at(T - 9 * DAY)), GAP.top)
  })

  test('is reached when the walk has come to its top, within jitter', () => {
    const plan = planned([GAP])
    plan.pass(series(5, T - 9 * DAY, 1), at(T - 9 * DAY))
    assert.deepEqual(plan.topOfNextGap(at(T - 10 * DAY + 301)), GAP.top)
    assert.equal(plan.topOfNextGap(at(T - 10 * DAY + 300)), undefined)
  })

  test('is reached by one field that may be the sort key', () => {
    for (const [known, top] of [
      ['unsure', undefined],
      ['time', GAP.top],
    ] as const) {
      const plan = planOf(known, { top: at(Number.POSITIVE_INFINITY), floor: at(T - HOUR) }, GAP)
      plan.pass(series(5, T - 9 * DAY, 1), at(T - 9 * DAY))
      assert.deepEqual(plan.topOfNextGap(at(T - 9 * DAY, T - 11 * DAY)), top, known)
    }
  })

  test('is the highest of several', () => {
    const further: Range = { top: at(T - 30 * DAY), floor: at(ALL) }
    for (const gaps of [
      [GAP, further],
      [further, GAP],
    ]) {
      const plan = planned(gaps)
      plan.pass(series(5, T - 9 * DAY, 1), at(T - 9 * DAY))
      assert.deepEqual(plan.topOfNextGap(at(T - 9 * DAY)), GAP.top)
    }
  })
})

describe('what a cut run leaves', () => {
  const rest = (plan: ReadPlan, anchor: Times | undefined) => plan.rest(anchor)

  test('begins at the anchor of the walk, and keeps its floor', () => {
    const left = rest(planned([], 'time', null), at(T - 5 * DAY, T - 6 * DAY))
    assert.deepEqual(left, [{ top: at(T - 5 * DAY, T - 6 * DAY), floor: at(ALL) }])
  })

  test('begins at the head where the walk has no anchor yet', () => {
    assert.deepEqual(rest(planned([], 'time', null), undefined)[0]?.top, at(Number.POSITIVE_INFINITY))
  })

  test('is no gap where nothing is left above the floor', () => {
    assert.deepEqual(rest(planned(), at(T - 3 * HOUR - 301)), [])
    assert.equal(rest(planned(), at(T - 3 * HOUR - 300)).length, 1)
    assert.equal(rest(planned([], 'none'), at(T - 3 * HOUR - 301)).length, 2, 'in no order nothing is sure')
  })

  test('is a gap while there may be something left by one of the fields', () => {
    const news: Range = { top: at(Number.POSITIVE_INFINITY), floor: at(T - HOUR, T - 30 * DAY) }
    assert.equal(planOf('unsure', news).rest(at(T - 2 * HOUR)).length, 1)
    assert.equal(planOf('time', news).rest(at(T - 2 * HOUR)).length, 0)
  })

  test('is never more than there was: the top of a gap does not rise in either field', () => {
    const news: Range = { top: at(Number.POSITIVE_INFINITY), floor: at(T - HOUR) }
    assert.deepEqual(planOf('unsure', news, GAP).rest(at(T - 12 * DAY, T - 9 * DAY)), [
      { top: at(T - 12 * DAY, T - 10 * DAY), floor: at(ALL) },
    ])
  })

  test('is the whole of a gap that was not reached, however long ago the rows above it began', () => {
    assert.deepEqual(rest(planned([GAP]), at(T - 4 * HOUR, T - 40 * DAY)), [GAP])
  })

  const pairs: [what: string, known: SortedBy, above: Range, below: Range, left: 1 | 2][] = [
    [
      'is one gap where five minutes lie between two ranges',
      'time',
      { top: at(T), floor: at(T - 1000) },
      { top: at(T - 1300), floor: at(T - 5000) },
      1,
    ],
    [
      'is two gaps where more than five minutes lie between them',
      'time',
      { top: at(T), floor: at(T - 1000) },
      { top: at(T - 1301), floor: at(T - 5000) },
      2,
    ],
    [
      'is two gaps where they touch in only one of the fields that may be the sort key',
      'unsure',
      { top: at(T), floor: at(T - 1000) },
      { top: at(T - 900, T - 5000), floor: at(T - 1000, T - 9000) },
      2,
    ],
    [
      'is two gaps by date_first, where rows began between them that are older than the higher floor',
      'began',
      { top: at(T), floor: at(T - 1000, T - 9000) },
      { top: at(T - 2000, T - 8000), floor: at(T - 20_000) },
      2,
    ],
    [
      'is two gaps by date_first, where the one with the higher floor reaches back further',
      'began',
      { top: at(T), floor: at(T - 20_000) },
      { top: at(T - 1000), floor: at(T - 10_000, T - 50_000) },
      2,
    ],
    [
      'is one gap by date_first, where the own times go down to the same floor',
      'began',
      { top: at(T), floor: at(T - 9000) },
      { top: at(T - 8000), floor: at(T - 9000, T - 20_000) },
      1,
    ],
    [
      'is one gap by date_first, where the range with the higher floor lies within the other',
      'began',
      { top: at(T, T - 5000), floor: at(T - 20_000) },
      { top: at(T - 1000, T - 6000), floor: at(T - 4000, T - 15_000) },
      1,
    ],
  ]
  for (const [what, known, above, below, left] of pairs) {
    test(what, () => assert.equal(planOf(known, above, below).rest(undefined).length, left))
  }

  test('is one gap where two ranges touch, and two where they do not', () => {
    const left = (top: number) => rest(planned([{ top: at(top), floor: at(ALL) }]), at(T - 2 * HOUR))
    assert.deepEqual(left(T - 3 * HOUR), [{ top: at(T - 2 * HOUR), floor: at(ALL) }])
    assert.deepEqual(left(T - 3 * HOUR - 301).length, 2)
  })

  test('is an unread gap as it was', () => {
    assert.deepEqual(rest(planned([GAP]), at(T - 4 * HOUR)), [GAP])
  })

  test('is a shorter gap where the walk went into it', () => {
    const plan = planned([GAP])
    plan.pass(series(5, T - 9 * DAY, 1), at(T - 9 * DAY))
    assert.deepEqual(rest(plan, at(T - 12 * DAY)), [{ top: at(T - 12 * DAY), floor: at(ALL) }])
  })

  test('is not joined to a gap below where rows in between were printed and are forgotten', () => {
    // Sorted by date_first: rows that began between the two tops may be older than the higher floor.
    const below: Range = { top: at(T - 5 * DAY), floor: at(T - 20 * DAY) }
    assert.equal(rest(planned([below], 'began'), at(T - HOUR, T - 2 * DAY)).length, 2)
    const recent: Range = { top: at(T - HOUR), floor: { time: T - 9 * HOUR, began: T - 40 * DAY } }
    assert.equal(rest(planned([recent], 'began'), at(T - HOUR, T - HOUR + 400)).length, 1)
  })
})

describe('at a limit only the overlap is read on', () => {
  test('the unread news and the gaps are left, and what lies in them is for a later run', () => {
    const plan = planned([GAP])
    plan.leaveAllButOverlap(at(T - HOUR + 1000))
    assert.equal(plan.wants(entry(T - HOUR + 500)), 'later')
    assert.equal(plan.wants(entry(T - 11 * DAY)), 'later')
    assert.equal(plan.wants(entry(T - 2 * HOUR)), true)
    plan.pass(BELOW, at(T - 40 * DAY))
    assert.equal(plan.done, true)
    assert.deepEqual(plan.rest(at(T - 40 * DAY)), [
      { top: at(T - HOUR + 1000), floor: at(T - HOUR - 300) },
      GAP,
    ])
  })

  test('what may lie in it by one field only is printed at once, for the field may turn out not to count', () => {
    const plan = planned([GAP], 'unsure')
    plan.leaveAllButOverlap(at(T - HOUR + 1000))
    assert.equal(plan.wants(entry(T - 9 * DAY, T - 11 * DAY)), true)
    assert.equal(plan.wants(entry(T - 11 * DAY)), 'later')
  })

  test('and what is left of it stands in its place among the gaps, newest first', () => {
    const plan = planned([GAP])
    plan.leaveAllButOverlap(at(T - HOUR + 1000))
    assert.deepEqual(
      plan.rest(at(T - 2 * HOUR)).map(({ top }) => top.time),
      [T - HOUR + 1000, T - 2 * HOUR, T - 10 * DAY],
    )
  })

  test('a first run has none, and ends', () => {
    const plan = planned([], 'time', null)
    plan.leaveAllButOverlap(at(T - DAY))
    assert.equal(plan.done, true)
    assert.equal(plan.rest(at(T - DAY)).length, 1)
  })
})
