import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Entry, LOGS } from '../src/logs.ts'
import { type Order, unknownOrder } from '../src/order.ts'
import {
  believedWatermark,
  emptyState,
  headStretch,
  Itinerary,
  nextWatermark,
  OVERLAP_SECONDS,
  type State,
  type Stretch,
} from '../src/state.ts'
import { Trail } from '../src/trail.ts'

const T = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ALL = Number.NEGATIVE_INFINITY
const NO_TOP = Number.POSITIVE_INFINITY

const state = (fields: Partial<State> = {}): State => ({ ...emptyState(LOGS.access, ALL), ...fields })

const entry = (id: string, last: number, first = last): Entry => ({ id, raw: {}, times: [last, first] })

describe('a run reads down to', () => {
  const floors: [
    what: string,
    watermark: number | null,
    since: number,
    lookback: number,
    floor: [number, number],
  ][] = [
    ['the end of the log, if it is the first one', null, ALL, 30 * DAY, [ALL, ALL]],
    [
      '--since, if it is the first one, whatever the look-back',
      null,
      T - 90 * DAY,
      DAY,
      [T - 90 * DAY, T - 90 * DAY],
    ],
    [
      'the look-back in the other field, where that is further',
      null,
      T - DAY,
      30 * DAY,
      [T - DAY, T - 30 * DAY],
    ],
    ['two hours under the watermark', T - HOUR, ALL, 30 * DAY, [T - 3 * HOUR, T - 30 * DAY]],
    [
      'that in both fields, if the look-back is shorter',
      T - 5 * DAY,
      ALL,
      DAY,
      [T - 5 * DAY - 2 * HOUR, T - 5 * DAY - 2 * HOUR],
    ],
    ['--since of the first run, and never below it', T, T - HOUR, 30 * DAY, [T - HOUR, T - 30 * DAY]],
    [
      'two hours under a watermark from the future, if it is an hour at most',
      T + HOUR,
      ALL,
      DAY,
      [T - HOUR, T - DAY],
    ],
    [
      'two hours under the present, if the watermark is further in the future',
      T + HOUR + 1,
      ALL,
      DAY,
      [T - 2 * HOUR, T - DAY],
    ],
  ]
  for (const [what, watermark, since, lookback, floor] of floors) {
    test(what, () => {
      const stretch = headStretch(LOGS.access, state({ watermark, since }), T, lookback)
      assert.deepEqual(stretch.floor, floor)
      assert.deepEqual(stretch.top, [NO_TOP, NO_TOP])
    })
  }

  test('one floor in the integration log, which has one time', () => {
    const stretch = headStretch(LOGS.integration, state({ watermark: T }), T, 30 * DAY)
    assert.deepEqual([stretch.floor, stretch.top], [[T - OVERLAP_SECONDS], [NO_TOP]])
  })

  test('and leaves out what was printed: that stays with the stretch', () => {
    const stretch = headStretch(LOGS.access, state({ seen: new Map([['a', T]]) }), T, DAY)
    assert.deepEqual([...stretch.printed], ['a'])
  })
})

describe('the watermark after a walk', () => {
  const cases: [what: string, before: number | null, firstPage: number[], after: number | null][] = [
    ['is the newest time of the first page', T - DAY, [T - 20, T - 10, T - 30], T - 10],
    ['is no later than the start of the walk', null, [T + 5, T - 10], T],
    ['does not go back', T - 5, [T - 10], T - 5],
    ['stays where the log is empty', T - 5, [], T - 5],
    ['is none where the log was always empty', null, [], null],
    ['comes back from a future that is not believed', T + HOUR + 1, [T - 10], T],
    ['stays in a future that is', T + HOUR, [T - 10], T + HOUR],
  ]
  for (const [what, watermark, firstPage, after] of cases) {
    test(what, () => {
      const page = firstPage.map((time) => entry('x', time, T - 40 * DAY))
      assert.equal(nextWatermark(state({ watermark }), page, T), after)
    })
  }

  test('is believed up to an hour ahead of the clock', () => {
    const believed = (watermark: number | null) => believedWatermark(state({ watermark }), T)
    assert.deepEqual([believed(null), believed(T + HOUR), believed(T + HOUR + 1)], [null, T + HOUR, T])
  })
})

describe('of several stretches, newest first,', () => {
  /** The head down to T - 1 h, a gap from T - 10 h to T - 20 h, one from T - 30 h to the end. */
  const stretch = (top: number, floor: number, ids: string[] = [], printed: string[] = []): Stretch => ({
    top: [top, top],
    floor: [floor, floor],
    ids: new Set(ids),
    printed: new Set(printed),
  })
  const head = stretch(NO_TOP, T - HOUR, [], ['printed'])
  const gap = stretch(T - 10 * HOUR, T - 20 * HOUR, ['read'], ['printed-then'])
  const oldest = stretch(T - 30 * HOUR, ALL)
  const byLast = (): Order => ({ refuted: [false, true], beforeField: undefined })
  const itinerary = (order = byLast()) => new Itinerary([head, gap, oldest], order)

  const wants = (run: Itinerary, one: Entry) => run.wanted([one]).length === 1

  const cases: [what: string, wanted: Entry, answer: boolean][] = [
    ['an entry of the head', entry('a', T), true],
    ['one on its floor', entry('a', T - HOUR), true],
    ['none below its floor', entry('a', T - HOUR - 1), false],
    ['none of the head that was printed before', entry('printed', T), false],
    ['none in the known stretch between head and gap', entry('a', T - 5 * HOUR), false],
    ['one at the top of a gap', entry('a', T - 10 * HOUR), true],
    ['one five minutes above it, which belongs to the gap', entry('a', T - 10 * HOUR + 300), true],
    ['none further above it', entry('a', T - 10 * HOUR + 301), false],
    ['none along its top that was read already', entry('read', T - 10 * HOUR), false],
    ['none that was printed when the gap was cut', entry('printed-then', T - 11 * HOUR), false],
    ['one that was printed only later, higher up', entry('printed', T - 11 * HOUR), true],
    ['one on the floor of the gap', entry('a', T - 20 * HOUR), true],
    ['none below it', entry('a', T - 20 * HOUR - 1), false],
    ['one of the oldest gap, however old', entry('a', 1), true],
  ]
  for (const [what, wanted, answer] of cases) {
    test(`a run prints ${what}`, () => assert.equal(wants(itinerary(), wanted), answer))
  }

  test('an entry belongs to the oldest that covers it in a field that may be the order', () => {
    const old = entry('read', T, T - 11 * HOUR)
    assert.equal(wants(itinerary(byLast()), old), true, 'by date_last it stands in the head')
    assert.equal(
      wants(itinerary(unknownOrder(2)), old),
      false,
      'by date_first it may stand in the gap, as one read',
    )
    const none = itinerary({ refuted: [true, true], beforeField: undefined })
    assert.equal(wants(none, old), false, 'likewise where nothing is the order')
    assert.equal(wants(none, entry('a', T - 11 * HOUR)), true)
  })

  test('a run reads the next one only when a whole page lies below the floor', () => {
    const run = itinerary()
    assert.equal(run.current, head)
    assert.equal(run.passedBy([entry('a', T - 9 * HOUR), entry('b', T - HOUR)]), false)
    assert.equal(run.passedBy([]), false)
    assert.equal(run.passedBy([entry('a', T - HOUR - 1)]), true)
    assert.equal(run.current, gap)
  })

  test('a stretch ends also where the next one begins', () => {
    const run = new Itinerary([stretch(NO_TOP, ALL), gap], byLast())
    assert.equal(run.passedBy([entry('a', T - 10 * HOUR)]), false)
    assert.equal(run.passedBy([entry('a', T - 10 * HOUR - 1)]), true)
    assert.equal(run.current, gap)
  })

  test('one that was passed claims no entry any more', () => {
    const run = itinerary()
    run.passedBy([entry('a', T - 2 * HOUR)])
    assert.equal(wants(run, entry('a', T)), false)
  })

  test('none is left when the log has ended', () => {
    const run = itinerary()
    run.finish()
    assert.equal(run.current, undefined)
    assert.equal(run.passedBy([entry('a', 1)]), false)
    assert.deepEqual(run.rest(new Trail(2)), [])
  })

  const trailTo = (...entries: Entry[]): Trail => {
    const trail = new Trail(2)
    for (const passed of entries) trail.pass(passed)
    trail.settle()
    return trail
  }

  test('a walk that is cut leaves the rest of the one it was in, and the others as they were', () => {
    const rest = itinerary().rest(
      trailTo(entry('a', T), entry('b', T - 1800, T - 9 * DAY), entry('c', T - 1500)),
    )
    assert.deepEqual(rest, [
      { top: [T - 1800, T - 9 * DAY], floor: head.floor, ids: new Set(['b', 'c']), printed: head.printed },
      gap,
      oldest,
    ])
  })

  test('a gap that the cut walk came near keeps the ids along its top; one it went deep into does not', () => {
    const deep = new Itinerary([gap], byLast()).rest(trailTo(entry('d', T - 15 * HOUR)))
    assert.deepEqual(deep, [{ ...gap, top: [T - 15 * HOUR, T - 15 * HOUR], ids: new Set(['d']) }])
    const near = new Itinerary([gap], byLast()).rest(trailTo(entry('d', T - 10 * HOUR - 300)))
    assert.deepEqual(near[0]?.ids, new Set(['d', 'read']))
    const above = new Itinerary([gap], byLast()).rest(trailTo(entry('d', T - 10 * HOUR + 301)))
    assert.deepEqual(above, [gap], 'it did not come that far')
    const edge = new Itinerary([gap], byLast()).rest(trailTo(entry('d', T - 10 * HOUR + 300)))
    assert.deepEqual(edge, [{ ...gap, ids: new Set(['d', 'read']) }], 'what it read there may come again')
  })

  test('while both times may be the order, coming near a gap in one of them is enough', () => {
    const [rest] = new Itinerary([gap], unknownOrder(2)).rest(trailTo(entry('d', T, T - 15 * HOUR)))
    assert.deepEqual(rest, { ...gap, top: [T - 10 * HOUR, T - 15 * HOUR], ids: new Set(['d', 'read']) })
  })

  test('a stretch that was passed is no gap', () => {
    const run = itinerary()
    run.passedBy([entry('a', T - 5 * HOUR)])
    assert.deepEqual(run.rest(trailTo(entry('a', T - 5 * HOUR))), [gap, oldest])
  })
})

test('the first run has no watermark, no gaps, and knows nothing of the order', () => {
  assert.deepEqual(emptyState(LOGS.access, T), {
    watermark: null,
    since: T,
    seen: new Map(),
    gaps: [],
    order: { refuted: [false, false], beforeField: undefined },
  })
  assert.equal(OVERLAP_SECONDS, 2 * HOUR)
})
