import type { Random } from './random.ts'

/** An entry of the integration log. No field but these two is in all of them. */
export interface IntegrationRow {
  date: number | string
  change_type: string
  [other: string]: unknown
}

export interface Installer {
  user_id: string | number
  user_name: string
}

export interface App {
  app_id: string
  app_type: string
  /** What it asks of the person who installs it, as the log shows it. The log never shows what a bot asks for. */
  scope?: string
  bot?: boolean
  /** A webhook, or another integration with an id of its own for every install. */
  service_id?: number
  channel?: string
}

/** Slack itself, where it acts unasked. */
export const SLACK: Installer = { user_id: 0, user_name: 'slack' }

export const SCOPES = {
  signIn: ['identity.basic', 'identity.basic,identity.email', 'openid,email,profile', 'identify'],
  ordinary: [
    'commands,chat:write,users:read',
    'calendars:read,users.profile:write',
    'chat:write,files:write,links:read',
    'channels:read,users:read,users:read.email',
  ],
  high: [
    'admin',
    'MAX',
    'channels:history,groups:history',
    'search:read,users:read',
    'im:history,mpim:history',
    'app_configurations:write',
  ],
} as const

/** Slack's own apps whose installation is a token that somebody had made. */
export const TOKEN_APPS: readonly App[] = [
  { app_id: 'A0TESTER01', app_type: 'Slack API Tester', scope: 'identify,client' },
  {
    app_id: 'A0TOOLING1',
    app_type: 'Slack Tooling Tokens Vendor',
    scope: 'app_configurations:read,app_configurations:write',
  },
]

export const WEBHOOK_APP: App = { app_id: 'A0WEBHOOK1', app_type: 'Incoming WebHooks' }

export const FEED_APP: App = { app_id: 'A0RSSFEED1', app_type: 'RSS' }

/** The fields that name an app, and the one who did something about it. */
function subject({ app_id, app_type, service_id, channel }: App, who: Installer): Record<string, unknown> {
  return {
    app_id,
    app_type,
    ...(service_id !== undefined && { service_id, service_type: app_type }),
    ...who,
    ...(channel !== undefined && { channel }),
  }
}

/** One install: an entry of what the person grants, and one of the bot, which names no scope. */
export function installed(app: App, who: Installer, date: number, random: Random): IntegrationRow[] {
  const { scope, bot } = app
  const entry = { ...subject(app, who), date, change_type: 'added' }
  if (scope === undefined) return [entry]
  const granted = { ...entry, scope }
  return bot ? [granted, { ...entry, date: date + random.int(3) }] : [granted]
}

/** An install of the old days: one entry that tells the scopes of the bot too. */
export function installedOnce(app: App, who: Installer, date: number): IntegrationRow {
  const scope = app.bot ? [app.scope, 'bot'].filter(Boolean).join(',') : app.scope
  return { ...subject(app, who), date, change_type: 'added', ...(scope !== undefined && { scope }) }
}

/** Anything else that happens to an app that is there. */
export function changed(
  app: App,
  who: Installer,
  date: number,
  change_type: string,
  extra: Record<string, unknown> = {},
): IntegrationRow {
  return { ...subject(app, who), date, change_type, ...extra }
}

/** Somebody is deactivated: up to ten of the integrations go, within minutes. */
export function deactivated(
  apps: readonly App[],
  who: Installer,
  date: number,
  random: Random,
): IntegrationRow[] {
  return burst(apps.slice(0, 10), date, 5 * 60, random, (app, second) =>
    changed(app, who, second, 'removed', { reason: 'user_deactivated' }),
  )
}

/** A channel is archived: what posts there goes, within a minute. */
export function archived(
  hooks: readonly App[],
  who: Installer,
  date: number,
  random: Random,
): IntegrationRow[] {
  return burst(hooks, date, 60, random, (hook, second) =>
    changed(hook, who, second, 'removed', { reason: 'channel_archive' }),
  )
}

function burst(
  apps: readonly App[],
  date: number,
  seconds: number,
  random: Random,
  entry: (app: App, second: number) => IntegrationRow,
): IntegrationRow[] {
  return apps
    .map((app) => ({ app, second: date + random.int(seconds) }))
    .sort((a, b) => a.second - b.second)
    .map(({ app, second }) => entry(app, second))
}

/** A feed begins or ends. The entry itself is always an update of the RSS app. */
export function feed(
  who: Installer,
  date: number,
  change: 'added' | 'removed',
  name: string,
  service_id: number,
): IntegrationRow {
  return changed({ ...FEED_APP, service_id }, who, date, 'updated', {
    rss_feed: true,
    rss_feed_change_type: change,
    rss_feed_title: `Neuigkeiten: ${name} 📰`,
    rss_feed_url: `https://feed.example/${encodeURIComponent(name)}?all=1&lang=de`,
  })
}

/** A setting of the workspace: no app is named. */
export function policy(who: Installer, date: number, change_type: string): IntegrationRow {
  return { ...who, date, change_type }
}

export const POLICY_CHANGES = [
  'whitelist_enabled',
  'whitelist_disabled',
  'whitelist_requests_enabled',
  'whitelist_requests_disabled',
  'whitelist_requests_require_comment_enabled',
  'whitelist_requests_require_comment_disabled',
  'whitelist_permissions_updated',
  'whitelist_request_permissions_updated',
] as const

/** Changes of an app that nobody decided about, and what only admins do. */
export const RARE_CHANGES = [
  'reissued',
  'app_collaborator_added',
  'bot_token_upgraded',
  'default_calls_app_changed',
  'resource_grant_created',
  'wildcard_resource_grant_created',
  'app_allowlist_rule_executed',
] as const

/** Somebody asks for an app, and an admin answers. */
export function requested(
  app: App,
  who: Installer,
  admin: Installer,
  date: number,
  random: Random,
): IntegrationRow[] {
  const scopes = random.chance(0.25)
  const approved = random.chance(0.8)
  const answer = !scopes
    ? 'app_whitelist_added'
    : approved
      ? 'app_whitelist_approved_with_scope_change'
      : 'app_whitelist_restricted_with_scope_change'
  return [
    changed(app, who, date, scopes ? 'app_whitelist_requested_new_scopes' : 'app_whitelist_requested'),
    changed(app, admin, date + 600 + random.int(6 * 3600), answer, {
      resolution: approved ? 'approved' : 'denied',
    }),
  ]
}

/** As older entries came: times and numbers of services are strings. */
export function oldStyle(row: IntegrationRow): IntegrationRow {
  const { date, service_id } = row
  return {
    ...row,
    date: String(date),
    ...(service_id !== undefined && { service_id: String(service_id) }),
  }
}
