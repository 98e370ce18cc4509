import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../logstash/build/detections/lucene.ts'
import type { Alert, Detection } from '../../logstash/detections/detection.ts'
import { type Alarm, MINUTE, play, timed } from './engine.ts'

const START = Date.parse('2026-11-24T00:00:00Z')

function detection(alert: Alert): Detection {
  const texts = {
    name: '',
    finds: '',
    why: '',
    falsePositives: [],
    tune: '',
    triage: [],
    respond: [],
    attack: [],
    useCase: 'Log Auditing' as const,
  }
  return { slug: 'a', id: '', version: 1, severity: 'low', ...texts, query: 'user.id:*', alert }
}

/** Events that happened, and were read, so many minutes after the start. */
function events(...told: [minutes: number, fields?: object, read?: number][]): Event[] {
  const iso = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()
  return told.map(([minutes, fields, read = minutes]) => ({
    '@timestamp': iso(minutes),
    event: { ingested: iso(read) },
    user: { id: 'U1', name: 'x' },
    ...fields,
  }))
}

/** When it alarmed, in minutes after the start, in the runs of so many hours. */
function minutes(alert: Alert, told: Event[], hours = 24): number[] {
  const span = { from: START, to: START + hours * 60 * MINUTE }
  return play(detection(alert), timed(told), span).map(({ at }: Alarm) => (at - START) / MINUTE)
}

test('A query rule alarms once per event, in the run after it was read', () => {
  assert.deepEqual(minutes({ on: 'event' }, events([10], [30], [31, {}, 95])), [30, 30, 120])
})

test('A new terms rule alarms once, for as long as the terms are within its history', () => {
  const alert: Alert = { on: 'new', fields: ['user.id', 'user.name'], within: '4h' }
  assert.deepEqual(minutes(alert, events([10], [50], [100], [200])), [30])
  assert.deepEqual(minutes(alert, events([10], [500])), [30, 510])
  assert.deepEqual(minutes(alert, events([10], [20, { user: { id: 'U1', name: 'y' } }])), [30, 30])
  assert.deepEqual(minutes(alert, events([10, { user: { id: 'U1' } }])), [], 'a field is missing')
})

test('A threshold rule counts after an alarm only what is newer', () => {
  const alert: Alert = { on: 'count', by: ['user.id'], atLeast: 3, within: '2h' }
  assert.deepEqual(minutes(alert, events([1], [2])), [])
  assert.deepEqual(minutes(alert, events([1], [2], [40], [50])), [60])
  assert.deepEqual(minutes(alert, events([1], [2], [3], [40], [50], [70])), [30, 90])
})

test('A threshold rule counts distinct values where it is asked to', () => {
  const alert: Alert = {
    on: 'count',
    by: ['user.id'],
    atLeast: 2,
    distinct: 'user.name',
    within: '2h',
  }
  assert.deepEqual(minutes(alert, events([1], [2], [3])), [])
  assert.deepEqual(minutes(alert, events([1], [2, { user: { id: 'U1', name: 'y' } }])), [30])
})

test('An absence alarms in every run, for a week, in which one of the logs had nothing', () => {
  const log = (action: string, minute: number): Event => ({
    ...events([minute])[0],
    organization: { id: 'T1' },
    event: { action, ingested: new Date(START + minute * MINUTE).toISOString() },
  })
  const told = [0, 60, 120].flatMap((minute) => [
    log('collect_access', minute),
    log('collect_integration', minute),
  ])
  assert.deepEqual(minutes({ on: 'absence', within: '2h' }, told, 4), [])
  assert.deepEqual(minutes({ on: 'absence', within: '1h' }, told, 4), [210, 210, 240, 240])
  assert.deepEqual(minutes({ on: 'absence', within: '2h' }, told.slice(0, -1), 4), [210, 240])
  assert.equal(minutes({ on: 'absence', within: '2h' }, told, 24 * 30).at(-1), (7 * 24 + 2) * 60)
})
