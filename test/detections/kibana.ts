/** Writes the detections as Kibana imports them. It uses no recent fields: an older Kibana refuses those it does not know. */
import { TACTICS, TECHNIQUES } from '../../logstash/detections/attack.ts'
import type { Detection } from '../../logstash/detections/detection.ts'
import { queryOf } from './engine.ts'
import { EVERY, lookBackOf, timeFieldOf } from './schedule.ts'

/** As Elastic's own rules have them. */
const RISK = { low: 21, medium: 47, high: 73, critical: 99 } as const
/** In one run of a rule. Kibana's default. */
const MAX_ALERTS = 100

export function indicesOf({ query }: Detection): string[] {
  const sets = new Set([...query.matchAll(/event\.dataset:([\w.]+)/g)].map(([, dataset]) => dataset))
  return [...sets].map((dataset) => `logs-${dataset}-*`)
}

/** One line per rule, for `POST /api/detection_engine/rules/_import`. */
export function detectionRules(detections: Detection[]): string {
  return ndjson(detections.filter(({ alert }) => alert.on !== 'absence').map(detectionRule))
}

/** One line per alert, each for `POST /api/alerting/rule`. */
export function silenceAlerts(detections: Detection[]): string {
  return ndjson(
    detections
      .filter(({ alert }) => alert.on === 'absence')
      .flatMap((detection) => ['access', 'integration'].map((log) => silenceAlert(detection, log))),
  )
}

function ndjson(lines: object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

function detectionRule(detection: Detection): object {
  const { id, version, name, severity, wrongly, attack } = detection
  return {
    rule_id: id,
    version,
    name,
    description: `${detection.finds} ${detection.why}`,
    ...typeOf(detection),
    language: 'lucene',
    query: queryOf(detection),
    index: indicesOf(detection),
    from: `now-${lookBackOf(detection.alert)}m`,
    to: 'now',
    interval: EVERY,
    ...(timeFieldOf(detection) === 'event.created' && { timestamp_override: 'event.created' }),
    severity,
    severity_mapping: [],
    risk_score: RISK[severity],
    risk_score_mapping: [],
    false_positives: wrongly,
    note: noteOf(detection),
    threat: threatOf(attack),
    references: [
      'https://docs.slack.dev/reference/methods/team.accessLogs',
      'https://docs.slack.dev/reference/methods/team.integrationLogs',
    ],
    author: ['slack-auditor'],
    license: 'MIT',
    tags: ['slack-auditor', 'Slack'],
    enabled: false,
    max_signals: MAX_ALERTS,
    actions: [],
    exceptions_list: [],
  }
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
    default:
      return { type: 'query' }
  }
}

function noteOf({ triage, tune, wrongly }: Detection): string {
  return [
    '## Triage',
    '',
    ...triage.map((step, index) => `${index + 1}. ${step}`),
    '',
    '## False alarms',
    '',
    ...wrongly.map((what) => `- ${what}`),
    '',
    `Tuning: ${tune}`,
  ].join('\n')
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
 * An alert of Kibana's own kind "Elasticsearch query": fewer than one success in the time. A detection rule finds
 * events, so it cannot find that none came.
 */
function silenceAlert(detection: Detection, log: string): object {
  const { name, alert } = detection
  if (alert.on !== 'absence') throw new Error(`${detection.slug} does not look for an absence`)
  const query = `${queryOf(detection)} AND event.action:collect_${log}`
  return {
    name: `${name} (${log} log)`,
    rule_type_id: '.es-query',
    consumer: 'stackAlerts',
    enabled: false,
    tags: ['slack-auditor', 'Slack'],
    schedule: { interval: '10m' },
    // Early versions of Kibana 8 ask for it.
    notify_when: 'onActionGroupChange',
    params: {
      index: indicesOf(detection),
      timeField: '@timestamp',
      esQuery: JSON.stringify({ query: { query_string: { query } } }),
      size: 0,
      threshold: [1],
      thresholdComparator: '<',
      timeWindowSize: Number(alert.within.slice(0, -1)),
      timeWindowUnit: alert.within.slice(-1),
    },
    actions: [],
  }
}
