import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Detection } from '../../logstash/detections/detection.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { ATTACKS, FALSE_ALARMS, HISTORY, HONEST } from './cases.ts'
import { alarmsAt } from './engine.ts'
import { eventsBefore, type Told } from './lines.ts'

/** When the rules run. */
const NOW = Date.parse('2026-11-24T12:00:00Z')

/** Those that watch people and apps, and that need no report of a run. */
const WATCHING = DETECTIONS.filter(({ slug }) => !slug.startsWith('collector-'))
const history = eventsBefore(NOW, HISTORY)

function seenBy(told: Told[]): Detection[] {
  const events = [...history, ...eventsBefore(NOW, told)]
  return WATCHING.filter((detection) => alarmsAt(detection, events, NOW).length > 0)
}

function loud(told: Told[]): string[] {
  return seenBy(told)
    .filter(({ severity }) => severity !== 'low')
    .map(({ slug }) => slug)
}

test('The history alone raises no alarm', () => {
  assert.deepEqual(
    seenBy([]).map(({ slug }) => slug),
    [],
  )
})

describe('An attack is seen', () => {
  for (const [name, told] of Object.entries(ATTACKS))
    test(name, () => {
      assert.notDeepEqual(
        seenBy(told).map(({ slug }) => slug),
        [],
      )
    })
})

describe('Honest work raises no alarm of severity medium or high', () => {
  for (const [name, told] of Object.entries(HONEST))
    test(name, () => {
      assert.deepEqual(loud(told), [])
    })

  for (const [name, { told, by }] of Object.entries(FALSE_ALARMS))
    test(`but for: ${name}`, () => {
      assert.deepEqual(loud(told), by)
    })
})
