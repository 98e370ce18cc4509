// A stand-in for Logstash: runs the filter section of logstash.conf on lines of the program. It knows the plugins and
// options that logstash.conf uses and stops at any other. What Logstash does is taken from its sources; the ruby blocks
// cannot run here and have twins in ruby.ts. The real thing is run by `npm run test:logstash`.

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Condition, type Node, type Operand, type Plugin, parseConfig, type Value } from './config.ts'
import { Event, isHash, Timestamp, textOf } from './event.ts'
import { runRuby } from './ruby.ts'
import type { LogstashEvent } from './samples.ts'
import { readUserAgent } from './user-agents.ts'

const CONFIG = new URL('../../logstash/logstash.conf', import.meta.url)

/** The moment of collection, unless a test gives another: that of `events.ndjson`. */
export const COLLECTED = '2024-11-05T09:30:00.000Z'

/** An event, and what the outputs make of it besides: `[@metadata][_id]` and the data stream of the default namespace. */
export interface Document {
  id: string
  dataStream: string
  event: LogstashEvent
}

/**
 * The events that Logstash makes of lines, in order, as JSON. `lines` is the stdout of the program, or lines as objects.
 * `collected` becomes `event.created`, and `@timestamp` of what has no time of its own.
 */
export function eventsOf(lines: string | readonly unknown[], collected = COLLECTED): LogstashEvent[] {
  return documentsOf(lines, collected).map(({ event }) => event)
}

/** The same, with what the Elasticsearch output needs of each. */
export function documentsOf(lines: string | readonly unknown[], collected = COLLECTED): Document[] {
  const texts = typeof lines === 'string' ? lines.split('\n') : lines.map((line) => JSON.stringify(line))
  return texts.flatMap((text) => {
    const event = inputEvent(text, collected)
    runNodes(FILTERS, event)
    if (event.cancelled) return []
    const metadata = event.remove('[@metadata]')
    const json = event.toJSON()
    const { dataset } = json['data_stream'] as { dataset: string }
    const id = isHash(metadata) ? textOf(metadata['_id']) : ''
    return [{ id, dataStream: `logs-${dataset}-default`, event: json }]
  })
}

/** A line as the exec input and its codec hand it to the filters. */
function inputEvent(message: string, collected: string): Event {
  return new Event({
    '@timestamp': new Timestamp(collected),
    '@version': '1',
    host: { hostname: 'collector' },
    process: { command_line: 'node …', exit_code: 0 },
    message,
    tags: ['slack-auditor'],
  })
}

const FILTERS: Node[] = parseConfig(readFileSync(CONFIG, 'utf8')).flatMap(({ type, body }) =>
  type === 'filter' ? body : [],
)

function runNodes(nodes: readonly Node[], event: Event): void {
  for (const node of nodes) {
    if (event.cancelled) return
    if ('cases' in node) {
      const taken = node.cases.find(({ condition }) => !condition || holds(condition, event))
      if (taken) runNodes(taken.body, event)
    } else {
      const filter = PLUGINS[node.name] ?? fail(`no stand-in for the filter ${node.name}`)
      filter(new Options(node), event)
    }
  }
}

const PLUGINS: Record<string, (options: Options, event: Event) => void> = {
  date: runDate,
  mutate: runMutate,
  ruby: (options, event) => runRuby(options.optionalText('init'), options.text('code'), event),
  useragent: runUserAgent,
  uuid: (options, event) => {
    const target = options.text('target')
    if (!event.has(target)) event.set(target, randomUUID())
  },
}

/** The options of a plugin; `unread` are those that nothing here has asked for. */
class Options {
  readonly #values: Map<string, Value>
  readonly unread: Set<string>

  constructor({ options }: Plugin) {
    this.#values = new Map(options)
    this.unread = new Set(this.#values.keys())
  }

  value(name: string): Value | undefined {
    this.unread.delete(name)
    return this.#values.get(name)
  }

  optionalText(name: string): string | undefined {
    const value = this.value(name)
    return value && scalar(value)
  }

  text(name: string): string {
    return this.optionalText(name) ?? fail(`the option ${name} is missing`)
  }

  texts(name: string): string[] {
    const value = this.value(name)
    if (!value) return []
    return value.kind === 'array' ? value.values.map(scalar) : [scalar(value)]
  }

  /** A hash of a text, or of several, for each key. */
  entries(name: string): [key: string, texts: string[]][] {
    const value = this.value(name)
    if (!value) return []
    if (value.kind !== 'hash') return fail(`${name} is not a hash`)
    return value.entries.map(([key, inner]) => [
      key,
      inner.kind === 'array' ? inner.values.map(scalar) : [scalar(inner)],
    ])
  }

  /** To be called when every known option has been read. */
  assertAllRead(plugin: string): void {
    for (const name of this.unread) fail(`no stand-in for the option ${name} of ${plugin}`)
  }
}

/** In the order in which Logstash does these, whatever their order in the file. */
function runMutate(options: Options, event: Event): void {
  for (const [field, [text = '']] of options.entries('replace')) event.set(field, sprintf(text, event))
  for (const [field, [type]] of options.entries('convert')) {
    if (type !== 'integer') fail(`no stand-in for convert to ${type}`)
    const value = event.get(field)
    if (value === undefined) continue
    // Other strings become 0 in older versions; since 8.14 some of them make mutate give up.
    if (typeof value !== 'string' || !/^\d+$/.test(value)) fail(`convert of ${JSON.stringify(value)}`)
    event.set(field, Number(value))
  }
  for (const [field, [separator = '']] of options.entries('split')) {
    const value = event.get(field)
    if (typeof value === 'string') event.set(field, splitLikeRuby(value, separator))
  }
  for (const [from, [to = '']] of options.entries('copy')) {
    const value = event.get(from)
    if (value !== undefined && value !== null) event.set(to, structuredCopy(value))
  }
  for (const [field, texts] of options.entries('add_field')) {
    for (const text of texts) addField(event, field, sprintf(text, event))
  }
  for (const field of options.texts('remove_field')) event.remove(field)
  options.assertAllRead('mutate')
}

function splitLikeRuby(text: string, separator: string): string[] {
  const parts = text.split(separator)
  while (parts.at(-1) === '') parts.pop()
  return parts
}

function structuredCopy(value: unknown): unknown {
  return value instanceof Timestamp ? value : structuredClone(value)
}

function addField(event: Event, field: string, text: string): void {
  const before = event.get(field)
  if (before === undefined) event.set(field, text)
  else event.set(field, [...(Array.isArray(before) ? before : [before]), text])
}

function runDate(options: Options, event: Event): void {
  const [field = '', format] = options.texts('match')
  const target = options.optionalText('target') ?? '@timestamp'
  options.assertAllRead('date')
  const value = event.get(field)
  if (value === undefined || value === null) return
  const time = format === 'UNIX' ? epochSeconds(textOf(value)) : isoTime(textOf(value))
  if (time === undefined) event.tag('_dateparsefailure')
  else event.set(target, new Timestamp(time))
}

/** Seconds up to 2^31 - 1, also those below zero, with at most three digits of a fraction looked at. */
function epochSeconds(text: string): number | undefined {
  const [, seconds, fraction = ''] = /^([+-]?\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (seconds === undefined || Number(seconds) > 2 ** 31 - 1) return undefined
  return Number(seconds) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
}

function isoTime(text: string): number | undefined {
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

function runUserAgent(options: Options, event: Event): void {
  const source = options.text('source')
  const target = options.text('target')
  if (options.text('ecs_compatibility') !== 'v8') fail('useragent without ecs_compatibility v8')
  options.assertAllRead('useragent')
  const agent = event.get(source)
  if (agent === undefined || agent === '') return
  if (typeof agent !== 'string') fail('useragent raises on anything but a string, and Logstash ends')
  const { name, version, os, osVersion, device } = readUserAgent(agent)
  event.set(`${target}[original]`, agent)
  event.set(`${target}[name]`, name)
  if (version) event.set(`${target}[version]`, version)
  event.set(`${target}[os][name]`, os)
  if (osVersion) event.set(`${target}[os][version]`, osVersion)
  event.set(`${target}[os][full]`, osVersion ? `${os} ${osVersion}` : os)
  event.set(`${target}[device][name]`, device)
}

/** `%{[field]}` by its value; a field that is missing stays as it is written. */
function sprintf(text: string, event: Event): string {
  return text.replace(/%\{([^}]*)\}/g, (reference, field: string) => {
    if (field.startsWith('+')) return fail(`no stand-in for ${reference}`)
    const value = event.get(field)
    return value === undefined || value === null ? reference : textOf(value)
  })
}

function holds(condition: Condition, event: Event): boolean {
  switch (condition.kind) {
    case 'not':
      return !holds(condition.of, event)
    case 'join': {
      const left = holds(condition.left, event)
      if (condition.operator === 'and') return left && holds(condition.right, event)
      if (condition.operator === 'or') return left || holds(condition.right, event)
      return fail(`no stand-in for ${condition.operator}`)
    }
    case 'operand':
      return isTruthy(operandValue(condition.operand, event))
    case 'compare':
      return compares(condition.operator, operandValue(condition.left, event), condition.right, event)
  }
}

function compares(operator: string, left: unknown, right: Operand, event: Event): boolean {
  switch (operator) {
    case '==':
      return left === operandValue(right, event)
    case '!=':
      return left !== operandValue(right, event)
    case '=~':
      return matches(left, right)
    case '!~':
      return !matches(left, right)
    case 'in': {
      const container = operandValue(right, event)
      if (Array.isArray(container)) return container.includes(left)
      return typeof container === 'string' && typeof left === 'string' && container.includes(left)
    }
    default:
      return fail(`no stand-in for ${operator}`)
  }
}

/** In Ruby `^` and `$` match at the ends of a line, `\A` and `\z` at those of the text. */
function matches(value: unknown, { text = '' }: Operand & { text?: string }): boolean {
  const pattern = text.replaceAll('\\A', '(?<![^])').replaceAll('\\z', '(?![^])')
  return typeof value === 'string' && new RegExp(pattern, 'm').test(value.replaceAll('\r', ' '))
}

function isTruthy(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== '' && value !== 'false'
}

function operandValue(operand: Operand, event: Event): unknown {
  switch (operand.kind) {
    case 'field':
      return event.get(operand.text)
    case 'array':
      return operand.values.map((value) => operandValue(value, event))
    case 'number':
      return Number(operand.text)
    default:
      return operand.text
  }
}

function scalar(value: Value): string {
  return 'text' in value ? value.text : fail(`a ${value.kind} where a text was expected`)
}

function fail(what: string): never {
  throw new Error(`logstash.conf in the stand-in: ${what}`)
}
