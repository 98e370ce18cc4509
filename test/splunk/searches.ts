// The saved searches of the Splunk app on a real engine, on the examples of test/detections. A search must find what the
// rule finds in all its runs within the hours that the search looks back.

import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type Event, valuesOf } from '../../logstash/build/detections/lucene.ts'
import type { Detection } from '../../logstash/detections/detection.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { MINUTE, play, timed } from '../detections/engine.ts'
import { EXAMPLES } from '../detections/examples.ts'
import { eventsBefore } from '../detections/lines.ts'
import { splunkEvent, withAllFields } from './dialect.ts'
import { found, INDEX, NOW } from './run.ts'
import { load } from './siglens.ts'

/** Where a search is meant to find another number of things than the rule. */
const OTHERWISE: Record<string, number> = {
  // The entry counts as soon as it is there.
  'access-unknown-app: an app added and used within the same half hour': 0,
  // A log counts as silent once it had a success within a week.
  'collector-silent: failures only': 1,
  'collector-silent: rows, but no report': 1,
}

const OVERLAP = 12 * 60 * MINUTE

const cases = DETECTIONS.flatMap((detection) => {
  const { finds = {}, passes = {} } = EXAMPLES[detection.slug] ?? {}
  return Object.entries({ ...finds, ...passes }).map(([name, told], index) => ({
    detection,
    name: `${detection.slug}: ${name}`,
    mark: `${detection.slug}-${index}`,
    events: eventsBefore(NOW, told),
  }))
})

describe('The saved searches', () => {
  before(() => {
    for (const name of Object.keys(OTHERWISE))
      assert.ok(
        cases.some((one) => one.name === name),
        `there is no case "${name}"`,
      )
    const events = cases.flatMap(({ mark, events }) => events.map((event) => splunkEvent(event, mark)))
    return load(INDEX, withAllFields(events))
  })

  for (const { detection, name, mark, events } of cases) {
    test(name, async () => {
      const values = await found(detection, mark)
      const expected = ruleFinds(detection, events)
      assert.equal(
        values.size,
        OTHERWISE[name] ?? expected.size,
        `found ${JSON.stringify([...values])}, the rule ${JSON.stringify([...expected])}`,
      )
    })
  }
})

function ruleFinds({ suppress, ...detection }: Detection, events: Event[]): Set<string> {
  const { on } = detection.alert
  const from = on === 'absence' ? NOW : NOW - OVERLAP
  const alarms = play(detection, timed(events), { from, to: NOW })
  const named = (event: Event) =>
    suppress ? suppress.by.map((field) => valuesOf(event, field).join()).join(' ') : JSON.stringify(event)
  return new Set(alarms.map(({ terms, event }) => (on === 'event' ? named(event) : terms.join(' '))))
}
