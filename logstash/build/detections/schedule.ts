import type { Detection, Span } from '../../detections/detection.ts'
import { MILLISECONDS } from './lucene.ts'

/** How much later than planned Kibana may run a rule without missing an event. */
const DELAY: Span = '1h'

export function minutesOf(span: Span): number {
  return (Number(span.slice(0, -1)) * (MILLISECONDS[span.slice(-1)] ?? Number.NaN)) / 60_000
}

/** How often a rule runs: as often as the collector. A building block less often, as with Elastic's own. */
export function intervalOf({ buildingBlock }: Pick<Detection, 'buildingBlock'>): Span {
  return buildingBlock ? '60m' : '30m'
}

/** How far a rule looks back, in minutes, by the time at which the store took an event. */
export function lookBackOf(detection: Pick<Detection, 'alert' | 'buildingBlock'>): number {
  const { alert } = detection
  const interval = minutesOf(intervalOf(detection))
  switch (alert.on) {
    case 'event':
      return interval + minutesOf(DELAY)
    case 'new':
      return alert.lookBack ? minutesOf(alert.lookBack) : interval + minutesOf(DELAY)
    case 'count':
    case 'together':
      return minutesOf(alert.within) + interval + 5
    case 'absence':
      return minutesOf(alert.within)
  }
}
