/**
 * `npm run build:detections`: writes the rules, searches, dashboards and tables that ship, from their sources in
 * ../detections and ../dashboard. A test compares what ships with what this writes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DETECTIONS } from '../detections/detections.ts'
import { dashboardDocument } from './dashboard/document.ts'
import { dashboard } from './dashboard/kibana.ts'
import { dashboardView } from './dashboard/splunk.ts'
import { documentWith } from './detections/document.ts'
import { detectionRules, silenceAlerts } from './detections/kibana.ts'
import { macros, savedSearches } from './detections/splunk.ts'
import { appFiles } from './splunk-app.ts'

const FOLDER = new URL('../', import.meta.url)

/** File to text. */
export function builtFiles(): Record<string, string> {
  return {
    'elasticsearch/detection-rules.ndjson': detectionRules(DETECTIONS),
    'elasticsearch/dashboard.ndjson': dashboard(),
    'elasticsearch/silence-alerts.ndjson': silenceAlerts(DETECTIONS),
    ...inFolder('splunk/slack_auditor/', {
      ...appFiles(),
      'default/savedsearches.conf': savedSearches(DETECTIONS),
      'default/macros.conf': macros(),
      'default/data/ui/views/slack_auditor.xml': dashboardView(),
    }),
    'dashboard.md': dashboardDocument(readFile('dashboard.md')),
    'detections.md': documentWith(DETECTIONS, readFile('detections.md')),
  }
}

function inFolder(folder: string, files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}${name}`, text]))
}

export function readFile(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(builtFiles())) writeFileSync(new URL(name, FOLDER), text)
}
