/**
 * Plays Kibana's detection engine, as far as the detections use it, on events in memory. The three rule types do what
 * the sources of Kibana 8 do: a query rule alerts once per event; a new terms rule alerts when the oldest event of its
 * terms within the history lies within the look-back; a threshold rule counts per group and, after an alert, only what
 * is newer than what it alerted on.
 */
import type { Detection, Span } from '../../logstash/detections/detection.ts'
import { LISTS } from '../../logstash/detections/lists.ts'
import { type Event, type Matcher, matcherOf, parseQuery, type Query, valuesOf, withLists } from './lucene.ts'
import { EVERY, lookBackOf, minutesOf, timeFieldOf } from './schedule.ts'

export interface Alarm {
  /** When the rule ran, epoch milliseconds. */
  at: number
  /** The values of the fields that the rule groups by or that are new; empty for a query rule. */
  terms: string[]
  /** The event that is shown: the oldest new one, or the newest of those counted. */
  event: Event
}

export const MINUTE = 60_000

/** The query as it is imported. */
export function queryOf(detection: Detection): string {
  return withLists(detection.query, LISTS)
}

/** An event with its times as epoch milliseconds. */
export interface Timed {
  event: Event
  happened: number
  collected: number
}

export function timed(events: Event[]): Timed[] {
  const time = (event: Event, field: string) => Date.parse(String(valuesOf(event, field)[0]))
  return events.map((event) => ({
    event,
    happened: time(event, '@timestamp'),
    collected: time(event, 'event.created'),
  }))
}

/** What one run of the rule at `now` finds, by a rule that never ran before. `query` is another one to try. */
export function alarmsAt(detection: Detection, events: Event[], now: number, query?: Query): Alarm[] {
  return play(detection, timed(events), { from: now, to: now }, query)
}

/** What the rule finds when it runs from `from` until `to`. Each event shows once it was collected. */
export function play(
  detection: Detection,
  events: Timed[],
  { from, to }: { from: number; to: number },
  query = parseQuery(queryOf(detection)),
): Alarm[] {
  const matches = matcherOf(query)
  const clock = timeFieldOf(detection) === '@timestamp' ? 'happened' : 'collected'
  // A bound such as `now-41m` grows looser with time, so that this leaves out only what never matches.
  const candidates = events
    .filter(({ event, collected }) => collected <= to && matches(event, to))
    .map((one): Candidate => ({ ...one, time: one[clock] }))
    .sort((one, other) => one.time - other.time)
  const runs = { every: minutesOf(EVERY) * MINUTE, lookBack: lookBackOf(detection.alert) * MINUTE, from, to }
  switch (detection.alert.on) {
    case 'event':
      return eachEvent(candidates, runs)
    case 'new':
      return newTerms(candidates, runs, matches, detection.alert)
    case 'count':
      return counted(candidates, runs, detection.alert)
    case 'absence':
      return absent(candidates, runs)
  }
}

/** `time` is the time that the rule goes by. */
interface Candidate extends Timed {
  time: number
}

interface Runs {
  every: number
  lookBack: number
  from: number
  to: number
}

/** When the rule runs while an event may be in its look-back, the run after its collection first. */
function* runsWith({ collected, time }: Candidate, { every, lookBack, from, to }: Runs): Generator<number> {
  const first = from + Math.max(0, Math.ceil((collected - from) / every)) * every
  for (let now = first; now <= Math.min(to, time + lookBack); now += every) yield now
}

function eachEvent(events: Candidate[], runs: Runs): Alarm[] {
  return events.flatMap((timed) => {
    const { value: at } = runsWith(timed, runs).next()
    return at === undefined ? [] : [{ at, terms: [], event: timed.event }]
  })
}

function grouped(events: Candidate[], fields: string[]): Map<string, Candidate[]> {
  const groups = new Map<string, Candidate[]>()
  for (const timed of events) {
    const terms = fields.map((field) => valuesOf(timed.event, field)[0])
    // What lacks one of the fields is in no group: neither rule type sees it.
    if (terms.includes(undefined)) continue
    const key = JSON.stringify(terms.map(String))
    const group = groups.get(key)
    if (group) group.push(timed)
    else groups.set(key, [timed])
  }
  return groups
}

function newTerms(
  events: Candidate[],
  runs: Runs,
  matches: Matcher,
  { fields, within }: { fields: string[]; within: Span },
): Alarm[] {
  const alarms: Alarm[] = []
  const known = (timed: Candidate | undefined, at: number) =>
    timed !== undefined && timed.collected <= at && matches(timed.event, at)
  for (const [key, group] of grouped(events, fields)) {
    const alarmed = new Set<Event>()
    let first = 0
    for (const at of inOrder(group.flatMap((timed) => [...runsWith(timed, runs)]))) {
      while ((group[first]?.time ?? at) < at - minutesOf(within) * MINUTE) first++
      let index = first
      while (index < group.length && !known(group[index], at)) index++
      const oldest = group[index]
      if (!oldest || oldest.time <= at - runs.lookBack || alarmed.has(oldest.event)) continue
      alarmed.add(oldest.event)
      alarms.push({ at, terms: JSON.parse(key) as string[], event: oldest.event })
    }
  }
  return alarms.sort((one, other) => one.at - other.at)
}

function counted(
  events: Candidate[],
  runs: Runs,
  { by, atLeast, distinct }: { by: string[]; atLeast: number; distinct?: string },
): Alarm[] {
  const alarms: Alarm[] = []
  for (const [key, group] of grouped(events, by)) {
    let alarmedUntil = Number.NEGATIVE_INFINITY
    // What is counted grows only when something was collected.
    for (const at of inOrder(group.flatMap((timed) => runsWith(timed, runs).next().value ?? []))) {
      const inside = group.filter(
        ({ time, collected }) => collected <= at && time >= at - runs.lookBack && time > alarmedUntil,
      )
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

function absent(events: Candidate[], { every, lookBack, from, to }: Runs): Alarm[] {
  const alarms: Alarm[] = []
  for (const log of ['collect_access', 'collect_integration']) {
    const own = events.filter(({ event }) => valuesOf(event, 'event.action')[0] === log)
    for (let at = from; at <= to; at += every) {
      if (!own.some(({ time, collected }) => collected <= at && time >= at - lookBack && time <= at))
        alarms.push({ at, terms: [log], event: {} })
    }
  }
  return alarms
}
