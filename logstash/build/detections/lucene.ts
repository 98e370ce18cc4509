/**
 * The part of Lucene's query syntax that the detections are written in, read so that it can be evaluated on events and
 * written as a Splunk search. It refuses what Lucene reads in an unexpected way: AND and OR side by side without
 * brackets, and NOT inside of an OR. The same queries run on a real Elasticsearch in `npm run test:elasticsearch`.
 *
 *     event.dataset:slack.access AND NOT {own_app} AND slack.integration.scope:(admin OR *\:history)
 *
 * `{name}` stands for one of the lists that an operator edits. It is not Lucene: `withLists` puts the list there.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

export type Query =
  | { kind: 'and' | 'or'; of: Query[] }
  | { kind: 'not'; of: Query }
  | { kind: 'list'; name: string }
  | { kind: 'exists'; field: string }
  | { kind: 'equals'; field: string; text: string }
  | { kind: 'like'; field: string; pattern: string }
  | { kind: 'range'; field: string; from: string | undefined; to: string | undefined; exclusive: boolean }

/** Field to values: `{ field: 'source.ip', values: ['192.0.2.0/24'] }`. */
export interface List {
  field: string
  values: readonly string[]
}

/** Puts the lists in the place of their names. */
export function withLists(query: string, lists: Record<string, List>): string {
  return query.replace(/\{(\w+)\}/g, (_, name: string) => {
    const list = lists[name]
    if (!list) throw new Error(`there is no list {${name}}`)
    return `${list.field}:(${list.values.map(written).join(' OR ')})`
  })
}

/** A value as it has to stand in a query. A value with * is a pattern and cannot stand in quotes. */
function written(value: string): string {
  if (value.includes('*')) return value.replace(/[^\w*.-]/g, '\\$&')
  return /^\w+$/.test(value) ? value : JSON.stringify(value)
}

export function parseQuery(text: string): Query {
  const parser = new Parser(text)
  const query = parser.clauses()
  if (!parser.atEnd()) parser.fail('expected AND, OR or the end')
  return query
}

class Parser {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Clauses joined by one operator. Inside of `field:( … )` a clause is a bare value. */
  clauses(field?: string): Query {
    const of = [this.clause(field)]
    let joined: string | undefined
    for (;;) {
      const operator = this.take(/\s+(AND|OR)(?=\s)/y)?.trim()
      if (!operator) break
      joined ??= operator
      if (operator !== joined) this.fail('AND and OR without brackets')
      of.push(this.clause(field))
    }
    const [first] = of
    if (joined === undefined && first) return first
    if (joined === 'OR' && of.some(({ kind }) => kind === 'not')) this.fail('NOT inside of an OR')
    return { kind: joined === 'AND' ? 'and' : 'or', of }
  }

  clause(field?: string): Query {
    this.take(/\s+/y)
    if (this.take(/NOT\s+/y)) return { kind: 'not', of: this.clause(field) }
    if (this.take(/\(/y)) return this.closed(this.clauses(field))
    if (field) return this.value(field)
    const list = this.take(/\{\w+\}/y)
    if (list) return { kind: 'list', name: list.slice(1, -1) }
    const name = this.take(/[@\w][\w.@]*:/y)?.slice(0, -1)
    if (!name) this.fail('expected a field')
    return this.take(/\(/y) ? this.closed(this.clauses(name)) : this.value(name)
  }

  closed(query: Query): Query {
    if (!this.take(/\s*\)/y)) this.fail('expected )')
    return query
  }

  value(field: string): Query {
    const bracket = this.take(/\[/y)
    if (bracket) {
      const range = /\s*(\S+)\s+TO\s+([^\s\]]+)\s*\]/y
      range.lastIndex = this.at
      const [whole = '', from, to] = range.exec(this.text) ?? this.fail('expected [… TO …]')
      this.at += whole.length
      const bound = (text: string | undefined) => (text === '*' ? undefined : text)
      return { kind: 'range', field, from: bound(from), to: bound(to), exclusive: false }
    }
    const above = this.take(/>=?/y)
    if (above) {
      const from = this.take(/[\w.-]+/y) ?? this.fail('expected a number')
      return { kind: 'range', field, from, to: undefined, exclusive: above === '>' }
    }
    const quoted = this.take(/"[^"\\]*"/y)
    if (quoted) return { kind: 'equals', field, text: quoted.slice(1, -1) }
    const raw = this.take(/(?:\\.|[^\s()[\]{}":\\])+/y) ?? this.fail('expected a value')
    if (/^(?:AND|OR|NOT)$/.test(raw)) this.fail('expected a value')
    if (raw === '*') return { kind: 'exists', field }
    if (/(?<!\\)[*?]/.test(raw)) return { kind: 'like', field, pattern: raw }
    return { kind: 'equals', field, text: raw.replace(/\\(.)/g, '$1') }
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const [found] = pattern.exec(this.text) ?? []
    this.at += found?.length ?? 0
    return found
  }

  atEnd(): boolean {
    return this.text.slice(this.at).trim() === ''
  }

  fail(what: string): never {
    throw new Error(`${what} at ${JSON.stringify(this.text.slice(this.at, this.at + 30))} of ${this.text}`)
  }
}

export type Event = Record<string, unknown>

/** All values of a field: `user.id` is looked for as `{ user: { id } }`. Null is no value. */
export function valuesOf(event: Event, field: string): unknown[] {
  return readerOf(field)(event)
}

/** The same for many events: the path is taken apart once. */
function readerOf(field: string): (event: Event) => unknown[] {
  const path = field.split('.')
  return (event) => {
    let found: unknown = event
    for (const name of path) {
      if (typeof found !== 'object' || found === null) return []
      found = (found as Event)[name]
    }
    if (found === undefined || found === null) return []
    return Array.isArray(found) ? found.filter((value) => value !== undefined && value !== null) : [found]
  }
}

/** Epoch milliseconds, for `now` and `now-41m` too. */
export function timeOf(text: string, now: number): number {
  const relative = /^now(?:-(\d+)([smhd]))?$/.exec(text)
  if (!relative) return Date.parse(text)
  const [, count = '0', unit = 's'] = relative
  return now - Number(count) * (MILLISECONDS[unit] ?? Number.NaN)
}

export const MILLISECONDS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export type Matcher = (event: Event, now: number) => boolean

/** The query as a function, with the types that the index template gives the fields. */
export function matcherOf(query: Query): Matcher {
  switch (query.kind) {
    case 'and': {
      const all = query.of.map(matcherOf)
      return (event, now) => all.every((matches) => matches(event, now))
    }
    case 'or': {
      const any = query.of.map(matcherOf)
      return (event, now) => any.some((matches) => matches(event, now))
    }
    case 'not': {
      const matches = matcherOf(query.of)
      return (event, now) => !matches(event, now)
    }
    case 'list':
      throw new Error(`{${query.name}} is not filled in`)
    case 'exists': {
      const read = readerOf(query.field)
      return (event) => read(event).length > 0
    }
    case 'equals': {
      if (isText(query.field)) return phraseTest(query.field, query.text.split(' ').map(literal))
      const read = readerOf(query.field)
      const network = query.field.endsWith('.ip') ? networkTest(query.text) : undefined
      const same = network ?? ((value: unknown) => String(value) === query.text)
      return (event) => read(event).some(same)
    }
    case 'like': {
      const source = [...query.pattern.matchAll(/\\(.)|(.)/gs)].map(regExpPart).join('')
      if (isText(query.field)) return phraseTest(query.field, [source])
      const pattern = new RegExp(`^${source}$`, 's')
      const read = readerOf(query.field)
      const test = remembered((value) => pattern.test(value))
      return (event) => read(event).some((value) => test(String(value)))
    }
    case 'range': {
      const { field, from, to, exclusive } = query
      const read = readerOf(field)
      return (event, now) =>
        read(event).some((value) => {
          const [number, low, high] = [value, from, to].map((bound) => comparable(bound, now))
          if (number === undefined) return false
          const above = low === undefined || (exclusive ? number > low : number >= low)
          return above && (high === undefined || number <= high)
        })
    }
  }
}

/** The index template has a second, analysed form of some fields: words without capitals. */
function isText(field: string): boolean {
  return field.endsWith('.text')
}

function literal(text: string): string {
  return text.replace(/[^\w]/g, '\\$&')
}

/** Whether words that match these patterns stand side by side. A dot inside of a word belongs to it. */
function phraseTest(field: string, patterns: string[]): Matcher {
  const words = patterns.map((pattern) => new RegExp(`^${pattern}$`, 'is'))
  const read = readerOf(field.replace(/\.text$/, ''))
  const test = remembered((value) => {
    const found = value.match(/[\p{L}\p{N}_]+(?:[.'][\p{L}\p{N}_]+)*/gu) ?? []
    return found.some((_, start) => words.every((word, index) => word.test(found[start + index] ?? '')))
  })
  return (event) => read(event).some((value) => test(String(value)))
}

/** Most values are in many events. */
function remembered(test: (value: string) => boolean): (value: string) => boolean {
  const known = new Map<string, boolean>()
  return (value) => {
    const found = known.get(value) ?? test(value)
    known.set(value, found)
    return found
  }
}

function regExpPart([, escaped, plain = '']: RegExpMatchArray): string {
  if (escaped === undefined && plain === '*') return '.*'
  if (escaped === undefined && plain === '?') return '.'
  return literal(escaped ?? plain)
}

function comparable(value: unknown, now: number): number | undefined {
  if (value === undefined || typeof value === 'number') return value
  const text = String(value)
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : timeOf(text, now)
}

/** Whether a value lies in the network, such as 192.0.2.0/24, or is the address. Undefined where the text is neither. */
export function networkTest(text: string): ((value: unknown) => boolean) | undefined {
  const [address = '', bits] = text.split('/')
  const family = (of: string) => (isIPv4(of) ? 'ipv4' : isIPv6(of) ? 'ipv6' : undefined)
  const kind = family(address)
  if (!kind) return undefined
  const network = new BlockList()
  network.addSubnet(address, Number(bits ?? (kind === 'ipv4' ? 32 : 128)), kind)
  return (value) => {
    const of = family(String(value))
    return of !== undefined && network.check(String(value), of)
  }
}

/** Every field that a query looks at, each once. */
export function fieldsOf(query: Query): string[] {
  switch (query.kind) {
    case 'and':
    case 'or':
      return [...new Set(query.of.flatMap(fieldsOf))]
    case 'not':
      return fieldsOf(query.of)
    case 'list':
      return []
    default:
      return [query.field]
  }
}
