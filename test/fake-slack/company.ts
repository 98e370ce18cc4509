/**
 * The two logs of a company that nobody attacks, so that whatever a detection finds in them is a false alarm.
 *
 * Half of the members work in Switzerland, others in Germany and the USA, some from home in four more countries. Each has
 * one computer and mostly a phone, and gets a new one every few years. They go to the office or work at home, switch on
 * the company's VPN or a private one, go on holiday and travel for work; some commute across a border; a few iPhones hide
 * behind a relay. Versions change every four weeks. Of a hundred members four or five leave each month and are replaced.
 * Apps call from the clouds of their makers from the minute they are added; developers have scripts.
 *
 * A row is one use of a day: one person, one address, one program. What no real log says is assumed: how often people
 * travel and apps call, how large `count` gets, and that Slack is right about where an address is, or says nothing.
 *
 * Addresses are of the ranges kept for documentation and benchmarks: offices in 203.0.113, servers in 198.51.100, mobile
 * networks and VPNs in 192.0.2, homes and hotels in 198.18/15 and 2001:db8. Providers that a detection looks for are real.
 */
import { type Agent, COMPUTERS, calledByApp, LIBRARIES, PHONES, SCRIPTS, taggedByPage } from './agents.ts'
import { integrationEvent } from './integration-events.ts'
import { type App, type Installer, type IntegrationRow, installed, SCOPES } from './integrations.ts'
import { type Random, seeded } from './random.ts'
import type { AccessRow } from './workspace.ts'

const HOUR = 3600
const DAY = 24 * HOUR
/** How far back the integration log reaches. */
const INTEGRATION_DAYS = 730

export interface CompanyOptions {
  seed: number
  /** Members at any moment. Default 500. */
  members?: number
  /** How far back the access log reaches. Default 30. */
  days?: number
  /** Epoch seconds: the end of both logs. */
  now: number
}

export interface Company {
  /** Sorted by `date_last`, the oldest first. */
  accessRows: AccessRow[]
  /** Sorted by `date`, the oldest first. */
  integrationRows: IntegrationRow[]
  /** slack-auditor's own app and the account that installed it. */
  collector: { app_id: string; user_id: string }
}

/** What Slack says of where a use came from. */
type Place = { ip: string; isp: string; country: string }

interface Site {
  country: string
  /** Hours ahead of UTC. */
  zone: number
  /** Of a hundred members. */
  share: number
  office?: Place
  homes: readonly string[]
}

const SITES: readonly Site[] = [
  {
    ...{ country: 'CH', zone: 1, share: 50, homes: [...Array<string>(12).fill('CH'), 'DE'] },
    office: { ip: '203.0.113.1', isp: 'Beispielnetz AG', country: 'CH' },
  },
  {
    ...{ country: 'DE', zone: 1, share: 25, homes: ['DE'] },
    office: { ip: '203.0.113.65', isp: 'Muster Geschäftskunden', country: 'DE' },
  },
  {
    ...{ country: 'US', zone: -5, share: 15, homes: ['US'] },
    office: { ip: '203.0.113.129', isp: 'Example Business Fiber', country: 'US' },
  },
  { country: 'GB', zone: 0, share: 10, homes: ['GB', 'PT', 'PL', 'FR'] },
]
const COMPANY_VPN: Place = { ip: '203.0.113.10', isp: 'Beispielnetz AG', country: 'CH' }
const PRIVATE_VPNS: readonly Place[] = [
  { ip: '192.0.2.200', isp: 'M247 Europe SRL', country: 'SE' },
  { ip: '192.0.2.210', isp: 'Datacamp Limited', country: 'GB' },
]
const RELAY: Place = { ip: '192.0.2.220', isp: 'Akamai Technologies', country: 'NL' }
const CLOUDS: readonly Place[] = [
  { ip: '198.51.100.', isp: 'Amazon.com, Inc.', country: 'US' },
  { ip: '198.51.100.', isp: 'Amazon.com, Inc.', country: 'IE' },
  { ip: '198.51.100.', isp: 'Google LLC', country: 'US' },
  { ip: '198.51.100.', isp: 'Microsoft Corporation', country: 'US' },
  { ip: '198.51.100.', isp: 'Hetzner Online GmbH', country: 'DE' },
]
const DESTINATIONS = ['FR', 'ES', 'IT', 'GB', 'US', 'PT', 'DE', 'SE', 'JP', 'TR', 'BR', 'IN']

type Person = ReturnType<typeof newPerson>
type Trip = { from: number; to: number; forWork: boolean; place: Place }
/** An app that calls, and from when on. */
type Called = { agent: string; place: Place; since: number }
/** Hours of the day where the person is. */
type Use = { from: number; to: number; place: Place; agent: string }

export function inventCompany(options: CompanyOptions): Company {
  const { seed, members = 500, days = 30, now } = options
  const random = seeded(seed)
  const end = Math.ceil(now / DAY) * DAY
  const start = end - days * DAY
  const people = inventPeople(members, start, end, random)
  const logStart = end - INTEGRATION_DAYS * DAY
  const integrationRows = inventIntegrations(people, logStart, end, random)

  const collector = { app_id: 'A0COLLECT1', app_type: 'Log Collector', scope: 'admin' }
  const account = { user_id: 'U0AUDIT0001', user_name: 'audit.service' }
  integrationRows.push(...installed(collector, account, Math.max(logStart, start - 100 * DAY), random))
  const agent = calledByApp(collector.app_id, '@slack:web-api/8.2.0 node/20.20.2 linux/6.1.0')
  const place = { ip: '203.0.113.20', isp: 'Beispielnetz AG', country: 'CH' }

  const accessRows: AccessRow[] = []
  for (let day = start; day < end; day += DAY) {
    for (const person of people) accessRows.push(...accessesOf(person, day, random))
    accessRows.push(row(account, { from: 0, to: 23.9, place, agent }, day, random))
  }
  return {
    accessRows: accessRows
      .filter(({ date_first }) => date_first <= now)
      .map((row) => ({ ...row, date_last: Math.min(row.date_last, now) }))
      .sort((a, b) => a.date_last - b.date_last),
    integrationRows: integrationRows
      .filter(({ date }) => Number(date) <= now)
      .sort((a, b) => Number(a.date) - Number(b.date)),
    collector: { app_id: collector.app_id, user_id: account.user_id },
  }
}

/** All who are members at some time between `start` and `end`. */
function inventPeople(members: number, start: number, end: number, random: Random): Person[] {
  const people = Array.from({ length: members }, (_, index) => newPerson(index, 0, start, end, random))
  for (let day = start; day < end; day += DAY)
    for (const person of people.filter(({ joined, left }) => joined < day && left > day && !isWeekend(day)))
      if (random.chance(0.045 / 21)) {
        person.left = day + 15 * HOUR
        people.push(newPerson(people.length, day + (1 + random.int(20)) * DAY, start, end, random))
      }
  return people
}

function newPerson(index: number, joined: number, start: number, end: number, random: Random) {
  const site = random.pick(SITES.flatMap((site) => Array<Site>(site.share).fill(site)))
  const country = random.pick(site.homes)
  const home = { ip: homeAddress(random), isp: `Example Fibre ${country}`, country }
  const leaseDays = random.pick([1, 7, 30, 365])
  return {
    user_id: `U0${(random.int(36 ** 4) * 36 ** 4 + index).toString(36).toUpperCase().padStart(8, '0')}`,
    user_name: `member.${index}`,
    ...{ site, joined, left: Number.POSITIVE_INFINITY },
    home: (day: number) => ({ ...home, ip: home.ip(Math.floor(day / DAY / leaseDays)) }),
    startHour: 7.5 + 2 * random.next(),
    // The chance to be at work on a weekday; guests come seldom.
    diligence: random.chance(0.04) ? 0.08 : 0.93,
    inOffice: site.office ? random.pick([0.2, 0.4, 0.6, 0.9]) : 0,
    computer: random.pick(COMPUTERS),
    usesBrowser: random.chance(0.25),
    phone: random.chance(0.75) ? random.pick(PHONES) : undefined,
    updatesAt: random.int(28),
    usesCompanyVpn: random.chance(0.15),
    privateVpn: random.chance(0.03) ? random.pick(PRIVATE_VPNS) : undefined,
    usesRelay: random.chance(0.03),
    isDeveloper: random.chance(0.08),
    trips: inventTrips(country, start, end, random),
    apps: [] as Called[],
  }
}

/** Two or three holidays a year, more than half of them abroad; one in five travels for work; a few are away for months. */
function inventTrips(home: string, start: number, end: number, random: Random): Trip[] {
  const trips: Trip[] = []
  const travels = random.chance(0.2)
  const ip = homeAddress(random)
  const trip = (from: number, days: number, forWork: boolean, country: string): number => {
    const place = { ip: ip(from / DAY), isp: `Example Hotel ${country}`, country }
    trips.push({ from, to: from + days * DAY, forWork, place })
    return days
  }
  for (let day = start; day < end; day += DAY) {
    const abroad = random.pick(DESTINATIONS)
    if (random.chance(1 / 130))
      day += trip(day, 3 + random.int(14), false, random.chance(0.4) ? home : abroad) * DAY
    else if (random.chance(travels ? 1 / 60 : 1 / 700))
      day += trip(day, 1 + random.int(5), true, abroad) * DAY
  }
  if (random.chance(0.01))
    trips.unshift({ from: 0, to: end - random.int(20) * DAY, forWork: false, place: RELAY })
  return trips
}

/** What the access log has of one person on one day. */
function accessesOf(person: Person, day: number, random: Random): AccessRow[] {
  const { site, phone, startHour, trips } = person
  if (person.joined > day || person.left < day) return []
  const trip = trips.find(({ from, to }) => from <= day && day < to)
  if (trip?.from === 0) return []
  if (random.chance(1 / (4 * 365))) person.computer = random.pick(COMPUTERS)
  if (phone && random.chance(1 / (3 * 365))) person.phone = random.pick(PHONES)

  const home = person.home(day)
  const mobile = (country: string): Place => ({
    ip: `192.0.2.${1 + random.int(150)}`,
    isp: `Example Mobile ${country}`,
    country,
  })
  const works = !isWeekend(day) && (trip ? trip.forWork : random.chance(person.diligence))
  const atOffice = !trip && site.office && random.chance(person.inOffice) ? site.office : undefined
  const place = trip?.place ?? atOffice ?? home
  const uses: Use[] = []
  const use = (from: number, hours: number, place: Place, agent: Agent): void => {
    uses.push({ from, to: from + hours, place, agent: agent(versionOf(person, day)) })
  }
  const { desktop, browsers } = person.computer
  const main: Agent = person.usesBrowser ? page(browsers[0] ?? desktop, day, random) : desktop
  if (works) {
    use(startHour + random.next(), 8 + 2 * random.next(), place, main)
    if (!atOffice && person.usesCompanyVpn && random.chance(0.5)) use(startHour + 1, 8, COMPANY_VPN, main)
    if (!atOffice && person.privateVpn && random.chance(0.3)) use(startHour + 2, 3, person.privateVpn, main)
    if (random.chance(0.1)) use(10 + 6 * random.next(), 2, place, page(random.pick(browsers), day, random))
    if (atOffice && random.chance(0.15)) use(20, 2, home, main)
  }
  if (phone && random.chance(works ? 0.85 : trip ? 0.2 : 0.15 * person.diligence)) {
    use(6.5 + random.next(), 14, trip?.place ?? home, phone)
    if (atOffice && random.chance(0.6)) use(9, 8, atOffice, phone)
    // Half of the phones come out at home while they roam.
    const country = trip && random.chance(0.5) ? trip.place.country : home.country
    if (random.chance(0.5)) use(12 + 5 * random.next(), 1, mobile(country), phone)
    if (person.usesRelay && random.chance(0.5)) use(18, 1, RELAY, phone)
  }
  for (const { agent, place, since } of person.apps)
    if (since < day + DAY && random.chance(0.35))
      uses.push({ from: Math.max(9, (since - day) / HOUR), to: 22, place, agent })
  if (person.isDeveloper && works && random.chance(0.03))
    uses.push({
      from: 11,
      to: 11.1,
      place,
      agent: SCRIPTS[person.updatesAt % SCRIPTS.length] ?? 'curl/8.7.1',
    })
  return uses.map((use) => row(person, use, day - site.zone * HOUR, random))
}

function row({ user_id, user_name }: Installer, use: Use, start: number, random: Random): AccessRow {
  const date_first = start + Math.floor(use.from * HOUR) + random.int(900)
  // One in fifty is not closed over night.
  const nights = random.chance(0.02) ? 1 + random.int(3) : 0
  const date_last = Math.max(date_first, start + Math.floor(use.to * HOUR)) + nights * DAY
  const count = 1 + random.int(1 + (date_last - date_first) / 600)
  const { ip, isp, country } = use.place
  const unknown = random.chance(0.01)
  const where = unknown ? { isp: null, country: null } : { isp, country }
  return {
    ...{ user_id: String(user_id), username: user_name, date_first, date_last, count },
    ...{ ip, user_agent: use.agent, ...where, region: null },
  }
}

/**
 * Four things happen to integrations on a working day, as often as in real logs. And two apps in three days are new: a third
 * of them calls for whoever added it.
 */
function inventIntegrations(people: Person[], start: number, end: number, random: Random): IntegrationRow[] {
  const rows: IntegrationRow[] = []
  const curious = people.filter(({ isDeveloper }) => isDeveloper)
  for (let day = start, nth = 0; day < end; day += DAY) {
    if (isWeekend(day)) continue
    const someone = () => random.pick(random.chance(0.25) && curious.length > 0 ? curious : people)
    const date = () => day + Math.floor((8 + 9 * random.next()) * HOUR)
    for (let event = 0; event < 4; event++)
      rows.push(...integrationEvent(100 + nth++, true, named(someone()), date(), random))
    if (!random.chance(0.7)) continue
    const who = someone()
    const app = newApp(nth, random)
    const entries = installed(app, named(who), date(), random)
    rows.push(...entries)
    if (random.chance(0.3)) who.apps.push(calls(app, Number(entries[0]?.date), random))
  }
  return rows
}

const named = ({ user_id, user_name }: Person): Installer => ({ user_id, user_name })

function newApp(number: number, random: Random): App {
  const kind = random.pick([
    'signIn',
    'signIn',
    'signIn',
    'ordinary',
    'ordinary',
    'ordinary',
    'ordinary',
    'high',
  ] as const)
  const app_id = `A0${(number * 36 ** 4 + random.int(36 ** 4)).toString(36).toUpperCase().padStart(8, '0')}`
  return { app_id, app_type: `App ${number}`, scope: random.pick(SCOPES[kind]), bot: kind !== 'signIn' }
}

function calls({ app_id }: App, since: number, random: Random): Called {
  const cloud = random.pick(CLOUDS)
  const agent = calledByApp(app_id, random.pick(LIBRARIES))
  return { agent, place: { ...cloud, ip: `${cloud.ip}${1 + random.int(254)}` }, since }
}

/** The address of a line in a lease: of 198.18.0.0/15, or an IPv6 address of the line's own network. */
function homeAddress(random: Random): (lease: number) => string {
  const line = random.int(2 ** 17)
  if (random.chance(0.4))
    return (lease) => `2001:db8:${(line & 0xffff).toString(16)}:1:${(lease & 0xffff).toString(16)}::1`
  return (lease) => {
    const number = Math.floor(line + lease * 211) % 2 ** 17
    return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
  }
}

/** Every four weeks there is a new version, which reaches one person earlier than the other. */
function versionOf({ updatesAt }: Person, day: number): number {
  return Math.floor((day / DAY + updatesAt) / 28) % 12
}

/** Half of the rows of Slack's page say its release. */
function page(agent: Agent, day: number, random: Random): Agent {
  return (version) =>
    random.chance(0.5) ? taggedByPage(agent(version), Math.floor(day / DAY / 7)) : agent(version)
}

function isWeekend(day: number): boolean {
  return [0, 6].includes(new Date(day * 1000).getUTCDay())
}
