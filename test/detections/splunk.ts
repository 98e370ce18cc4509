/**
 * Writes the detections as saved searches on what outputs/splunk-hec.conf sends: the [slack] part of an event as JSON,
 * with the dataset as its sourcetype and the time of the event as `_time`. `_indextime`, the time when Splunk took
 * the event, stands for `event.created`.
 */
import type { Detection, Span } from '../../logstash/detections/detection.ts'
import { LATEST } from '../../logstash/detections/detection.ts'
import { LISTS } from '../../logstash/detections/lists.ts'
import { type List, parseQuery, type Query, withLists } from './lucene.ts'
import { EVERY, minutesOf } from './schedule.ts'

/** Which of Splunk's fields hold what an ECS field holds. Where it depends on the log, by dataset. */
const FIELDS: Record<string, string | Record<string, string>> = {
  'event.dataset': 'sourcetype',
  'event.action': { 'slack.integration': 'integration.change_type', 'slack.auditor': 'run.log' },
  'event.reason': 'integration.reason',
  'event.outcome': 'run.outcome',
  'organization.id': 'team.id',
  'source.as.organization.name': 'access.isp',
  'source.geo.country_iso_code': 'access.country',
  'source.ip': 'access.ip',
  'user.id': { 'slack.access': 'access.user_id', 'slack.integration': 'integration.user_id' },
  // Splunk calls the values of a list so.
  'slack.integration.scope': 'integration.scope{}',
}

/** What is worth seeing in a result. */
const SHOWN: Record<string, string> = {
  'slack.access':
    'values(access.username) AS member values(access.ip) AS addresses values(access.country) AS countries values(access.isp) AS providers values(access.user_agent) AS agents',
  'slack.integration':
    'values(integration.user_name) AS member values(app.name) AS apps values(integration.change_type) AS changes values(integration.reason) AS reasons',
  'slack.auditor': 'values(run.error.code) AS errors values(run.error.message) AS messages',
}

const TABLE: Record<string, string> = {
  'slack.integration':
    '_time id team.name integration.user_id integration.user_name integration.change_type app.id app.name integration.scope{} integration.channel integration.reason',
}

const SEVERITY = { low: 2, medium: 3, high: 4, critical: 5 } as const

/** How far back a search looks for what was read in the last half hour, after the collector was down. */
const BACKLOG: Span = '7d'

interface Search {
  search: string
  earliest: Span
  /** What is not to be reported again, for how long. */
  suppress: string[]
  period: Span
}

export function savedSearches(detections: Detection[]): string {
  const head = [
    '# Written by `npm run build:detections` from ../detections. Change it there.',
    '# Each search is off. What they mean and how often they fire: ../detections.md.',
    '# The lists and the index are macros: see macros.conf beside this file.',
  ].join('\n')
  return `${head}\n\n${detections.map(stanza).join('\n')}`
}

export function macros(): string {
  const lists = Object.entries(LISTS).map(
    ([name, list]) =>
      `# ${list.what}\n[slack_auditor_${name}]\ndefinition = (${alternatives(list)})\niseval = 0\n`,
  )
  return `# Written by \`npm run build:detections\` from ../detections/lists.ts. Put your own values into ../local/macros.conf
# of the app, so that an update leaves them alone.

# Where the events are. Name your index: it makes the searches faster.
[slack_auditor_index]
definition = (index=*)
iseval = 0

${lists.join('\n')}`
}

export function props(): string {
  const stanzas = ['slack.access', 'slack.integration', 'slack.auditor'].map(
    (sourcetype) => `[${sourcetype}]
KV_MODE = json
SHOULD_LINEMERGE = false
LINE_BREAKER = ([\\r\\n]+)
TRUNCATE = 1000000
category = Application
description = slack-auditor: ${sourcetype}
`,
  )
  return `# Written by \`npm run build:detections\`. KV_MODE is for the search head: the searches rest on the fields of the JSON.
# The HTTP Event Collector gets each event whole and with its time; the lines below KV_MODE are for other inputs.

${stanzas.join('\n')}`
}

/** The search with its macros written out, as far as a checker needs them. */
export function withoutMacros(search: string): string {
  return search
    .replaceAll('`slack_auditor_index`', 'index=*')
    .replace(/`slack_auditor_(\w+)`/g, (_, name: string) => {
      const list = (LISTS as Record<string, List>)[name]
      if (!list) throw new Error(`there is no macro for ${name}`)
      return `(${alternatives(list)})`
    })
}

function alternatives(list: List): string {
  return spl(parseQuery(withLists('{list}', { list })), undefined)
}

function stanza(detection: Detection): string {
  const { name, finds, why, wrongly, tune, severity, splunk } = detection
  const { search, earliest, suppress, period } = searchOf(detection)
  const comments = [
    finds,
    why,
    `Will wrongly find: ${wrongly.join('; ')}.`,
    `Tuning: ${tune}`,
    ...(splunk ? [`Written by hand, because ${splunk.because}.`] : []),
  ]
  const lines = search.split('\n')
  return `${comments.map((comment) => `# ${comment}`).join('\n')}
[${name}]
description = ${finds}
search = ${lines.join(' \\\n')}
disabled = 1
enableSched = 1
cron_schedule = ${CRON}
dispatch.earliest_time = -${earliest}
dispatch.latest_time = now
counttype = number of events
relation = greater than
quantity = 0
alert.track = 1
alert.digest_mode = 0
alert.severity = ${SEVERITY[severity]}
alert.suppress = 1
alert.suppress.fields = ${suppress.join(',')}
alert.suppress.period = ${period}
`
}

/** Every half hour, at minutes when not everything else runs. */
const CRON = '13,43 * * * *'
/** What Splunk took since the last run of the search. Whole minutes, so that runs neither overlap nor leave a hole. */
const FRESH = `_index_earliest=-${EVERY}@m _index_latest=@m`
const fresh = (field: string) =>
  `${field} >= relative_time(now(), "-${EVERY}@m") AND ${field} < relative_time(now(), "@m")`

export function searchOf(detection: Detection): Search {
  const { splunk, alert } = detection
  if (splunk) {
    return {
      search: `\`slack_auditor_index\` ${splunk.search.replace(/\{(\w+)\}/g, '`slack_auditor_$1`')}`,
      earliest: splunk.earliest,
      suppress: splunk.names,
      period: '1d',
    }
  }
  const [dataset = '', more] = new Set(
    [...detection.query.matchAll(/event\.dataset:([\w.]+)/g)].map(([, set]) => set ?? ''),
  )
  if (more) throw new Error(`${detection.slug} is about two logs: write its Splunk search by hand`)
  const base = `\`slack_auditor_index\` ${spl(parseQuery(detection.query), dataset)}`
  const named = (fields: string[]) => fields.map((field) => splunkField(field, dataset))
  switch (alert.on) {
    case 'event':
      return {
        search: [`${base} ${FRESH}`, '| dedup id', `| table ${TABLE[dataset] ?? noTable(dataset)}`].join(
          '\n',
        ),
        earliest: BACKLOG,
        suppress: ['id'],
        period: BACKLOG,
      }
    case 'new': {
      const by = named(alert.fields)
      return {
        search: [
          base,
          `| stats min(_indextime) AS first_collected latest(_time) AS _time ${shown(dataset, by)} BY ${by.join(' ')}`,
          `| where ${fresh('first_collected')}`,
        ].join('\n'),
        earliest: alert.within,
        suppress: by,
        period: '1d',
      }
    }
    case 'count': {
      const by = named(alert.by)
      const count = alert.distinct ? `dc(${splunkField(alert.distinct, dataset)})` : 'count'
      const hours = (minutesOf(alert.within) + minutesOf(LATEST)) / 60
      return {
        search: [
          base,
          '| dedup id',
          '| eval collected=_indextime',
          '| sort 0 _time',
          `| streamstats time_window=${alert.within} ${count} AS counted max(collected) AS last_collected ${shown(dataset, by)} BY ${by.join(' ')}`,
          `| where counted >= ${alert.atLeast} AND ${fresh('last_collected')}`,
          `| dedup ${by.join(' ')} sortby -counted`,
          `| table _time ${by.join(' ')} counted ${[...shown(dataset, by).matchAll(/AS (\w+)/g)].map(([, name]) => name).join(' ')}`,
        ].join('\n'),
        // A day more, for what was read late.
        earliest: `${Math.ceil(hours) + 24}h`,
        suppress: by,
        period: alert.within,
      }
    }
    case 'absence':
      throw new Error(`${detection.slug} looks for an absence: write its Splunk search by hand`)
  }
}

function noTable(dataset: string): never {
  throw new Error(`what is to be shown of an event of ${dataset}?`)
}

/** Without the fields that the results are grouped by. */
function shown(dataset: string, by: string[]): string {
  return [...(SHOWN[dataset] ?? '').matchAll(/values\((\S+)\) AS \w+/g)]
    .filter(([, field = '']) => !by.includes(field))
    .map(([text]) => text)
    .join(' ')
}

function splunkField(field: string, dataset: string | undefined): string {
  const mapped = FIELDS[field] ?? /^slack\.(.+)$/.exec(field)?.[1]
  const name = typeof mapped === 'object' ? mapped[dataset ?? ''] : mapped
  if (!name) throw new Error(`Splunk is not sent ${field} of ${dataset}`)
  return name
}

/** The query in the words of Splunk's search command, which knows AND, OR, NOT, brackets, * and networks too. */
function spl(query: Query, dataset: string | undefined): string {
  const inBrackets = (part: Query) => (part.kind === 'or' ? `(${spl(part, dataset)})` : spl(part, dataset))
  switch (query.kind) {
    case 'and':
      return query.of.map(inBrackets).join(' ')
    case 'or':
      return query.of
        .map((part) => (part.kind === 'and' ? `(${spl(part, dataset)})` : spl(part, dataset)))
        .join(' OR ')
    case 'not':
      return `NOT ${query.of.kind === 'and' ? `(${spl(query.of, dataset)})` : inBrackets(query.of)}`
    case 'list':
      return `\`slack_auditor_${query.name}\``
    case 'exists':
      return `${splunkField(query.field, dataset)}=*`
    case 'equals':
      return equals(query.field, query.text, dataset)
    case 'like':
      // Splunk knows no ?, and * finds more than what is meant: it is shown all the same.
      return equals(query.field, query.pattern.replace(/(?<!\\)\?/g, '*').replace(/\\(.)/g, '$1'), dataset)
    case 'range': {
      if (query.from === undefined || query.to !== undefined)
        throw new Error(`no Splunk for this range of ${query.field}`)
      return `${splunkField(query.field, dataset)}${query.exclusive ? '>' : '>='}${query.from}`
    }
  }
}

function equals(field: string, text: string, dataset: string | undefined): string {
  // Without capitals, and somewhere in the name: Splunk compares without them anyway.
  const word = /^(.+)\.text$/.exec(field)?.[1]
  if (word) return `${splunkField(word, dataset)}=${JSON.stringify(`*${text.replaceAll('*', '')}*`)}`
  const value = field === 'event.action' ? text.replace(/^(?:integration|collect)_/, '') : text
  return `${splunkField(field, dataset)}=${/^[\w.]+$/.test(value) ? value : JSON.stringify(value)}`
}
