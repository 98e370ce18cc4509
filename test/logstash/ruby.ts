// Twins of the ruby blocks of logstash.conf, for the stand-in. A block is known by a hash of its code: whoever changes a
// block has to look at its twin, and then put the new hash here, which the error names.

import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { type Event, type Hash, isHash, Timestamp } from './event.ts'

type Twin = (event: Event) => void

const TWINS: Record<string, Twin> = {
  '3562e01d12cf5220': keepStrings,
  '303f0d287e03f770': readClient,
  '22a68bc94b3aa3aa': endOfRun,
  '0bb31918a9a606cd': listsOfOne,
}

/** Runs the twin of a ruby block. */
export function runRuby(init: string | undefined, code: string, event: Event): void {
  const hash = createHash('sha256')
    .update(JSON.stringify([init ?? null, code]))
    .digest('hex')
    .slice(0, 16)
  const twin = TWINS[hash]
  if (!twin)
    throw new Error(
      `no twin in ruby.ts has the hash ${hash}, of the ruby block that begins:\n${code.slice(0, 300)}`,
    )
  twin(event)
}

/** Every value of the line a string, and what is no line of the program as text. */
function keepStrings(event: Event): void {
  const found = event.get('[slack]')
  const slack = isHash(found) ? found : {}
  const part = PARTS.get(slack['dataset'])
  const inner = part === undefined ? undefined : slack[part]
  if (part !== undefined && isHash(inner)) {
    const line = flat(pick(slack, ([name]) => ['dataset', 'id', 'row'].includes(name)))
    if (isHash(slack['team'])) line['team'] = flat(slack['team'])
    line[part] = part === 'run' ? pick(inner, ([, value]) => !isBlank(value)) : flat(inner)
    event.set('[slack]', line)
  } else {
    if (!event.has('message')) event.set('message', JSON.stringify(slack))
    event.set('[slack]', { line: event.get('message') })
  }
}

const PARTS = new Map<unknown, string>([
  ['slack.access', 'access'],
  ['slack.integration', 'integration'],
  ['slack.auditor', 'run'],
])

function flat(part: Hash): Hash {
  const result: Hash = {}
  for (const [name, value] of Object.entries(part)) {
    const dotless = name.replaceAll('.', '_')
    const plain = isBlank(dotless) ? '_' : dotless
    if (isBlank(value) || (plain !== name && Object.hasOwn(part, plain))) continue
    result[plain] = typeof value === 'object' ? JSON.stringify(value) : textOf(value)
  }
  return result
}

/** Ruby writes 1e+21 as 1.0e+21. */
function textOf(value: unknown): string {
  return typeof value === 'number' ? String(value).replace(/^(-?\d+)e/, '$1.0e') : String(value)
}

/** Ruby's strip takes ASCII white space and NUL, no other blanks. */
function isBlank(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && /^[\0\t-\r ]*$/.test(value))
}

function pick(hash: Hash, wanted: (entry: [string, unknown]) => boolean): Hash {
  return Object.fromEntries(Object.entries(hash).filter(wanted))
}

/** The tag in front of the user agent, and whether the address is one. */
function readClient(event: Event): void {
  const whole = stringOf(event.get('[slack][access][user_agent]'))
  const [tag, rest] = partition(whole, ' ')
  const [kind, id] = partition(tag, '/')
  let agent = whole
  if (kind === 'ApiApp' || kind === 'SlackWeb') {
    agent = rest
    event.set('[@metadata][tag]', kind)
    if (kind === 'ApiApp' && id !== '') event.set('[slack][app][id]', id)
  }
  event.set('[@metadata][agent]', agent)

  const address = stringOf(event.get('[slack][access][ip]'))
  if (/^[0-9A-Fa-f:.]*$/.test(address) && isIP(address)) event.set('[source][ip]', address)
}

/** The end of a run, by which its report is stamped. */
function endOfRun(event: Event): void {
  const start = event.get('[event][start]')
  const ms = event.get('[slack][run][duration_ms]')
  if (!(start instanceof Timestamp) || typeof ms !== 'number') return
  event.set('[event][duration]', Math.trunc(ms) * 1_000_000)
  event.set('[event][end]', new Timestamp(start.ms + Math.trunc(ms)))
  event.set('@timestamp', event.get('[event][end]'))
}

function listsOfOne(event: Event): void {
  for (const field of ['[event][category]', '[event][type]', '[related][ip]', '[related][user]']) {
    const value = event.get(field)
    if (typeof value === 'string') event.set(field, [value])
  }
}

/** What stands before the separator, and what after it. */
function partition(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

function stringOf(value: unknown): string {
  return value === undefined ? '' : String(value)
}
