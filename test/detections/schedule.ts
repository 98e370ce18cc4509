import { type Alert, type Detection, LATEST, type Span } from '../../logstash/detections/detection.ts'
import { MILLISECONDS } from './lucene.ts'

/** Every detection runs this often: as often as the collector does. */
export const EVERY: Span = '30m'
/** How long an event may be on its way from Logstash to the store. */
const DELIVERY: Span = '1h'

export function minutesOf(span: Span): number {
  return (Number(span.slice(0, -1)) * (MILLISECONDS[span.slice(-1)] ?? Number.NaN)) / 60_000
}

/**
 * How far a rule looks back, in minutes.
 *
 * By the time of collection it is enough to allow for delivery. What happened within a time was read within that
 * time and an interval. By the time of the event a row may be two hours late.
 */
export function lookBackOf(alert: Alert): number {
  switch (alert.on) {
    case 'event':
      return minutesOf(EVERY) + minutesOf(DELIVERY)
    case 'new':
      return alert.lookBack ? minutesOf(alert.lookBack) : minutesOf(EVERY) + minutesOf(DELIVERY)
    case 'count':
      return minutesOf(alert.within) + (alert.time === 'happened' ? minutesOf(LATEST) : minutesOf(EVERY) + 5)
    case 'absence':
      return minutesOf(alert.within)
  }
}

/** The field that says when an event was, for a rule. */
export function timeFieldOf({ alert }: Detection): '@timestamp' | 'event.created' {
  const happened = alert.on === 'absence' || (alert.on === 'count' && alert.time === 'happened')
  return happened ? '@timestamp' : 'event.created'
}
