import { anyAgent } from './agents.ts'
import { APP_IDS, integrationEvent } from './integration-events.ts'
import { changed, type Installer, type IntegrationRow, oldStyle } from './integrations.ts'
import { type Random, seeded } from './random.ts'

export type { IntegrationRow }

/** A row of the access log: one user, address and program, from its first to its last use. */
export interface AccessRow {
  user_id: string
  username: string
  date_first: number
  date_last: number
  count: number
  /** Real rows come with null, with '' and without the field. */
  ip?: string | null
  user_agent: string
  isp: string | null
  country: string | null
  region: string | null
  [other: string]: unknown
}

export interface WorkspaceOptions {
  seed: number
  /** Epoch seconds. The newest access row is at most a minute older. */
  now: number
  accessRows: number
  /** Default 60. */
  integrationRows?: number
  /** How far back the logs reach. Default 365. */
  days?: number
  /** A row is a session of up to a day. This share of the rows lasts for up to four weeks instead. Default 0. */
  longRows?: number
  /** Also the oddities seen in real logs: missing addresses, string dates, twins, letters beyond ASCII. Default true. */
  odd?: boolean
}

/** What goes on while time passes. */
export interface Activity {
  /** Accesses per hour on average, bursts counted as one. Default 30. */
  perHour?: number
  /** Half of what happens shows up late, by up to so many seconds. Default 3600: "updated every hour". */
  maxDelay?: number
  /** Up to how many accesses now and then share one second. Default 6. */
  burst?: number
}

type User = Pick<AccessRow, 'user_id' | 'username'>
type Device = Pick<AccessRow, keyof User | 'ip' | 'user_agent' | 'isp' | 'country' | 'region'>

const HOUR = 3600
const DAY = 24 * HOUR

const NAMES = [
  'ada',
  'bruno.k',
  'carla',
  'dmitri',
  'elif',
  'frank_o',
  'grace',
  'hugo',
  'ines',
  'jonas',
  'kim',
]
const ODD_NAMES = ['jörg.müller', 'ольга', '山田', 'foxy🦊', 'o\'neill "łu"']

// The ranges that RFC 5737 and RFC 3849 set aside for documentation.
const NETWORKS = [
  { prefix: '192.0.2.', isp: 'Beispielnetz AG', country: 'CH', region: 'ZH' },
  { prefix: '198.51.100.', isp: 'Example Broadband', country: 'US', region: 'CA' },
  { prefix: '203.0.113.', isp: 'Muster Kabel', country: 'DE', region: 'BE' },
  { prefix: '2001:db8:', isp: 'Example Mobile', country: 'FR', region: 'IDF' },
]

const ODD_DEVICES: ((device: Device) => Device)[] = [
  (device) => ({ ...device, ip: null, isp: null, country: null, region: null }),
  ({ ip: _, ...device }) => device,
  (device) => ({ ...device, ip: '', isp: null }),
  (device) => ({ ...device, region: '12345' }),
  (device) => ({ ...device, isp: '', country: '', region: '' }),
  (device) => ({ ...device, isp: null, country: null }),
  (device) => ({ ...device, isp: 'Société Exemple – 東京 📡' }),
]

/**
 * A workspace that lives: its logs begin with a made-up past and grow as its clock is moved on. The same seed
 * and the same calls give the same rows.
 */
export class Workspace {
  readonly team: { id: string; name: string; url: string; user: string; user_id: string }
  /** Its clock, epoch seconds. `advanceTo` only moves it forward. */
  now: number
  /** Counts the visible changes, so that a reader knows when what it remembers is out of date. */
  version = 0
  /** Called after every visible change with the row as it now stands, for a test that keeps the history of states. */
  onChange?:
    | ((kind: 'access' | 'integration', row: AccessRow | IntegrationRow, visibleAt: number) => void)
    | undefined

  readonly #random: Random
  readonly #odd: boolean
  readonly #users: User[]
  readonly #devices: Device[] = []
  readonly #access: AccessRow[] = []
  readonly #longRows: number
  /** How long each access row may grow, in seconds from its first use. */
  readonly #lives: number[] = []
  readonly #integrations: IntegrationRow[] = []
  readonly #identities = new Set<string>()
  /** What happened but does not show yet, soonest first. */
  readonly #late: { visibleAt: number; show: () => void }[] = []
  /** How many more accesses must be expected to have happened until the next one does (exponential, mean 1). */
  #untilNext: number
  #integrationEvents = 0

  constructor(options: WorkspaceOptions) {
    const { seed, now, accessRows, integrationRows = 60, days = 365, odd = true, longRows = 0 } = options
    const random = seeded(seed)
    this.#random = random
    this.#odd = odd
    this.#longRows = longRows
    this.now = now
    this.team = {
      id: `T0${(seed >>> 0).toString(36).toUpperCase().padStart(8, '0')}`,
      name: 'Beispiel GmbH – Zürich',
      url: 'https://beispiel.slack.example/',
      user: 'audit.service',
      user_id: 'U0AUDIT0001',
    }
    const names = odd ? [...NAMES, ...ODD_NAMES] : NAMES
    const users = Math.min(Math.max(Math.round(accessRows / 30), 16), 2000)
    this.#users = Array.from({ length: users }, (_, index) => ({
      user_id: `U0${(random.int(36 ** 4) * 36 ** 4 + index).toString(36).toUpperCase().padStart(8, '0')}`,
      username: index < names.length ? `${names[index]}` : `${random.pick(names)}${index}`,
    }))
    for (const user of this.#users) for (let count = 0; count < 4; count++) this.#newDevice(user)
    this.#inventPast(accessRows, integrationRows, days * DAY)
    this.#untilNext = this.#exponential()
  }

  /** All access rows visible now. A row keeps its position for ever; the object there is replaced when it changes. */
  accessRows(): readonly AccessRow[] {
    return this.#access
  }

  /** All integration entries visible now. They keep their positions too. */
  integrationRows(): readonly IntegrationRow[] {
    return this.#integrations
  }

  /**
   * Lets time pass: known devices come back (their row grows and moves), new rows begin, integrations are
   * installed. Where the way is cut into several calls does not change what happens.
   */
  advanceTo(time: number, { perHour = 30, maxDelay = HOUR, burst = 6 }: Activity = {}): void {
    const perSecond = perHour / HOUR
    for (;;) {
      const event = perSecond > 0 ? this.now + this.#untilNext / perSecond : Infinity
      const late = this.#late[0]?.visibleAt ?? Infinity
      const next = Math.min(event, late)
      if (next > time) break
      this.#passTime(next, perSecond)
      if (late <= event) {
        this.#late.shift()?.show()
      } else {
        this.#untilNext = this.#exponential()
        this.#live(Math.floor(next), maxDelay, burst)
      }
    }
    if (time > this.now) this.#passTime(time, perSecond)
  }

  /** Adds a row by hand; what is not given is made up (one visit, by someone known). It shows at once. */
  addAccess(row: Partial<AccessRow> & { date_last: number }): AccessRow {
    return this.#showAccess({
      ...this.#random.pick(this.#devices),
      date_first: row.date_last,
      count: 1,
      ...row,
    })
  }

  /** Lets the device of a visible row come back by hand. Gives the row as it stands after that. */
  touch(row: AccessRow, at: number): AccessRow {
    const position = this.#access.indexOf(row)
    if (position < 0) throw new Error('this row is not visible (any more): take it from accessRows()')
    return this.#showAccess({ ...row, date_last: at, count: row.count + 1 }, position)
  }

  /** Adds an integration entry by hand. It shows at once. */
  addIntegration(row: Partial<IntegrationRow> & { date: number | string }): IntegrationRow {
    const usual = changed({ app_id: 'A0LUNCH001', app_type: 'Lunch Wheel' }, this.#installer(), 0, 'added')
    return this.#showIntegration({ ...usual, ...row })
  }

  /** Adds rows as they are, such as those of a whole company. They show at once. */
  addAll(rows: { accessRows?: readonly AccessRow[]; integrationRows?: readonly IntegrationRow[] }): void {
    for (const row of rows.accessRows ?? []) this.#showAccess(row)
    for (const row of rows.integrationRows ?? []) this.#showIntegration(row)
  }

  #inventPast(accessRows: number, integrationRows: number, span: number): void {
    const random = this.#random
    const oldest = this.now - span
    const rows: AccessRow[] = []
    while (rows.length < accessRows) {
      const previous = rows.at(-1)
      let first = oldest + random.int(span)
      let last = first
      // The first row made is the newest; now and then two rows share a second.
      if (!previous) first = last = this.now - random.int(60)
      else if (random.chance(0.03)) first = last = previous.date_last
      // Half are seen once.
      else if (random.chance(0.5)) last += random.int(Math.min(this.now - first, this.#life()))
      const row = this.#begin(random.pick(this.#devices), first, last)
      if (row) rows.push(row)
    }
    // By their last use, because `#comeBack` looks at the end for those who were here lately.
    for (const row of rows.sort((a, b) => a.date_last - b.date_last)) this.#access.push(row)
    const isOld = (date: number): boolean => this.#odd && date < oldest + span / 2
    while (this.#integrations.length < integrationRows)
      for (const row of this.#integrationEvent(oldest + random.int(span))) {
        const date = Math.min(Number(row.date), this.now)
        this.#integrations.push(isOld(date) ? oldStyle({ ...row, date }) : { ...row, date })
      }
    this.#integrations.length = integrationRows
  }

  #live(second: number, maxDelay: number, burst: number): void {
    const random = this.#random
    const accesses = burst > 1 && random.chance(0.05) ? 2 + random.int(burst - 1) : 1
    for (let count = 0; count < accesses; count++) {
      if (this.#access.length > 0 && random.chance(0.6)) this.#comeBack(second, maxDelay)
      else {
        const device = random.chance(0.3)
          ? this.#newDevice(random.pick(this.#users))
          : random.pick(this.#devices)
        this.#showNew(device, second, maxDelay)
      }
    }
    if (random.chance(0.02))
      for (const row of this.#integrationEvent(second))
        this.#happen(Number(row.date), maxDelay, () => this.#showIntegration(row))
  }

  /** A known device is used again: mostly a recent one, sometimes one not seen for months. */
  #comeBack(second: number, maxDelay: number): void {
    const random = this.#random
    const known = this.#access.length
    const position = known - 1 - random.int(random.chance(0.75) ? Math.min(known, 50) : known)
    const row = this.#access[position] as AccessRow
    this.#lives[position] ??= this.#life()
    // A session ends some time. After that, and sometimes before, the same combination gets another row.
    if (second - row.date_first > this.#lives[position] || random.chance(0.1))
      this.#showNew(row, second, maxDelay)
    else
      this.#happen(second, maxDelay, () => {
        const current = this.#access[position] as AccessRow
        // An update that is late must not turn back one that came in time.
        const date_last = Math.max(current.date_last, second)
        this.#showAccess({ ...current, date_last, count: current.count + 1 }, position)
      })
  }

  #showNew(device: Device, second: number, maxDelay: number): void {
    const row = this.#begin(device, second, second)
    if (row) this.#happen(second, maxDelay, () => this.#showAccess(row))
  }

  /** A new row, unless there is one with the same user, address, program and first second: rows have no other identity. */
  #begin(device: Device, first: number, last: number): AccessRow | undefined {
    const identity = `${device.user_id} ${device.ip ?? null} ${first} ${device.user_agent}`
    if (this.#identities.has(identity)) return undefined
    this.#identities.add(identity)
    const count = last > first ? 2 + this.#random.int((last - first) / HOUR) : 1
    return { ...device, date_first: first, date_last: last, count }
  }

  #life(): number {
    return this.#random.chance(this.#longRows) ? this.#random.int(28 * DAY) : this.#random.int(DAY)
  }

  #newDevice(user: User): Device {
    const random = this.#random
    const { prefix, ...place } = random.pick(NETWORKS)
    const hex = (): string => (1 + random.int(0xfffe)).toString(16)
    const ip = prefix.endsWith(':') ? `${prefix}${hex()}::${hex()}` : `${prefix}${1 + random.int(254)}`
    const usual: Device = { ...user, ip, user_agent: anyAgent(random, APP_IDS), ...place }
    // Every fifth, in turn, so that even a small log has most of the oddities.
    const number = this.#devices.length
    const oddity =
      this.#odd && number % 5 === 4 ? ODD_DEVICES[Math.floor(number / 5) % ODD_DEVICES.length] : undefined
    const device = oddity ? oddity(usual) : usual
    this.#devices.push(device)
    return device
  }

  #integrationEvent(date: number): IntegrationRow[] {
    return integrationEvent(this.#integrationEvents++, this.#odd, this.#installer(), date, this.#random)
  }

  #installer(): Installer {
    const { user_id, username } = this.#random.pick(this.#users)
    return { user_id, user_name: username }
  }

  /** Shows what happens at `time`: then, or late. */
  #happen(time: number, maxDelay: number, show: () => void): void {
    const visibleAt = time + (this.#random.chance(0.5) ? this.#random.int(maxDelay + 1) : 0)
    const later = this.#late.findIndex((other) => other.visibleAt > visibleAt)
    if (visibleAt <= this.now) show()
    else this.#late.splice(later < 0 ? this.#late.length : later, 0, { visibleAt, show })
  }

  #showAccess(row: AccessRow, position = this.#access.length): AccessRow {
    this.#access[position] = row
    this.version++
    this.onChange?.('access', row, this.now)
    return row
  }

  #showIntegration(row: IntegrationRow): IntegrationRow {
    this.#integrations.push(row)
    this.version++
    this.onChange?.('integration', row, this.now)
    return row
  }

  #passTime(until: number, perSecond: number): void {
    this.#untilNext -= (until - this.now) * perSecond
    this.now = until
  }

  #exponential(): number {
    return -Math.log(1 - this.#random.next())
  }
}
