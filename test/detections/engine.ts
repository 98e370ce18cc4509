/**
 * Plays Kibana's detection engine, as far as the detections use it, on events in memory. The three rule types do what
 * the sources of Kibana 8 do: a query rule alerts once per event; a new terms rule alerts when the oldest event of its
 * terms within the history lies within the look-back; a threshold rule counts per group and, after an alert, only what
 * is newer than what it alerted on.
 */

import { queryOf } from '../../logstash/build/detections/kibana.ts'
import {
  type Event,
  type Matcher,
  matcherOf,
  parseQuery,
  type Query,
  valuesOf,
} from '../../logstash/build/detections/lucene.ts'
import { intervalOf, lookBackOf, minutesOf } from '../../logstash/build/detections/schedule.ts'
import type { Detection, Span } from '../../logstash/detections/detection.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'

export interface Alarm {
  /** When the rule ran, epoch milliseconds. */
  at: number
  /** The values of the fields that the rule groups by or that are new; empty for a query rule. */
  terms: string[]
  /** The event that is shown: the oldest new one, or the newest of those counted. */
  event: Event
}

export const MINUTE = 60_000

/** An event and when the store took it, epoch milliseconds: the time that every rule goes by. */
export interface Timed {
  event: Event
  time: number
}

export function timed(events: Event[]): Timed[] {
  return events.map((event) => ({ event, time: Date.parse(String(valuesOf(event, 'event.ingested')[0])) }))
}

/** What one run of the rule at `now` finds, by a rule that never ran before. `query` is another one to try. */
export function alarmsAt(detection: Detection, events: Event[], now: number, query?: Query): Alarm[] {
  return play(detection, timed(events), { from: now, to: now }, query)
}

/** What the rule finds when it runs from `from` until `to`. */
export function play(
  detection: Detection,
  events: Timed[],
  { from, to }: { from: number; to: number },
  query?: Query,
): Alarm[] {
  const runs = runsOf(detection, { from, to })
  if (detection.alert.on === 'together') return together(detection.alert, events, runs)
  const text = queryOf(detection)
  const matches = matcherOf(query ?? parseQuery(text))
  // A bound such as `now-41m` grows looser with time, so that this leaves out only what never matches.
  const candidates = events
    .filter(({ event, time }) => time <= to && matches(event, to))
    .sort((one, other) => one.time - other.time)
  switch (detection.alert.on) {
    case 'event':
      return eachEvent(candidates, runs)
    case 'new':
      return newTerms(candidates, runs, /\bnow\b/.test(text) ? matches : () => true, detection.alert)
    case 'count':
      return counted(candidates, runs, detection.alert)
    case 'absence':
      return absent(candidates, runs)
  }
}

export function runsOf(detection: Detection, span: { from: number; to: number }): Runs {
  const every = minutesOf(intervalOf(detection)) * MINUTE
  return { every, lookBack: lookBackOf(detection) * MINUTE, ...span }
}

export interface Runs {
  every: number
  lookBack: number
  from: number
  to: number
}

/** When the rule runs while an event is in its look-back. */
function* runsWith({ time }: Timed, { every, lookBack, from, to }: Runs): Generator<number> {
  const first = from + Math.max(0, Math.ceil((time - from) / every)) * every
  for (let now = first; now <= Math.min(to, time + lookBack); now += every) yield now
}

function eachEvent(events: Timed[], runs: Runs): Alarm[] {
  return events.flatMap((timed) => {
    const { value: at } = runsWith(timed, runs).next()
    return at === undefined ? [] : [{ at, terms: [], event: timed.event }]
  })
}

function grouped(events: Timed[], fields: string[]): Map<string, Timed[]> {
  const groups = new Map<string, Timed[]>()
  for (const timed of events) {
    // What lacks one of the fields is in no group: neither rule type sees it. A list is in the group of each value.
    const lists = fields.map((field) => valuesOf(timed.event, field).map(String))
    if (lists.some((values) => values.length === 0)) continue
    const all = lists.reduce<string[][]>(
      (some, values) => some.flatMap((terms) => values.map((value) => [...terms, value])),
      [[]],
    )
    for (const terms of all) {
      const key = JSON.stringify(terms)
      const group = groups.get(key)
      if (group) group.push(timed)
      else groups.set(key, [timed])
    }
  }
  return groups
}

/** An event that has several new terms alarms once. */
function newTerms(
  events: Timed[],
  runs: Runs,
  matches: Matcher,
  { fields, within }: { fields: string[]; within: Span },
): Alarm[] {
  const alarms = new Map<Event, Alarm>()
  const known = (timed: Timed | undefined, at: number) =>
    timed !== undefined && timed.time <= at && matches(timed.event, at)
  for (const [key, group] of grouped(events, fields)) {
    let first = 0
    for (const at of inOrder(group.flatMap((timed) => [...runsWith(timed, runs)]))) {
      while ((group[first]?.time ?? at) < at - minutesOf(within) * MINUTE) first++
      let index = first
      while (index < group.length && !known(group[index], at)) index++
      const oldest = group[index]
      if (!oldest || oldest.time <= at - runs.lookBack || alarms.has(oldest.event)) continue
      alarms.set(oldest.event, { at, terms: JSON.parse(key) as string[], event: oldest.event })
    }
  }
  return [...alarms.values()].sort((one, other) => one.at - other.at)
}

function counted(
  events: Timed[],
  runs: Runs,
  { by, atLeast, distinct }: { by: string[]; atLeast: number; distinct?: string | undefined },
): Alarm[] {
  const alarms: Alarm[] = []
  for (const [key, group] of grouped(events, by)) {
    let alarmedUntil = Number.NEGATIVE_INFINITY
    let [first, end] = [0, 0]
    // What is counted grows only when something was taken in. A group is sorted by time.
    for (const at of inOrder(group.flatMap((timed) => runsWith(timed, runs).next().value ?? []))) {
      const floor = Math.max(at - runs.lookBack, alarmedUntil + 1)
      while ((group[first]?.time ?? floor) < floor) first++
      while ((group[end]?.time ?? at + 1) <= at) end++
      const inside = group.slice(first, end)
      const count = distinct
        ? new Set(inside.flatMap(({ event }) => valuesOf(event, distinct).map(String))).size
        : inside.length
      const newest = inside.at(-1)
      if (!newest || count < atLeast) continue
      alarmedUntil = newest.time
      alarms.push({ at, terms: JSON.parse(key) as string[], event: newest.event })
    }
  }
  return alarms.sort((one, other) => one.at - other.at)
}

/** Each number once. */
function inOrder(numbers: number[]): number[] {
  return [...new Set(numbers)].sort((one, other) => one - other)
}

/** For how long after the last success a workspace is missed. */
const MISSED = 7 * 24 * 60 * MINUTE

/** Per workspace and log that had something within the last week. */
function absent(events: Timed[], { every, lookBack, from, to }: Runs): Alarm[] {
  const alarms: Alarm[] = []
  for (const [key, group] of grouped(events, ['organization.id', 'event.action'])) {
    for (let at = from; at <= to; at += every) {
      const last = Math.max(...group.map(({ time }) => time).filter((time) => time <= at))
      if (last < at - lookBack && last >= at - MISSED)
        alarms.push({ at, terms: JSON.parse(key) as string[], event: {} })
    }
  }
  return alarms.sort((one, other) => one.at - other.at)
}

type Together = { of: string[]; by: string[]; atLeast: number }

function together(alert: Together, events: Timed[], runs: Runs): Alarm[] {
  return counted(alarmEvents(alert, events, runs), runs, { ...alert, distinct: 'kibana.alert.rule.rule_id' })
}

/**
 * The alarms that a detection combines, as the events that Kibana makes of them: with the fields of the event that is
 * shown, or those that were counted by.
 */
export function alarmEvents({ of }: { of: string[] }, events: Timed[], runs: Runs): Timed[] {
  const parts = of.map((slug) => DETECTIONS.find((other) => other.slug === slug))
  const alarms = parts.flatMap((part) => {
    if (!part) throw new Error(`no detection is called ${of.join(' or ')}`)
    const { from, to, lookBack } = runs
    const every = minutesOf(intervalOf(part)) * MINUTE
    const start = from - Math.floor(lookBack / every) * every
    return playOnce(part, events, { from: start, to }).map(({ at, terms, event }): Timed => {
      const fields = part.alert.on === 'count' ? nested(part.alert.by, terms) : event
      return { time: at, event: { ...fields, kibana: { alert: { rule: { rule_id: part.id } } } } }
    })
  })
  return alarms.sort((one, other) => one.time - other.time)
}

const played = new WeakMap<Timed[], Map<string, Alarm[]>>()

/** The same, remembered: several detections may combine the same one. */
function playOnce(detection: Detection, events: Timed[], span: { from: number; to: number }): Alarm[] {
  const known = played.get(events) ?? new Map<string, Alarm[]>()
  played.set(events, known)
  const key = JSON.stringify([detection.slug, span])
  const alarms = known.get(key) ?? play(detection, events, span)
  known.set(key, alarms)
  return alarms
}

function nested(fields: string[], values: string[]): Event {
  const event: Event = {}
  for (const [index, field] of fields.entries()) {
    const [first = '', ...rest] = field.split('.')
    const inner = rest.length > 0 ? nested([rest.join('.')], values.slice(index)) : values[index]
    event[first] = rest.length > 0 ? { ...(event[first] as object), ...(inner as object) } : inner
  }
  return event
}
