import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RecentEntries } from '../../src/walk/recent.ts'
import { entry, series } from '../entries.ts'

const T = 1_764_000_000

describe('an entry that was met', () => {
  test('in this run is known with the listing that showed it last', () => {
    const recent = new RecentEntries(new Map())
    const [first, second] = [recent.startListing(), recent.startListing()]
    recent.add(entry(T), first)
    recent.add(entry(T - 1), first)
    recent.add(entry(T), second)
    assert.deepEqual(
      [entry(T), entry(T - 1), entry(T - 2)].map(({ id }) => recent.metIn(id)),
      [2, 1, undefined],
    )
  })

  test('by an earlier run is known as of listing 0', () => {
    assert.equal(new RecentEntries(new Map([['a', entry(T)]])).metIn('a'), 0)
  })

  test('and left to a later run is new again', () => {
    const recent = new RecentEntries(new Map())
    recent.add(entry(T), 1)
    recent.forget(entry(T))
    assert.equal(recent.metIn(entry(T).id), undefined)
  })

  test('is remembered while it is needed or among the latest five thousand, and is forgotten after that', () => {
    const recent = new RecentEntries(new Map())
    const entries = series(15_000, T, 1)
    const isNeeded = ({ time }: { time: number }) => time > T - 10
    for (const each of entries) {
      recent.add(each, 1)
      recent.prune(isNeeded)
    }
    const known = entries.map(({ id }) => recent.metIn(id) !== undefined)
    assert.deepEqual([known.slice(0, 10).every(Boolean), known[10], known[4_000]], [true, false, false])
    assert.ok(known.slice(-5_000).every(Boolean))
    assert.deepEqual(
      [...recent.needed(isNeeded).keys()].sort(),
      entries
        .slice(0, 10)
        .map(({ id }) => id)
        .sort(),
    )
  })
})

describe('memory is pruned', () => {
  test('of the entries met first, where being met again counts as new', () => {
    const recent = new RecentEntries(new Map())
    const entries = series(12_000, T, 1)
    const again = entries[0]
    assert.ok(again)
    for (const each of entries.slice(0, 9_000)) recent.add(each, 1)
    recent.add(again, 1)
    for (const each of entries.slice(9_000)) recent.add(each, 1)
    recent.prune(() => false)
    assert.deepEqual([recent.metIn(again.id), recent.metIn(entries[1]?.id ?? '')], [1, undefined])
  })

  test('now and then only: what is needed is not looked through after each page', () => {
    const recent = new RecentEntries(new Map())
    let looks = 0
    for (const each of series(30_000, T, 1)) {
      recent.add(each, 1)
      recent.prune(() => {
        looks += 1
        return true
      })
    }
    assert.equal(recent.size, 30_000)
    assert.ok(looks < 4 * 30_000, `${looks} looks`)
  })
})

test('what is held does not grow with the number of entries that pass', () => {
  const recent = new RecentEntries(new Map())
  let most = 0
  for (const each of series(200_000, T, 1)) {
    recent.add(each, 1)
    recent.prune(() => false)
    most = Math.max(most, recent.size)
  }
  assert.ok(most <= 10_000, `${most} entries were held`)
})

test('of an entry that was met only its times are held, not what Slack sent', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const recent = new RecentEntries(new Map())
  const sent = series(3, T, 1).map((each) => {
    recent.add(each, 1)
    return new WeakRef(each.raw)
  })
  await setImmediate()
  collectGarbage()
  assert.deepEqual([recent.size, sent.filter((raw) => raw.deref() !== undefined).length], [3, 0])
})
