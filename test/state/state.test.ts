import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  believedWatermark,
  emptyState,
  headRanges,
  nextWatermark,
  overlapFloor,
  type State,
} from '../../src/state/state.ts'
import { entry } from '../entries.ts'

const T = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ALL = Number.NEGATIVE_INFINITY
const HEAD = { time: Number.POSITIVE_INFINITY, began: Number.POSITIVE_INFINITY }

const state = (fields: Partial<State> = {}): State => ({ ...emptyState(ALL), ...fields })

describe('a run reads from the head down to', () => {
  const floors: [
    what: string,
    watermark: number | null,
    since: number,
    lookback: number,
    time: number,
    began: number,
  ][] = [
    ['the end of the log, if it is the first run', null, ALL, 30 * DAY, ALL, ALL],
    [
      '--since, whatever the look-back, if it is the first run',
      null,
      T - 90 * DAY,
      DAY,
      T - 90 * DAY,
      T - 90 * DAY,
    ],
    ['the look-back in date_first, where that is further', null, T - DAY, 30 * DAY, T - DAY, T - 30 * DAY],
    ['two hours under the watermark', T - HOUR, ALL, 30 * DAY, T - 3 * HOUR, T - 30 * DAY],
    [
      'two hours under the watermark in both fields, if the look-back is shorter',
      T - 5 * DAY,
      ALL,
      DAY,
      T - 5 * DAY - 2 * HOUR,
      T - 5 * DAY - 2 * HOUR,
    ],
    ['--since of the first run, and never below it', T, T - HOUR, 30 * DAY, T - HOUR, T - 30 * DAY],
    [
      'two hours under a watermark from the future, if it is an hour at most',
      T + HOUR,
      ALL,
      30 * DAY,
      T - HOUR,
      T - 30 * DAY,
    ],
    [
      'two hours under the present, if the watermark lies further in the future',
      T + DAY,
      ALL,
      30 * DAY,
      T - 2 * HOUR,
      T - 30 * DAY,
    ],
  ]
  for (const [what, watermark, since, lookback, time, began] of floors) {
    test(what, () => {
      const { news, overlap } = headRanges(state({ watermark, since }), T, lookback)
      assert.deepEqual((overlap ?? news).floor, { time, began })
      assert.deepEqual(news.top, HEAD)
    })
  }

  test('the watermark for what is new, and on to the floor for what came late', () => {
    const { news, overlap } = headRanges(state({ watermark: T }), T, 30 * DAY)
    assert.deepEqual(news.floor, { time: T - 300, began: T - 300 })
    assert.deepEqual(overlap?.top, { time: T, began: T })
  })

  test('--since, in one range, if that is later than five minutes under the watermark', () => {
    for (const [since, split] of [
      [T - 301, true],
      [T - 300, false],
      [T - 200, false],
    ] as const) {
      const { news, overlap } = headRanges(state({ watermark: T, since }), T, 30 * DAY)
      assert.equal(overlap !== undefined, split)
      assert.equal(news.floor.time, Math.max(since, T - 300))
    }
  })
})

describe('the watermark after a walk', () => {
  const cases: [what: string, known: number | null, page: number[], watermark: number | null][] = [
    ['is the newest time of the first page', null, [T - 9, T - 5, T - 7], T - 5],
    ['is no later than the start of the walk', null, [T + 9], T],
    ['never goes back', T - 3, [T - 9], T - 3],
    ['stays where the page is empty', T - 3, [], T - 3],
    ['is none while no entry was seen', null, [], null],
    ['comes back from the future', T + DAY, [T - 9], T],
  ]
  for (const [what, watermark, page, expected] of cases) {
    test(what, () => {
      const entries = page.map((time) => entry(time))
      assert.equal(nextWatermark(state({ watermark }), entries, T), expected)
    })
  }

  test('is believed up to an hour ahead of the clock', () => {
    assert.equal(believedWatermark(state({ watermark: T + HOUR }), T), T + HOUR)
    assert.equal(believedWatermark(state({ watermark: T + HOUR + 1 }), T), T)
    assert.equal(believedWatermark(state(), T), null)
  })
})

test('the overlap is two hours, and holds all while nothing was seen', () => {
  assert.equal(overlapFloor(T), T - 2 * HOUR)
  assert.equal(overlapFloor(null), ALL)
})
