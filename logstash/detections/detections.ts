import { ACCESS_DETECTIONS } from './access.ts'
import { COLLECTOR_DETECTIONS } from './collector.ts'
import type { Detection } from './detection.ts'
import { INTEGRATION_DETECTIONS } from './integration.ts'

/** All of them, in the order of the document. */
export const DETECTIONS: Detection[] = [
  ...ACCESS_DETECTIONS,
  ...INTEGRATION_DETECTIONS,
  ...COLLECTOR_DETECTIONS,
]
