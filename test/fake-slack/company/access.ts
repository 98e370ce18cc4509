import { type Agent, calledByApp, LIBRARIES, SCRIPTS, taggedByPage } from '../agents.ts'
import type { App } from '../integrations.ts'
import type { Random } from '../random.ts'
import type { AccessRow } from '../workspace.ts'
import { type KnownApp, servers } from './apps.ts'
import { COMPANY_VPN, mobileIn, type Network, type Place } from './networks.ts'
import { DAY, HOUR, isMember, isWeekend, type Person } from './people.ts'

/** A row as it is written down: hours of the day where the person is. */
interface Use {
  from: number
  to: number
  place: Place
  agent: string
}

export interface Bot {
  user_id: string
  username: string
  agent: string
  servers: readonly Place[]
  since: number
}

/** What the access log shows of one person on one day. */
export function accessesOf(
  person: Person,
  day: number,
  apps: Map<string, KnownApp>,
  random: Random,
): AccessRow[] {
  const start = day - person.site.zone * HOUR
  if (!isMember(person, start) && !isMember(person, start + 12 * HOUR)) return []
  const trip = person.trips.find(({ from, to }) => from <= day && day < to)
  const uses = trip ? usesOnTrip(person, trip, day, random) : usesAtHome(person, day, random)
  if (uses.length > 0) uses.push(...callsOf(person, day, apps, random))
  return uses.flatMap((use) => {
    const row = accessRow(person, use, start, random)
    return isMember(person, row.date_first)
      ? [{ ...row, date_last: Math.min(row.date_last, person.left) }]
      : []
  })
}

function usesOnTrip(
  person: Person,
  { kind, place }: Person['trips'][number],
  day: number,
  random: Random,
): Use[] {
  const { phone, main, home } = person
  if (kind === 'leave') return []
  const uses: Use[] = []
  // Half of the phones roam, and so seem to be at home.
  const mobile = at(mobileIn(random.chance(0.5) ? home.country : place.country), random)
  if (phone && random.chance(kind === 'work' ? 0.9 : 0.2)) {
    const agent = phone(version(person, day))
    uses.push({
      from: 7.5 + random.next(),
      to: 21 + random.next(),
      place: random.chance(0.5) ? place : mobile,
      agent,
    })
  }
  if (kind === 'work' && !isWeekend(day)) {
    const agent = onPage(main, person, day, random)
    uses.push({ from: person.startHour, to: 17 + 2 * random.next(), place, agent })
    if (person.usesCompanyVpn)
      uses.push({ from: 10, to: 12 + 5 * random.next(), place: at(COMPANY_VPN, random), agent })
  }
  return uses
}

function usesAtHome(person: Person, day: number, random: Random): Use[] {
  const { site, home, phone, tablet, startHour } = person
  const number = day / DAY
  const atHome: Place = { ...home, ip: home.addressOn(number) }
  const working = !isWeekend(day) && random.chance(person.diligence)
  const inOffice = working && site.office !== undefined && random.chance(person.inOffice)
  const work = inOffice && site.office ? at(site.office, random) : atHome
  const uses: Use[] = []
  if (working) {
    const agent = onPage(person.main, person, day, random)
    const to = startHour + 8 + 2 * random.next()
    uses.push({ from: startHour + random.next(), to, place: work, agent })
    if (!inOffice && person.usesCompanyVpn && random.chance(0.5))
      uses.push({ from: startHour + 1, to, place: at(COMPANY_VPN, random), agent })
    if (!inOffice && person.privacyVpn && random.chance(0.3))
      uses.push({ from: startHour + 2, to: startHour + 5, place: at(person.privacyVpn, random), agent })
    // A page in the other program, or the laptop again in the evening.
    if (random.chance(0.1)) {
      const from = 10 + 6 * random.next()
      uses.push({
        from,
        to: from + 2 * random.next(),
        place: work,
        agent: onPage(person.second, person, day, random),
      })
    }
    if (inOffice && random.chance(0.15)) uses.push({ from: 20, to: 21 + random.next(), place: atHome, agent })
  }
  if (phone && random.chance(working ? 0.85 : 0.15 * person.diligence)) {
    const agent = phone(version(person, day))
    uses.push({ from: 6.5 + random.next(), to: 20 + 3 * random.next(), place: atHome, agent })
    if (inOffice && random.chance(0.6)) uses.push({ from: 9, to: 17, place: work, agent })
    if (working && random.chance(0.5)) {
      const from = inOffice ? 8 + random.next() : 12 + 5 * random.next()
      uses.push({
        from,
        to: from + random.next(),
        place: at(mobileIn(site.office ? site.country : home.country), random),
        agent,
      })
    }
  }
  if (tablet && random.chance(0.2))
    uses.push({ from: 19, to: 20 + 2 * random.next(), place: atHome, agent: tablet(version(person, day)) })
  return uses
}

/** What apps and scripts do in the name of a person. */
function callsOf(person: Person, day: number, apps: Map<string, KnownApp>, random: Random): Use[] {
  const uses: Use[] = []
  for (const { app, since } of person.apps) {
    const servers = apps.get(app.app_id)?.servers ?? []
    if (servers.length === 0 || since > day || !random.chance(0.35)) continue
    const from = 7 + 10 * random.next()
    uses.push({ from, to: from + 6 * random.next(), place: random.pick(servers), agent: agentOf(app) })
  }
  const { ownApp, isDeveloper, home, user_id } = person
  if (!isDeveloper || isWeekend(day)) return uses
  const place: Place = { ...home, ip: home.addressOn(day / DAY) }
  const from = 10 + 6 * random.next()
  if (ownApp && ownApp.since <= day && random.chance(0.4))
    uses.push({ from, to: from + random.next(), place, agent: agentOf(ownApp.app) })
  if (random.chance(0.03)) uses.push({ from, to: from + 0.1, place, agent: pickBy(SCRIPTS, user_id) })
  return uses
}

/** A bot, or the collector of these logs, calls all day long. */
export function accessesOfBot(bot: Bot, day: number, random: Random): AccessRow[] {
  const place = random.pick(bot.servers)
  return [
    accessRow(bot, { from: random.next(), to: 23 + random.next(), place, agent: bot.agent }, day, random),
  ]
}

export function botOf(app: KnownApp, since: number, random: Random): Bot {
  return {
    user_id: `U0B${app.app_id.slice(2)}`,
    username: app.app_type.toLowerCase().replaceAll(/\W+/g, '_'),
    agent: agentOf(app),
    servers: app.servers.length > 0 ? app.servers : servers(random),
    since,
  }
}

function accessRow(
  { user_id, username }: Pick<Person, 'user_id' | 'username'>,
  { from, to, place, agent }: Use,
  start: number,
  random: Random,
): AccessRow {
  const date_first = start + Math.floor(from * HOUR) + random.int(900)
  // One in fifty is not closed over night, or over a few.
  const nights = random.chance(0.02) ? random.int(3) + 1 : 0
  const once = random.chance(0.08)
  const date_last = once ? date_first : Math.max(date_first, start + Math.floor(to * HOUR)) + nights * DAY
  const count = once ? 1 : 2 + random.int(1 + (date_last - date_first) / 600)
  return {
    user_id,
    username,
    date_first,
    date_last,
    count,
    ip: place.ip,
    user_agent: agent,
    ...told(place, random),
  }
}

/** Slack does not always say, or know, where an address is. */
function told(
  { isp, country, region }: Place,
  random: Random,
): Pick<AccessRow, 'isp' | 'country' | 'region'> {
  if (random.chance(0.005)) return { isp: null, country: null, region: null }
  if (random.chance(0.005)) return { isp: '', country: '', region: '' }
  return { isp, country, region: random.chance(0.02) ? null : region }
}

function at({ isp, country, region, address }: Network, random: Random): Place {
  return { isp, country, region, ip: address(random) }
}

/** Every four weeks there is a new version, which reaches one person earlier than the other. */
function version({ updatesAt }: Person, day: number): number {
  return Math.floor((day / DAY + updatesAt) / 28) % 12
}

/** Slack's page, in a browser or in Slack's own program; half of the rows tell its release. */
function onPage(agent: Agent, person: Person, day: number, random: Random): string {
  const plain = agent(version(person, day))
  return random.chance(0.5) ? taggedByPage(plain, Math.floor(day / DAY / 7)) : plain
}

/** An app is written in one language. */
function agentOf({ app_id }: App): string {
  return calledByApp(app_id, pickBy(LIBRARIES, app_id))
}

function pickBy<T>(list: readonly T[], text: string): T {
  const sum = [...text].reduce((total, letter) => total + letter.charCodeAt(0), 0)
  return list[sum % list.length] as T
}
