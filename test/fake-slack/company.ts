import { calledByApp } from './agents.ts'
import { accessesOf, accessesOfBot, type Bot, botOf } from './company/access.ts'
import { AppHistory } from './company/apps.ts'
import { DAY, inventPeople } from './company/people.ts'
import { type IntegrationRow, installed } from './integrations.ts'
import { seeded } from './random.ts'
import type { AccessRow } from './workspace.ts'

export interface CompanyOptions {
  seed: number
  /** Members at any moment. Default 500. */
  members?: number
  /** How far back the access log reaches. Default 30. */
  days?: number
  /** How far back the integration log reaches, which is to the first day of the workspace. Default: four years. */
  integrationDays?: number
  /** Epoch seconds: the end of both logs. */
  now: number
}

export interface Company {
  /** Sorted by `date_last`, the oldest first. */
  accessRows: AccessRow[]
  /** Sorted by `date`, the oldest first. */
  integrationRows: IntegrationRow[]
  /** slack-auditor's own app and the account that installed it. */
  collector: { app_id: string; user_id: string }
}

/**
 * The two logs of a company that nobody attacks, so that whatever a detection finds in them is a false alarm.
 *
 * Members work in three countries, in an office or at home, or from home only in four more. Everybody has a computer of
 * one kind with Slack's own program or a browser, most have a phone, some a tablet; versions change every four weeks and
 * devices never. A home has one address that changes every day, week, month or never, or a new IPv6 address each day. An
 * office and the company's VPN stand behind one or two addresses, a mobile network behind a dozen, so many members share
 * them. Some use the company's VPN, few a privacy VPN. Hours and weekends are those of the place. Holidays are taken
 * abroad or not, one in five members travels for work, phones roam or not; guests come seldom, and one in a hundred comes
 * back after months. Four or five of a hundred leave each month and are replaced.
 *
 * A row is one use of a day: by one person, from one address, with one program. One in fifty runs on for up to three nights.
 *
 * Apps call Slack in the name of those who installed them, bots in their own, from servers of hosting providers. Some
 * developers call it with an app of their own, and now and then with curl and the like. The collector calls all day.
 *
 * The integration log has the kinds of entries of real ones in about their shares: of what is added, one in five is the
 * first of its app, a third asks for no more than a sign-in, few ask for much. Until half-time an install is one entry
 * with strings for numbers; then it is one for the person, if something is asked of the person, and one for the bot
 * without a scope. Apps have owners: whoever leaves takes up to ten along within minutes, and an archived channel its
 * webhooks within one.
 *
 * No real log tells these, so they are assumed: an entry of a deactivation names the one who left; how often apps call; how
 * often people travel; half of the rows of Slack's page carry its tag; Slack is right about where an address is, or says
 * nothing.
 *
 * Addresses are of the ranges kept for documentation and benchmarks; the names of hosting and VPN providers are real ones,
 * because detections look for them.
 */
export function inventCompany(options: CompanyOptions): Company {
  const { seed, members = 500, days = 30, now } = options
  const random = seeded(seed)
  const end = Math.ceil(now / DAY) * DAY
  const start = end - Math.max(options.integrationDays ?? 4 * 365, days) * DAY
  const tripsFrom = end - days * DAY
  const people = inventPeople({ members, start, end, tripsFrom }, random)

  const collector = { app_id: 'A0COLLECT1', app_type: 'Log Collector', scope: 'admin' }
  const account = { user_id: 'U0AUDIT0001', username: 'audit.service' }
  const servers = [{ ip: '203.0.113.20', isp: 'Beispielnetz AG', country: 'CH', region: 'ZH' }]
  const agent = calledByApp(collector.app_id, '@slack:web-api/8.2.0 node/20.20.2 linux/6.1.0')
  // It was set up a while before the access log begins.
  const setUp = Math.max(start, tripsFrom - 100 * DAY) + 10 * 3600

  const history = new AppHistory(people, start, end, random)
  const apps = new Map(history.apps.map((app) => [app.app_id, app]))
  const bots: Bot[] = history.apps
    .filter(({ bot, servers }) => bot && servers.length > 0)
    .map((app) => botOf(app, history.installedSince(app.app_id), random))
    .filter(({ since }) => since < end)
    .slice(-20)
  bots.push({ ...account, agent, servers, since: setUp })

  const accessRows: AccessRow[] = []
  for (let day = tripsFrom; day < end; day += DAY) {
    for (const person of people) accessRows.push(...accessesOf(person, day, apps, random))
    for (const bot of bots) if (bot.since < day) accessRows.push(...accessesOfBot(bot, day, random))
  }
  const seen = new Set<string>()
  return {
    accessRows: accessRows
      .filter(({ date_first }) => date_first <= now)
      .map((row) => ({ ...row, date_last: Math.min(row.date_last, now) }))
      // Rows have no identity but this.
      .filter(({ user_id, ip, user_agent, date_first }) => {
        const identity = `${user_id} ${ip} ${date_first} ${user_agent}`
        return !seen.has(identity) && seen.add(identity)
      })
      .sort((a, b) => a.date_last - b.date_last),
    integrationRows: [
      ...history.rows,
      ...installed(collector, { user_id: account.user_id, user_name: account.username }, setUp, random),
    ]
      .filter(({ date }) => Number(date) <= now)
      .sort((a, b) => Number(a.date) - Number(b.date)),
    collector: { app_id: collector.app_id, user_id: account.user_id },
  }
}
