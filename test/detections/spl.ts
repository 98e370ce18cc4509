/**
 * The part of Splunk's search language that the saved searches use, run on events in memory. It is written from Splunk's
 * manual and is no proof that Splunk does the same: it shows that the searches find what they are meant to find if it
 * does. It stops at every command, option and function that it does not know.
 */
import { type Event, MILLISECONDS, networkTest, valuesOf } from './lucene.ts'

type Value = string | number | boolean | null
/** A field has several values where the JSON has a list, and after `values()`. */
type Row = Map<string, Value[]>

/** What Splunk's HTTP Event Collector takes of an event, with its fields as KV_MODE = json reads them. */
export function splunkEvent(event: Event): Row {
  const seconds = (field: string) => Math.floor(Date.parse(String(valuesOf(event, field)[0])) / 1000)
  const row: Row = new Map<string, Value[]>([
    ['index', ['main']],
    ['sourcetype', [String(valuesOf(event, 'event.dataset')[0])]],
    ['_time', [seconds('@timestamp')]],
    ['_indextime', [seconds('event.created')]],
  ])
  const add = (name: string, value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) add(`${name}{}`, item)
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) add(name ? `${name}.${key}` : key, inner)
    else if (value !== undefined) row.set(name, [...(row.get(name) ?? []), value as Value])
  }
  add('', event['slack'])
  return row
}

/** Runs a search at `now`, epoch milliseconds, over the events since `-earliest`. */
export function runSearch(search: string, events: Row[], now: number, earliest: string): Row[] {
  const seconds = Math.floor(now / 1000)
  const [first = '', ...commands] = splitAt(search, '|')
  const matches = new Search(first, seconds).parse()
  const since = relativeTime(seconds, `-${earliest}`)
  let rows = events.filter((row) => {
    const [time, indexed] = [row.get('_time')?.[0], row.get('_indextime')?.[0]].map(Number)
    return time !== undefined && time >= since && indexed !== undefined && indexed <= seconds && matches(row)
  })
  for (const command of commands) rows = runCommand(command.trim(), rows, seconds)
  return rows
}

/** Cuts a text where the letter stands outside of quotes and brackets. */
function splitAt(text: string, letter: string): string[] {
  const parts = ['']
  let depth = 0
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|./gs)) {
    if (token === '(') depth++
    if (token === ')') depth--
    if (token === letter && depth === 0) parts.push('')
    else parts.push(`${parts.pop()}${token}`)
  }
  return parts
}

/** `-30m@m`: back by so much, then down to the whole minute. */
function relativeTime(now: number, text: string): number {
  const [, count, unit = 's', snap] = /^(?:-(\d+)([smhd]))?(@m)?$/.exec(text) ?? fail(`the time ${text}`)
  const time = now - Number(count ?? 0) * ((MILLISECONDS[unit] ?? 0) / 1000)
  return snap ? Math.floor(time / 60) * 60 : time
}

function fail(what: string): never {
  throw new Error(`${what} is not known here`)
}

type Test = (row: Row) => boolean

/** The search command: terms side by side are joined by AND. */
class Search {
  readonly tokens: string[]
  readonly now: number

  constructor(text: string, now: number) {
    this.tokens = text.match(/[()]|[^\s()"=<>]+(?:>=|=|>)(?:"[^"]*"|[^\s()]+)|[^\s()]+/g) ?? []
    this.now = now
  }

  parse(): Test {
    const test = this.terms()
    if (this.tokens.length > 0) fail(`${this.tokens[0]} in a search`)
    return test
  }

  terms(): Test {
    const tests = [this.term()]
    let joined: string | undefined
    while (this.tokens.length > 0 && this.tokens[0] !== ')') {
      const operator = this.tokens[0] === 'OR' ? this.tokens.shift() : 'AND'
      joined ??= operator
      if (operator !== joined) fail('AND and OR without brackets')
      tests.push(this.term())
    }
    return joined === 'OR'
      ? (row) => tests.some((test) => test(row))
      : (row) => tests.every((test) => test(row))
  }

  term(): Test {
    const token = this.tokens.shift() ?? fail('the end of a search')
    if (token === 'NOT') {
      const test = this.term()
      return (row) => !test(row)
    }
    if (token === '(') {
      const test = this.terms()
      if (this.tokens.shift() !== ')') fail('a bracket that is not closed')
      return test
    }
    const [, field = '', operator = '', quoted = ''] = /^([^=<>]+?)(>=|=|>)(.+)$/s.exec(token) ?? fail(token)
    const value = quoted.replace(/^"|"$/g, '')
    if (field === '_index_earliest') return indexTime((time) => time >= relativeTime(this.now, value))
    if (field === '_index_latest') return indexTime((time) => time < relativeTime(this.now, value))
    const test = operator === '=' ? equalTo(value) : greaterThan(operator, Number(value))
    return (row) => (row.get(field) ?? []).some((one) => one !== null && test(one))
  }
}

function indexTime(test: (time: number) => boolean): Test {
  return (row) => test(Number(row.get('_indextime')?.[0]))
}

function greaterThan(operator: string, bound: number): (value: Value) => boolean {
  return (value) => (operator === '>' ? Number(value) > bound : Number(value) >= bound)
}

/** Without capitals; * stands for anything; a network holds its addresses. */
function equalTo(text: string): (value: Value) => boolean {
  const network = text.includes('/') ? networkTest(text) : undefined
  if (network) return network
  const pattern = new RegExp(`^${text.replace(/[^\w*]/g, '\\$&').replaceAll('*', '.*')}$`, 'is')
  return (value) => pattern.test(String(value))
}

function runCommand(command: string, rows: Row[], now: number): Row[] {
  const [, name = '', rest = ''] = /^(\w+)\s*(.*)$/s.exec(command) ?? []
  switch (name) {
    case 'dedup':
      return dedup(rest, rows)
    case 'sort': {
      if (rest !== '0 _time') fail(`sort ${rest}`)
      return sorted(rows, (row) => Number(row.get('_time')?.[0]))
    }
    case 'where': {
      const test = new Expression(rest, now).parse()
      return rows.filter((row) => test(row) === true)
    }
    case 'eval': {
      const assignments = splitAt(rest, ',').map((text) => {
        const [, field = '', expression = ''] = /^\s*(\w+)\s*=(?!=)(.*)$/s.exec(text) ?? fail(text)
        return { field, value: new Expression(expression, now).parse() }
      })
      return rows.map((row) => {
        const result = new Map(row)
        for (const { field, value } of assignments) set(result, field, value(result))
        return result
      })
    }
    case 'rex': {
      const [, field = '', pattern = ''] = /^field=(\S+) "(.*)"$/s.exec(rest) ?? fail(command)
      return rows.map((row) => {
        const groups = new RegExp(pattern).exec(String(row.get(field)?.[0] ?? ''))?.groups ?? {}
        const found = Object.entries(groups).map(([key, value]): [string, Value[]] => [key, [value ?? null]])
        return new Map([...row, ...found])
      })
    }
    case 'stats':
      return stats(rest, rows, now)
    case 'streamstats':
      return streamstats(rest, rows, now)
    case 'table':
    case 'convert':
      return rows
    default:
      return fail(`the command ${name}`)
  }
}

function set(row: Row, field: string, value: Value): void {
  if (value === null) row.delete(field)
  else row.set(field, [value])
}

function sorted(rows: Row[], key: (row: Row) => number): Row[] {
  return [...rows].sort((one, other) => key(one) - key(other))
}

function dedup(rest: string, rows: Row[]): Row[] {
  const [fields = '', order] = rest.split(/\s+sortby\s+-/)
  const ordered = order ? sorted(rows, (row) => -Number(row.get(order)?.[0])) : rows
  const seen = new Set<string>()
  return ordered.filter((row) => {
    const key = keyOf(row, fields.trim().split(/\s+/))
    return key !== undefined && !seen.has(key) && seen.add(key)
  })
}

/** Undefined where a field is missing: such a row is in no group. */
function keyOf(row: Row, fields: string[]): string | undefined {
  const values = fields.map((field) => row.get(field)?.[0])
  return values.includes(undefined) ? undefined : JSON.stringify(values)
}

interface Aggregate {
  as: string
  of: (rows: Row[]) => Value[]
}

function aggregatesOf(text: string, now: number): { aggregates: Aggregate[]; by: string[] } {
  const [functions = '', by = ''] = text.split(/\s+BY\s+/)
  const pattern = /(\w+)(?:\((eval\(.*?\)|[^()]*)\))?(?:\s+AS\s+(\w+))?(?=\s|$)/gs
  const aggregates = [...functions.matchAll(pattern)].map(([whole, name = '', argument, as]): Aggregate => {
    const [, condition] = /^eval\((.*)\)$/s.exec(argument ?? '') ?? []
    const test = condition === undefined ? undefined : new Expression(condition, now).parse()
    const values = (rows: Row[]) => rows.flatMap((row) => row.get(argument ?? '') ?? [])
    const numbers = (rows: Row[]) => values(rows).map(Number)
    const of: Record<string, (rows: Row[]) => Value[]> = {
      count: (rows) => [test ? rows.filter((row) => test(row) === true).length : rows.length],
      dc: (rows) => [new Set(values(rows)).size],
      values: (rows) => [...new Set(values(rows))].sort(),
      min: (rows) => (numbers(rows).length ? [Math.min(...numbers(rows))] : []),
      max: (rows) => (numbers(rows).length ? [Math.max(...numbers(rows))] : []),
      latest: (rows) =>
        sorted(rows, (row) => Number(row.get('_time')?.[0]))
          .at(-1)
          ?.get(argument ?? '') ?? [],
    }
    return { as: as ?? whole, of: of[name] ?? fail(`the function ${name}`) }
  })
  return { aggregates, by: by.trim().split(/\s+/) }
}

function stats(text: string, rows: Row[], now: number): Row[] {
  const { aggregates, by } = aggregatesOf(text, now)
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = keyOf(row, by)
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((group) => {
    const named = by.map((field): [string, Value[]] => [field, group[0]?.get(field) ?? []])
    return new Map([...named, ...results(aggregates, group)])
  })
}

/** For each row, over the rows of its group within the time before it. */
function streamstats(text: string, rows: Row[], now: number): Row[] {
  const [, window = '', rest = ''] = /^time_window=(\w+)\s+(.*)$/s.exec(text) ?? fail(text)
  const seconds = now - relativeTime(now, `-${window}`)
  const { aggregates, by } = aggregatesOf(rest, now)
  return rows.map((row, index) => {
    const key = keyOf(row, by)
    const time = Number(row.get('_time')?.[0])
    const inside = rows
      .slice(0, index + 1)
      .filter((other) => keyOf(other, by) === key && time - Number(other.get('_time')?.[0]) < seconds)
    return key === undefined ? row : new Map([...row, ...results(aggregates, inside)])
  })
}

function results(aggregates: Aggregate[], rows: Row[]): [string, Value[]][] {
  return aggregates
    .map(({ as, of }): [string, Value[]] => [as, of(rows)])
    .filter(([, values]) => values.length > 0)
}

type Evaluate = (row: Row) => Value

/** An expression of eval and where. A comparison with null is null, and null is not true. */
class Expression {
  readonly tokens: string[]
  readonly now: number

  constructor(text: string, now: number) {
    this.tokens = text.match(/"[^"]*"|>=|<=|!=|[()<>=,*+-]|[\w.{}]+/g) ?? []
    this.now = now
  }

  parse(): Evaluate {
    const evaluate = this.either()
    if (this.tokens.length > 0) fail(`${this.tokens[0]} in an expression`)
    return evaluate
  }

  either(): Evaluate {
    const left = this.both()
    if (!this.has('OR')) return left
    const right = this.either()
    return (row) => left(row) === true || right(row) === true
  }

  both(): Evaluate {
    const left = this.comparison()
    if (!this.has('AND')) return left
    const right = this.both()
    return (row) => left(row) === true && right(row) === true
  }

  comparison(): Evaluate {
    const left = this.sum()
    const operator = ['>=', '<=', '!=', '>', '<', '='].find((sign) => this.has(sign))
    if (!operator) return left
    const right = this.sum()
    return (row) => {
      const [one, other] = [left(row), right(row)]
      if (one === null || other === null) return null
      const numbers = Number.isFinite(Number(one)) && Number.isFinite(Number(other))
      const [a, b] = numbers ? [Number(one), Number(other)] : [String(one), String(other)]
      return (
        { '>=': a >= b, '<=': a <= b, '!=': a !== b, '>': a > b, '<': a < b, '=': a === b }[operator] ?? null
      )
    }
  }

  sum(): Evaluate {
    const left = this.product()
    if (!this.has('-')) return left
    const right = this.product()
    return (row) => {
      const [one, other] = [left(row), right(row)]
      return one === null || other === null ? null : Number(one) - Number(other)
    }
  }

  product(): Evaluate {
    const left = this.operand()
    if (!this.has('*')) return left
    const right = this.product()
    return (row) => Number(left(row)) * Number(right(row))
  }

  operand(): Evaluate {
    const token = this.tokens.shift() ?? fail('the end of an expression')
    if (token.startsWith('"')) return () => token.slice(1, -1)
    if (/^\d+$/.test(token)) return () => Number(token)
    if (!this.has('(')) return (row) => row.get(token)?.[0] ?? null
    const args: Evaluate[] = []
    while (!this.has(')')) {
      args.push(this.either())
      this.has(',')
    }
    const [first = () => null, second = () => null, third = () => null] = args
    switch (token) {
      case 'now':
        return () => this.now
      case 'null':
        return () => null
      case 'if':
        return (row) => (first(row) === true ? second(row) : third(row))
      case 'relative_time':
        return (row) => relativeTime(Number(first(row)), String(second(row)))
      default:
        return fail(`the function ${token}`)
    }
  }

  has(token: string): boolean {
    const here = this.tokens[0] === token
    if (here) this.tokens.shift()
    return here
  }
}
