/** Made-up lines of two weeks for the dashboard: the fake company, and the reports of its collector. */
import { type Company, inventCompany } from '../fake-slack/company.ts'
import { seeded } from '../fake-slack/random.ts'
import { eventsOf } from '../logstash/pipeline.ts'
import type { LogstashEvent } from '../logstash/samples.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const TEAM = { id: 'T0EXAMPLE1', name: 'Beispiel GmbH' }

/** The events of the time before `now`, epoch seconds. */
export function madeUpEvents(now: number, days: number): LogstashEvent[] {
  const company = inventCompany({ seed: 5, members: 60, days, now })
  const lines = [
    ...[...company.accessRows, ...callsOfApps(company, now, days)].map((access) => ({
      dataset: 'slack.access',
      team: TEAM,
      access,
    })),
    ...company.integrationRows.map((integration) => ({
      dataset: 'slack.integration',
      team: TEAM,
      integration,
    })),
    ...reports(now, days),
  ]
  return eventsOf(lines.map((line, index) => ({ ...line, id: `made up ${index}` })))
}

/** Apps that call for several members, and one of them twice from somewhere else. */
function callsOfApps({ accessRows }: Company, now: number, days: number): object[] {
  const random = seeded(5)
  const members = [...new Map(accessRows.map(({ user_id, username }) => [user_id, username]))].slice(0, 14)
  const aws = { isp: 'Amazon.com, Inc.', country: 'US', ip: '198.51.100.40' }
  const apps = [
    { id: 'A0TICKETS1', agent: '@slack:web-api/7.5.0 node/20.17.0', members: 14, ...aws },
    { id: 'A0CALENDAR', agent: 'Python/3.11.2 slackclient/3.27.0', members: 9, ...aws, isp: 'Google LLC' },
    { id: 'A0SURVEYS3', agent: 'Faraday v2.7.4', members: 5, ...aws, isp: 'Microsoft Corporation' },
    { id: 'A0STANDUPS', agent: 'slack-api-client/1.42.0 (Java; Linux)', members: 3, ...aws },
  ]
  const stolen = {
    ...aws,
    id: 'A0TICKETS1',
    agent: 'python-requests/2.32.4',
    members: 3,
    isp: 'M247 Europe SRL',
    country: 'SE',
  }
  return Array.from({ length: days }, (_, day) => day).flatMap((day) =>
    [...apps, ...(day < 2 ? [{ ...stolen, ip: '203.0.113.90' }] : [])].flatMap((app) =>
      members
        .slice(0, app.members)
        .filter(() => random.int(3) > 0)
        .map(([user_id, username]) => ({
          user_id,
          username,
          date_first: now - day * DAY - 6 * HOUR,
          date_last: now - day * DAY - 5 * HOUR,
          count: 20 + random.int(200),
          ip: app.ip,
          user_agent: `ApiApp/${app.id} ${app.agent}`,
          isp: app.isp,
          country: app.country,
          region: null,
        })),
    ),
  )
}

/** A backfill that leaves gaps for a day, an outage of Slack, and rows that grow longer. */
function reports(now: number, days: number): object[] {
  const random = seeded(5)
  const start = now - days * DAY
  const lines: object[] = []
  for (let time = start; time < now; time += HOUR / 2) {
    for (const log of ['access', 'integration']) {
      const age = (time - start) / DAY
      const fails = age > 9 && age < 9.2
      const backfill = age < 1.2 && log === 'access'
      const longest = log === 'access' ? Math.min(20, 9 + Math.floor(age)) * HOUR : 0
      const rows = backfill ? 5000 + random.int(500) : log === 'access' ? 380 + random.int(120) : 40
      const run = {
        log,
        outcome: fails ? 'failure' : 'success',
        complete: !fails && !backfill,
        started: new Date((time - 10) * 1000).toISOString(),
        duration_ms: 4000,
        requests: 2,
        pages: 1,
        rows_read: fails ? 0 : rows,
        rows_printed: fails ? 0 : backfill ? rows : random.int(log === 'access' ? 40 : 3),
        gaps: backfill ? 2 : fails ? 1 : 0,
        lookback_s: longest + Math.max(longest, DAY),
        longest_row_s: longest,
        version: '2.0.0',
        ...(fails && {
          error: {
            class: age < 9.1 ? 'outage' : 'auth',
            code: age < 9.1 ? 'http_503' : 'invalid_auth',
            message: 'made up',
          },
        }),
      }
      lines.push({ dataset: 'slack.auditor', team: TEAM, run })
    }
  }
  return lines
}
