import assert from 'node:assert/strict'
import { test } from 'node:test'
import { believedWatermark, emptyState, overlapFloor } from '../../src/state/state.ts'

const T = 1_764_000_000
const HOUR = 3600

for (const [what, watermark, believed] of [
  ['in the past is believed', T - HOUR, T - HOUR],
  ['up to an hour ahead of the clock is believed', T + HOUR, T + HOUR],
  ['more than an hour ahead of the clock is taken for the present', T + HOUR + 1, T],
  ['that was never set stays unset', null, null],
] as const) {
  test(`a watermark ${what}`, () => {
    assert.equal(believedWatermark({ ...emptyState(), watermark }, T), believed)
  })
}

test('the overlap reaches two hours below the watermark, and holds everything while there is none', () => {
  assert.equal(overlapFloor(T), T - 2 * HOUR)
  assert.equal(overlapFloor(null), Number.NEGATIVE_INFINITY)
})

test('the state before the first run knows what is wanted, and nothing else', () => {
  const nothing = { watermark: null, longestRowSeconds: 0, gaps: [], seen: new Map() }
  assert.deepEqual(emptyState(T), { ...nothing, since: T })
  assert.deepEqual(emptyState(), { ...nothing, since: Number.NEGATIVE_INFINITY })
})
