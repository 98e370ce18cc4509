import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Trail } from '../src/trail.ts'

const T = 1_764_000_000

function passed(entries: Record<string, readonly number[]>): Trail {
  const trail = new Trail(2)
  for (const [id, times] of Object.entries(entries)) trail.pass({ id, times })
  trail.settle()
  return trail
}

test('a trail knows the lowest time of each field', () => {
  assert.deepEqual(new Trail(2).lowest, [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
  assert.deepEqual(passed({ a: [T, T - 50], b: [T - 10, T - 9], c: [T - 5, T - 60] }).lowest, [
    T - 10,
    T - 60,
  ])
})

test('a trail keeps the ids within five minutes of the lowest time, field by field', () => {
  const trail = passed({
    high: [T, T],
    nearInLast: [T - 700, T - 100],
    lowest: [T - 1000, T - 200],
    nearInFirst: [T - 50, T - 900],
    lowestFirst: [T - 20, T - 1200],
  })
  assert.deepEqual(trail.boundary([0]), ['nearInLast', 'lowest'])
  assert.deepEqual(trail.boundary([1]), ['nearInFirst', 'lowestFirst'])
  assert.deepEqual(trail.boundary([0, 1]), ['nearInLast', 'lowest', 'nearInFirst', 'lowestFirst'])
})

test('a boundary that was left behind is let go of', () => {
  const trail = passed({ a: [T, T], b: [T - 301, T - 301] })
  assert.deepEqual(trail.boundary([0, 1]), ['b'])
  trail.pass({ id: 'c', times: [T - 9000, T - 9000] })
  trail.settle()
  assert.deepEqual(trail.boundary([0, 1]), ['c'])
})

test('an entry is known from the moment it is passed', () => {
  const trail = new Trail(2)
  const entry = { id: 'a', times: [T, T] }
  assert.equal(trail.knows(entry), undefined)
  trail.pass(entry)
  assert.equal(trail.knows(entry), 'state')
})

test('an entry is known in another state, too, by the name of its row', () => {
  const trail = new Trail(1)
  trail.pass({ id: 'a', row: 'r', times: [T] })
  assert.equal(trail.knows({ id: 'a', row: 'r', times: [T] }), 'state')
  assert.equal(trail.knows({ id: 'b', row: 'r', times: [T + 5] }), 'row')
  assert.equal(trail.knows({ id: 'a', row: 's', times: [T] }), undefined)
  assert.equal(trail.knows({ id: 'b', times: [T] }), undefined)
})

test('the last 10,000 entries are known, and never more than twice as many, but for the boundary', () => {
  const trail = new Trail(1)
  const entry = (index: number) => ({ id: `${index}`, row: `row of ${index}`, times: [T - index] })
  const deepest = { id: 'deepest', row: 'r', times: [1] }
  trail.pass(deepest)
  for (let index = 0; index < 50_000; index += 1) {
    trail.pass(entry(index))
    if (index % 1000 === 0) trail.settle()
  }
  trail.settle()
  assert.ok(trail.knows(entry(49_999)) && trail.knows(entry(40_000)))
  assert.ok(!trail.knows(entry(0)) && !trail.knows(entry(29_998)))
  assert.equal(trail.knows(deepest), 'state', 'what lies at the boundary may come again')
})
