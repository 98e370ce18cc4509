/**
 * Writes the detections as Kibana imports them: version 8.11 or newer, which knows `investigation_fields`. Fields that are
 * newer yet would make an older Kibana refuse the rule.
 */
import { TACTICS, TECHNIQUES } from '../../detections/attack.ts'
import type { Detection, Span } from '../../detections/detection.ts'
import { DETECTIONS } from '../../detections/detections.ts'
import { LISTS } from '../../detections/lists.ts'
import { fieldsOf, parseQuery, withLists } from './lucene.ts'
import { intervalOf, lookBackOf, minutesOf } from './schedule.ts'
import { typeOfField } from './template.ts'

/** As Elastic's own rules have them. */
const RISK = { low: 21, medium: 47, high: 73, critical: 99 } as const
/** In one run of a rule. Kibana's default. */
const MAX_ALERTS = 100
const ALERTS = '.alerts-security.alerts-*'

export function indicesOf({ query, alert }: Detection): string[] {
  if (alert.on === 'together') return [ALERTS]
  const sets = new Set([...query.matchAll(/event\.dataset:([\w.]+)/g)].map(([, dataset]) => dataset))
  return [...sets].map((dataset) => `logs-${dataset}-*`)
}

/** The query as it is imported. */
export function queryOf(detection: Detection): string {
  return withLists(detection.query, LISTS)
}

/** One line per rule, for `POST /api/detection_engine/rules/_import`. */
export function detectionRules(detections: Detection[]): string {
  return ndjson(detections.filter(({ alert }) => alert.on !== 'absence').map(detectionRule))
}

/** One line per alert: an id, and the body of `POST /api/alerting/rule/<id>`. */
export function silenceAlerts(detections: Detection[]): string {
  return ndjson(detections.filter(({ alert }) => alert.on === 'absence').flatMap(alertsOfSilence))
}

function ndjson(lines: object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

function detectionRule(detection: Detection): object {
  const { id, version, name, severity, falsePositives, attack, alert, suppress } = detection
  const indices = indicesOf(detection)
  return {
    rule_id: id,
    version,
    name,
    description: `${detection.finds} ${detection.why}`,
    ...typeOf(detection),
    language: 'lucene',
    query: kibanaQuery(detection),
    index: indices,
    from: `now-${lookBackOf(detection)}m`,
    to: 'now',
    interval: intervalOf(detection),
    // An alert holds the times of the event it shows. What counts is when the alert came, which is its @timestamp.
    ...(alert.on !== 'together' && { timestamp_override: 'event.ingested' }),
    severity,
    severity_mapping: [],
    risk_score: RISK[severity],
    risk_score_mapping: [],
    ...(detection.buildingBlock && { building_block_type: 'default' }),
    ...(suppress && {
      alert_suppression: {
        group_by: suppress.by,
        duration: durationOf(suppress.within),
        missing_fields_strategy: 'suppress',
      },
    }),
    false_positives: falsePositives,
    note: guideOf(detection),
    setup: setupOf(detection),
    investigation_fields: { field_names: fieldsToSee(detection) },
    required_fields: requiredFields(detection),
    related_integrations: [],
    threat: threatOf(attack),
    references: [
      'https://docs.slack.dev/reference/methods/team.accessLogs',
      'https://docs.slack.dev/reference/methods/team.integrationLogs',
    ],
    author: ['slack-auditor'],
    license: 'MIT',
    tags: tagsOf(detection),
    enabled: false,
    max_signals: MAX_ALERTS,
    actions: [],
    exceptions_list: [],
  }
}

/** A rule that combines others asks for their alerts by the ids of the rules. */
export function kibanaQuery(detection: Detection): string {
  const { alert } = detection
  if (alert.on !== 'together') return queryOf(detection)
  const ids = alert.of.map((slug) => DETECTIONS.find((other) => other.slug === slug)?.id)
  return `kibana.alert.rule.rule_id:(${ids.map((id) => `"${id}"`).join(' OR ')})`
}

function typeOf({ alert }: Detection): object {
  switch (alert.on) {
    case 'new':
      return {
        type: 'new_terms',
        new_terms_fields: alert.fields,
        history_window_start: `now-${alert.within}`,
      }
    case 'count':
      return {
        type: 'threshold',
        threshold: {
          field: alert.by,
          // With distinct values to count, one event of each is enough.
          value: alert.distinct ? 1 : alert.atLeast,
          cardinality: alert.distinct ? [{ field: alert.distinct, value: alert.atLeast }] : [],
        },
      }
    case 'together':
      return {
        type: 'threshold',
        threshold: {
          field: alert.by,
          value: 1,
          cardinality: [{ field: 'kibana.alert.rule.rule_id', value: alert.atLeast }],
        },
      }
    default:
      return { type: 'query' }
  }
}

/** Kibana knows no days here. */
function durationOf(span: Span): object {
  return { value: minutesOf(span) / 60, unit: 'h' }
}

/** In the form, and with the headings, of Elastic's own guides. */
function guideOf({ name, why, triage, tune, falsePositives, respond }: Detection): string {
  const list = (lines: string[]) => lines.map((line) => `- ${line}`)
  return [
    '## Triage and analysis',
    `### Investigating ${name}`,
    why,
    ['### Possible investigation steps', '', ...list(triage)].join('\n'),
    ['### False positive analysis', '', ...list(falsePositives), `- Tuning: ${tune}`].join('\n'),
    ['### Response and remediation', '', ...list(respond)].join('\n'),
  ].join('\n\n')
}

function setupOf({ setup }: Detection): string {
  const all =
    'The rule needs the index template and the ingest pipeline of slack-auditor, which set the types of the fields and event.ingested.'
  return `## Setup\n\n${[all, setup].filter(Boolean).join(' ')}`
}

function tagsOf({ slug, attack, useCase, buildingBlock, alert }: Detection): string[] {
  const tactics = new Set(attack.map((id) => TECHNIQUES[id]?.tactic))
  return [
    'slack-auditor',
    'Domain: SaaS',
    'Data Source: Slack',
    `Use Case: ${useCase}`,
    ...[...tactics].flatMap((tactic) => (tactic ? `Tactic: ${TACTICS[tactic]}` : [])),
    'Resources: Investigation Guide',
    ...(buildingBlock ? ['Rule Type: BBR'] : []),
    ...(alert.on === 'together' ? ['Rule Type: Higher-Order Rule'] : []),
    ...(slug.startsWith('collector-') ? ['Domain: Collector'] : []),
  ]
}

const SEEN = {
  access: [
    'organization.name',
    'user.name',
    'user.id',
    'source.ip',
    'source.as.organization.name',
    'source.geo.country_iso_code',
    'slack.client.type',
    'slack.client.program',
    'user_agent.original',
    'slack.app.id',
    'slack.access.count',
    'event.start',
    'event.end',
  ],
  integration: [
    'organization.name',
    'user.name',
    'user.id',
    'event.action',
    'slack.app.name',
    'slack.app.id',
    'slack.integration.scope',
    'slack.integration.channel',
    'event.reason',
  ],
  collector: [
    'organization.name',
    'event.action',
    'event.outcome',
    'error.type',
    'error.message',
    'slack.run.gaps',
    'slack.run.rows_printed',
    'slack.run.version',
  ],
}

function fieldsToSee({ slug, alert }: Detection): string[] {
  const [log = ''] = slug.split('-')
  if (alert.on === 'together') return [...alert.by, 'kibana.alert.rule.name']
  return SEEN[log as keyof typeof SEEN]
}

function requiredFields(detection: Detection): object[] {
  const { alert } = detection
  const grouped =
    alert.on === 'new'
      ? alert.fields
      : alert.on === 'together'
        ? alert.by
        : alert.on === 'count'
          ? [...alert.by, alert.distinct ?? '']
          : []
  const asked = [...fieldsOf(parseQuery(kibanaQuery(detection))), ...grouped].filter(Boolean)
  return [...new Set(asked)].sort().map((name) => ({
    name,
    type: typeOfField(name) ?? 'keyword',
    ecs: !/^slack[.]|[.]text$|^kibana[.]/.test(name),
  }))
}

/** Techniques below their tactics, and sub-techniques below their techniques. */
function threatOf(ids: string[]): object[] {
  const link = (kind: string, id: string) => `https://attack.mitre.org/${kind}/${id.replace('.', '/')}/`
  const entry = (id: string) => {
    const technique = TECHNIQUES[id]
    if (!technique) throw new Error(`${id} is not in attack.ts`)
    return { id, name: technique.name, reference: link('techniques', id) }
  }
  const tactics = new Map<keyof typeof TACTICS, Map<string, object[]>>()
  for (const id of ids) {
    const [parent = ''] = id.split('.')
    const tactic = TECHNIQUES[id]?.tactic
    if (!tactic) throw new Error(`${id} is not in attack.ts`)
    const techniques = tactics.get(tactic) ?? new Map<string, object[]>()
    tactics.set(tactic, techniques)
    const parts = techniques.get(parent) ?? []
    techniques.set(parent, parts)
    if (id !== parent) parts.push(entry(id))
  }
  return [...tactics].map(([tactic, techniques]) => ({
    framework: 'MITRE ATT&CK',
    tactic: { id: tactic, name: TACTICS[tactic], reference: link('tactics', tactic) },
    technique: [...techniques].map(([id, subtechnique]) => ({
      ...entry(id),
      ...(subtechnique.length > 0 && { subtechnique }),
    })),
  }))
}

/**
 * Alerts of Kibana's own kind "Elasticsearch query", since a detection rule finds events and not that none came. Two ask
 * whether a log was read at all, which also works when nothing ever came. One asks for each workspace and log that was
 * read within the last week, in ES|QL (Kibana 8.13): a group without events is not seen by the other form.
 */
function alertsOfSilence(detection: Detection): object[] {
  const { name, alert, query } = detection
  if (alert.on !== 'absence') throw new Error(`${detection.slug} does not look for an absence`)
  const common = {
    rule_type_id: '.es-query',
    consumer: 'stackAlerts',
    enabled: false,
    tags: ['slack-auditor', 'Data Source: Slack'],
    schedule: { interval: '10m' },
    // Early versions of Kibana 8 ask for it.
    notify_when: 'onActionGroupChange',
    actions: [],
  }
  const logs = ['access', 'integration'].map((log, index) => ({
    id: SILENCE_IDS[index],
    ...common,
    name: `${name} (${log} log)`,
    params: {
      index: indicesOf(detection),
      timeField: '@timestamp',
      esQuery: JSON.stringify({
        query: { query_string: { query: `${query} AND event.action:collect_${log}` } },
      }),
      size: 0,
      threshold: [1],
      thresholdComparator: '<',
      timeWindowSize: Number(alert.within.slice(0, -1)),
      timeWindowUnit: alert.within.slice(-1),
    },
  }))
  return [
    ...logs,
    {
      id: SILENCE_IDS[2],
      ...common,
      name: `${name} (each workspace)`,
      params: {
        searchType: 'esqlQuery',
        esqlQuery: { esql: silenceEsql(alert.within) },
        timeField: '@timestamp',
        size: 0,
        threshold: [0],
        thresholdComparator: '>',
        // The row of a silent log stays the same from run to run.
        excludeHitsFromPreviousRun: false,
        timeWindowSize: 7,
        timeWindowUnit: 'd',
      },
    },
  ]
}

/** They never change, so that an alert is made once. */
const SILENCE_IDS = [
  'f16e8862-6d38-4f96-9d9e-105b2f249d95',
  '96fab5b5-1ac5-45db-9b10-13fb95be6f43',
  '6a6bafe0-cf4c-464e-b24c-3b6cd0b3340a',
]

export function silenceEsql(within: Span): string {
  const hours = Number(within.slice(0, -1))
  return [
    'FROM logs-slack.auditor-*',
    '| WHERE event.dataset == "slack.auditor" AND event.outcome == "success"',
    '| STATS last_success = MAX(@timestamp) BY organization.id, event.action',
    `| WHERE last_success < NOW() - ${hours} hours`,
  ].join('\n')
}
