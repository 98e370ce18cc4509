import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseQuery, type Query, withLists } from '../../logstash/build/detections/lucene.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { LISTS } from '../../logstash/detections/lists.ts'
import { alarmsAt } from './engine.ts'
import { EXAMPLES } from './examples.ts'
import { eventsBefore } from './lines.ts'

/** When the rules run. */
const NOW = Date.parse('2026-11-24T12:00:00Z')

test('Every detection has examples that it finds and examples that it passes over, and no others have', () => {
  assert.deepEqual(
    Object.keys(EXAMPLES),
    DETECTIONS.map(({ slug }) => slug),
  )
  for (const [slug, { finds, passes }] of Object.entries(EXAMPLES)) {
    assert.ok(Object.keys(finds).length > 0, slug)
    assert.ok(Object.keys(passes).length > 0, slug)
  }
})

for (const detection of DETECTIONS) {
  const { finds = {}, passes = {} } = EXAMPLES[detection.slug] ?? {}
  describe(detection.slug, () => {
    for (const [name, told] of Object.entries(finds)) {
      test(`finds: ${name}`, () => {
        assert.equal(alarmsAt(detection, eventsBefore(NOW, told), NOW).length, 1)
      })
    }
    for (const [name, told] of Object.entries(passes)) {
      test(`passes over: ${name}`, () => {
        assert.deepEqual(alarmsAt(detection, eventsBefore(NOW, told), NOW), [])
      })
    }
  })
}

/** The query with one part less: a side of an AND, or one of several values. */
function* shorter(query: Query): Generator<{ without: Query; query: Query }> {
  if (query.kind === 'not') {
    for (const { without, query: of } of shorter(query.of)) yield { without, query: { kind: 'not', of } }
  }
  if (query.kind !== 'and' && query.kind !== 'or') return
  for (const [index, part] of query.of.entries()) {
    const others = query.of.toSpliced(index, 1)
    yield { without: part, query: others.length === 1 && others[0] ? others[0] : { ...query, of: others } }
    for (const { without, query: less } of shorter(part))
      yield { without, query: { ...query, of: query.of.toSpliced(index, 1, less) } }
  }
}

/** With the lists put in, which are not taken apart. */
function complete(query: Query): Query {
  if (query.kind === 'list') return parseQuery(withLists(`{${query.name}}`, LISTS))
  if (query.kind === 'not') return { ...query, of: complete(query.of) }
  return query.kind === 'and' || query.kind === 'or' ? { ...query, of: query.of.map(complete) } : query
}

describe('Every part of a query is needed by an example', () => {
  for (const detection of DETECTIONS.filter(({ query }) => query !== '')) {
    const { finds = {}, passes = {} } = EXAMPLES[detection.slug] ?? {}
    test(detection.slug, () => {
      const examples = [
        ...Object.values(finds).map((told) => ({ events: eventsBefore(NOW, told), expected: 1 })),
        ...Object.values(passes).map((told) => ({ events: eventsBefore(NOW, told), expected: 0 })),
      ]
      // Which events a rule is given is for its index patterns to say.
      const other = DATASETS.map((dataset) => `event.dataset:${dataset}`)
      const idle = [...shorter(parseQuery(detection.query))].filter(({ query }) =>
        examples.every(
          ({ events, expected }) => alarmsAt(detection, events, NOW, complete(query)).length === expected,
        ),
      )
      assert.deepEqual(
        idle.map(({ without }) => textOf(without)).filter((text) => !other.includes(text)),
        [],
      )
    })
  }
})

const DATASETS = ['slack.access', 'slack.integration', 'slack.auditor']

function textOf(query: Query): string {
  switch (query.kind) {
    case 'and':
    case 'or':
      return `(${query.of.map(textOf).join(` ${query.kind} `)})`
    case 'not':
      return `NOT ${textOf(query.of)}`
    case 'list':
      return `{${query.name}}`
    case 'exists':
      return `${query.field}:*`
    case 'equals':
      return `${query.field}:${query.text}`
    case 'like':
      return `${query.field}:${query.pattern}`
    case 'range':
      return `${query.field}:[${query.from} TO ${query.to}]`
  }
}
