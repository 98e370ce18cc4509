// The detections on a real store: each query as Kibana's rules send it, with the aggregations of their rule types, on
// the examples of test/detections. What the store finds must be what the evaluator finds.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { indicesOf, kibanaQuery } from '../../logstash/build/detections/kibana.ts'
import { type Event, timeOf, valuesOf } from '../../logstash/build/detections/lucene.ts'
import { lookBackOf } from '../../logstash/build/detections/schedule.ts'
import type { Detection } from '../../logstash/detections/detection.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { alarmEvents, alarmsAt, MINUTE, runsOf, timed } from '../detections/engine.ts'
import { EXAMPLES } from '../detections/examples.ts'
import { eventsBefore } from '../detections/lines.ts'
import {
  cleanUp,
  describeServer,
  installTemplates,
  NAMESPACE,
  request,
  type Server,
  sendAsOutput,
  succeed,
} from './server.ts'

/** When the rules run. A query may hold `now`, so it is the real one. */
const NOW = Date.now()

const ALERTS = `alerts-${NAMESPACE}`

interface Case {
  detection: Detection
  name: string
  /** Marks the events of one example among those of the others, all of which are in the store at once. */
  mark: string
  events: Event[]
}

const cases: Case[] = DETECTIONS.flatMap((detection) => {
  const { finds = {}, passes = {} } = EXAMPLES[detection.slug] ?? {}
  return [...Object.entries(finds), ...Object.entries(passes)].map(([name, told], index) => {
    const mark = `${detection.slug} ${index}`
    const events = eventsBefore(NOW, told).map((event) => ({ ...event, labels: { example: mark } }))
    return { detection, name, mark, events }
  })
})

describe('The detections on the store', () => {
  let server: Server

  before(async () => {
    server = await describeServer()
    await installTemplates(server)
    const documents = cases.flatMap(({ mark, events }) =>
      events.map((event, index) => ({ id: `${mark} ${index}`, dataStream: '', event })),
    )
    const refused = (await sendAsOutput(documents)).filter(({ status }) => status !== 201)
    assert.deepEqual(refused, [])
    await storeAlarms()
  })

  after(async () => {
    await request('DELETE', `/${ALERTS}`)
    await cleanUp(server)
  })

  for (const { detection, name, mark, events } of cases) {
    test(`${detection.slug}: ${name}`, async () => {
      const expected = alarmsAt(detection, events, NOW).map(({ terms, event }) =>
        detection.alert.on === 'event' ? String(valuesOf(event, 'event.id')[0]) : terms.join(' '),
      )
      assert.deepEqual((await found(detection, mark)).sort(), expected.sort())
    })
  }
})

/**
 * The alarms that some detections combine, in an index that maps what Kibana's index of alerts maps. Kibana writes them when
 * its rules run; here the evaluator makes them, of which the tests above say that it finds what the store finds.
 */
async function storeAlarms(): Promise<void> {
  const keyword = { type: 'keyword' }
  const rule = { properties: { rule: { properties: { rule_id: keyword } } } }
  await succeed('PUT', `/${ALERTS}`, {
    mappings: {
      dynamic: false,
      properties: {
        '@timestamp': { type: 'date' },
        user: { properties: { id: keyword } },
        service: { properties: { id: keyword } },
        labels: { properties: { example: keyword } },
        kibana: { properties: { alert: rule } },
      },
    },
  })
  const lines = cases.flatMap(({ detection, mark, events }) => {
    const { alert } = detection
    if (alert.on !== 'together') return []
    const alarms = alarmEvents(alert, timed(events), runsOf(detection, { from: NOW, to: NOW }))
    return alarms.flatMap(({ event, time }) => [
      { create: { _index: ALERTS } },
      { ...event, '@timestamp': new Date(time).toISOString(), labels: { example: mark } },
    ])
  })
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  const { errors } = await succeed<{ errors: boolean }>('POST', '/_bulk?refresh=true', body)
  assert.equal(errors, false)
}

/** What a run of the rule finds: ids of events, or the terms of a group. */
async function found(detection: Detection, mark: string): Promise<string[]> {
  const { alert } = detection
  const from = NOW - lookBackOf(detection) * MINUTE
  switch (alert.on) {
    case 'event': {
      const { hits } = await send<{ hits: { hits: { _source: Event }[] } }>(detection, mark, from, {
        size: 100,
      })
      return hits.hits.map(({ _source }) => String(valuesOf(_source, 'event.id')[0]))
    }
    case 'new': {
      const first = { first: { min: { field: 'event.ingested' } } }
      const groups = await groupsOf(detection, mark, timeOf(`now-${alert.within}`, NOW), alert.fields, first)
      return groups.filter(({ first }) => (first?.value ?? 0) > from).map(({ terms }) => terms)
    }
    case 'count': {
      const { distinct } = alert
      const aggs = distinct ? { count: { cardinality: { field: distinct } } } : {}
      const groups = await groupsOf(detection, mark, from, alert.by, aggs)
      return groups
        .filter(({ count, doc_count }) => (count?.value ?? doc_count) >= alert.atLeast)
        .map(({ terms }) => terms)
    }
    case 'together': {
      const groups = await groupsOf(detection, mark, from, alert.by, {
        count: { cardinality: { field: 'kibana.alert.rule.rule_id' } },
      })
      return groups.filter(({ count }) => (count?.value ?? 0) >= alert.atLeast).map(({ terms }) => terms)
    }
    case 'absence': {
      const week = NOW - 7 * 24 * 60 * MINUTE
      const last = { last: { max: { field: 'event.ingested' } } }
      const groups = await groupsOf(detection, mark, week, ['organization.id', 'event.action'], last)
      return groups.filter((group) => (group.last?.value ?? 0) < from).map(({ terms }) => terms)
    }
  }
}

interface Group {
  key: Record<string, string>
  doc_count: number
  first?: { value: number }
  last?: { value: number }
  count?: { value: number }
}

/** Kibana compares the figures in a script of the aggregation. Not every server has scripts, so it is done here. */
async function groupsOf(
  detection: Detection,
  mark: string,
  from: number,
  fields: string[],
  aggs: object,
): Promise<(Group & { terms: string })[]> {
  const sources = fields.map((field) => ({ [field]: { terms: { field } } }))
  const { aggregations } = await send<{ aggregations: { groups: { buckets: Group[] } } }>(
    detection,
    mark,
    from,
    { size: 0, aggs: { groups: { composite: { sources, size: 1000 }, aggs } } },
  )
  return aggregations.groups.buckets.map((group) => ({
    ...group,
    terms: fields.map((field) => group.key[field]).join(' '),
  }))
}

function send<Answer>(detection: Detection, mark: string, from: number, body: object): Promise<Answer> {
  const together = detection.alert.on === 'together'
  const range = { gte: new Date(from).toISOString(), lte: new Date(NOW).toISOString() }
  const filter = [
    { query_string: { query: kibanaQuery(detection), analyze_wildcard: true } },
    { range: { [together ? '@timestamp' : 'event.ingested']: range } },
    { term: { 'labels.example': mark } },
  ]
  const indices = together
    ? [ALERTS]
    : indicesOf(detection).map((pattern) => pattern.replace(/\*$/, NAMESPACE))
  return succeed<Answer>('POST', `/${indices.join(',')}/_search?ignore_unavailable=true`, {
    query: { bool: { filter } },
    ...body,
  })
}
