/**
 * What Kibana does with the query of a Vega panel before it sends it: puts in the time range, the filters of the dashboard
 * and the interval. Read from the sources of Kibana 8 (es_query_parser.ts of its Vega plugin); no Kibana ran here.
 */

export interface TimeRange {
  /** Epoch milliseconds. */
  min: number
  max: number
}

export interface Query {
  index: string
  body: Record<string, unknown>
}

/** `filters` are those of the dashboard, in Elasticsearch's language. */
export function inContext(url: Record<string, unknown>, range: TimeRange, filters: object[] = []): Query {
  const { index, body, '%timefield%': timefield, '%context%': context, ...rest } = structuredClone(url)
  if (Object.keys(rest).length > 0) throw new Error(`Kibana does not know ${Object.keys(rest)}`)
  const { query, aggs, ...others } = body as { query?: object; aggs?: object }
  if (query) throw new Error('with %context% a query may have no clause of its own')
  if (context !== true || typeof timefield !== 'string') throw new Error('the panel ignores the dashboard')
  const time = {
    gte: new Date(range.min).toISOString(),
    lte: new Date(range.max).toISOString(),
    format: 'strict_date_optional_time',
  }
  const bool = { must: [{ range: { [timefield]: time } }], filter: filters, should: [], must_not: [] }
  return {
    index: String(index),
    body: { ...others, query: { bool }, ...(aggs && { aggs: replaced(aggs, range) }) },
  }
}

function replaced(part: unknown, range: TimeRange): unknown {
  if (Array.isArray(part)) return part.map((item) => replaced(item, range))
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => {
      const { '%autointerval%': count, '%timefilter%': bound } = (value ?? {}) as Record<string, unknown>
      if (bound !== undefined) return [name, range[bound as 'min' | 'max']]
      if (name !== 'interval' || count === undefined) return [name, replaced(value, range)]
      const interval = intervalOf((range.max - range.min) / (count === true ? 50 : Number(count)))
      // Elasticsearch takes weeks and years only by the calendar.
      return [/[wy]$/.test(interval) ? 'calendar_interval' : 'fixed_interval', interval]
    }),
  )
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const INTERVALS: [number, string][] = [
  [0.5 * SECOND, '100ms'],
  [5 * SECOND, '1s'],
  [7.5 * SECOND, '5s'],
  [15 * SECOND, '10s'],
  [45 * SECOND, '30s'],
  [3 * MINUTE, '1m'],
  [7.5 * MINUTE, '5m'],
  [20 * MINUTE, '10m'],
  [45 * MINUTE, '30m'],
  [2 * HOUR, '1h'],
  [6 * HOUR, '3h'],
  [DAY, '12h'],
  [7 * DAY, '24h'],
  [21 * DAY, '1w'],
  [42 * DAY, '30d'],
]

function intervalOf(ms: number): string {
  return INTERVALS.find(([most]) => ms <= most)?.[1] ?? '1y'
}
