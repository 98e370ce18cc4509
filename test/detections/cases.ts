/**
 * Attacks, and honest work that looks like them, put to all detections at once. `ATTACKS` must be seen by at least one
 * detection. `HONEST` must raise no alarm of severity medium or high; building blocks may see it.
 * Each is preceded by the month of HISTORY.
 */
import type { Span } from '../../logstash/detections/detection.ts'
import { entry, type Told, use } from './lines.ts'

const BORIS = { user_id: 'U0BORIS002', username: 'boris', ip: '198.51.100.8' }
const CARLA = { user_id: 'U0CARLA003', username: 'carla', ip: '198.51.100.9' }
const days: Span[] = ['29d', '22d', '15d', '9d', '8d', '5d', '3d', '2d', '1d']
const daily = (what: (ago: Span) => Told): Told[] => days.map(what)

const AWS = { isp: 'Amazon.com, Inc.', country: 'US', ip: '198.51.100.200' }
const RENTED = { isp: 'M247 Europe SRL', country: 'SE', ip: '192.0.2.44' }
const TOR = { isp: 'Zwiebelfreunde e.V.', country: 'DE', ip: '192.0.2.45' }
const BRAZIL = { isp: 'Vivo', country: 'BR', ip: '192.0.2.46' }
const chrome = (version: string, system = 'Windows NT 10.0; Win64; x64') =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`

/** Anna works in Slack's own program and a browser, and has a phone; Boris writes scripts; Carla commutes from Germany. */
export const HISTORY: Told[] = [
  ...daily((ago) => use({ ago })),
  ...daily((ago) => use({ ago, agent: 'web' })),
  ...daily((ago) => use({ ago, agent: 'phone', isp: 'Swisscom Mobile' })),
  ...daily((ago) => use({ ...BORIS, ago })),
  ...daily((ago) => use({ ...BORIS, ago, agent: 'node' })),
  ...daily((ago) => use({ ...CARLA, ago })),
  ...daily((ago) => use({ ...CARLA, ago, agent: 'phone', country: 'DE', isp: 'Deutsche Telekom AG' })),
  entry({ ago: '200d' }),
  ...daily((ago) => use({ ago, agent: 'app', ...AWS })),
  ...daily((ago) => use({ ...BORIS, ago, agent: 'app', ...AWS })),
  ...['removed', 'disabled', 'updated', 'app_whitelist_requested', 'app_whitelist_added'].map((change_type) =>
    entry({ ago: '40d', user_id: 'U0ADMIN004', app_id: 'A0OTHER', app_type: 'Other', change_type }),
  ),
]

const forMembers = (count: number, more: object): Told[] =>
  Array.from({ length: count }, (_, index) =>
    use({ ago: `${10 + index}m`, user_id: `U0MEMBER0${index}`, ...more }),
  )
const stolen = (library: string) => `ApiApp/A0LUNCH001 ${library}`
const entries = (count: number, more: object): Told[] =>
  Array.from({ length: count }, (_, index) =>
    entry({ ago: `${10 + index}m`, app_id: `A0NUMBER${index}`, ...more }),
  )
const NO_APP = { app_id: undefined, app_type: undefined, scope: undefined }
const LATE = { ago: '4h', read: '3h', stored: '10m' } as const

export const ATTACKS: Record<string, Told[]> = {
  'app: python-requests from a rented server, for three members': forMembers(3, {
    user_agent: stolen('python-requests/2.32.4'),
    ...RENTED,
  }),
  'app: aiohttp from a Tor exit, for eight members': forMembers(8, {
    user_agent: stolen('Python/3.11 aiohttp/3.9.1'),
    ...TOR,
  }),
  'app: its own library from a rented server': [use({ ago: '10m', agent: 'app', ...RENTED })],
  'app: another library from its own cloud': [use({ ago: '10m', user_agent: stolen('curl/8.7.1'), ...AWS })],
  'app: no user agent, from nobody knows where': [
    use({ ago: '10m', user_agent: stolen(''), isp: null, country: null, ip: null }),
  ],
  'app: a token that outlived its removal': [
    entry({ ago: '190d', app_id: 'A0BACKUP02', change_type: 'removed' }),
    use({ ago: '10m', agent: 'otherApp', ...RENTED }),
  ],
  'app: never added, only asked for': [
    entry({ ago: '9d', app_id: 'A0BACKUP02', change_type: 'app_whitelist_requested' }),
    use({ ago: '10m', agent: 'otherApp' }),
  ],
  ...Object.fromEntries(
    ['129.0.0.0', '136.0.0.0', '120.0.0.0', '119.0.0.0'].map((version) => [
      `scraper: Chrome/${version} on the own laptop`,
      [use({ ago: '10m', user_agent: chrome(version) })],
    ]),
  ),
  'scraper: a version that is on no list': [use({ ago: '10m', user_agent: chrome('113.0.0.0') })],
  'scraper: HeadlessChrome': [use({ ago: '10m', agent: 'headless' })],
  'scraper: Slack_SSB/4.48.100': [
    use({ ago: '10m', user_agent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Slack_SSB/4.48.100' }),
  ],
  'scraper: the very user agent of the victim, 4,210 calls': [use({ ago: '10m', agent: 'web', count: 4210 })],
  'scraper: the very user agent of the victim, 600 calls': [use({ ago: '10m', count: 600 })],
  'script: Python of a developer who uses node, from Brazil': [
    use({ ...BORIS, ago: '10m', agent: 'python', ...BRAZIL }),
  ],
  'script: node of a developer who uses node, from Brazil': [
    use({ ...BORIS, ago: '10m', agent: 'node', ...BRAZIL }),
  ],
  'script: node of a developer who uses node, at a rented server': [
    use({ ...BORIS, ago: '10m', agent: 'node', ...RENTED }),
  ],
  ...Object.fromEntries(
    [
      'Python/3.11.4 slackclient/3.33.3 Linux/5.15.0',
      '@slack:web-api/7.5.0 node/20.17.0 linux/5.15.0',
      'undici',
      'Bun/1.1.8',
      'Deno/1.44.0',
      'python-httpx/0.27.0',
      'Slack Ruby Client/2.3.0',
      'slack-api-client/1.42.0 (Java; Linux)',
      'PostmanRuntime/7.42.0',
      'HTTPie/3.2.2',
      'Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.2',
      '',
    ].map((user_agent) => [
      `script: ${user_agent || 'no user agent'}`,
      [use({ ...BORIS, ago: '10m', user_agent })],
    ]),
  ),
  'member: a browser in Brazil while the phone is in Switzerland': [
    use({ ago: '2h', agent: 'phone', isp: 'Swisscom Mobile' }),
    use({ ago: '1h', agent: 'web', ...BRAZIL }),
  ],
  'member: the phone of somebody else': [
    use({ ago: '1h', user_agent: 'com.Slack/25.11.20.0 (google Pixel 8; Android 15)' }),
  ],
  'member: no country, another browser': [use({ ago: '1h', agent: 'linux', country: null, isp: 'Vivo' })],
  'member: no provider, at a known country': [use({ ago: '1h', agent: 'web', isp: '' })],
  'member: all of it unknown': [use({ ago: '1h', user_agent: null, country: null, isp: null, ip: null })],
  'member: a rented server with the own user agent': [use({ ago: '1h', ...RENTED })],
  'member: a hoster that is on no list by name': [use({ ago: '1h', isp: 'Obscure Hosting Solutions Ltd' })],
  'member: behind Cloudflare WARP': [use({ ago: '1h', isp: 'Cloudflare, Inc.', country: 'US' })],
  'member: dormant, kept awake by a backup app': [
    use({ user_id: 'U0GONE05', ago: '80d' }),
    ...daily((ago) => use({ user_id: 'U0GONE05', ago, agent: 'app', ...AWS })),
    use({ user_id: 'U0GONE05', ago: '20m' }),
  ],
  "member: dormant, kept awake by a phone's notification service": [
    use({ user_id: 'U0GONE05', ago: '80d' }),
    ...daily((ago) => use({ user_id: 'U0GONE05', ago, agent: 'push' })),
    use({ user_id: 'U0GONE05', ago: '20m' }),
  ],
  'address: six members in one IPv6 network': forMembers(6, {}).map((told, index) => ({
    ...told,
    line: (seconds) => {
      const line = told.line(seconds) as { access: object }
      return { ...line, access: { ...line.access, ip: `2001:db8:f00:1::${index + 1}` } }
    },
  })),
  'address: six scripts': forMembers(6, { agent: 'python', ip: '192.0.2.50' }),
  'address: six phones': forMembers(6, { agent: 'phone', ip: '192.0.2.50' }),
  ...Object.fromEntries(
    (
      [
        ['a new country', { ...BRAZIL, ...LATE }],
        ['a rented server', { ...RENTED, ...LATE }],
        ['a script', { agent: 'python', ...LATE }],
        ['a download', { count: 4210, ...LATE }],
      ] as const
    ).map(([name, fields]) => [`late in the store: ${name}`, [use(fields)]]),
  ),
  'late in the store: an app with the scope admin': [entry({ ...LATE, app_id: 'A0NEW', scope: 'admin' })],
  'integration: a leaver disables six': entries(6, { change_type: 'disabled' }),
  'integration: one security app removed': [
    entry({ ago: '10m', app_id: 'A0DLP', app_type: 'Nightfall DLP', change_type: 'removed', reason: 'user' }),
  ],
  'integration: one app removed whose name says nothing': [
    entry({ ago: '10m', change_type: 'removed', reason: 'user' }),
  ],
  'integration: a webhook is led elsewhere': [
    entry({
      ago: '10m',
      ...NO_APP,
      service_type: 'Incoming WebHooks',
      service_id: 7,
      change_type: 'updated',
    }),
  ],
  ...Object.fromEntries(
    [
      'resource_grant_created',
      'wildcard_resource_grant_created',
      'app_whitelist_approved_with_scope_change',
      'app_allowlist_rule_executed',
      'app_whitelist_added',
      'enabled',
      'expanded',
      'app_collaborator_added',
      'whitelist_disabled',
      'whitelist_permissions_updated',
      'a_type_of_tomorrow',
    ].map((change_type) => [
      `integration: ${change_type}`,
      [entry({ ago: '10m', app_id: 'A0NEW', app_type: 'New', change_type })],
    ]),
  ),
  ...Object.fromEntries(
    ['Bots', 'Slash Commands', 'Outgoing WebHooks', 'API Token'].map((service_type) => [
      `integration: legacy ${service_type} without any id`,
      [entry({ ago: '10m', ...NO_APP, service_type })],
    ]),
  ),
  ...Object.fromEntries(
    [
      'client',
      'read',
      'identify,read,post,client',
      'files:read',
      'auditlogs:read',
      'discovery:read',
      'MAX',
    ].map((scope) => [`integration: scope ${scope}`, [entry({ ago: '10m', app_id: 'A0NEW', scope })]]),
  ),
  'integration: three apps at once': entries(3, { scope: 'identify,users:read' }),
}

const proxied = (isp: string, more: object = {}): Told[] => [
  use({ ago: '2h' }),
  use({ ago: '1h', isp, country: 'NL', ip: '192.0.2.60', ...more }),
]

export const HONEST: Record<string, Told[]> = {
  'member: as always': [
    use({ ago: '10m' }),
    use({ ago: '9m', agent: 'web' }),
    use({ ago: '8m', agent: 'phone' }),
  ],
  'member: Zscaler': proxied('Zscaler Switzerland GmbH'),
  'member: Windows 365': proxied('Microsoft Corporation'),
  'member: Cloudflare WARP': proxied('Cloudflare, Inc.'),
  'member: iCloud Private Relay': proxied('Akamai Technologies', { agent: 'phone' }),
  'member: another relay': proxied('iCloud Private Relay', { agent: 'phone' }),
  'member: the exit of the company VPN': [use({ ago: '1h', country: 'US', ip: '203.0.113.10' })],
  'member: an office abroad': [use({ ago: '1h', country: 'BR', isp: 'Vivo Empresas', ip: '203.0.113.70' })],
  'member: a commuter': [
    use({ ...CARLA, ago: '3h', agent: 'phone', country: 'DE', isp: 'Deutsche Telekom AG' }),
    use({ ...CARLA, ago: '1h' }),
  ],
  'member: a journey with the own laptop': [use({ ago: '1h', country: 'ES', isp: 'Movistar' })],
  'member: a phone that roams': [use({ ago: '1h', agent: 'phone', country: 'IT', isp: 'TIM' })],
  'member: a hotel': [use({ ago: '1h', isp: 'Grand Hotel Net' })],
  'member: the provider in capitals': [use({ ago: '1h', isp: 'SWISSCOM (SCHWEIZ) AG' })],
  'member: the provider has a new name': [use({ ago: '1h', isp: 'Swisscom Broadband' })],
  'member: another browser': [use({ ago: '1h', agent: 'linux' })],
  'member: a new laptop': [use({ ago: '1h', agent: 'mac' })],
  'member: a new phone': [
    use({
      ago: '1h',
      user_agent: 'com.Slack/25.11.20.0 (google Pixel 8; Android 15)',
      isp: 'Swisscom Mobile',
    }),
  ],
  'member: the browser is updated': [use({ ago: '1h', user_agent: chrome('143.0.0.0') })],
  'member: a long day': [use({ ago: '10m', count: 900 })],
  'member: Slack does not know where': [use({ ago: '10m', country: null, isp: null, region: null })],
  'member: on the first day': [
    use({ user_id: 'U0NEW06', ago: '3h', agent: 'mac' }),
    use({ user_id: 'U0NEW06', ago: '2h', agent: 'phone', isp: 'Swisscom Mobile' }),
    use({ user_id: 'U0NEW06', ago: '1h', agent: 'mac', ip: '203.0.113.66' }),
  ],
  'member: back from a long leave': [
    use({ user_id: 'U0BACK07', ago: '90d' }),
    use({ user_id: 'U0BACK07', ago: '1h' }),
  ],
  'member: a notification service': [use({ ago: '10m', agent: 'push' })],
  'script: node as always': [use({ ...BORIS, ago: '10m', agent: 'node' })],
  'script: node at a café': [use({ ...BORIS, ago: '10m', agent: 'node', isp: 'Café Net' })],
  'address: an office': forMembers(8, { ip: '203.0.113.66' }),
  'address: a mobile network': forMembers(8, { agent: 'phone', ip: '192.0.2.50', isp: 'Swisscom Mobile' }),
  'address: Zscaler': forMembers(8, { ip: '192.0.2.50', isp: 'Zscaler Switzerland GmbH' }),
  'address: the server of an app': forMembers(8, { agent: 'app', ...AWS }),
  'app: for one more member': [use({ ...CARLA, ago: '10m', agent: 'app', ...AWS })],
  'app: its provider in capitals': [use({ ago: '10m', agent: 'app', ...AWS, isp: 'AMAZON.COM INC' })],
  'app: its provider by another name': [use({ ago: '10m', agent: 'app', ...AWS, isp: 'AMAZON-02' })],
  'app: moves to another cloud': [use({ ago: '10m', agent: 'app', ...AWS, isp: 'Google LLC' })],
  'app: moves to a hosting provider': [use({ ago: '10m', agent: 'app', ...AWS, isp: 'Hetzner Online GmbH' })],
  'app: a new version of its library': [
    use({ ago: '10m', user_agent: stolen('Python/3.13.1 slackclient/3.36.0 Linux/6.8.0'), ...AWS }),
  ],
  'app: is rewritten': [use({ ago: '10m', user_agent: stolen('@slack:web-api/7.5.0 node/20.17.0'), ...AWS })],
  'app: on the laptop of its developer': [use({ ...BORIS, ago: '10m', agent: 'app' })],
  'app: a thousand calls': [use({ ago: '10m', agent: 'app', ...AWS, count: 50_000 })],
  'integration: three sign-ins': entries(3, { scope: 'openid,email,profile' }),
  'integration: a harmless app': [
    entry({ ago: '10m', app_id: 'A0NEW', scope: 'commands,users:read,chat:write' }),
  ],
  'integration: an app is asked for': [
    entry({ ago: '10m', app_id: 'A0NEW', change_type: 'app_whitelist_requested', scope: 'admin' }),
  ],
  'integration: an app is approved': [
    entry({ ago: '10m', app_id: 'A0NEW', change_type: 'app_whitelist_added', scope: 'commands' }),
  ],
  'integration: a webhook for the builds': [
    entry({ ago: '10m', ...NO_APP, service_type: 'Incoming WebHooks', service_id: 7 }),
  ],
  'integration: somebody leaves': entries(9, { change_type: 'removed', reason: 'user_deactivated' }),
  'integration: a channel is archived': entries(9, { change_type: 'disabled', reason: 'channel_archive' }),
  'integration: the plan changes': entries(9, { change_type: 'removed', reason: 'plan_downgrade' }),
  'integration: somebody tidies up': entries(3, { change_type: 'removed', reason: 'user' }),
  'integration: a security app is added': [
    entry({ ago: '10m', app_id: 'A0DLP', app_type: 'Nightfall DLP', scope: 'users:read' }),
  ],
  'integration: the approval becomes stricter': [
    entry({ ago: '10m', ...NO_APP, change_type: 'whitelist_enabled' }),
    entry({ ago: '9m', ...NO_APP, change_type: 'whitelist_requests_require_comment_enabled' }),
  ],
  'integration: an old app loses its scopes': [
    entry({ ago: '10m', change_type: 'removed', reason: 'user', scope: 'admin' }),
  ],
}

/** Honest work that does raise an alarm, and by which detection: the tables say so under "false positives". */
export const FALSE_ALARMS: Record<string, { told: Told[]; by: string[] }> = {
  'app: added two hours before its first call': {
    told: [
      entry({ ago: '150m', app_id: 'A0BACKUP02', app_type: 'Notes' }),
      use({ ago: '10m', agent: 'otherApp', ...AWS }),
    ],
    by: ['access-app-changed'],
  },
  'script: the first of a developer': {
    told: [use({ ago: '10m', agent: 'curl' })],
    by: ['access-new-http-client'],
  },
  'member: a private VPN, switched on for the first time': {
    told: [use({ ago: '10m', isp: 'Proton AG' })],
    by: ['access-hosting-provider'],
  },
}
