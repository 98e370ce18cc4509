import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isIn, mergeRanges } from '../../src/walk/range.ts'

describe('a range from 100 down to 50 holds', () => {
  const cases: [what: string, time: number, began: number, held: boolean][] = [
    ['an entry that began at its top, however late it ended', 999, 100, true],
    ['no entry that began after its top', 999, 101, false],
    ['an entry with a time at its floor, however early it began', 50, 1, true],
    ['no entry with a time under its floor', 49, 1, false],
  ]
  for (const [what, time, began, held] of cases) {
    test(what, () => assert.equal(isIn({ top: 100, floor: 50 }, { time, began }), held))
  }
})

describe('ranges', () => {
  const cases: [what: string, ranges: string, merged: string][] = [
    ['that touch become one', '100-50 50-20', '100-20'],
    ['that overlap become one', '100-50 70-20', '100-20'],
    ['that do not touch stay apart', '100-51 50-20', '100-51 50-20'],
    ['within others disappear in them', '100-20 70-50', '100-20'],
    ['become one with several others', '100-80 85-50 50-20', '100-20'],
    ['are listed newest first', '50-20 100-80 70-60', '100-80 70-60 50-20'],
    ['without bounds are as good as others', 'Infinity-90 90--Infinity', 'Infinity--Infinity'],
  ]
  for (const [what, ranges, merged] of cases) {
    test(what, () => {
      const parsed = ranges.split(' ').map((range) => {
        const [, top, floor] = /^(\w+)-(.+)$/.exec(range) ?? []
        return { top: Number(top), floor: Number(floor) }
      })
      assert.equal(
        mergeRanges(parsed)
          .map(({ top, floor }) => `${top}-${floor}`)
          .join(' '),
        merged,
      )
    })
  }
})
