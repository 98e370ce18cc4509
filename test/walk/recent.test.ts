import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RecentEntries } from '../../src/walk/recent.ts'
import { entry, series } from '../entries.ts'

const T = 1_764_000_000
const DAY = 86_400

describe('an entry', () => {
  test('printed by an earlier run or by this one is known', () => {
    const recent = new RecentEntries(new Map([[entry(T).id, entry(T)]]), T)
    recent.add(entry(T - 1))
    assert.deepEqual(
      [entry(T), entry(T - 1), entry(T - 2)].map((each) => recent.has(each)),
      [true, true, false],
    )
  })

  test('is kept with its times if it may be met again, and what earlier runs printed is not touched', () => {
    const printed = new Map([T, T - 9].map((time) => [entry(time).id, { time, began: time }]))
    const recent = new RecentEntries(printed, T)
    recent.add(entry(T - 1, T - 5))
    const kept = recent.kept(({ time }) => time > T - 9)
    const ids = [entry(T).id, entry(T - 1, T - 5).id]
    assert.deepEqual(
      [...kept],
      [
        [ids[0], { time: T, began: T }],
        [ids[1], { time: T - 1, began: T - 5 }],
      ],
    )
    assert.equal(printed.size, 2)
  })

  test('without a readable time is kept for 30 days from this run, not by the time it borrowed', () => {
    const recent = new RecentEntries(new Map(), T)
    const undated = { ...entry(T - 900 * DAY), dated: false }
    recent.add(undated)
    const kept = recent.kept(() => true).get(undated.id)
    assert.deepEqual(kept, { time: T + 30 * DAY, began: 0 })
  })
})

test('what cannot be met again is dropped, but for the 5,000 entries printed last', () => {
  const recent = new RecentEntries(new Map(), T)
  for (const each of series(9_999, T, 1)) recent.add(each)
  recent.prune(() => false)
  assert.equal(recent.size, 9_999, 'not after each page')
  recent.add(entry(1))
  recent.prune(({ time }) => time > T - 10)
  const kept = [...series(10, T, 1), ...series(4_999, T - 5_000, 1), entry(1)]
  assert.deepEqual(
    [...recent.kept(() => true).values()],
    kept.map(({ time, began }) => ({ time, began })),
  )
})

test('of an entry that was met only its times are held, not what Slack sent', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const recent = new RecentEntries(new Map(), T)
  const sent = series(3, T, 1).map((each) => {
    const raw = {}
    recent.add({ ...each, raw })
    return new WeakRef(raw)
  })
  await setImmediate()
  collectGarbage()
  assert.deepEqual([recent.size, sent.filter((raw) => raw.deref() !== undefined).length], [3, 0])
})
