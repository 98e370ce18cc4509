/**
 * `npm run build:detections`: writes the rules, searches and tables that ship, from their source in logstash/detections.
 * It stands here, and not beside the source, because a test compares the files that ship with what this writes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { documentWith } from './document.ts'
import { detectionRules, silenceAlerts } from './kibana.ts'
import { macros, props, savedSearches } from './splunk.ts'

const FOLDER = new URL('../../logstash/', import.meta.url)

/** File to text. */
export function builtFiles(): Record<string, string> {
  return {
    'elasticsearch/detection-rules.ndjson': detectionRules(DETECTIONS),
    'elasticsearch/silence-alerts.ndjson': silenceAlerts(DETECTIONS),
    'splunk/savedsearches.conf': savedSearches(DETECTIONS),
    'splunk/macros.conf': macros(),
    'splunk/props.conf': props(),
    'detections.md': documentWith(DETECTIONS, readFile('detections.md')),
  }
}

export function readFile(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(builtFiles())) writeFileSync(new URL(name, FOLDER), text)
}
