import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Entry } from '../../src/log/page.ts'
import { Listing, LookBack, LowestFive } from '../../src/walk/listing.ts'
import { entry, series } from '../entries.ts'

const T = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR

const undated = (each: Entry): Entry => ({ ...each, dated: false })

describe('the fifth-lowest of', () => {
  const cases: [what: string, values: number[], value: number | undefined][] = [
    ['nothing is unknown', [], undefined],
    ['fewer than five values is the highest', [3, 9, 1], 9],
    ['five values is the highest', [5, 1, 4, 2, 3], 5],
    ['more values is the fifth from below, in whatever order they came', [9, 8, 1, 7, 2, 6, 5, 3, 4], 5],
    ['equal values of different entries counts each of them', [1, 1, 1, 1, 1, 9], 1],
  ]
  for (const [what, values, value] of cases) {
    test(what, () => {
      const lowest = new LowestFive()
      for (const [index, each] of values.entries()) lowest.add(String(index), each)
      assert.equal(lowest.value, value)
    })
  }

  test('one entry that is shown again and again counts it once', () => {
    const lowest = new LowestFive()
    for (const value of [10, 11, 12, 13, 14, 15]) lowest.add(String(value), value)
    for (let shown = 0; shown < 9; shown += 1) lowest.add('odd', 1)
    assert.equal(lowest.value, 13)
  })
})

describe('the place of a listing', () => {
  const hours = series(10, T, HOUR)
  /** Rows that each lasted for a day. */
  const days = hours.map(({ time }) => entry(time, time - DAY))
  const [fifthTime, fifthBegan] = [T - 5 * HOUR, T - 5 * HOUR - DAY]
  const cases: [what: string, entries: Entry[], lookback: number, place: number | undefined][] = [
    [
      'is the fifth-lowest `began` plus the look-back and five minutes',
      days,
      3 * DAY,
      fifthBegan + 3 * DAY + 300,
    ],
    ['is the fifth-lowest `time` plus five minutes, if that is later', days, HOUR, fifthTime + 300],
    ['is not moved by four odd entries', [...hours, ...series(4, 9, 1)], DAY, T - 9 * HOUR + DAY + 300],
    [
      'takes the fifth-lowest of each time by itself',
      [...hours, ...hours.map(({ time }) => entry(time + DAY, time - DAY))],
      HOUR,
      T - 5 * HOUR + 300,
    ],
    [
      'counts an entry that is shown again once',
      [...hours, ...Array(9).fill(entry(9))],
      0,
      T - 6 * HOUR + 300,
    ],
    [
      'ignores entries without a readable time',
      [...hours, ...series(9, 9, 1).map(undated)],
      0,
      fifthTime + 300,
    ],
    ['of fewer than five entries is that of the highest', hours.slice(0, 3), 0, T + 300],
    ['is unknown before the first dated entry', [undated(entry(T))], DAY, undefined],
  ]
  for (const [what, entries, lookback, place] of cases) {
    test(what, () => {
      const listing = new Listing()
      for (const each of entries) listing.add([each])
      assert.equal(listing.place(lookback), place)
    })
  }

  test('by time alone is the fifth-lowest `time` plus five minutes', () => {
    const listing = new Listing()
    assert.equal(listing.placeByTime, undefined)
    listing.add(days)
    assert.equal(listing.placeByTime, fifthTime + 300)
  })
})

describe('the look-back is', () => {
  const lasting = (seconds: number, time = T) => entry(time, time - seconds)
  const cases: [what: string, longest: number, lookback: number][] = [
    ['a day in a log whose rows last no time', 0, DAY],
    ['a day more than the longest row', HOUR, DAY + HOUR],
    ['twice a row of a day', DAY, 2 * DAY],
    ['twice a longer row', 10 * DAY, 20 * DAY],
    ['at most 30 days', 16 * DAY, 30 * DAY],
  ]
  for (const [what, longest, lookback] of cases) {
    test(what, () => {
      const met = new LookBack(undefined, 0, T)
      met.add([lasting(longest), lasting(longest / 2)])
      assert.deepEqual([met.seconds, met.metSeconds], [lookback, longest])
      assert.equal(new LookBack(undefined, longest, T).seconds, lookback, 'also if the run before met it')
    })
  }

  test('by the longer of the longest rows of this run and the one before', () => {
    for (const [known, met] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const lookBack = new LookBack(undefined, known * DAY, T)
      lookBack.add([lasting(met * DAY)])
      assert.deepEqual([lookBack.seconds, lookBack.longestSeconds], [6 * DAY, 3 * DAY])
    }
  })

  test('by rows of the last 30 days only', () => {
    const lookBack = new LookBack(undefined, 0, T)
    lookBack.add([lasting(5 * DAY, T - 30 * DAY - 1)])
    assert.equal(lookBack.metSeconds, 0)
    lookBack.add([lasting(5 * DAY, T - 30 * DAY)])
    assert.equal(lookBack.metSeconds, 5 * DAY)
  })

  test('by rows with readable times only', () => {
    const lookBack = new LookBack(undefined, 0, T)
    lookBack.add([undated(lasting(5 * DAY))])
    assert.equal(lookBack.metSeconds, 0)
  })

  test('the one of --lookback, whatever rows are met', () => {
    const lookBack = new LookBack(3 * DAY, 0, T)
    lookBack.add([lasting(9 * DAY)])
    assert.deepEqual([lookBack.seconds, lookBack.longestSeconds], [3 * DAY, 9 * DAY])
  })
})
