import {
  type App,
  archived,
  changed,
  deactivated,
  feed,
  type Installer,
  type IntegrationRow,
  installed,
  installedOnce,
  oldStyle,
  POLICY_CHANGES,
  policy,
  RARE_CHANGES,
  requested,
  SCOPES,
  SLACK,
  TOKEN_APPS,
  WEBHOOK_APP,
} from '../integrations.ts'
import type { Random } from '../random.ts'
import { CLOUDS, type Place } from './networks.ts'
import { DAY, HOUR, isMember, isWeekend, type Person } from './people.ts'

/** An app that the company knows. */
export interface KnownApp extends App {
  /** Its servers, if it calls Slack for those who installed it. */
  servers: readonly Place[]
}

type Kind = 'signIn' | 'high' | 'ordinary' | 'botOnly' | 'webhook' | 'token'

/** How often each is installed: in the old days, when one entry told everything, and now, with an entry for the bot. */
const INSTALLS: Record<'old' | 'now', [number, Kind][]> = {
  old: [
    [0.54, 'signIn'],
    [0.05, 'high'],
    [0.31, 'ordinary'],
    [0.05, 'botOnly'],
    [0.065, 'webhook'],
    [0.03, 'token'],
  ],
  now: [
    [0.26, 'signIn'],
    [0.045, 'high'],
    [0.19, 'ordinary'],
    [0.38, 'botOnly'],
    [0.065, 'webhook'],
    [0.03, 'token'],
  ],
}

/** Per member and day. */
const INSTALLS_PER_DAY = 0.0039

/** Other things, as shares of the installs. */
const OTHERS = {
  removal: 0.32,
  expanded: 0.18,
  feed: 0.2,
  update: 0.1,
  request: 0.11,
  toggle: 0.06,
  rare: 0.05,
  bySlack: 0.04,
  policy: 0.025,
  archive: 0.03,
}

const ADJECTIVES = [
  'Lunch',
  'Meeting',
  'Daily',
  'Build',
  'Ticket',
  'Sales',
  'Design',
  'Travel',
  'Kudos',
  'Release',
  'Survey',
  'Budget',
  'Team',
  'Incident',
  'Holiday',
  'Poll',
  'Cloud',
  'Review',
  'Hiring',
  'Market',
]
const NOUNS = [
  'Wheel',
  'Notes',
  'Bell',
  'Board',
  'Desk',
  'Bot',
  'Planner',
  'Sync',
  'Radar',
  'Pilot',
  'Tracker',
  'Digest',
  'Bridge',
  'Helper',
  'Door',
  'Forms',
  'Metrics',
  'Hub',
  'Clock',
  'Vault',
]

/** The integration log of the company since it began to use Slack, and the apps that it has. */
export class AppHistory {
  readonly rows: IntegrationRow[] = []
  readonly apps: KnownApp[] = []
  readonly #random: Random
  readonly #people: Person[]
  readonly #byKind = new Map<Kind, KnownApp[]>()
  readonly #hooks: App[] = []
  /** Before this, entries are in the style of the old days. */
  readonly #newStyleFrom: number
  #ids = 0

  constructor(people: Person[], start: number, end: number, random: Random) {
    this.#random = random
    this.#people = people
    this.#newStyleFrom = start + (end - start) / 2
    // By their days, so that what somebody holds on the last day is known by then.
    const leavers = people.filter(({ left }) => left < end).sort((a, b) => a.left - b.left)
    for (let day = start; day < end; day += DAY) {
      while ((leavers[0]?.left ?? end) < day + DAY) this.#leave(leavers.shift() as Person)
      if (!isWeekend(day) || random.chance(0.1)) this.#liveDay(day, (INSTALLS_PER_DAY * 7) / 5)
    }
  }

  /** Since when somebody has the app. */
  installedSince(appId: string): number {
    const holders = this.#people.flatMap(({ apps }) => apps.filter(({ app }) => app.app_id === appId))
    return Math.min(...holders.map(({ since }) => since))
  }

  #liveDay(day: number, perMember: number): void {
    const random = this.#random
    const members = this.#people.filter((person) => isMember(person, day))
    for (const who of members)
      if (who.isDeveloper && !who.ownApp && random.chance(0.02)) this.#makeOwn(who, this.#atWork(who, day))
    const installs = perMember * members.length
    this.#times(installs, () => this.#installs(this.#someone(members), day))
    const others: Record<keyof typeof OTHERS, (who: Person, date: number) => IntegrationRow[]> = {
      removal: (who, date) => this.#remove(who, date),
      expanded: (who, date) => [
        changed(this.#held(who), name(who), date, 'expanded', random.chance(0.1) ? { scope: 'MAX' } : {}),
      ],
      feed: (who, date) => [
        feed(
          name(who),
          date,
          random.chance(0.7) ? 'added' : 'removed',
          `feed ${random.int(40)}`,
          2_000_000_000_000 + random.int(40),
        ),
      ],
      update: (who, date) => [changed(this.#held(who), name(who), date, 'updated')],
      request: (who, date) =>
        requested(
          this.#app(random.pick(['ordinary', 'high', 'botOnly', 'signIn'])),
          name(who),
          name(this.#admin(date)),
          date,
          random,
        ),
      toggle: (who, date) => [
        changed(this.#held(who), name(who), date, random.pick(['enabled', 'disabled']), { reason: 'user' }),
      ],
      rare: (who, date) => [changed(this.#held(who), name(who), date, random.pick(RARE_CHANGES))],
      bySlack: (who, date) => [
        random.chance(0.5)
          ? changed(TOKEN_APPS[0] as App, SLACK, date, 'removed', {
              reason: 'system_inactive_api_tester_token',
            })
          : changed(this.#held(who), SLACK, date, 'disabled', {
              reason: random.pick(['rate_limits', 'errors']),
            }),
      ],
      policy: (_, date) => [policy(name(this.#admin(date)), date, random.pick(POLICY_CHANGES))],
      archive: (who, date) => this.#archive(who, date),
    }
    for (const [what, share] of Object.entries(OTHERS) as [keyof typeof OTHERS, number][])
      this.#times(installs * share, () => {
        const who = this.#someone(members)
        this.#add(others[what](who, this.#atWork(who, day)))
      })
  }

  /** One install, or seldom several apps in a row. */
  #installs(who: Person, day: number): void {
    const random = this.#random
    let date = this.#atWork(who, day)
    for (let left = random.chance(0.01) ? 3 + random.int(2) : 1; left > 0; left--) {
      const kind = this.#kind(date)
      const app = kind === 'webhook' ? this.#hook() : this.#app(kind)
      const rows =
        date < this.#newStyleFrom
          ? [installedOnce(app, name(who), date)]
          : installed(app, name(who), date, random)
      // Slack holds entries that are the same to the byte.
      this.#add(random.chance(0.006) ? rows.flatMap((row) => [row, { ...row }]) : rows)
      who.apps.push({ app, since: date })
      date += 60 + random.int(8 * 60)
    }
  }

  #leave(who: Person): void {
    const apps = who.apps.map(({ app }) => app).reverse()
    this.#add(deactivated(apps, name(who), who.left, this.#random))
    this.#forgetHooks(apps)
  }

  #remove(who: Person, date: number): IntegrationRow[] {
    const [held] = who.apps.splice(this.#random.int(who.apps.length), 1)
    if (!held) return []
    const { app } = held
    this.#forgetHooks([app])
    const reason = this.#random.pick([
      'user_uninstalled_app',
      'user_revoked_auth',
      'user_revoked_auth',
      'user',
      'developer_uninstalled_app',
      'deauth',
    ])
    return [changed(app, name(who), date, 'removed', { reason })]
  }

  #archive(who: Person, date: number): IntegrationRow[] {
    const { channel } = this.#hooks[this.#random.int(this.#hooks.length)] ?? {}
    const gone = this.#hooks.filter((hook) => hook.channel === channel).slice(0, 23)
    this.#forgetHooks(gone)
    for (const person of this.#people) person.apps = person.apps.filter(({ app }) => !gone.includes(app))
    return archived(gone, name(who), date, this.#random)
  }

  #forgetHooks(apps: readonly App[]): void {
    for (const app of apps) if (this.#hooks.includes(app)) this.#hooks.splice(this.#hooks.indexOf(app), 1)
  }

  #kind(date: number): Kind {
    const shares = INSTALLS[date < this.#newStyleFrom ? 'old' : 'now']
    let left = this.#random.next() * shares.reduce((sum, [share]) => sum + share, 0)
    for (const [share, kind] of shares) {
      left -= share
      if (left < 0) return kind
    }
    return 'ordinary'
  }

  /** An app that the company knows, the old ones more often; or one that nobody has installed before. */
  #app(kind: Kind): App {
    const random = this.#random
    const known = this.#byKind.get(kind) ?? []
    if (kind === 'token') return random.pick(TOKEN_APPS)
    const old = known[random.int(random.int(known.length) + 1)]
    return old && !random.chance(0.22) ? old : this.#invent(kind)
  }

  #invent(kind: Kind): KnownApp {
    const random = this.#random
    const number = this.#ids++
    const scope =
      kind === 'signIn' || kind === 'high' || kind === 'ordinary' ? random.pick(SCOPES[kind]) : undefined
    const app: KnownApp = {
      app_id: `A0${(number * 36 ** 4 + random.int(36 ** 4)).toString(36).toUpperCase().padStart(8, '0')}`,
      app_type: `${random.pick(ADJECTIVES)} ${random.pick(NOUNS)}${number >= 200 ? ` ${number}` : ''}`,
      ...(scope !== undefined && { scope }),
      ...((kind === 'botOnly' || (kind !== 'signIn' && random.chance(0.7))) && { bot: true }),
      servers: kind !== 'signIn' && random.chance(0.3) ? servers(random) : [],
    }
    this.apps.push(app)
    this.#byKind.set(kind, [...(this.#byKind.get(kind) ?? []), app])
    return app
  }

  /** What a developer makes for the own work is installed once and never shared. */
  #makeOwn(who: Person, date: number): void {
    const app = this.#invent('ordinary')
    app.servers = []
    this.#byKind.get('ordinary')?.pop()
    this.#add(installed(app, name(who), date, this.#random))
    who.ownApp = { app, since: date }
  }

  #hook(): App {
    const random = this.#random
    const hook: App = {
      ...WEBHOOK_APP,
      service_id: 1_000_000_000_000 + this.#ids++ * 1000 + random.int(1000),
      channel: random.chance(0.2) ? 'private' : `C0EXAMPLE${random.int(20)}`,
    }
    if (hook.channel !== 'private') this.#hooks.push(hook)
    return hook
  }

  #held(who: Person): App {
    return who.apps.length > 0 ? this.#random.pick(who.apps).app : this.#app('ordinary')
  }

  /** A quarter of the entries is of the few who try things out. */
  #someone(members: Person[]): Person {
    const curious = members.filter(({ isDeveloper, isAdmin }) => isDeveloper || isAdmin)
    return this.#random.pick(curious.length > 0 && this.#random.chance(0.25) ? curious : members)
  }

  #admin(date: number): Person {
    const members = this.#people.filter((person) => isMember(person, date))
    return members.find(({ isAdmin }) => isAdmin) ?? (members[0] as Person)
  }

  #atWork({ site }: Person, day: number): number {
    return day + Math.floor((9 - site.zone + 9 * this.#random.next()) * HOUR)
  }

  #times(mean: number, happens: () => void): void {
    for (let left = mean; left > 0; left--) if (this.#random.chance(Math.min(left, 1))) happens()
  }

  #add(rows: IntegrationRow[]): void {
    for (const row of rows) this.rows.push(Number(row.date) < this.#newStyleFrom ? oldStyle(row) : row)
  }
}

function name({ user_id, username }: Person): Installer {
  return { user_id, user_name: username }
}

export function servers(random: Random): Place[] {
  const cloud = random.pick(CLOUDS)
  return Array.from({ length: 1 + random.int(3) }, () => ({
    ...cloud,
    ip: `198.51.100.${1 + random.int(254)}`,
  }))
}
