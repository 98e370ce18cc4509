/**
 * Writes the detections as saved searches on what outputs/splunk-hec.conf sends: the [slack] part of an event as JSON,
 * with the dataset as its sourcetype and the time of the event as `_time`. `_indextime`, the time when Splunk took
 * the event, stands for `event.ingested`.
 */
import type { Detection, Span } from '../../detections/detection.ts'
import { DETECTIONS } from '../../detections/detections.ts'
import { LISTS } from '../../detections/lists.ts'
import { KNOWN_APPS, SPLUNK_SEARCHES } from '../../detections/splunk.ts'
import { type List, parseQuery, type Query, withLists } from './lucene.ts'
import { minutesOf } from './schedule.ts'

/** Which of Splunk's fields hold what an ECS field holds. Where it depends on the log, by dataset. */
const FIELDS: Record<string, string | Record<string, string>> = {
  '@timestamp': '_time',
  'error.code': 'run.error.code',
  'event.dataset': 'sourcetype',
  'event.action': { 'slack.integration': 'integration.change_type', 'slack.auditor': 'run.log' },
  'event.reason': 'integration.reason',
  'event.outcome': 'run.outcome',
  'organization.id': 'team.id',
  'service.id': 'app.id',
  'organization.name': 'team.name',
  'source.address': 'access.ip',
  'source.as.organization.name': 'access.isp',
  'source.geo.country_iso_code': 'access.country',
  'source.ip': 'access.ip',
  'user.id': { 'slack.access': 'access.user_id', 'slack.integration': 'integration.user_id' },
  'user.name': { 'slack.access': 'access.username', 'slack.integration': 'integration.user_name' },
  'user_agent.original': 'access.user_agent',
  // Splunk calls the values of a list so.
  'slack.integration.scope': 'integration.scope{}',
}

/** What is worth seeing in a result. */
const SHOWN: Record<string, string[]> = {
  'slack.access': [
    'values(access.username) AS member',
    'values(access.ip) AS addresses',
    'values(access.country) AS countries',
    'values(access.isp) AS providers',
    'values(access.user_agent) AS agents',
    'max(access.count) AS calls',
  ],
  'slack.integration': [
    'values(integration.user_name) AS member',
    'values(app.name) AS apps',
    'values(integration.change_type) AS changes',
    'values(integration.reason) AS reasons',
  ],
  'slack.auditor': ['values(run.error.code) AS errors', 'values(run.error.message) AS messages'],
}

const TABLE: Record<string, string> = {
  'slack.access':
    '_time, id, team.name, access.user_id, access.username, access.ip, access.country, access.isp, access.user_agent, access.count',
  'slack.integration':
    '_time, id, team.name, integration.user_id, integration.user_name, integration.change_type, app.id, app.name, integration.scope{}, integration.channel, integration.reason',
}

const SEVERITY = { low: 2, medium: 3, high: 4, critical: 5 } as const

/**
 * Each search runs twice an hour and looks at what Splunk took in the last 12 hours, so a run may be late or fail 23
 * times. What was found is not reported again for a day.
 */
const CRON = '13,43 * * * *'
const OVERLAP: Span = '12h'
const QUIET: Span = '1d'
/** How old an event may be when it comes, after the collector or Splunk was down. */
const BACKLOG: Span = '30d'

/** Where the alarms of the searches are kept that others combine. */
const ALARMS = 'slack_auditor_alarms'

interface Search {
  search: string
  earliest: Span
  /** How far back Splunk took it, where the search does not look for that itself. */
  indexEarliest?: Span
  /** Fields that name what was found. */
  names: string[]
}

export function savedSearches(detections: Detection[]): string {
  const head = [
    '# Written by `npm run build:detections` from ../../../detections. Change it there.',
    '# The first two keep lookups: run the first once by hand after the installation. The others are off until you enable',
    '# them. What they mean: detections.md.',
    '# The lists and the index are macros: see macros.conf beside this file.',
  ].join('\n')
  return [head, ...LOOKUPS.map(keeping), ...detections.map(stanza)].join('\n\n').concat('\n')
}

const LOOKUPS = [
  KNOWN_APPS,
  {
    name: 'Slack: forget old alarms',
    description: 'Keeps the lookup slack_auditor_alarms, which combined detections read, to 30 days.',
    search: `| inputlookup ${ALARMS}\n| where time >= now()-2592000\n| outputlookup ${ALARMS}`,
    cron: '17 3 * * *',
  },
]

const keeping = ({ name, description, search, cron }: (typeof LOOKUPS)[number]) => `[${name}]
description = ${description}
search = ${oneLine(search.startsWith('|') ? search : withIndex(search))}
disabled = 0
enableSched = 1
cron_schedule = ${cron}
realtime_schedule = 0
schedule_window = 60
dispatch.earliest_time = 0
dispatch.latest_time = now`

/** A search that is written by hand, with its macros and the times that it looks at. */
export function withIndex(search: string): string {
  return `\`slack_auditor_index\` ${search
    .replace(/\{fresh:(\w+)\}/g, (_, field: string) => fresh(field))
    .replace(/\{(\w+)\}/g, '`slack_auditor_$1`')}`
}

function oneLine(search: string): string {
  return search.split('\n').join(' \\\n')
}

export function macros(): string {
  const lists = Object.entries(LISTS).map(
    ([name, list]) =>
      `# ${list.what}\n[slack_auditor_${name}]\ndefinition = (${alternatives(list)})\niseval = 0\n`,
  )
  return `# Written by \`npm run build:detections\` from ../../../detections/lists.ts. Put your own values into ../local/macros.conf
# of the app, so that an update leaves them alone.

# Where the events are. Name your index: it makes the searches faster.
[slack_auditor_index]
definition = (index=*)
iseval = 0

${lists.join('\n')}`
}

/** The search with its macros written out; \`index\` stands for the one of the index. */
export function withoutMacros(search: string, index = 'index=*'): string {
  return search
    .replaceAll('`slack_auditor_index`', index)
    .replace(/`slack_auditor_(\w+)`/g, (_, name: string) => `(${alternatives(listNamed(name))})`)
}

/** What a macro of a list stands for: words of a name as an expression for `where`, all else as terms of a search. */
function alternatives(list: List): string {
  if (!isOfWords(list)) return spl(parseQuery(withLists('{list}', { list })), undefined)
  const words = list.values.map((value) =>
    value.replaceAll('.', '[.]').replaceAll('*', '[a-z0-9]*').replaceAll(' ', '[^a-z0-9]+'),
  )
  const field = splunkField(
    list.field.replace(/\.text$/, ''),
    list.field.startsWith('slack.') ? '' : 'slack.access',
  )
  return `match(coalesce('${field}', ""), "(?i)(^|[^a-z0-9])(${words.join('|')})([^a-z0-9]|$)")`
}

const isOfWords = ({ field }: List) => field.endsWith('.text')

function listNamed(name: string): List {
  return (LISTS as Record<string, List>)[name] ?? failure(`there is no list {${name}}`)
}

function failure(what: string): never {
  throw new Error(what)
}

/** The search command, and a `where` for the lists of words: it can only be asked beside the other terms. */
function searchLines(query: Query, dataset: string): string[] {
  const parts = query.kind === 'and' ? query.of : [query]
  const listOf = (part: Query): string | undefined => {
    const inner = part.kind === 'not' ? part.of : part
    if (inner.kind !== 'list' || !isOfWords(listNamed(inner.name))) return undefined
    return `${part.kind === 'not' ? 'NOT ' : ''}\`slack_auditor_${inner.name}\``
  }
  const lists = parts.flatMap((part) => listOf(part) ?? [])
  const others = parts.filter((part) => !listOf(part))
  return [
    `\`slack_auditor_index\` ${spl({ kind: 'and', of: others }, dataset)}`,
    ...(lists.length > 0 ? [`| where ${lists.join(' AND ')}`] : []),
  ]
}

function stanza(detection: Detection): string {
  const { name, finds, why, falsePositives, tune, severity, attack, buildingBlock } = detection
  const splunk = SPLUNK_SEARCHES[detection.slug]
  const { search, earliest, indexEarliest, names } = searchOf(detection)
  const comments = [
    finds,
    why,
    `False positives: ${falsePositives.join('; ')}.`,
    `Tuning: ${tune}`,
    ...(buildingBlock ? ['It is a building block: it alerts nobody, and others combine what it finds.'] : []),
    ...(splunk ? [`Written by hand, because ${splunk.because}.`] : []),
  ]
  const lines = [
    ...comments.map((comment) => `# ${comment}`),
    `[${name}]`,
    `description = ${finds}`,
    `search = ${oneLine(search)}`,
    'disabled = 1',
    'enableSched = 1',
    `cron_schedule = ${CRON}`,
    'realtime_schedule = 0',
    'schedule_window = 10',
    `dispatch.earliest_time = -${earliest}`,
    'dispatch.latest_time = now',
    ...(indexEarliest ? [`dispatch.index_earliest = -${indexEarliest}`, 'dispatch.index_latest = now'] : []),
    'counttype = number of events',
    'relation = greater than',
    'quantity = 0',
    `alert.track = ${buildingBlock ? 0 : 1}`,
    'alert.digest_mode = 0',
    `alert.severity = ${SEVERITY[severity]}`,
    'alert.suppress = 1',
    `alert.suppress.fields = ${names.join(',')}`,
    `alert.suppress.period = ${QUIET}`,
    ...(attack.length > 0
      ? [
          'action.correlationsearch.enabled = 1',
          `action.correlationsearch.label = ${name}`,
          `action.correlationsearch.annotations = ${JSON.stringify({ mitre_attack: attack })}`,
        ]
      : []),
  ]
  return lines.join('\n')
}

/** What was new within the overlap. */
const fresh = (field: string) => `${field} >= now()-${minutesOf(OVERLAP) * 60}`

/** The names in that lookup: a collection takes no dots. */
function subjectOf(field: string): string {
  return field === 'service.id' ? 'app_id' : field.replaceAll('.', '_')
}

/**
 * What a search adds to keep its alarms. The key is made of what was found and when, so that the next run, which finds it
 * again, writes it again.
 */
function keep({ slug, alert }: Detection, names: string[], dataset: string): string[] {
  const subjects = new Set(
    DETECTIONS.flatMap((other) =>
      other.alert.on === 'together' && other.alert.of.includes(slug) ? other.alert.by : [],
    ),
  )
  if (subjects.size === 0) return []
  const time = { event: 'taken', new: 'first_taken', count: '_time', together: '_time', absence: '_time' }[
    alert.on
  ]
  const fields = [...subjects].map((field) => `${subjectOf(field)}='${splunkField(field, dataset)}'`)
  const key = ['rule', ...names.map((name) => `'${name}'`), 'time'].join('."|".')
  return [
    `| eval rule="${slug}", time=${time}, ${fields.join(', ')}`,
    `| eval _key=${key}`,
    `| outputlookup append=true key_field=_key ${ALARMS}`,
  ]
}

export function searchOf(detection: Detection): Search {
  const found = findingSearch(detection)
  const [, dataset = ''] = /event\.dataset:([\w.]+)/.exec(detection.query) ?? []
  return { ...found, search: [found.search, ...keep(detection, found.names, dataset)].join('\n') }
}

function findingSearch(detection: Detection): Search {
  const { alert } = detection
  const splunk = SPLUNK_SEARCHES[detection.slug]
  if (splunk) {
    return {
      search: withIndex(splunk.search),
      earliest: splunk.earliest,
      names: splunk.names,
    }
  }
  const [dataset = '', more] = new Set(
    [...detection.query.matchAll(/event\.dataset:([\w.]+)/g)].map(([, set]) => set ?? ''),
  )
  if (more) throw new Error(`${detection.slug} is about two logs: write its Splunk search by hand`)
  const base = detection.query === '' ? [] : searchLines(parseQuery(detection.query), dataset)
  const named = (fields: string[]) => fields.map((field) => splunkField(field, dataset))
  switch (alert.on) {
    case 'event':
      return {
        search: [
          ...base,
          '| dedup id',
          '| eval taken=_indextime',
          `| table ${TABLE[dataset] ?? failure(`what is to be shown of ${dataset}?`)}, taken`,
        ].join('\n'),
        earliest: BACKLOG,
        indexEarliest: OVERLAP,
        names: detection.suppress ? named(detection.suppress.by) : ['id'],
      }
    case 'new': {
      const by = named(alert.fields)
      if (by.some((field) => field.endsWith('{}'))) failure(`${detection.slug}: a list would be many results`)
      return {
        search: [
          ...base,
          `| stats min(_indextime) AS first_taken, max(_time) AS _time, ${shown(dataset, by)} BY ${by.join(', ')}`,
          `| where ${fresh('first_taken')}`,
        ].join('\n'),
        earliest: alert.within,
        names: by,
      }
    }
    case 'count': {
      const by = named(alert.by)
      // Repeats have the same id.
      const count = `dc(${alert.distinct ? splunkField(alert.distinct, dataset) : 'id'})`
      return {
        search: [
          ...base,
          '| eval _time=_indextime',
          '| sort 0 _time',
          `| streamstats time_window=${minutesOf(alert.within)}m ${count} AS counted, ${shown(dataset, by)} BY ${by.join(', ')}`,
          `| where counted >= ${alert.atLeast} AND ${fresh('_time')}`,
          '| sort 0 -counted',
          `| dedup ${by.join(' ')}`,
          `| table _time, ${by.join(', ')}, counted, ${[...shown(dataset, by).matchAll(/AS (\w+)/g)].map(([, name]) => name).join(', ')}`,
        ].join('\n'),
        earliest: BACKLOG,
        indexEarliest: `${(minutesOf(alert.within) + minutesOf(OVERLAP)) / 60}h`,
        names: by,
      }
    }
    case 'together': {
      const by = alert.by.map(subjectOf)
      return {
        search: [
          `| inputlookup ${ALARMS}`,
          `| where time >= now()-${minutesOf(alert.within) * 60} AND (${alert.of.map((slug) => `rule="${slug}"`).join(' OR ')})`,
          `| stats dc(rule) AS counted, values(rule) AS rules, max(time) AS _time BY ${by.join(', ')}`,
          `| where counted >= ${alert.atLeast}`,
        ].join('\n'),
        earliest: alert.within,
        names: by,
      }
    }
    case 'absence':
      throw new Error(`${detection.slug} looks for an absence: write its Splunk search by hand`)
  }
}

/** Without the fields that the results are grouped by. */
function shown(dataset: string, by: string[]): string {
  return (SHOWN[dataset] ?? []).filter((text) => !by.some((field) => text.includes(`(${field})`))).join(', ')
}

export function splunkField(field: string, dataset: string | undefined): string {
  const mapped = FIELDS[field] ?? /^slack\.(.+)$/.exec(field)?.[1]
  const name = typeof mapped === 'object' ? mapped[dataset ?? ''] : mapped
  return name ?? failure(`Splunk is not sent ${field} of ${dataset}`)
}

/** The query in the words of Splunk's search command, which knows AND, OR, NOT, brackets, * and networks too. */
export function spl(query: Query, dataset: string | undefined): string {
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
      if (isOfWords(listNamed(query.name))) failure(`{${query.name}} must be joined to all else by AND`)
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
  const value = field === 'event.action' ? text.replace(/^(?:integration|collect)_/, '') : text
  return `${splunkField(field, dataset)}=${/^[\w.]+$/.test(value) ? value : JSON.stringify(value)}`
}
