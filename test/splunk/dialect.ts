/**
 * Where SigLens reads or does something else than Splunk's manual says, a search or an event is written for it. Each
 * step is here, so that it is seen what was not tried as it is shipped.
 */
import { type Event, valuesOf } from '../../logstash/build/detections/lucene.ts'
import { withoutMacros } from '../../logstash/build/detections/splunk.ts'
import type { Row } from './siglens.ts'

/** SigLens takes no event for one that NOT is true of where the field is missing. So none is. */
const MISSING = '-'

/** How many values of a list are looked at. */
const LIST = 12

/** What the HTTP Event Collector is sent of an event, with its fields as KV_MODE = json reads them. */
export function splunkEvent(event: Event, mark: string): Row {
  const seconds = (field: string) => Math.floor(Date.parse(String(valuesOf(event, field)[0])) / 1000)
  const taken = seconds('event.ingested')
  const row: Row = {
    timestamp: taken * 1000,
    mark,
    sourcetype: String(valuesOf(event, 'event.dataset')[0]),
    // SigLens takes no field that begins with _.
    time: seconds('@timestamp'),
    indextime: taken,
  }
  const add = (name: string, value: unknown): void => {
    if (Array.isArray(value))
      for (const [place, item] of value.slice(0, LIST).entries()) add(`${name}.${place}`, item)
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) add(name ? `${name}.${key}` : key, inner)
    else if (value !== undefined) row[name] = typeof value === 'boolean' ? String(value) : value
  }
  add('', event['slack'])
  return row
}

/** All events with all fields: a text or a number, as SigLens takes a field of both for one of texts. */
export function withAllFields(rows: Row[]): Row[] {
  const filler: Row = {}
  for (const [name, value] of rows.flatMap((row) => Object.entries(row)))
    filler[name] = typeof value === 'number' ? 0 : (filler[name] ?? MISSING)
  return rows.map((row) => ({ ...filler, ...row }))
}

export const isMissing = (value: unknown) => value === MISSING || value === undefined || value === ''

/** A step, and why it is taken. */
const STEPS: ((search: string) => string)[] = [
  // Without quotes these are a number and a truth value, and equal to no text.
  (search) => search.replace(/(\w\.\w+)=(\d+|true|false)(?=[\s)]|$)/gm, '$1="$2"'),
  // The values of a list are fields of their own.
  (search) =>
    search.replace(/([\w.]+)\{\}=("[^"]*"|[^\s()]+)/g, (_, field: string, value: string) => {
      const each = Array.from({ length: LIST }, (_, place) => `${field}.${place}=${value}`)
      return value === '*' ? `${field}.0=*` : `(${each.join(' OR ')})`
    }),
  (search) => search.replaceAll('{}', '.0'),
  // Every event has every field: see MISSING.
  (search) => search.replace(/([\w.]+)=\*(?=[\s)]|$)/gm, `$1!="${MISSING}"`),
  // No networks: the beginning of the text will do.
  (search) =>
    search
      .replace(/="(\d+\.\d+\.\d+)\.0\/24"/g, '="$1.*"')
      .replace(/([\w.]+)="([\da-f:]+)::\/48"/g, '($1="$2::*" OR $1="$2:0:*")'),
  // No such commands.
  (search) => search.replace(/^\| (outputlookup|eval _key=).*$/gm, '').replace(/^\| table /gm, '| fields '),
  // One name in a command.
  (search) =>
    search.replace(/^\| rename (.*)$/gm, (_, names: string) =>
      names
        .split(', ')
        .map((name) => `| rename ${name}`)
        .join(' '),
    ),
  // No table of two fields: the same numbers in rows.
  (search) => search.replace(/^\| chart \S+ \S+ (\S+) OVER (\S+) BY (\S+)$/gm, '| stats $1 BY $2, $3'),
  // A limit of 0, which is none, ends the server.
  (search) => search.replace(/^\| sort 0 /gm, '| sort 100000 '),
  // The events were loaded with the time at which they were taken: see splunkEvent.
  (search) => search.replace(/^(\| sort \d+) _time$/gm, '$1 timestamp'),
  // No field that begins with _.
  (search) => search.replace(/\b_(index)?time\b/g, '$1time'),
]

/** The search for SigLens, from `earliest` on, epoch seconds. `lookup` is the file that stands for the lookup. */
export function forSigLens(search: string, mark: string, earliest: number, lookup = ''): string {
  // What is missing is no value to count.
  const counted = [...search.matchAll(/\bdc\(([\w.]+)\)/g)].map(([, field]) => `${field}=*`)
  const base = [`mark="${mark}"`, `time>=${earliest}`, ...counted].join(' ')
  const whole = withoutMacros(search, base).replace(/(inputlookup(?: append=true)?) \w+/, `$1 ${lookup}`)
  return STEPS.reduce((text, step) => step(text), whole)
    .replaceAll('\n', ' ')
    .trim()
}
