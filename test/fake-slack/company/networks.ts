import type { Random } from '../random.ts'

/** What Slack says of where an access came from. */
export interface Place {
  ip: string
  isp: string
  country: string
  region: string
}

/** A network as Slack sees it: who runs it, where it seems to be, and an address of it. */
export interface Network extends Omit<Place, 'ip'> {
  address(random: Random): string
}

export interface Site {
  country: string
  region: string
  /** Hours ahead of UTC. */
  zone: number
  /** Of all members. */
  share: number
  /** None where people work from home only. */
  office?: Network
  /** Where those who belong to it live; one is picked. */
  homes: readonly string[]
}

const REGIONS: Record<string, string> = {
  CH: 'ZH',
  DE: 'BE',
  US: 'NY',
  FR: 'IDF',
  PT: '11',
  GB: 'LND',
  PL: 'MZ',
  ES: 'MD',
  IT: 'MI',
  IE: 'D',
  JP: '13',
  BR: 'SP',
  TR: '34',
  IN: 'KA',
  SE: 'AB',
}

/** Where people travel to. */
export const DESTINATIONS = ['FR', 'ES', 'IT', 'GB', 'US', 'PT', 'DE', 'SE', 'JP', 'TR', 'BR', 'IN']

const regionOf = (country: string): string => REGIONS[country] ?? ''

const of = (list: readonly string[]) => (random: Random) => random.pick(list)
const range = (prefix: string, from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${from + index}`)

const office = (country: string, isp: string, from: number): Network => ({
  ...{ isp, country, region: regionOf(country) },
  // All of an office stand behind a few addresses.
  address: of(range('203.0.113.', from, 2)),
})

// Networks out of the ranges that RFC 5737, RFC 2544 and RFC 3849 keep for documentation and benchmarks: offices in
// 203.0.113, mobile networks and privacy VPNs in 192.0.2, servers in 198.51.100, homes and hotels in 198.18 and
// 198.19, and homes in 2001:db8.
export const SITES: readonly Site[] = [
  {
    ...{ country: 'CH', region: 'ZH', zone: 1, share: 0.5, homes: [...Array<string>(12).fill('CH'), 'DE'] },
    office: office('CH', 'Beispielnetz AG', 1),
  },
  {
    ...{ country: 'DE', region: 'BE', zone: 1, share: 0.25, homes: ['DE'] },
    office: office('DE', 'Muster Geschäftskunden', 65),
  },
  {
    ...{ country: 'US', region: 'NY', zone: -5, share: 0.15, homes: ['US'] },
    office: office('US', 'Example Business Fiber', 129),
  },
  { country: 'GB', region: 'LND', zone: 0, share: 0.1, homes: ['GB', 'PT', 'PL', 'FR'] },
]

/** Where the traffic of those who use the company's VPN comes out. */
export const COMPANY_VPN: Network = {
  ...{ isp: 'Beispielnetz AG', country: 'CH', region: 'ZH' },
  address: of(range('203.0.113.', 10, 1)),
}

/** A line at home: one address that changes now and then, or a prefix with a new address each day. */
export interface Home extends Omit<Place, 'ip'> {
  addressOn(day: number): string
}

export function homeIn(country: string, random: Random): Home {
  const prefix = `2001:db8:${(1 + random.int(0xfffe)).toString(16)}:${random.int(256).toString(16)}`
  const start = random.int(2 ** 17)
  const leaseDays = random.pick([1, 7, 30, 365])
  const isp = `${random.pick(['Example Fibre', 'Example Cable', 'Beispiel Telekom'])} ${country}`
  return {
    ...{ isp, country, region: regionOf(country) },
    addressOn: random.chance(0.4)
      ? (day) => `${prefix}:${((start * 31 + day * 7919) % 0xffff).toString(16)}::1`
      : (day) => benchmark(start + Math.floor((day + start) / leaseDays) * 211),
  }
}

/** An address of 198.18.0.0/15. */
function benchmark(number: number): string {
  const low = number % 2 ** 17
  return `198.${18 + (low >> 16)}.${(low >> 8) & 255}.${low & 255}`
}

/** A mobile network: its customers come out at a handful of addresses, and at another one the next time. */
export function mobileIn(country: string): Network {
  const number = Object.keys(REGIONS).indexOf(country)
  return {
    ...{ isp: `Example Mobile ${country}`, country, region: regionOf(country) },
    address: of(range('192.0.2.', 1 + 12 * number, 12)),
  }
}

/** A hotel, a café, a family: somewhere to be for a few days. */
export function guestNetworkIn(country: string, random: Random): Place {
  return {
    ip: benchmark(random.int(2 ** 17)),
    isp: `Example Fibre ${country}`,
    country,
    region: regionOf(country),
  }
}

/** What some people switch on at home. */
export const PRIVACY_VPNS: readonly Network[] = [
  { isp: 'M247 Europe SRL', country: 'SE', region: 'AB', address: of(range('192.0.2.', 200, 8)) },
  { isp: 'Datacamp Limited', country: 'GB', region: 'LND', address: of(range('192.0.2.', 210, 8)) },
]

/** Where apps run. */
export const CLOUDS: readonly Omit<Place, 'ip'>[] = [
  { isp: 'Amazon.com, Inc.', country: 'US', region: 'VA' },
  { isp: 'Amazon.com, Inc.', country: 'US', region: 'OR' },
  { isp: 'Amazon.com, Inc.', country: 'IE', region: 'D' },
  { isp: 'Google LLC', country: 'US', region: 'IA' },
  { isp: 'Microsoft Corporation', country: 'US', region: 'VA' },
  { isp: 'Hetzner Online GmbH', country: 'DE', region: 'BY' },
  { isp: 'DigitalOcean, LLC', country: 'US', region: 'NJ' },
]
