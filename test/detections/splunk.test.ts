import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Detection } from '../../logstash/detections/detection.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { MINUTE } from './engine.ts'
import { EXAMPLES } from './examples.ts'
import { eventsBefore, type Told } from './lines.ts'
import { lookBackOf, minutesOf } from './schedule.ts'
import { runSearch, splunkEvent } from './spl.ts'
import { searchOf, withoutMacros } from './splunk.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')

/** Where Splunk's searches do better than Kibana's rules: these are no alarms there. */
const BETTER = new Set([
  'access-unknown-app: an app added and used within the same half hour',
  'access-dormant-member: a member who is new, which cannot be told from it',
])

/** Where they find more. Splunk is sent the country as Slack wrote it, a code or not. */
const MORE = new Set(['access-new-country: a country that is no code'])

/**
 * What the search finds in the runs in which the rule of Kibana looks at the same events. One run looks only at what was
 * read since the run before it. What was found is not reported again for a while.
 */
function alarms(detection: Detection, told: Told[]): string[] {
  const { search, earliest, suppress, period } = searchOf(detection)
  const text = withoutMacros(search)
  const events = eventsBefore(NOW, told).map(splunkEvent)
  const quiet = new Map<string, number>()
  const found: string[] = []
  const runs = detection.alert.on === 'absence' ? 1 : Math.ceil(lookBackOf(detection.alert) / 30)
  for (let back = runs - 1; back >= 0; back--) {
    // A minute later, so that what is read now counts as read before.
    const now = NOW + MINUTE - back * 30 * MINUTE
    for (const row of runSearch(text, events, now, earliest)) {
      const name = suppress.map((field) => row.get(field)?.join(',') ?? assert.fail(`no ${field}`)).join(' ')
      if (now >= (quiet.get(name) ?? 0)) {
        found.push(name)
        quiet.set(name, now + minutesOf(period) * MINUTE)
      }
    }
  }
  return found
}

for (const detection of DETECTIONS) {
  const { finds = {}, passes = {} } = EXAMPLES[detection.slug] ?? {}
  describe(`The Splunk search of ${detection.slug}`, () => {
    for (const [name, told] of Object.entries(finds)) {
      const better = BETTER.has(`${detection.slug}: ${name}`)
      test(`${better ? 'passes over what Kibana finds' : 'finds'}: ${name}`, () => {
        assert.equal(alarms(detection, told).length, better ? 0 : 1)
      })
    }
    for (const [name, told] of Object.entries(passes)) {
      const more = MORE.has(`${detection.slug}: ${name}`)
      test(`${more ? 'finds what Kibana passes over' : 'passes over'}: ${name}`, () => {
        assert.equal(alarms(detection, told).length, more ? 1 : 0)
      })
    }
  })
}

test('The interpreter stops at what it does not know', () => {
  for (const search of [
    'index=* | transaction user',
    'index=* | sort -_time',
    'index=* | stats stdev(x) AS y BY z',
    'index=* | where like(a, "b")',
    'index=* a=1 OR b=2',
    'index=* (a=1',
  ])
    assert.throws(() => runSearch(search, [new Map([['a', [1]]])], NOW, '1d'), search)
})
