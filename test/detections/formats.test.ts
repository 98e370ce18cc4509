import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { builtFiles, readFile } from '../../logstash/build/build.ts'
import { RATES, type Rates } from '../../logstash/build/detections/document.ts'
import { queryOf } from '../../logstash/build/detections/kibana.ts'
import { fieldsOf, parseQuery, timeOf } from '../../logstash/build/detections/lucene.ts'
import { intervalOf, lookBackOf, minutesOf } from '../../logstash/build/detections/schedule.ts'
import { typeOfField } from '../../logstash/build/detections/template.ts'
import { TACTICS, TECHNIQUES } from '../../logstash/detections/attack.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { companyOf, fingerprintOf } from './rates.ts'

type Rule = Record<string, unknown> & {
  rule_id: string
  name: string
  type: string
  query: string
  index: string[]
  from: string
  interval: string
  severity: string
  risk_score: number
  threat: {
    framework: string
    tactic: Link
    technique: (Link & { subtechnique?: Link[] })[]
  }[]
  threshold?: { field: string[]; value: number; cardinality: { field: string; value: number }[] }
  new_terms_fields?: string[]
  history_window_start?: string
}
interface Link {
  id: string
  name: string
  reference: string
}

/** What the schema of rules in the sources of Kibana 8 has, as far as it is used here. */
const KNOWN = new Set(
  [
    'rule_id version name description type language query index from to interval timestamp_override severity',
    'severity_mapping risk_score risk_score_mapping false_positives note threat references author license tags enabled',
    'max_signals actions exceptions_list threshold new_terms_fields history_window_start building_block_type',
    'alert_suppression setup investigation_fields required_fields related_integrations',
  ].flatMap((line) => line.split(' ')),
)

const parseLines = (text: string): Rule[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Rule)
const rules = parseLines(readFile('elasticsearch/detection-rules.ndjson'))
const alerts = parseLines(readFile('elasticsearch/silence-alerts.ndjson'))
/** Minutes before now of `now-90m`. */
const before = (text: unknown): number => -timeOf(String(text), 0) / 60_000

test('What is shipped is what `npm run build:detections` writes', async (t) => {
  for (const [name, text] of Object.entries(builtFiles())) {
    await t.test(name, () => assert.equal(readFile(name), text, 'run `npm run build:detections`'))
  }
})

test('The measured rates are those of these detections and this company', () => {
  const { fingerprint, seeds } = JSON.parse(readFileSync(RATES, 'utf8')) as {
    fingerprint: string
    seeds: number[]
  }
  const [seed = 0] = seeds
  assert.equal(
    fingerprint,
    fingerprintOf(companyOf(seed)),
    'run `npm run measure:detections && npm run build:detections`',
  )
})

test('There is one rule per detection, but for the one that looks for an absence', () => {
  assert.deepEqual(
    rules.map(({ rule_id }) => rule_id),
    DETECTIONS.filter(({ alert }) => alert.on !== 'absence').map(({ id }) => id),
  )
})

test('Slugs, ids and names are each given once, and ids are UUIDs', () => {
  for (const key of ['slug', 'id', 'name'] as const)
    assert.equal(new Set(DETECTIONS.map((detection) => detection[key])).size, DETECTIONS.length, key)
  for (const { id } of DETECTIONS)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

describe('A rule has what Kibana asks for on import', () => {
  for (const rule of rules) {
    test(rule.name, () => {
      const strings = ['rule_id', 'name', 'description', 'query', 'note', 'license']
      for (const field of strings) assert.ok(typeof rule[field] === 'string' && rule[field] !== '', field)
      for (const field of ['actions', 'exceptions_list', 'references', 'false_positives', 'tags', 'author'])
        assert.ok(Array.isArray(rule[field]), field)
      assert.equal(rule['language'], 'lucene')
      assert.equal(rule['enabled'], false)
      assert.ok(Number.isInteger(rule['version']) && Number(rule['version']) >= 1)
      assert.ok(Number.isInteger(rule['max_signals']) && Number(rule['max_signals']) >= 1)
      assert.equal({ low: 21, medium: 47, high: 73, critical: 99 }[rule.severity], rule.risk_score)
      assert.ok((rule['tags'] as string[]).includes('slack-auditor'))
      assert.ok((rule['tags'] as string[]).includes('Data Source: Slack'))
      for (const index of rule.index)
        assert.match(index, /^logs-slack\.(access|integration|auditor)-\*$|^\.alerts-security\.alerts-\*$/)
      assert.ok(rule.index.length > 0)
      const headings = [...String(rule['note']).matchAll(/^##+ .*$/gm)].map(([line]) => line)
      assert.deepEqual(headings, [
        '## Triage and analysis',
        `### Investigating ${rule.name}`,
        '### Possible investigation steps',
        '### False positive analysis',
        '### Response and remediation',
      ])
      assert.match(String(rule['setup']), /^## Setup\n\n/)
      assert.deepEqual(rule['related_integrations'], [])
      if (rule['alert_suppression'])
        assert.equal(rule.type, 'query', 'other types know it only in a newer Kibana')

      for (const field of Object.keys(rule)) assert.ok(KNOWN.has(field), `${field} is not known`)

      const own = {
        query: [],
        threshold: ['threshold'],
        new_terms: ['new_terms_fields', 'history_window_start'],
      }[rule.type]
      assert.ok(own, `${rule.type} is not a type that is used here`)
      const special = ['threshold', 'new_terms_fields', 'history_window_start'].filter(
        (field) => field in rule,
      )
      assert.deepEqual(special, own)
    })
  }

  for (const { name, threshold } of rules.filter(({ type }) => type === 'threshold')) {
    test(`${name}: the threshold`, () => {
      assert.ok(threshold)
      const { field, value, cardinality } = threshold
      assert.ok(field.length >= 1 && field.length <= 3)
      assert.ok(Number.isInteger(value) && value >= 1)
      for (const part of cardinality)
        assert.ok(part.field !== '' && part.value >= 2 && !field.includes(part.field))
      assert.ok(value > 1 || cardinality.length === 1, 'one event of one group is no threshold')
    })
  }

  for (const { name, new_terms_fields = [], history_window_start, from } of rules.filter(
    ({ type }) => type === 'new_terms',
  )) {
    test(`${name}: the new terms`, () => {
      assert.ok(new_terms_fields.length >= 1 && new_terms_fields.length <= 3)
      assert.equal(new Set(new_terms_fields).size, new_terms_fields.length)
      assert.ok(before(history_window_start) > 10 * before(from), 'the history is long against the look-back')
    })
  }
})

describe('A rule looks back far enough', () => {
  for (const { name, from, interval, ...rule } of rules) {
    test(name, () => {
      const detection = DETECTIONS.find(({ id }) => id === rule.rule_id)
      assert.ok(detection)
      const every = minutesOf(intervalOf(detection))
      assert.equal(interval, intervalOf(detection))
      // Kibana runs a rule late now and then.
      assert.ok(before(from) >= every + 10, 'longer than from one run to the next')
      // Elastic's own checks ask it of building blocks.
      if (detection.buildingBlock) assert.ok(every >= 60 && before(from) >= 119)
      const override = detection.alert.on === 'together' ? undefined : 'event.ingested'
      assert.equal(rule['timestamp_override'], override)
      assert.equal(before(from), lookBackOf(detection))
      const { alert } = detection
      if (alert.on === 'count') assert.ok(before(from) >= minutesOf(alert.within) + every)
    })
  }

  test('An integration entry makes an app known only once it is older than the look-back', () => {
    const detection = DETECTIONS.find(({ slug }) => slug === 'access-unknown-app')
    assert.ok(detection)
    const [, minutes] = /event\.ingested:\[\* TO now-(\d+)m\]/.exec(detection.query) ?? []
    assert.equal(Number(minutes), lookBackOf(detection) + 1)
  })
})

test('A building block is low, and hidden in Kibana; nothing else is hidden', () => {
  for (const { id, severity, buildingBlock, slug } of DETECTIONS) {
    const rule = rules.find(({ rule_id }) => rule_id === id)
    assert.equal(rule?.['building_block_type'], buildingBlock ? 'default' : undefined, slug)
    if (buildingBlock) assert.equal(severity, 'low', slug)
  }
})

test('A rule that combines others asks for rules that are shipped, by fields that alerts have', () => {
  const combined = rules.filter(({ index }) => index.includes('.alerts-security.alerts-*'))
  assert.ok(combined.length > 0)
  const shipped = new Set(rules.map(({ rule_id }) => rule_id))
  for (const { query, threshold, name } of combined) {
    const ids = [...query.matchAll(/"([0-9a-f-]{36})"/g)].map(([, id = '']) => id)
    assert.ok(ids.length >= 2, name)
    for (const id of ids) assert.ok(shipped.has(id), `${name}: ${id}`)
    // The alerts index maps the fields of ECS only.
    for (const field of threshold?.field ?? []) assert.doesNotMatch(field, /^slack/)
  }
})

test('The budget holds: for 500 members at most 2 alarms of severity high a week and 15 of medium', () => {
  const { alarms, days } = JSON.parse(readFileSync(RATES, 'utf8')) as Rates
  for (const [severity, most] of [
    ['high', 2],
    ['medium', 15],
  ] as const) {
    const counts = DETECTIONS.filter((detection) => detection.severity === severity).map(
      ({ slug }) => alarms[slug] ?? [],
    )
    const perSeed = (counts[0] ?? []).map((_, seed) => counts.reduce((sum, of) => sum + (of[seed] ?? 0), 0))
    assert.ok(perSeed.length > 0)
    for (const sum of perSeed) assert.ok((sum / days) * 7 <= most, `${severity}: ${sum} in ${days} days`)
  }
})

test('ATT&CK: techniques stand under their tactics, and links lead to them', () => {
  for (const { name, threat } of rules) {
    for (const { framework, tactic, technique } of threat) {
      assert.equal(framework, 'MITRE ATT&CK')
      assert.equal((TACTICS as Record<string, string>)[tactic.id], tactic.name)
      assert.equal(tactic.reference, `https://attack.mitre.org/tactics/${tactic.id}/`)
      assert.ok(technique.length > 0, name)
      for (const { id, subtechnique = [], ...rest } of technique) {
        assert.match(id, /^T\d{4}$/)
        assert.equal(rest.reference, `https://attack.mitre.org/techniques/${id}/`)
        assert.equal(TECHNIQUES[id]?.tactic, tactic.id)
        for (const sub of subtechnique) {
          assert.ok(sub.id.startsWith(`${id}.`))
          assert.equal(TECHNIQUES[sub.id]?.tactic, tactic.id)
          assert.equal(sub.reference, `https://attack.mitre.org/techniques/${sub.id.replace('.', '/')}/`)
        }
      }
    }
  }
})

test('Every detection says what it finds, why, its false positives, and what to do', () => {
  for (const { slug, finds, why, falsePositives, tune, triage, respond } of DETECTIONS) {
    for (const sentence of [finds, why, tune]) assert.match(sentence, /[.]$/, slug)
    assert.ok(falsePositives.length > 0 && triage.length > 0 && respond.length > 0, slug)
  }
})

test('Every file that the document names is there', () => {
  const text = readFile('detections.md')
  const folder = new URL('../../logstash/', import.meta.url)
  const names = [...text.matchAll(/`((?:elasticsearch|splunk|outputs|detections)\/[\w.-]+|test\/[\w./-]+)`/g)]
  assert.ok(names.length > 5)
  for (const [, name = ''] of names)
    assert.ok(existsSync(new URL(name.startsWith('test/') ? `../${name}` : name, folder)), name)
})

test('Slack itself is left out, but for the detection that is about what Slack does', () => {
  for (const { slug, query } of DETECTIONS.filter(
    ({ slug, query }) => query !== '' && !slug.startsWith('collector-'),
  ))
    assert.equal(query.includes('NOT user.id:0'), slug !== 'integration-failing', slug)
})

const TYPES: Record<string, string> = {
  'event.ingested': 'date',
  'slack.access.count': 'long',
  'slack.run.complete': 'boolean',
  'slack.run.gaps': 'long',
  'slack.run.rows_printed': 'long',
}

test('Queries use fields that the index template knows by their types', () => {
  const fields = DETECTIONS.filter(({ query }) => query !== '').flatMap((detection) => {
    const { alert } = detection
    const grouped =
      alert.on === 'new' ? alert.fields : alert.on === 'count' ? [...alert.by, alert.distinct ?? ''] : []
    return [...fieldsOf(parseQuery(queryOf(detection))), ...grouped].filter(Boolean)
  })
  for (const field of new Set(fields)) {
    const type = typeOfField(field)
    const expected = field.endsWith('.ip') ? 'ip' : TYPES[field]
    assert.equal(type, field.endsWith('.text') ? 'text' : (expected ?? 'keyword'), field)
  }
})

test('The hunts ask for fields that the index template knows', () => {
  const hunts = [...readFile('detections.md').matchAll(/```esql\n(.*?)```/gs)].map(([, text = '']) => text)
  assert.ok(hunts.length > 5)
  for (const hunt of hunts) {
    const words = hunt.replace(/^FROM.*|"[^"]*"/gm, '').match(/\b[a-z_]+(?:\.[a-z_]+)+/g) ?? []
    for (const field of words) assert.ok(typeOfField(field), field)
  }
})

test('The silence alerts ask for fewer than one success of a log within the time', () => {
  for (const [index, { params, rule_type_id, enabled, consumer, schedule }] of alerts.slice(0, 2).entries()) {
    const { esQuery, ...rest } = params as Record<string, unknown>
    assert.deepEqual(
      [rule_type_id, enabled, consumer, schedule],
      ['.es-query', false, 'stackAlerts', { interval: '10m' }],
    )
    assert.deepEqual(rest, {
      index: ['logs-slack.auditor-*'],
      timeField: '@timestamp',
      size: 0,
      threshold: [1],
      thresholdComparator: '<',
      timeWindowSize: 2,
      timeWindowUnit: 'h',
    })
    assert.deepEqual(JSON.parse(String(esQuery)), {
      query: {
        query_string: {
          query: `event.dataset:slack.auditor AND event.outcome:success AND event.action:collect_${['access', 'integration'][index]}`,
        },
      },
    })
  }
})

test('The third silence alert asks for each workspace and log, and each has an id of its own', () => {
  const [, , third, more] = alerts
  assert.equal(more, undefined)
  const { searchType, esqlQuery, threshold, thresholdComparator } = (third?.['params'] ?? {}) as Record<
    string,
    unknown
  >
  assert.deepEqual([searchType, threshold, thresholdComparator], ['esqlQuery', [0], '>'])
  assert.match(
    (esqlQuery as { esql: string }).esql,
    /BY organization\.id, event\.action\n.* < NOW\(\) - 2 hours$/,
  )
  assert.equal(new Set(alerts.map(({ id }) => id)).size, 3)
  // The command of the manual takes the id off again, which is the first field.
  for (const alert of alerts) assert.equal(Object.keys(alert)[0], 'id')
})
