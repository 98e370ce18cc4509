import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Entry } from '../../src/log/page.ts'
import { ReadPlan } from '../../src/walk/plan.ts'
import type { Range } from '../../src/walk/range.ts'
import { entry, pageOf, series } from '../entries.ts'

const T = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ALL = Number.NEGATIVE_INFINITY
const HEAD = Number.POSITIVE_INFINITY

/** Every run here has this floor and a look-back of one day. Nothing later than UNDER ends the head. */
const FLOOR = T - 2 * HOUR
const UNDER = FLOOR - DAY - 1

type Row = number | Entry

const planned = (gaps: Range[] = [], watermark: number | null = T) => new ReadPlan(FLOOR, gaps, watermark)

/** The plan after these pages, with the walk at this place. */
function read(plan: ReadPlan, place: number, ...pages: Row[][]): ReadPlan {
  for (const page of pages) plan.markRead(pageOf(page), place, DAY)
  return plan
}

const five = (time: number) => series(5, time, 1)
const [first, ...four] = five(UNDER) as [Entry, ...Entry[]]

describe('the head, after a page with an entry at the watermark, is read', () => {
  const cases: [what: string, pages: Row[][], done: boolean][] = [
    ['with five entries under the floor less the look-back', [five(UNDER)], true],
    ['not with four', [four], false],
    ['with five on several pages', [[first], four], true],
    ['not with five that have newer ones between them', [[first], [T], four], false],
    ['also with an empty page between the five', [[first], [], four], true],
    ['not with a page that holds five and a newer one', [[T, ...five(UNDER)]], false],
    ['not if one of five has a time at the floor', [[...four, entry(FLOOR, UNDER)]], false],
    ['if it has a time a second under the floor', [[...four, entry(FLOOR - 1, UNDER)]], true],
    ['not if one of five began a look-back under the floor', [[...four, entry(UNDER, UNDER + 1)]], false],
  ]
  for (const [what, pages, done] of cases) {
    test(what, () => assert.equal(read(planned(), T, [T], ...pages).done, done))
  }
})

describe('a page under the floor', () => {
  const cases: [what: string, above: Row[][], done: boolean][] = [
    ['at the head proves nothing', [], false],
    ['proves nothing below others of its kind', [five(UNDER + 9), five(UNDER + 5)], false],
    ['proves nothing where no entry above it is as new as the watermark', [[T - 1]], false],
    [
      'proves nothing where the only such entry has borrowed its time',
      [[{ ...entry(T), dated: false }]],
      false,
    ],
    ['ends the head below an entry as new as the watermark', [[T - 1, T]], true],
  ]
  for (const [what, above, done] of cases) {
    test(what, () => assert.equal(read(planned(), T, ...above, five(UNDER)).done, done))
  }

  const firstRun: [what: string, above: Row[][], done: boolean][] = [
    ['at the head', [], false],
    ['below four newer entries', [series(4, T, 1)], false],
    ['below five newer entries', [five(T)], true],
    ['below five entries on several pages', [[T], [T - 1, T - 2], [T - 3, T - 4]], true],
    ['below five entries of which one is as old', [[T, T - 1, T - 2, T - 3, UNDER]], false],
  ]
  for (const [what, above, done] of firstRun) {
    test(`without a watermark ends the head only below five newer ones: ${what}`, () => {
      assert.equal(read(planned([], null), T, ...above, five(UNDER)).done, done)
    })
  }

  test('is judged as in a first run where the watermark is older than the floor', () => {
    assert.equal(read(planned([], FLOOR - 1), T, [FLOOR - 1], five(UNDER)).done, false)
    assert.equal(read(planned([], FLOOR - 1), T, five(T), five(UNDER)).done, true)
    assert.equal(read(planned([], FLOOR), T, [FLOOR], five(UNDER)).done, true, 'one at the floor is believed')
  })
})

/** From ten days ago to twenty days ago. */
const GAP: Range = { top: T - 10 * DAY, floor: T - 20 * DAY }
const FURTHER: Range = { top: T - 30 * DAY, floor: ALL }

/** A plan whose head is read, with the walk at this place. */
const belowHead = (place: number, ...gaps: Range[]) => read(planned(gaps), place, [T], five(T - 2 * DAY))

describe('a gap', () => {
  test('is not the next one while the head is unread', () => {
    assert.equal(read(planned([GAP]), T - DAY, [T]).nextTop, undefined)
  })

  test('is the next one once the head is read, and the highest of several is', () => {
    assert.equal(belowHead(T - 2 * DAY, FURTHER, GAP).nextTop, GAP.top)
    assert.equal(belowHead(T - 2 * DAY).nextTop, undefined)
  })

  test('is not jumped to where the walk has come down to it', () => {
    assert.equal(belowHead(GAP.top + 1, GAP).nextTop, GAP.top)
    assert.equal(belowHead(GAP.top, GAP).nextTop, undefined)
  })

  test('is not jumped to again while the pages of the jump are empty', () => {
    assert.equal(read(belowHead(T - 2 * DAY, GAP), GAP.top, []).nextTop, undefined)
  })

  test('is not finished by old entries met before the walk has come down to it', () => {
    const plan = read(planned([GAP]), GAP.top + 1, [T], five(T - 40 * DAY))
    assert.deepEqual([plan.nextTop, plan.unread()], [GAP.top, [GAP]])
  })

  test('is read to a floor of its own, and then the next one is further down', () => {
    const plan = belowHead(T - 2 * DAY, GAP, FURTHER)
    read(plan, GAP.top, [])
    assert.deepEqual(read(plan, T - 12 * DAY, five(T - 20 * DAY)).unread()[0]?.top, T - 12 * DAY)
    assert.deepEqual(read(plan, T - 21 * DAY, five(T - 22 * DAY)).unread(), [FURTHER])
    assert.equal(plan.nextTop, FURTHER.top)
  })

  test('without a floor is read when the log has ended', () => {
    const plan = belowHead(T - 2 * DAY, FURTHER)
    read(plan, FURTHER.top, [])
    assert.equal(read(plan, 9, five(99)).done, false)
    plan.finish(true)
    assert.deepEqual([plan.done, plan.unread()], [true, []])
  })

  test('further down outlives the end of a listing, if it can be asked for by itself', () => {
    const plan = read(planned([GAP]), T - DAY, [T])
    plan.finish(true)
    assert.deepEqual([plan.nextTop, plan.unread()], [GAP.top, [GAP]])
    plan.finish(false)
    assert.equal(plan.done, true)
  })
})

describe('what is unread', () => {
  test('of the head is all of it before the first page, then what began at or before the place', () => {
    const plan = planned()
    assert.deepEqual(plan.unread(), [{ top: HEAD, floor: FLOOR }])
    assert.deepEqual(read(plan, T - HOUR, [T]).unread(), [{ top: T - HOUR, floor: FLOOR }])
  })

  test('of a gap is all of it before the walk comes down to it, then what began at or before the place', () => {
    assert.deepEqual(belowHead(T - 2 * DAY, GAP).unread(), [GAP])
    assert.deepEqual(belowHead(T - 12 * DAY, GAP).unread(), [{ ...GAP, top: T - 12 * DAY }])
  })

  test('of a gap is all of it right after a jump, though the place above was higher', () => {
    const plan = belowHead(T - 2 * DAY, GAP)
    read(plan, GAP.top, [])
    assert.deepEqual(plan.unread(), [GAP])
  })

  test('never begins above the top of a gap', () => {
    const plan = belowHead(T - 2 * DAY, GAP)
    read(plan, GAP.top, [])
    assert.deepEqual(read(plan, T - 9 * DAY, [T - 9 * DAY]).unread(), [GAP])
  })

  test('of two gaps that touch is one gap', () => {
    const plan = read(planned([{ top: FLOOR, floor: ALL }]), T - HOUR, [T])
    assert.deepEqual(plan.unread(), [{ top: T - HOUR, floor: ALL }])
  })

  test('is what is wanted', () => {
    const plan = read(planned([GAP]), T - HOUR, [T])
    const wanted = [T, T - HOUR, FLOOR, FLOOR - 1, GAP.top + 1, GAP.top, GAP.floor, GAP.floor - 1]
    assert.deepEqual(
      wanted.map((time) => plan.wants({ time, began: time })),
      [false, true, true, false, false, true, true, false],
    )
    assert.equal(plan.wants({ time: T, began: GAP.top - DAY }), true, 'a row that began in a gap')
  })
})
