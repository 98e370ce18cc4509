// All saved searches of the Splunk app on the cases of test/detections: each attack is seen by one of them, and honest work
// by none of severity medium or high.

import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { ATTACKS, HISTORY, HONEST } from '../detections/cases.ts'
import { eventsBefore } from '../detections/lines.ts'
import { splunkEvent, withAllFields } from './dialect.ts'
import { found, INDEX, NOW } from './run.ts'
import { load } from './siglens.ts'

const WATCHING = DETECTIONS.filter(({ slug }) => !slug.startsWith('collector-'))
const cases = Object.entries({ ...ATTACKS, ...HONEST }).map(([name, told], index) => ({
  name,
  mark: `case-${index}`,
  events: eventsBefore(NOW, [...HISTORY, ...told]),
}))

describe('The saved searches together', () => {
  before(() => {
    const events = cases.flatMap(({ mark, events }) => events.map((event) => splunkEvent(event, mark)))
    return load(INDEX, withAllFields(events))
  })

  for (const { name, mark } of cases) {
    test(name, async () => {
      const isAttack = name in ATTACKS
      const alarms = []
      for (const detection of WATCHING.filter(({ severity }) => isAttack || severity !== 'low')) {
        if ((await found(detection, mark)).size > 0) alarms.push(detection.slug)
        if (isAttack && alarms.length > 0) return
      }
      assert.deepEqual(alarms, [], 'honest work')
      assert.ok(!isAttack, 'seen by none')
    })
  }
})
