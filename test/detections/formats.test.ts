import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { TACTICS, TECHNIQUES } from '../../logstash/detections/attack.ts'
import { LATEST } from '../../logstash/detections/detection.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { LISTS } from '../../logstash/detections/lists.ts'
import { builtFiles, readFile } from './build.ts'
import { RATES } from './document.ts'
import { queryOf } from './engine.ts'
import { fieldsOf, parseQuery, timeOf } from './lucene.ts'
import { companyOf, fingerprintOf } from './rates.ts'
import { EVERY, lookBackOf, minutesOf } from './schedule.ts'
import { searchOf, withoutMacros } from './splunk.ts'

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
    'max_signals actions exceptions_list threshold new_terms_fields history_window_start',
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
      for (const index of rule.index) assert.match(index, /^logs-slack\.(access|integration|auditor)-\*$/)
      assert.ok(rule.index.length > 0)

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
      assert.equal(interval, EVERY)
      // Kibana runs a rule late now and then.
      assert.ok(before(from) >= minutesOf(EVERY) + 10, 'longer than from one run to the next')
      const byCollection = rule['timestamp_override'] === 'event.created'
      const detection = DETECTIONS.find(({ id }) => id === rule.rule_id)
      assert.equal(before(from), detection && lookBackOf(detection.alert))
      const { alert } = detection ?? {}
      if (alert?.on === 'count')
        assert.ok(
          before(from) >= minutesOf(alert.within) + (byCollection ? minutesOf(EVERY) : minutesOf(LATEST)),
        )
      else assert.ok(byCollection, 'an event that is read late must be seen')
    })
  }

  test('An integration entry makes an app known only once it is older than the look-back', () => {
    const detection = DETECTIONS.find(({ slug }) => slug === 'access-unknown-app')
    assert.ok(detection)
    const [, minutes] = /event\.created:\[\* TO now-(\d+)m\]/.exec(detection.query) ?? []
    assert.equal(Number(minutes), lookBackOf(detection.alert) + 1)
  })
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

test('Every detection says what it finds, why, what wrongly, and what to do', () => {
  for (const { slug, finds, why, wrongly, tune, triage } of DETECTIONS) {
    for (const sentence of [finds, why, tune]) assert.match(sentence, /[.]$/, slug)
    assert.ok(wrongly.length > 0 && triage.length > 0, slug)
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
  for (const { slug, query } of DETECTIONS.filter(({ slug }) => !slug.startsWith('collector-')))
    assert.equal(query.includes('NOT user.id:0'), slug !== 'integration-failing', slug)
})

const { template } = JSON.parse(readFile('elasticsearch/index-template.json')) as {
  template: { mappings: { properties: Record<string, Mapping> } }
}

test('Queries use fields that the index template knows by their types', () => {
  const fields = DETECTIONS.flatMap((detection) => {
    const { alert } = detection
    const grouped =
      alert.on === 'new' ? alert.fields : alert.on === 'count' ? [...alert.by, alert.distinct ?? ''] : []
    return [...fieldsOf(parseQuery(queryOf(detection))), ...grouped].filter(Boolean)
  })
  for (const field of new Set(fields)) {
    const type = typeOf(template.mappings.properties, field.split('.'))
    const expected = field.endsWith('.ip')
      ? 'ip'
      : { 'slack.run.complete': 'boolean', 'slack.run.gaps': 'long', 'event.created': 'date' }[field]
    assert.equal(type, field.endsWith('.text') ? 'text' : (expected ?? 'keyword'), field)
  }
})

test('The hunts ask for fields that the index template knows', () => {
  const hunts = [...readFile('detections.md').matchAll(/```esql\n(.*?)```/gs)].map(([, text = '']) => text)
  assert.ok(hunts.length > 5)
  for (const hunt of hunts) {
    const words = hunt.replace(/^FROM.*|"[^"]*"/gm, '').match(/\b[a-z_]+(?:\.[a-z_]+)+/g) ?? []
    for (const field of words) assert.ok(typeOf(template.mappings.properties, field.split('.')), field)
  }
})

interface Mapping {
  type?: string
  properties?: Record<string, Mapping>
  fields?: Record<string, Mapping>
}

function typeOf(properties: Record<string, Mapping>, [name = '', ...rest]: string[]): string | undefined {
  const mapping = properties[name]
  if (rest.length === 0) return mapping?.type
  return typeOf(mapping?.properties ?? mapping?.fields ?? {}, rest)
}

test('The silence alerts ask for fewer than one success of a log within the time', () => {
  assert.equal(alerts.length, 2)
  for (const [index, { params, rule_type_id, enabled, consumer, schedule }] of alerts.entries()) {
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

describe('Splunk', () => {
  const stanzas = stanzasOf(readFile('splunk/savedsearches.conf'))

  test('There is one saved search per detection, each off, with a schedule', () => {
    assert.deepEqual(
      [...stanzas.keys()],
      DETECTIONS.map(({ name }) => name),
    )
    for (const [name, stanza] of stanzas) {
      assert.equal(stanza.get('disabled'), '1', name)
      assert.equal(stanza.get('enableSched'), '1', name)
      assert.match(stanza.get('cron_schedule') ?? '', /^\d+,\d+ \* \* \* \*$/, name)
      assert.match(stanza.get('dispatch.earliest_time') ?? '', /^-\d+[hd]$/, name)
      assert.match(stanza.get('alert.suppress.fields') ?? '', /^[\w.]+(,[\w.]+)*$/, name)
    }
  })

  test('Every search names the sourcetype, uses only macros that are shipped, and has its quotes and brackets in pairs', () => {
    const shipped = new Set(stanzasOf(readFile('splunk/macros.conf')).keys())
    for (const detection of DETECTIONS) {
      const { search } = searchOf(detection)
      assert.match(search, /^`slack_auditor_index` .*sourcetype=slack\./)
      for (const [, macro = ''] of search.matchAll(/`(\w+)`/g)) assert.ok(shipped.has(macro), macro)
      const expanded = withoutMacros(search)
      assert.doesNotMatch(expanded.replaceAll('{}', ''), /[`{}]/, detection.slug)
      assert.equal((expanded.match(/"/g) ?? []).length % 2, 0, detection.slug)
      let depth = 0
      for (const letter of expanded.replace(/"[^"]*"/g, '')) {
        if (letter === '(') depth++
        if (letter === ')') depth--
        assert.ok(depth >= 0, detection.slug)
      }
      assert.equal(depth, 0, detection.slug)
    }
  })

  test('What is grouped, suppressed or shown by name is a field of an earlier command or of the event', () => {
    for (const detection of DETECTIONS) {
      const { search, suppress } = searchOf(detection)
      const last = search.split('\n').at(-1) ?? ''
      for (const field of suppress) assert.ok(search.includes(field), `${detection.slug}: ${field}`)
      if (last.startsWith('| table'))
        for (const field of suppress) assert.ok(last.includes(field), `${detection.slug}: ${field}`)
    }
  })

  test('The words of a query become those of a search', () => {
    const of = (slug: string) => {
      const detection = DETECTIONS.find((other) => other.slug === slug)
      assert.ok(detection)
      return searchOf(detection).search.split('\n')[0]
    }
    assert.equal(
      of('access-hosting-provider'),
      '`slack_auditor_index` sourcetype=slack.access NOT access.user_id=0 NOT client.type=api `slack_auditor_hosting_providers`',
    )
    assert.equal(
      of('integration-scopes-expanded'),
      '`slack_auditor_index` sourcetype=slack.integration NOT integration.user_id=0 (integration.change_type=expanded OR integration.change_type=bot_token_upgraded) _index_earliest=-30m@m _index_latest=@m',
    )
    assert.equal(
      of('collector-incomplete'),
      '`slack_auditor_index` sourcetype=slack.auditor run.complete=false run.gaps>0',
    )
    assert.match(
      of('integration-high-scopes') ?? '',
      /integration\.scope\{\}="\*:history" OR integration\.scope\{\}="search:read\*"/,
    )
  })

  test('The macros hold the lists', () => {
    const macros = stanzasOf(readFile('splunk/macros.conf'))
    assert.deepEqual(
      [...macros.keys()],
      ['slack_auditor_index', ...Object.keys(LISTS).map((name) => `slack_auditor_${name}`)],
    )
    assert.equal(
      macros.get('slack_auditor_offices')?.get('definition'),
      '(access.ip="203.0.113.0/24" OR access.ip="2001:db8::/48")',
    )
  })
})

/** The stanzas of a file of Splunk's, each a map of its settings. A backslash at the end joins lines. */
function stanzasOf(text: string): Map<string, Map<string, string>> {
  const stanzas = new Map<string, Map<string, string>>()
  let stanza = new Map<string, string>()
  for (const line of text.replaceAll('\\\n', '\n').split(/\n(?!\|)/)) {
    const [, name] = /^\[(.+)\]$/.exec(line) ?? []
    if (name) {
      stanza = new Map()
      assert.ok(!stanzas.has(name), `${name} stands twice`)
      stanzas.set(name, stanza)
    } else if (line !== '' && !line.startsWith('#')) {
      const [, key = '', value = ''] = /^([\w.]+) = (.*)$/s.exec(line) ?? assert.fail(`no setting: ${line}`)
      stanza.set(key, value)
    }
  }
  return stanzas
}
