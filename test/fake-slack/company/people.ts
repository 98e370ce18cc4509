import { type Agent, COMPUTERS, type Computer, PHONES, TABLETS } from '../agents.ts'
import type { App } from '../integrations.ts'
import type { Random } from '../random.ts'
import {
  DESTINATIONS,
  guestNetworkIn,
  type Home,
  homeIn,
  type Place,
  PRIVACY_VPNS,
  SITES,
  type Site,
} from './networks.ts'

export const HOUR = 3600
export const DAY = 24 * HOUR

/** Some days elsewhere. On a holiday only the phone is looked at, now and then; on leave nothing is. */
export interface Trip {
  from: number
  to: number
  kind: 'work' | 'holiday' | 'leave'
  /** The network there. A phone that roams comes out in its own country. */
  place: Place
}

/** An app, and since when somebody has it. */
export interface Held {
  app: App
  since: number
}

export interface Person {
  user_id: string
  username: string
  site: Site
  home: Home
  /** Epoch seconds. */
  joined: number
  left: number
  /** The chance to be at work on a weekday; guests come seldom. */
  diligence: number
  /** The chance that a day at work is one in the office. */
  inOffice: number
  startHour: number
  computer: Computer
  /** Most people use Slack's own program, the others a browser. */
  main: Agent
  second: Agent
  phone: Agent | undefined
  tablet: Agent | undefined
  /** When the versions of this person's programs change. */
  updatesAt: number
  usesCompanyVpn: boolean
  privacyVpn: (typeof PRIVACY_VPNS)[number] | undefined
  isDeveloper: boolean
  isAdmin: boolean
  trips: Trip[]
  /** What this person has installed and not removed. */
  apps: Held[]
  /** What a developer has made to call Slack with. */
  ownApp?: Held
}

const FIRST_NAMES = [
  'ada',
  'bruno',
  'carla',
  'dmitri',
  'elif',
  'frank',
  'grace',
  'hugo',
  'ines',
  'jonas',
  'kim',
  'lena',
  'malik',
  'nora',
  'omar',
  'pia',
  'quentin',
  'rosa',
  'søren',
  'tomás',
  'uma',
  'viktor',
  'wanda',
  'yuki',
  'zoë',
]
const LAST_NAMES = [
  'adler',
  'bauer',
  'cruz',
  'dahl',
  'egli',
  'fischer',
  'graf',
  'huber',
  'ito',
  'jansen',
  'keller',
  'lopez',
  'meier',
  'novak',
  'okafor',
  'petit',
  'quinn',
  'rossi',
  'silva',
  'tanner',
  'ueda',
  'vogel',
  'weber',
  'young',
  'zürcher',
]

/** Of the members so many leave, on average, and as many come. */
const TURNOVER_PER_DAY = 0.045 / 30

/** All who were members at any time from `start` to `end`: about as many at any moment. Trips begin with `tripsFrom`. */
export function inventPeople(
  options: { members: number; start: number; end: number; tripsFrom: number },
  random: Random,
): Person[] {
  const { members, start, end, tripsFrom } = options
  const people: Person[] = []
  const join = (joined: number): void => {
    people.push(newPerson(people.length, joined, random))
  }
  for (let count = 0; count < members; count++) join(start - random.int(3 * 365) * DAY)
  for (let day = start; day < end; day += DAY) {
    if (isWeekend(day)) continue
    // Two weekend days are made up for.
    for (const person of people)
      if (person.left > day && person.joined < day - 30 * DAY && random.chance((TURNOVER_PER_DAY * 7) / 5)) {
        person.left = day + (15 - person.site.zone) * HOUR + random.int(2 * HOUR)
        join(day + (1 + random.int(20)) * DAY + (9 - person.site.zone) * HOUR)
      }
  }
  for (const person of people)
    if (person.left > tripsFrom) person.trips = inventTrips(person, tripsFrom, end, random)
  return people
}

function newPerson(index: number, joined: number, random: Random): Person {
  const site = pickSite(random)
  const computer = random.pick(COMPUTERS)
  const browser = random.pick(computer.browsers)
  const isDesktop = random.chance(0.75)
  const guest = random.chance(0.04)
  const hasPhone = random.chance(0.75)
  return {
    user_id: `U0${(random.int(36 ** 4) * 36 ** 4 + index).toString(36).toUpperCase().padStart(8, '0')}`,
    username: `${random.pick(FIRST_NAMES)}.${random.pick(LAST_NAMES)}${index % 7 === 0 ? index : ''}`,
    site,
    home: homeIn(random.pick(site.homes), random),
    joined,
    left: Number.POSITIVE_INFINITY,
    diligence: guest ? 0.08 : 0.93,
    inOffice: site.office ? random.pick([0.2, 0.4, 0.6, 0.9]) : 0,
    startHour: 7.5 + 2 * random.next(),
    computer,
    main: isDesktop ? computer.desktop : browser,
    second: isDesktop ? browser : random.pick(computer.browsers),
    phone: hasPhone ? random.pick(PHONES) : undefined,
    tablet: random.chance(0.05) ? random.pick(TABLETS) : undefined,
    updatesAt: random.int(28),
    usesCompanyVpn: random.chance(0.15),
    privacyVpn: random.chance(0.03) ? random.pick(PRIVACY_VPNS) : undefined,
    isDeveloper: random.chance(0.08),
    isAdmin: index < 5,
    trips: [],
    apps: [],
  }
}

function pickSite(random: Random): Site {
  let left = random.next()
  for (const site of SITES) {
    left -= site.share
    if (left < 0) return site
  }
  return SITES[0] as Site
}

/** Two or three holidays a year, more than half of them abroad; and one in five travels for work. */
function inventTrips(person: Person, from: number, to: number, random: Random): Trip[] {
  const trips: Trip[] = []
  const travels = random.chance(0.2)
  for (let day = from; day < to; day += DAY) {
    const holiday = random.chance(1 / 130)
    if (!holiday && !random.chance(travels ? 1 / 60 : 1 / 700)) continue
    const days = holiday ? 3 + random.int(14) : 1 + random.int(5)
    const country = holiday && random.chance(0.4) ? person.home.country : random.pick(DESTINATIONS)
    trips.push({
      from: day,
      to: day + days * DAY,
      kind: holiday ? 'holiday' : 'work',
      place: guestNetworkIn(country, random),
    })
    day += days * DAY
  }
  // Very few come back after months.
  if (random.chance(0.01)) {
    const place = guestNetworkIn(person.home.country, random)
    trips.unshift({ from: from - DAY, to: to - random.int(20) * DAY, kind: 'leave', place })
  }
  return trips
}

export function isWeekend(day: number): boolean {
  const weekday = new Date(day * 1000).getUTCDay()
  return weekday === 0 || weekday === 6
}

export function isMember(person: Person, time: number): boolean {
  return person.joined <= time && time < person.left
}
