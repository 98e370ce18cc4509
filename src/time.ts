const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** No duration is longer than 50 years, so that "before now" never means a time before 1970. */
const LONGEST_DURATION_SECONDS = 50 * 365 * 86_400

/** Times are accepted from 1970 up to this one, 2100-01-01. */
const LATEST_TIME_SECONDS = 4_102_444_800

/** A duration such as `90s`, `30m`, `24h`, `7d`, `2w`, in seconds. Undefined if the text is not one, or is over 50 years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,10})([smhdw])$/.exec(text)
  if (!match) return undefined
  const seconds = Number(match[1]) * (UNIT_SECONDS[match[2] ?? ''] ?? Number.NaN)
  return seconds <= LONGEST_DURATION_SECONDS ? seconds : undefined
}

const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(?:(:\d{2})(?:[.,]\d+)?)?(Z|z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?$/

/**
 * A time as the command line takes it, in whole epoch seconds: ISO 8601 (no zone: UTC), epoch seconds, or a duration
 * before `nowSeconds`. Undefined if the text is none of these, is a date that no calendar has (2026-02-30), or is before
 * 1970 or after 2099.
 */
export function parseTime(text: string, nowSeconds: number): number | undefined {
  const seconds = parseAnyTime(text, nowSeconds)
  return seconds !== undefined && seconds >= 0 && seconds < LATEST_TIME_SECONDS ? seconds : undefined
}

function parseAnyTime(text: string, nowSeconds: number): number | undefined {
  const duration = parseDuration(text)
  if (duration !== undefined) return nowSeconds - duration
  if (/^\d{9,10}$/.test(text)) return Number(text)
  const match = ISO.exec(text)
  if (!match) return undefined
  const [, date, time = '00:00', seconds = ':00', zone] = match
  const requested = `${date}T${time}${seconds}`
  const utc = Date.parse(`${requested}Z`)
  // Date rolls 30 February over into March; the parts that come back show it.
  const real = Number.isFinite(utc) && new Date(utc).toISOString().startsWith(requested)
  return real ? utc / 1000 - zoneSeconds(zone) : undefined
}

function zoneSeconds(zone: string | undefined): number {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '')
  if (!match) return 0
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60)
}
