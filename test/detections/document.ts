/** Writes the tables of logstash/detections.md between the marks that stand in it. The rest of it is written by hand. */
import { readFileSync } from 'node:fs'
import type { Detection } from '../../logstash/detections/detection.ts'
import { LISTS } from '../../logstash/detections/lists.ts'
import { fieldsOf, parseQuery } from './lucene.ts'

/** How often each fired on the fake company: written by `npm run measure:detections`. */
export const RATES = new URL('rates.json', import.meta.url)

export interface Rates {
  members: number
  days: number
  /** Of the invented company. */
  seeds: number[]
  /** Of what was measured: see rates.ts. */
  fingerprint: string
  /** By slug, one figure per seed. */
  alarms: Record<string, number[]>
}

export function documentWith(detections: Detection[], text: string): string {
  const rates = JSON.parse(readFileSync(RATES, 'utf8')) as Rates
  const tables: Record<string, string> = {
    access: table(detections, 'access-', rates),
    integration: table(detections, 'integration-', rates),
    collector: table(detections, 'collector-', rates),
    lists: lists(),
  }
  return text.replace(
    /(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)/gs,
    (_, begin: string, name: string, end: string) => `${begin}\n${tables[name] ?? ''}\n${end}`,
  )
}

function table(detections: Detection[], prefix: string, rates: Rates): string {
  const ours = detections.filter(({ slug }) => slug.startsWith(prefix))
  const rows = ours.map((detection) => [
    `**${titleOf(detection)}**`,
    detection.severity,
    detection.why,
    detection.wrongly.join(', '),
    detection.tune,
    restsOn(detection)
      .map((field) => `\`${field}\``)
      .join(' '),
    rateOf(detection, rates),
  ])
  const head = ['Detection', 'Severity', 'Why it matters', 'Finds wrongly', 'Tuning', 'Rests on', 'Alarms']
  const exactly = ours.map((detection) => `- *${titleOf(detection)}*: ${detection.finds}\n`)
  return `${markdown([head, ...rows])}\nExactly:\n\n${exactly.join('')}`
}

function markdown([head = [], ...rows]: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** Without whose it is, which the heading says. */
function titleOf({ name }: Detection): string {
  const title = name.replace(/^[\w-]+: /, '')
  return title.slice(0, 1).toUpperCase() + title.slice(1)
}

/** What nearly all of them look at besides. */
const COMMON = [
  'event.dataset',
  'event.created',
  'event.action',
  'organization.id',
  'slack.client.type',
  'user.id',
]

/** The fields that decide, in the shortest way. */
function restsOn({ query, alert }: Detection): string[] {
  const listed = [...query.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) =>
    name === 'own_app' ? [] : LISTS[name as keyof typeof LISTS].field,
  )
  const grouped =
    alert.on === 'new' ? alert.fields : alert.on === 'count' ? [...alert.by, alert.distinct ?? ''] : []
  const all = [...grouped, ...fieldsOf(parseQuery(query)), ...listed].map((field) =>
    field.replace(/\.text$/, ''),
  )
  const fields = [...new Set(all)].filter((field) => field !== '' && field !== 'event.dataset')
  const deciding = fields.filter((field) => !COMMON.includes(field))
  if (deciding.length > 0) return deciding
  return fields.includes('event.action') ? ['event.action'] : fields
}

function rateOf({ slug }: Detection, rates: Rates): string {
  const counts = rates.alarms[slug]
  if (!counts) return '–'
  const sorted = [...counts].sort((one, other) => one - other)
  const [least, most] = [sorted[0], sorted.at(-1)]
  return least === most ? String(least) : `${least} to ${most}`
}

function lists(): string {
  const rows = Object.entries(LISTS).map(([name, { what, field, values }]) => [
    `\`${name}\``,
    what,
    `\`${field}\``,
    values.length > 8 ? `${values.length} names` : values.map((value) => `\`${value}\``).join(' '),
  ])
  return markdown([['List', 'What stands in it', 'Field', 'As shipped'], ...rows])
}
