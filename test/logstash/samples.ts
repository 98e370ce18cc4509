import { readFileSync } from 'node:fs'
import { type AccessRow, type IntegrationRow, Workspace } from '../fake-slack/workspace.ts'
import type { Line } from '../program.ts'

/**
 * `lines.ndjson` is a run of the program: 20 access rows, 17 integration entries, two reports, and a line that was cut
 * off. `events.ndjson` is what becomes of it, line by line: in the stand-in of pipeline.ts, and in a real Logstash. In it
 * `event.created`, and `@timestamp` of the cut line, are the moment of collection, set to 2024-11-05T09:30:00.000Z.
 */
export const SAMPLE_LINES = new URL('lines.ndjson', import.meta.url)
const SAMPLE_EVENTS = new URL('events.ndjson', import.meta.url)

export type LogstashEvent = Record<string, unknown>

export function sampleEvents(): LogstashEvent[] {
  return parseLines(readFileSync(SAMPLE_EVENTS, 'utf8'))
}

/** The whole sample lines of entries, no reports. */
export function sampleEntries(): Line[] {
  const lines = readFileSync(SAMPLE_LINES, 'utf8').split('\n').slice(0, -1).join('\n')
  return parseLines<Line>(lines).filter((line) => line.dataset !== 'slack.auditor')
}

/** A workspace whose two logs hold the entries of the sample lines and nothing else. */
export function sampleWorkspace(): Workspace {
  const entries = sampleEntries()
  const workspace = new Workspace({ seed: 1, now: 1_730_797_300, accessRows: 0, integrationRows: 0 })
  Object.assign(workspace.team, entries[0]?.['team'])
  // What is not given is made up, and these fields are missing in some of the samples.
  const nothing = { app_id: undefined, app_type: undefined, user_id: undefined, user_name: undefined }
  for (const { access, integration } of entries) {
    if (access) workspace.addAccess(access as AccessRow)
    if (integration) workspace.addIntegration({ ...nothing, ...(integration as IntegrationRow) })
  }
  return workspace
}

/** One JSON value a line. */
export function parseLines<Parsed = LogstashEvent>(text: string): Parsed[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Parsed)
}
