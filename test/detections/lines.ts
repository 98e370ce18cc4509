/** Lines of the program for the examples, told by how long ago something happened and was read. */
import { createHash } from 'node:crypto'
import type { Event } from '../../logstash/build/detections/lucene.ts'
import { minutesOf } from '../../logstash/build/detections/schedule.ts'
import type { Span } from '../../logstash/detections/detection.ts'
import { eventsOf } from '../logstash/pipeline.ts'
import { MINUTE } from './engine.ts'

export interface Told {
  /** When it happened: so long before the rule runs. */
  ago: Span
  /** When the collector read it. Ten minutes after it happened, unless given. */
  read?: Span
  /** When the store took it. At once when it was read, unless given. */
  stored?: Span
  /** The line at that time, epoch seconds. A string is no whole line. */
  line: (seconds: number) => object | string
}

interface When {
  ago: Span
  read?: Span
  stored?: Span
}

const TEAM = { id: 'T0EXAMPLE1', name: 'Beispiel GmbH' }

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)'

export const AGENTS = {
  desktop: `${WINDOWS} Slack/4.47.72 Chrome/142.0.7444.59 Electron/39.1.0 Safari/537.36 Sonic Slack_SSB/4.47.72`,
  web: `SlackWeb/7d1c0a8b6f ${WINDOWS} Chrome/142.0.0.0 Safari/537.36`,
  mac: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.47.72 Chrome/142.0.7444.59 Electron/39.1.0 Safari/537.36 Sonic Slack_SSB/4.47.72',
  linux: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  phone: 'com.tinyspeck.chatlyio/25.11.10 (iPhone; iOS 26.1; Scale/3.00)',
  push: 'SlackNotificationService/25.11.10 CFNetwork/3860.200.71 Darwin/25.1.0',
  app: 'ApiApp/A0LUNCH001 Python/3.11.4 slackclient/3.33.3 Linux/5.15.0',
  stolenApp: 'ApiApp/A0LUNCH001 python-requests/2.32.4',
  otherApp: 'ApiApp/A0BACKUP02 @slack:web-api/7.5.0 node/20.17.0 linux/5.15.0',
  collector: 'ApiApp/A0COLLECT1 @slack:web-api/8.2.0 node/20.20.2 linux/6.1.0',
  curl: 'curl/8.7.1',
  python: 'python-requests/2.32.3',
  node: 'node',
  headless: `${WINDOWS} HeadlessChrome/142.0.0.0 Safari/537.36`,
  slackdump: `${WINDOWS} Chrome/129.0.0.0 Safari/537.36`,
  unknown: 'Sleuth/0.1',
}

/** A use of Slack: by Anna, at home in Switzerland, in Slack's own program on Windows, unless told otherwise. */
export function use({
  ago,
  read,
  stored,
  agent = 'desktop',
  ...fields
}: When & { agent?: keyof typeof AGENTS } & Record<string, unknown>): Told {
  const line = (seconds: number) =>
    lineOf('access', {
      user_id: 'U0ANNA0001',
      username: 'anna',
      date_first: seconds - 600,
      date_last: seconds,
      count: 12,
      ip: '198.51.100.7',
      user_agent: AGENTS[agent],
      isp: 'Swisscom (Schweiz) AG',
      country: 'CH',
      region: 'ZH',
      ...fields,
    })
  return { ago, ...(read && { read }), ...(stored && { stored }), line }
}

/** An entry of the integration log: Anna adds the app Lunch Wheel with harmless scopes, unless told otherwise. */
export function entry({ ago, read, stored, ...fields }: When & Record<string, unknown>): Told {
  const line = (seconds: number) =>
    lineOf('integration', {
      app_id: 'A0LUNCH001',
      app_type: 'Lunch Wheel',
      user_id: 'U0ANNA0001',
      user_name: 'anna',
      date: seconds,
      change_type: 'added',
      scope: 'commands,users:read',
      ...fields,
    })
  return { ago, ...(read && { read }), ...(stored && { stored }), line }
}

/** A run that ended so long ago. */
export function run({ ago, team, ...fields }: When & { team?: string } & Record<string, unknown>): Told {
  const line = (seconds: number) =>
    lineOf(
      'run',
      {
        log: 'access',
        outcome: 'success',
        complete: true,
        started: new Date((seconds - 5) * 1000).toISOString(),
        duration_ms: 5000,
        gaps: 0,
        ...fields,
      },
      team,
    )
  return { ago, read: ago, line }
}

/** What stands on stdout and is no line of the program. */
export function torn({ ago }: When): Told {
  return { ago, read: ago, line: () => '{"dataset":"slack.access","id":"8478d63' }
}

/** How the program writes a line. The recipe of the ids does not matter here, only that they differ. */
function lineOf(part: 'access' | 'integration' | 'run', content: object, team = TEAM.id): object {
  const dataset = part === 'run' ? 'slack.auditor' : `slack.${part}`
  const id = createHash('md5')
    .update(JSON.stringify([team, content]))
    .digest('hex')
  return { dataset, id, ...(part === 'access' && { row: id }), team: { ...TEAM, id: team }, [part]: content }
}

/** The events that the pipeline makes of them when the rule runs at `now`, epoch milliseconds. */
export function eventsBefore(now: number, told: Told[]): Event[] {
  return told.flatMap(({ ago, read, stored, line }) => {
    const happened = now - minutesOf(ago) * MINUTE
    const collected = read ? now - minutesOf(read) * MINUTE : Math.min(now, happened + 10 * MINUTE)
    const told = line(Math.floor(happened / 1000))
    const text = typeof told === 'string' ? told : JSON.stringify(told)
    const ingested = new Date(stored ? now - minutesOf(stored) * MINUTE : collected).toISOString()
    return eventsOf(text, new Date(collected).toISOString()).map((event) => ({
      ...event,
      event: { ...(event['event'] as object), ingested },
    }))
  })
}
