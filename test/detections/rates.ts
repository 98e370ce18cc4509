/**
 * `npm run measure:detections`: counts how often each detection fires on the fake company of 500 members in 30 days.
 * Nobody attacks it, so each alarm is a false one. It prints the figures and writes rates.json, from which
 * `npm run build:detections` takes those of the table.
 *
 * The collector runs each half hour. It reads a row as it stands then, up to an hour late, so a long use is many events.
 * 60 days before the 30 give the rules their history.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { RATES, type Rates } from '../../logstash/build/detections/document.ts'
import type { Event } from '../../logstash/build/detections/lucene.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { LISTS } from '../../logstash/detections/lists.ts'
import { type Company, inventCompany } from '../fake-slack/company.ts'
import { seeded } from '../fake-slack/random.ts'
import { eventsOf } from '../logstash/pipeline.ts'
import { MINUTE, play, timed } from './engine.ts'

const SEEDS = [1, 2, 3]
const MEMBERS = 500
const DAYS = 30
const HISTORY_DAYS = 60
/** The end of both logs: a time that is no half hour, so that the last run is not the first to see the last row. */
const NOW = 1_764_000_000
const DAY = 86_400
const RUN = 1800

export function companyOf(seed: number): Company {
  return inventCompany({ seed, members: MEMBERS, days: DAYS + HISTORY_DAYS, now: NOW })
}

/** Changes when the figures may: with the detections, the lists or the company. */
export function fingerprintOf(company: Company): string {
  const found = DETECTIONS.map(({ slug, query, alert }) => ({ slug, query, alert }))
  return createHash('sha256')
    .update(JSON.stringify([found, LISTS, company]))
    .digest('hex')
    .slice(0, 16)
}

export function measure(company: Company, seed: number): Record<string, number> {
  const events = timed([...accessEvents(company, seed), ...integrationEvents(company), ...reports()])
  const span = { from: (NOW - DAYS * DAY) * 1000, to: NOW * 1000 }
  return Object.fromEntries(
    DETECTIONS.map((detection) => [detection.slug, play(detection, events, span).length]),
  )
}

/** When a run reads what happened at a time, with its lateness: half a minute after it began. */
function collectedAt(seconds: number): number {
  return (Math.ceil(seconds / RUN) * RUN + 30) * 1000
}

export function accessEvents({ accessRows }: Company, seed: number): Event[] {
  const random = seeded(seed)
  const events = eventsOf(accessRows.map((access, index) => line('access', index, access)))
  return accessRows.flatMap((row, index) => {
    const event = events[index] as Event
    const states = [row.date_last]
    // The history needs no more than that there was a use.
    if (row.date_last > NOW - (DAYS + 1) * DAY)
      for (let time = row.date_first; time < row.date_last; time += RUN) states.push(time)
    return states.map((time) => at(event, time, time + random.int(3600)))
  })
}

function integrationEvents({ integrationRows }: Company): Event[] {
  return eventsOf(integrationRows.map((integration, index) => line('integration', index, integration))).map(
    (event, index) => {
      const date = Number(integrationRows[index]?.date)
      return at(event, date, date)
    },
  )
}

/** All went well. */
function reports(): Event[] {
  const lines = []
  for (let time = NOW - (DAYS + 1) * DAY; time <= NOW; time += RUN) {
    for (const log of ['access', 'integration']) {
      const started = new Date(time * 1000).toISOString()
      const run = { log, outcome: 'success', complete: true, started, duration_ms: 2500, gaps: 0 }
      lines.push(line('run', `${time} ${log}`, run))
    }
  }
  return eventsOf(lines).map((event) => ({
    ...event,
    event: { ...(event['event'] as object), ingested: event['@timestamp'] },
  }))
}

function line(part: string, id: unknown, content: unknown): object {
  const dataset = `slack.${part === 'run' ? 'auditor' : part}`
  return {
    dataset,
    id: String(id),
    row: String(id),
    team: { id: 'T0EXAMPLE1', name: 'Beispiel GmbH' },
    [part]: content,
  }
}

function at(event: Event, seconds: number, visible: number): Event {
  const ingested = new Date(collectedAt(visible)).toISOString()
  return {
    ...event,
    '@timestamp': new Date(seconds * 1000).toISOString(),
    event: { ...(event['event'] as object), ingested },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rates: Rates = { members: MEMBERS, days: DAYS, seeds: SEEDS, fingerprint: '', alarms: {} }
  for (const seed of SEEDS) {
    const company = companyOf(seed)
    if (seed === SEEDS[0]) rates.fingerprint = fingerprintOf(company)
    const begin = Date.now()
    for (const [slug, count] of Object.entries(measure(company, seed))) {
      rates.alarms[slug] = [...(rates.alarms[slug] ?? []), count]
    }
    console.error(`seed ${seed}: ${Math.round(((Date.now() - begin) / MINUTE) * 60)} s`)
  }
  for (const [slug, counts] of Object.entries(rates.alarms)) console.log(slug.padEnd(34), counts.join('  '))
  // A list on one line, as the formatter wants it.
  const json = JSON.stringify(rates, null, 2).replace(/\[[^\]]*\]/g, (list) =>
    list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  )
  writeFileSync(RATES, `${json}\n`)
}
