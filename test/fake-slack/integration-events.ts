import {
  type App,
  archived,
  changed,
  deactivated,
  feed,
  type Installer,
  type IntegrationRow,
  installed,
  POLICY_CHANGES,
  policy,
  RARE_CHANGES,
  requested,
  SCOPES,
  SLACK,
  TOKEN_APPS,
  WEBHOOK_APP,
} from './integrations.ts'
import type { Random } from './random.ts'

type Event = (who: Installer, date: number, random: Random) => IntegrationRow[]

const LUNCH: App = { app_id: 'A0LUNCH001', app_type: 'Lunch Wheel', scope: SCOPES.ordinary[0], bot: true }
const NOTES: App = { app_id: 'A0NOTES002', app_type: 'Meeting Notes', scope: SCOPES.high[2], bot: true }
const BELL: App = { app_id: 'A0BELL0003', app_type: 'Build Bell', bot: true }
const CALENDAR: App = { app_id: 'A0CALEND04', app_type: 'Beispiel-Kalender 📅', scope: SCOPES.ordinary[1] }
const DOORS: App[] = SCOPES.signIn.map((scope, index) => ({
  app_id: `A0SIGNIN0${index}`,
  app_type: `Sign-in Door ${index}`,
  scope,
}))
const APPS = [LUNCH, NOTES, BELL, CALENDAR, ...DOORS]

/** The apps of the workspace, which also call it: their ids stand in front of user agents too. */
export const APP_IDS: readonly string[] = APPS.map(({ app_id }) => app_id)

const REASONS = [
  'user_uninstalled_app',
  'user_revoked_auth',
  'user',
  'user_uninstalled_app',
  'developer_uninstalled_app',
  'deauth',
  'plan_downgrade',
  'team_downgrade',
]

const serviceId = (random: Random): number => 1_000_000_000_000 + random.int(9_000_000)
const hook = (random: Random): App => ({
  ...WEBHOOK_APP,
  service_id: serviceId(random),
  channel: random.pick(['C0EXAMPLE1', 'C0EXAMPLE2', 'private']),
})
const some = (count: number, random: Random): App[] => Array.from({ length: count }, () => random.pick(APPS))

/** An install that its app corrects at once: two to six entries within two seconds. */
const installWithUpdates: Event = (who, date, random) => [
  ...installed(LUNCH, who, date, random),
  ...Array.from({ length: 1 + random.int(4) }, (_, index) =>
    changed(LUNCH, who, date + random.int(3), 'updated', { scope: `${LUNCH.scope},team:read${index}` }),
  ),
]

const removal: Event = (who, date, random) => [
  changed(random.pick(APPS), who, date, 'removed', { reason: random.pick(REASONS) }),
]

const webhook: Event = (who, date, random) => [
  changed(hook(random), who, date, random.pick(['added', 'added', 'added', 'enabled', 'disabled']), {
    reason: random.pick(['user', 'admin', 'errors']),
  }),
]

/** Byte-identical twins: the same second, every field equal. */
const twins: Event = (who, date, random) => {
  const row = changed(random.pick(APPS), who, date, random.pick(['added', 'expanded', 'updated']))
  return [row, { ...row }]
}

const bySlack: Event = (_, date, random) => [
  random.chance(0.4)
    ? changed(TOKEN_APPS[0] as App, SLACK, date, 'removed', { reason: 'system_inactive_api_tester_token' })
    : changed(random.pick(APPS), SLACK, date, 'disabled', { reason: random.pick(['rate_limits', 'errors']) }),
]

const rss: Event = (who, date, random) => [
  feed(who, date, random.chance(0.7) ? 'added' : 'removed', 'alle', 1_000_000_000_007),
]

const expanded: Event = (who, date, random) => [
  changed(random.pick(APPS), who, date, 'expanded', random.pick([{}, {}, { scope: null }, { scope: 'MAX' }])),
]

/** Shown by even a small log. Then chance takes over. */
const FIRST: Event[] = [
  installWithUpdates,
  webhook,
  removal,
  (who, date) => {
    const row = changed({ app_id: 'A0TWIN0002', app_type: 'Zwillinge' }, who, date, 'added', { scope: 'MAX' })
    return [row, { ...row }]
  },
  bySlack,
  // A number in one entry and a string in the next.
  (who, date, random) => [
    { ...changed(hook(random), who, date, 'added'), service_id: String(serviceId(random)) },
  ],
  (who, date) => [
    policy(who, date, 'whitelist_enabled'),
    changed(LUNCH, who, date, 'expanded', { scope: null }),
  ],
  (who, date) => [feed(who, date, 'added', 'alle', 1_000_000_000_007)],
  installWithUpdates,
]

/** How often each happens, so that a long log has the entries of real ones in about their shares. */
const OFTEN: [number, Event][] = [
  [136, (who, date, random) => installed(random.pick(DOORS), who, date, random)],
  [45, (who, date, random) => installed(random.pick([LUNCH, CALENDAR]), who, date, random)],
  [15, installWithUpdates],
  [17, (who, date, random) => installed(NOTES, who, date, random)],
  [60, (who, date, random) => installed(BELL, who, date, random)],
  [36, webhook],
  [12, (who, date, random) => installed(random.pick(TOKEN_APPS), who, date, random)],
  [36, (who, date, random) => deactivated(some(1 + random.int(10), random), who, date, random)],
  [
    2,
    (who, date, random) =>
      archived(
        Array.from({ length: 2 + random.int(22) }, () => hook(random)),
        who,
        date,
        random,
      ),
  ],
  [80, removal],
  [20, bySlack],
  [70, rss],
  [60, expanded],
  [
    20,
    (who, date, random) => [
      changed(random.pick(APPS), who, date, random.pick(['enabled', 'disabled']), { reason: 'user' }),
    ],
  ],
  [40, (who, date, random) => requested(random.pick(APPS), who, { ...who }, date, random)],
  [12, (who, date, random) => [policy(who, date, random.pick(POLICY_CHANGES))]],
  [20, (who, date, random) => [changed(random.pick(APPS), who, date, random.pick(RARE_CHANGES))]],
  [10, twins],
]

/** Without oddities: ASCII, no twins, nobody but members. */
const PLAIN: Event[] = [
  installWithUpdates,
  webhook,
  (who, date, random) => [changed(LUNCH, who, date, 'removed', { reason: random.pick(REASONS) })],
]

const TOTAL = OFTEN.reduce((sum, [share]) => sum + share, 0)

/** What happens as the `nth` thing to the integrations of a workspace: its entries, oldest first or nearly. */
export function integrationEvent(
  nth: number,
  odd: boolean,
  who: Installer,
  date: number,
  random: Random,
): IntegrationRow[] {
  if (!odd) return (PLAIN[nth % PLAIN.length] as Event)(who, date, random)
  const shown = FIRST[nth]
  if (shown) return shown(who, date, random)
  let left = random.int(TOTAL)
  for (const [share, event] of OFTEN) {
    left -= share
    if (left < 0) return event(who, date, random)
  }
  return []
}
