// Twins of the ruby blocks of logstash.conf, for the stand-in. A block is known by a hash of its code: whoever changes a
// block has to look at its twin, and then put the new hash here, which the error names.

import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { type Event, type Hash, isHash, Timestamp } from './event.ts'

type Twin = (event: Event) => void

const TWINS: Record<string, Twin> = {
  '988156e787065e8e': readLine,
  '303f0d287e03f770': readClient,
  '12e43de060148000': describeClient,
  '72a472bce1922f95': endOfRun,
  '113e3dfc66ac476f': makeArrays,
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

/** The line parsed, every value of it a string; anything else kept as text, and blank lines dropped. */
function readLine(event: Event): void {
  const text = stringOf(event.get('message'))
  const slack = parsed(text)
  const part = PARTS.get(slack['dataset'])
  const inner = part === undefined ? undefined : slack[part]
  if (isBlank(text)) event.cancelled = true
  else if (part !== undefined && isHash(inner)) {
    const line = strings(pick(slack, ([name]) => ['dataset', 'id', 'row'].includes(name)))
    const team = isHash(slack['team']) ? strings(slack['team']) : {}
    if (Object.keys(team).length > 0) line['team'] = team
    line[part] = part === 'run' ? pick(inner, ([, value]) => !isBlank(value)) : strings(inner)
    event.set('[slack]', line)
    event.remove('message')
  } else event.set('[slack]', { line: text })
}

const PARTS = new Map<unknown, string>([
  ['slack.access', 'access'],
  ['slack.integration', 'integration'],
  ['slack.auditor', 'run'],
])

function parsed(text: string): Hash {
  try {
    const value: unknown = JSON.parse(text)
    return isHash(value) ? value : {}
  } catch {
    return {}
  }
}

function strings(part: Hash): Hash {
  const result: Hash = {}
  for (const name of Object.keys(part).sort()) {
    const value = part[name]
    if (isBlank(value)) continue
    const plain = isBlank(name) ? '_' : name.replaceAll(/[.[\]]/g, '_')
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

/** What the detections compare. */
function describeClient(event: Event): void {
  const set = (name: string, value: unknown) => event.set(`[slack][client][${name}]`, value)
  const type = event.get('[slack][client][type]')
  const languages = ['python', 'ruby', 'java', 'openjdk', 'php', 'perl', 'mozilla']
  const words = stringOf(event.get('[@metadata][agent]'))
    .toLowerCase()
    .replace(/[(][^)]*[)]?/g, ' ')
    .split(/[ ;,]+/)
    .map((word) => partition(word, '/')[0])
    .filter((word) => word !== '')
  const library = words.find((word) => !languages.includes(word)) ?? words[0]
  const known = event.get('[user_agent][name]')
  const isScript = type === 'api' || type === 'unknown'
  const name = isScript && (words[0] !== 'mozilla' || known === 'Other') ? library : known
  set('program', name === undefined ? 'none' : [...stringOf(name).toLowerCase()].slice(0, 100).join(''))
  set('version', event.get('[user_agent][version]') ?? 'none')
  set('os', event.get('[user_agent][os][name]') ?? 'none')

  const isp = stringOf(event.get('[slack][access][isp]')).toLowerCase()
  const provider = isp
    .replace(/[!-/:-@[-`{-~]/g, ' ')
    .split(/[\0\t-\r ]+/)
    .filter((word) => [...word].length > 1 && !LEGAL_FORMS.has(word) && !/^(as)?[0-9]+$/.test(word))
    .join(' ')
  set('provider', provider || isp || 'none')
  set('country', event.get('[slack][access][country]') ?? 'none')

  const address = event.get('[source][ip]')
  if (typeof address === 'string') set('network', networkOf(address))

  const app = event.get('[slack][app][id]')
  if (app !== undefined) event.set('[service][id]', app)
}

const LEGAL_FORMS = new Set(
  'ag as asn bv co com company corp corporation gmbh inc limited llc ltd net plc sa sarl sas srl'.split(' '),
)

/** An IPv4 address, also one written as IPv6; or the first half of an IPv6 address, its zeros written out. */
function networkOf(address: string): string {
  if (isIP(address) === 4) return address
  const mapped = /^::ffff:([0-9.]+|[0-9a-f]{1,4}:[0-9a-f]{1,4})$/i.exec(address)?.[1]
  if (mapped?.includes('.')) return mapped
  if (mapped) {
    const [high = 0, low = 0] = mapped.split(':').map((part) => Number.parseInt(part, 16))
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  }
  const [before = '', after] = address.replace(/[0-9.]+\.[0-9.]+$/, '0:0').split('::')
  const groups = (text = '') => text.split(':').filter((group) => group !== '')
  const left = groups(before)
  const missing = after === undefined ? 0 : 8 - left.length - groups(after).length
  const all = [...left, ...Array<string>(missing).fill('0'), ...groups(after)]
  return `${all
    .slice(0, 4)
    .map((group) => group.padStart(4, '0'))
    .join(':')}::/64`
}

/** The end of a run, by which its report is stamped. */
function endOfRun(event: Event): void {
  const start = event.get('[event][start]')
  const ms = event.get('[slack][run][duration_ms]')
  if (!(start instanceof Timestamp) || typeof ms !== 'number' || !Number.isInteger(ms)) return
  event.set('[event][duration]', ms * 1_000_000)
  event.set('[event][end]', new Timestamp(start.ms + ms))
  event.set('@timestamp', event.get('[event][end]'))
}

function makeArrays(event: Event): void {
  for (const field of ['[event][category]', '[event][type]']) {
    const value = event.get(field)
    if (typeof value === 'string') event.set(field, [value])
  }
  const address = event.get('[source][ip]')
  if (address !== undefined) event.set('[related][ip]', [address])
  const id = event.get('[user][id]')
  const names = [id, event.get('[user][name]')].filter((name) => name !== undefined)
  if (names.length > 0 && id !== '0') event.set('[related][user]', names)
}

/** The text before the separator, and the text after it. */
function partition(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

function stringOf(value: unknown): string {
  return value === undefined ? '' : String(value)
}
