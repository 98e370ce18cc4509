import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  anchorField,
  beforeIsDoubtful,
  JITTER_SECONDS,
  LATENESS_SECONDS,
  Listing,
  liesBelow,
  type Order,
  shortcut,
  standing,
  unknownOrder,
} from '../src/order.ts'

const T = 1_764_000_000

const DAY = 86_400

/** What a listing with these entries (own time, other time) shows; `known` names those read before. */
function observed(times: [number, number][], known: number[] = [], before?: number) {
  const order = unknownOrder(2)
  const listing = new Listing(order, before, T + DAY)
  times.forEach((pair, index) => {
    listing.observe(pair, known.includes(index))
  })
  return { order, listing }
}

describe('a time field', () => {
  const cases: [what: string, times: [number, number][], refuted: [boolean, boolean]][] = [
    ['stands while nothing was read', [], [false, false]],
    [
      'stands where a quiet log descends in both',
      [
        [T, T],
        [T - 10, T - 10],
        [T - 20, T - 20],
      ],
      [false, false],
    ],
    [
      'stands where times are equal',
      [
        [T, T],
        [T, T],
        [T, T],
      ],
      [false, false],
    ],
    [
      'stands at an inversion of five minutes, which is jitter',
      [
        [T, T],
        [T + 300, T + 300],
      ],
      [false, false],
    ],
    [
      'is refuted by an entry newer than an earlier one by more than five minutes',
      [
        [T, T - 9000],
        [T - 1, T - 9000 + 301],
      ],
      [false, true],
    ],
    [
      'is refuted in the own time where the log is sorted by the other',
      [
        [T - 9000, T],
        [T, T - 1],
      ],
      [true, false],
    ],
    [
      'is refuted by small steps up that come to more than five minutes',
      [
        [T, T],
        [T + 200, T],
        [T + 301, T],
      ],
      [true, false],
    ],
    [
      'is refuted by an earlier entry that is not the last one',
      [
        [T - 9000, T],
        [T - 9000 - 1, T],
        [T - 9000 + 299, T],
        [T - 9000 + 300, T],
      ],
      [true, false],
    ],
    [
      'is refuted each for itself',
      [
        [T, T],
        [T + 301, T + 301],
      ],
      [true, true],
    ],
  ]
  for (const [what, times, refuted] of cases) {
    test(what, () => assert.deepEqual(observed(times).order.refuted, refuted))
  }

  test('is not refuted by an entry read before in this walk, which rows at the head push down', () => {
    const times: [number, number][] = [
      [T, T],
      [T - 9000, T - 9000],
      [T, T],
    ]
    assert.deepEqual(observed(times, [2]).order.refuted, [false, false])
    assert.deepEqual(observed(times).order.refuted, [true, true])
  })

  // An hour is how late a row may arrive, and push others over the edge of a page.
  const edges: [what: string, startedAt: number, pages: number[][], refuted: boolean][] = [
    ['by an entry of the next page that is older than an hour', T + 3601, [[T - 9000], [T]], true],
    ['not by one that may have arrived since the listing began', T + 3600, [[T - 9000], [T]], false],
    ['by that one if it stands on the same page', T + 3600, [[T - 9000, T]], true],
    ['by the lowest of that page, not the one before', T + 3600, [[T - 301, T - 50, T]], true],
  ]
  for (const [what, startedAt, pages, refuted] of edges) {
    test(`is refuted ${what}`, () => {
      const order = unknownOrder(1)
      const listing = new Listing(order, undefined, startedAt)
      for (const page of pages) {
        listing.turnPage()
        for (const time of page) listing.observe([time], false)
      }
      assert.deepEqual(order.refuted, [refuted])
    })
  }
})

test('a listing knows its lowest and highest times and where it was out of order, if only by jitter', () => {
  const { listing } = observed(
    [
      [T, T - 50],
      [T - 100, T - 40],
      [T - 30, T - 60],
    ],
    [2],
  )
  assert.deepEqual(
    [listing.lowest, listing.highest],
    [
      [T - 100, T - 60],
      [T, T - 40],
    ],
  )
  assert.deepEqual(listing.uneven, [false, true])
  const even: [number, number][] = [
    [T, T - 50],
    [T, T - 50],
  ]
  assert.deepEqual(observed(even).listing.uneven, [false, false], 'equal times are in order')
})

describe('what `before` compares', () => {
  const cases: [string, [number, number][], number | undefined][] = [
    ['is the other field where a row lies above it in its own time', [[T + 1, T - 50]], 1],
    ['is not shown by a row that lies on it', [[T, T - 50]], undefined],
    ['is not shown by rows below it', [[T - 1, T - 50]], undefined],
  ]
  for (const [what, times, field] of cases) {
    test(what, () => assert.equal(observed(times, [], T).order.beforeField, field))
  }

  test('is shown by rows read before, too', () => {
    assert.equal(observed([[T + 1, T - 50]], [0], T).order.beforeField, 1)
  })

  test('is not asked where there is no `before`, or one time field alone', () => {
    assert.equal(observed([[T + 1, T - 50]]).order.beforeField, undefined)
    const order = unknownOrder(1)
    new Listing(order, T, T + DAY).observe([T + 1], false)
    assert.equal(order.beforeField, undefined)
  })
})

describe('what is known of the order', () => {
  // refuted, what `before` compares -> fields that stand, anchor, jump, doubt about going below
  type Known = [refuted: [boolean, boolean], beforeField: number | undefined]
  const cases: [...Known, standing: number[], anchor: number, jump: string, doubt: boolean][] = [
    [[false, false], undefined, [0, 1], 0, 'unknown', true],
    [[false, false], 0, [0, 1], 0, 'unsafe', true],
    [[false, false], 1, [0, 1], 0, 'safe', false],
    [[false, true], undefined, [0], 0, 'safe', false],
    [[false, true], 0, [0], 0, 'safe', false],
    [[false, true], 1, [0], 0, 'safe', true],
    [[true, false], undefined, [1], 1, 'unknown', true],
    [[true, false], 0, [1], 1, 'unsafe', true],
    [[true, false], 1, [1], 1, 'safe', false],
    [[true, true], undefined, [], 0, 'unsafe', true],
    [[true, true], 0, [], 0, 'unsafe', true],
    [[true, true], 1, [], 0, 'unsafe', true],
  ]
  const names = ['date_last', 'date_first']
  for (const [refuted, beforeField, fields, anchor, jump, doubt] of cases) {
    const order: Order = { refuted, beforeField }
    const stands = fields.map((field) => names[field]).join(' and ') || 'nothing'
    test(`with ${stands} standing and before on ${names[beforeField ?? -1] ?? 'no known field'}: a jump is ${jump}, going below is ${doubt ? 'doubtful' : 'sure'}`, () => {
      assert.deepEqual(
        [standing(order), anchorField(order), shortcut(order), beforeIsDoubtful(order)],
        [fields, anchor, jump, doubt],
      )
    })
  }
})

describe('a walk may stop below a page', () => {
  const bounds = [T, T - 1000]
  const low: [number, number] = [T - 1, T - 1001]
  const late: [number, number] = [T, T - 1001]
  const young: [number, number] = [T - 1, T - 1000]
  const cases: [boolean, string, [boolean, boolean], [number, number][]][] = [
    [true, 'that lies under the bounds of both fields', [false, false], [low, low]],
    [true, 'also one of a single row', [false, false], [low]],
    [false, 'not if one row in its middle is on the floor', [false, false], [low, late, low]],
    [false, 'not if one row in its middle is on the look-back', [false, false], [low, young, low]],
    [false, 'not if one old row stands among others', [false, false], [late, low, late]],
    [true, 'whatever the times in a field that was refuted', [false, true], [young, young]],
    [true, 'likewise', [true, false], [late, late]],
    [false, 'not if the field that stands is above its bound', [true, false], [young]],
    [false, 'never if no field stands', [true, true], [low, low]],
    [false, 'never if it is empty', [false, false], []],
  ]
  for (const [may, what, refuted, page] of cases) {
    test(what, () => {
      assert.equal(liesBelow({ refuted, beforeField: undefined }, page, bounds), may)
    })
  }

  test('without a bound, never', () => {
    const order = unknownOrder(2)
    assert.equal(liesBelow(order, [low], [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]), false)
  })
})

test('jitter is five minutes, and lateness an hour', () => {
  assert.deepEqual([JITTER_SECONDS, LATENESS_SECONDS], [300, 3600])
})
