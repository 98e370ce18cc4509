/**
 * What each detection has to find and what it has to pass over, as lines of the program. The pipeline makes events of
 * them. `finds` must give one alarm when the rule runs, `passes` none.
 */
import { entry, run, type Told, torn, use } from './lines.ts'

export interface Examples {
  finds: Record<string, Told[]>
  passes: Record<string, Told[]>
}

/** Anna, as she always is. */
const AS_ALWAYS = [use({ ago: '20d' }), use({ ago: '3d' }), use({ ago: '1d' })]
const SLACK = { user_id: 0, user_name: 'slack' }
/** The same in the access log, where it has not been seen yet. */
const SLACK_ITSELF = { user_id: 0, username: 'slack' }
const OTHER = { user_id: 'U0BORIS002', username: 'boris' }
const COLLECTOR = { user_id: 'U0AUDIT0001', username: 'audit', agent: 'collector' as const }
const WEBHOOKS = {
  app_id: undefined,
  app_type: undefined,
  service_type: 'Incoming WebHooks',
  scope: undefined,
}
const LEGACY_BOT = { ...WEBHOOKS, service_type: 'Bots', service_id: 1234567890123 }
const HOSTED = { isp: 'DigitalOcean, LLC', country: 'US', ip: '198.51.100.99' }
const OFFICE = { ip: '203.0.113.66' }
const VPN = { ip: '203.0.113.10' }
const PROXY = { isp: 'Zscaler Switzerland GmbH', ip: '198.51.100.50' }

/** The fields of the entry or the row of a line, changed. */
function by(told: Told, fields: object): Told {
  return {
    ...told,
    line: (seconds) => {
      const { access, integration, ...line } = told.line(seconds) as Record<string, object>
      return {
        ...line,
        ...(access && { access: { ...access, ...fields } }),
        ...(integration && { integration: { ...integration, ...fields } }),
      }
    },
  }
}

/** Five members at one address. */
const five = (more: object = {}): Told[] =>
  [1, 2, 3, 4, 5].map((number) =>
    use({
      ago: `${number * 3}h`,
      user_id: `U0MEMBER0${number}`,
      username: `member${number}`,
      ip: '198.18.0.7',
      ...more,
    }),
  )

const apps = (...ids: string[]) =>
  ids.map((id, index) => entry({ ago: `${10 + index * 5}m`, app_id: id, app_type: id }))

/** Integrations that Anna removes, a minute apart. */
const removals = (count: number, more: object = {}): Told[] =>
  Array.from({ length: count }, (_, index) =>
    entry({
      ago: `${15 + index}m`,
      change_type: 'removed',
      app_id: `A0GONE${index}`,
      reason: 'user',
      ...more,
    }),
  )

/** Runs that ended incomplete and with gaps, half an hour apart. */
const incomplete = (count: number, more: object = {}): Told[] =>
  Array.from({ length: count }, (_, index) =>
    run({ ago: `${1 + index * 30}m`, complete: false, gaps: 1, rows_printed: 3, ...more }),
  )

/** An example for each value, such as each type of a change. */
const each = (values: string[], example: (value: string) => Told[]): Record<string, Told[]> =>
  Object.fromEntries(values.map((value) => [value, example(value)]))

/** What is left out wherever a place is looked at. */
const elsewhere = (away: object): Record<string, Told[]> => ({
  'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', ...away })],
  'the company VPN': [...AS_ALWAYS, use({ ago: '20m', ...away, ...VPN })],
  'an office': [...AS_ALWAYS, use({ ago: '20m', ...away, ...OFFICE })],
})

const GRANTS = [
  'enabled',
  'reissued',
  'expanded',
  'updated',
  'bot_token_upgraded',
  'wildcard_resource_grant_created',
  'app_whitelist_approved_with_scope_change',
]

const HARMLESS = (scope: string): Record<string, Told[]> => ({
  'sign-in scopes': [
    entry({ ago: '20m', scope: 'identity.basic,identity.email,identity.avatar' }),
    entry({ ago: '19m', scope: 'openid,email,profile' }),
  ],
  'harmless scopes': [entry({ ago: '20m', scope: 'chat:write,users:read,team:read,reactions:read' })],
  'scopes that only look so': [
    entry({
      ago: '20m',
      scope:
        'administrator,history,search:write,maximum,app_configurations:read,history.export,remote_files:read,files:write',
    }),
  ],
  'a removal': [entry({ ago: '20m', change_type: 'removed', scope })],
  'a request': [entry({ ago: '20m', change_type: 'app_whitelist_requested', scope })],
  'no scope': [entry({ ago: '20m', scope: null })],
  'Slack itself': [entry({ ...SLACK, ago: '20m', scope })],
})

export const EXAMPLES: Record<string, Examples> = {
  'access-takeover': {
    finds: {
      'a foreign country and a new system': [
        ...AS_ALWAYS,
        use({ ago: '20m', country: 'BR', isp: 'Vivo', agent: 'linux' }),
      ],
      'a script, and hours later a hosting provider': [
        ...AS_ALWAYS,
        use({ ago: '10h', agent: 'python' }),
        use({ ago: '2h', ...HOSTED }),
      ],
      'a tool on the own laptop, and a download': [
        ...AS_ALWAYS,
        use({ ago: '1h', agent: 'slackdump', count: 4210 }),
      ],
    },
    passes: {
      'a journey with the own laptop': [...AS_ALWAYS, use({ ago: '20m', country: 'BR', isp: 'Vivo' })],
      'a new laptop at home': [...AS_ALWAYS, use({ ago: '20m', agent: 'mac' })],
      'a new member, who is new in everything': [
        use({ ago: '3h', agent: 'mac' }),
        use({ ago: '1h', agent: 'phone' }),
      ],
      'two signs, of two members': [
        ...AS_ALWAYS,
        use({ ago: '30m', country: 'BR' }),
        use({ ...OTHER, ago: '20d' }),
        use({ ...OTHER, ago: '20m', agent: 'linux' }),
      ],
    },
  },
  'access-dormant-abroad': {
    finds: {
      'a member not seen for 70 days, in Brazil': [
        use({ ago: '70d' }),
        use({ ago: '20m', country: 'BR', isp: 'Vivo' }),
      ],
      'a member not seen for 70 days, at a hosting provider': [
        use({ ago: '70d' }),
        use({ ago: '20m', ...HOSTED }),
      ],
    },
    passes: {
      'a new member at home': [use({ ago: '20m' })],
      'a member on a journey': [...AS_ALWAYS, use({ ago: '20m', country: 'BR', isp: 'Vivo' })],
    },
  },
  'access-two-countries-one-new': {
    finds: {
      'the own laptop in Switzerland, a browser in Brazil': [
        ...AS_ALWAYS,
        use({ ago: '2h' }),
        use({ ago: '10m', country: 'BR', agent: 'linux' }),
      ],
      'the own phone in Switzerland, a browser in Brazil': [
        ...AS_ALWAYS,
        use({ ago: '2h', agent: 'phone', isp: 'Swisscom Mobile' }),
        use({ ago: '1h', country: 'BR', agent: 'web' }),
      ],
    },
    passes: {
      'a commuter, at home in Germany as always': [
        ...AS_ALWAYS,
        use({ ago: '9d', country: 'DE', agent: 'phone' }),
        use({ ago: '2h' }),
        use({ ago: '1h', country: 'DE', agent: 'phone' }),
      ],
      'a journey over night': [...AS_ALWAYS, use({ ago: '14h' }), use({ ago: '1h', country: 'BR' })],
    },
  },
  'access-app-changed': {
    finds: {
      'a known app, from a new provider with a new library': [
        entry({ ago: '90d' }),
        use({ ago: '30d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({ ago: '1d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({ ago: '20m', agent: 'stolenApp', ...HOSTED }),
        use({ ...OTHER, ago: '15m', agent: 'stolenApp', ...HOSTED }),
      ],
    },
    passes: {
      'a known app that moves to another cloud': [
        use({ ago: '30d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({ ago: '20m', agent: 'app', isp: 'Google LLC' }),
      ],
      'a provider that is written in another way, and a new library': [
        use({ ago: '30d', agent: 'app', isp: 'DigitalOcean, LLC' }),
        use({ ago: '20m', agent: 'stolenApp', isp: 'DIGITALOCEAN-ASN' }),
      ],
    },
  },
  'access-app-raw-hosted': {
    finds: {
      'a known app of a cloud, with python-requests from a hosting provider, for three members': [
        use({ ago: '30d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({ ago: '22m', agent: 'stolenApp', isp: 'M247 Europe SRL' }),
        use({ ...OTHER, ago: '21m', agent: 'stolenApp', isp: 'M247 Europe SRL' }),
        use({ user_id: 'U0CARL0003', ago: '20m', agent: 'stolenApp', isp: 'M247 Europe SRL' }),
      ],
      'aiohttp from a Tor exit': [
        use({ ago: '30d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({
          ago: '20m',
          user_agent: 'ApiApp/A0LUNCH001 Python/3.11 aiohttp/3.9.1',
          isp: 'Tor Exit Network',
        }),
      ],
      'no user agent': [use({ ago: '20m', user_agent: 'ApiApp/A0LUNCH001', ...HOSTED })],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'stolenApp', ...HOSTED })],
      'the same for weeks': [
        use({ ago: '30d', agent: 'stolenApp', ...HOSTED }),
        use({ ago: '20m', agent: 'stolenApp', ...HOSTED }),
      ],
      'a library of Slack': [use({ ago: '20m', agent: 'app', ...HOSTED })],
      'a usual cloud': [use({ ago: '20m', agent: 'stolenApp', isp: 'Amazon.com, Inc.' })],
      'the computer of a developer': [use({ ago: '20m', agent: 'stolenApp' })],
      'a script without an app': [use({ ago: '20m', agent: 'python', ...HOSTED })],
      'the collector itself': [
        use({ ...COLLECTOR, ago: '20m', user_agent: 'ApiApp/A0COLLECT1 node', ...HOSTED }),
      ],
    },
  },
  'access-unknown-app': {
    finds: {
      'an app that no entry names': [use({ ago: '20m', agent: 'app' })],
      'an app beside one that was added': [
        entry({ ago: '90d' }),
        use({ ago: '3d', agent: 'app' }),
        use({ ago: '20m', agent: 'otherApp' }),
      ],
      ...each(
        ['app_whitelist_requested', 'app_whitelist_removed', 'app_whitelist_denied', 'removed', 'disabled'],
        (change_type) => [entry({ ago: '180d', change_type }), use({ ago: '20m', agent: 'app' })],
      ),
      ...Object.fromEntries(
        ['denied', 'rejected', 'restricted'].map((resolution) => [
          `an entry that says ${resolution}`,
          [
            entry({ ago: '180d', change_type: 'app_whitelist_added', resolution }),
            use({ ago: '20m', agent: 'app' }),
          ],
        ]),
      ),
      // The false positive that the table names.
      'an app added and used within the same half hour': [
        entry({ ago: '25m', read: '20m' }),
        use({ ago: '22m', read: '20m', agent: 'app' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'app' })],
      ...each(
        [
          'added',
          'enabled',
          'reissued',
          'updated',
          'expanded',
          'bot_token_upgraded',
          'resource_grant_created',
          'app_whitelist_added',
          'app_whitelist_approved_with_scope_change',
        ],
        (change_type) => [entry({ ago: '300d', change_type }), use({ ago: '20m', agent: 'app' })],
      ),
      'an app that was added two hours before': [entry({ ago: '2h' }), use({ ago: '20m', agent: 'app' })],
      'an app that was in use before': [use({ ago: '3d', agent: 'app' }), use({ ago: '20m', agent: 'app' })],
      'an app that was just added and is not in use': [entry({ ago: '20m' })],
      'a member without an app': [use({ ago: '20m' })],
      'the collector itself': [use({ ...COLLECTOR, ago: '20m' })],
    },
  },
  'access-new-http-client': {
    finds: {
      'curl, for the first time': [...AS_ALWAYS, use({ ago: '20m', agent: 'curl' })],
      'Python beside node of always': [
        use({ ago: '3d', agent: 'node' }),
        use({ ago: '20m', agent: 'python', country: 'BR' }),
      ],
      'a program that is no browser and no app': [...AS_ALWAYS, use({ ago: '20m', agent: 'unknown' })],
      ...each(
        [
          'undici',
          'Bun/1.1.8',
          'Deno/1.44.0',
          'python-httpx/0.27.0',
          'Slack Ruby Client/2.3.0',
          'slack-api-client/1.42.0 (Java; Linux)',
          'PostmanRuntime/7.42.0',
          'HTTPie/3.2.2',
          'Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.2',
        ],
        (user_agent) => [
          ...AS_ALWAYS,
          use({ ago: '9d', agent: 'node' }),
          use({ ago: '20m', user_agent }),
          use({ ago: '10m', user_agent }),
        ],
      ),
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'curl' })],
      'curl of always, in a new version': [
        use({ ago: '3d', agent: 'curl' }),
        use({ ago: '20m', user_agent: 'curl/8.16.0' }),
      ],
      'an app that names itself': [...AS_ALWAYS, use({ ago: '20m', agent: 'app' })],
      'a new browser': [...AS_ALWAYS, use({ ago: '20m', agent: 'linux' })],
      'a row without a user agent': [...AS_ALWAYS, use({ ago: '20m', user_agent: '' })],
      "a phone's notification service": [...AS_ALWAYS, use({ ago: '20m', agent: 'push' })],
    },
  },
  'access-tool-agent': {
    finds: {
      'an automated browser': [...AS_ALWAYS, use({ ago: '20m', agent: 'headless' })],
      'the version of a scraper, on the own computer': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'slackdump' }),
      ],
      'a scraper that calls itself Slack': [
        ...AS_ALWAYS,
        use({
          ago: '20m',
          user_agent:
            'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Slack_SSB/4.48.100',
        }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'headless' })],
      'a browser of today': [...AS_ALWAYS, use({ ago: '20m', agent: 'web' })],
      'an old browser of always': [
        use({ ago: '9d', agent: 'slackdump' }),
        use({ ago: '20m', agent: 'slackdump' }),
      ],
      'an app that drives a browser': [
        use({ ago: '20m', user_agent: 'ApiApp/A0LUNCH001 Mozilla/5.0 HeadlessChrome/142.0.0.0' }),
      ],
    },
  },
  'access-high-volume': {
    finds: {
      'a download on the own laptop': [...AS_ALWAYS, use({ ago: '20m', count: 4210 })],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', count: 4210 })],
      'a long day': [...AS_ALWAYS, use({ ago: '20m', count: 1999 })],
      'a member whose client always counts much': [
        use({ ago: '9d', count: 2500 }),
        use({ ago: '20m', count: 4210 }),
      ],
      'an app': [...AS_ALWAYS, use({ ago: '20m', agent: 'app', count: 4210 })],
    },
  },
  'access-hosting-provider': {
    finds: {
      'a hosting provider of the list': [...AS_ALWAYS, use({ ago: '20m', isp: 'DigitalOcean, LLC' })],
      'in capitals': [...AS_ALWAYS, use({ ago: '20m', isp: 'DIGITALOCEAN-ASN' })],
      'a name of two words': [...AS_ALWAYS, use({ ago: '20m', isp: 'The Constant Company, LLC' })],
      'one that only says what it does': [...AS_ALWAYS, use({ ago: '20m', isp: 'Nordic VPS Hosting AB' })],
      'a script on a rented server': [
        ...AS_ALWAYS,
        use({ ago: '20m', isp: 'Hetzner Online GmbH', agent: 'python' }),
      ],
    },
    passes: {
      ...elsewhere({ isp: 'DigitalOcean, LLC' }),
      'a corporate proxy': [...AS_ALWAYS, use({ ago: '20m', isp: 'Cloudflare WARP' })],
      'an app at a hosting provider': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'app', isp: 'DigitalOcean, LLC' }),
      ],
      'another provider': [...AS_ALWAYS, use({ ago: '20m', isp: 'Ocean Digital Cable' })],
      'the two words apart': [...AS_ALWAYS, use({ ago: '20m', isp: 'Constant Fibre Company' })],
      'a provider used three days ago, written in another way': [
        use({ ago: '3d', isp: 'DigitalOcean, LLC' }),
        use({ ago: '20m', isp: 'DIGITALOCEAN-ASN' }),
      ],
    },
  },
  'access-shared-address': {
    finds: {
      'five members at one address within a day': five(),
      'five members in one IPv6 network': five().map((told, index) =>
        by(told, { ip: `2001:db8:f:1::${index + 1}` }),
      ),
      'five scripts': five({ agent: 'python' }),
    },
    passes: {
      'four members and Slack itself': [
        ...five().slice(1),
        use({ ...SLACK_ITSELF, ago: '1h', ip: '198.18.0.7' }),
      ],
      'four members at one address': five().slice(1),
      'five members at five addresses': five().map((told, index) =>
        by(told, { ip: `198.18.0.${index + 1}` }),
      ),
      'five members in the office': five(OFFICE),
      'five members in the office, by IPv6': five({ ip: '2001:db8:0:17::9' }),
      'five members at the exit of the company VPN': five(VPN),
      'five members behind a corporate proxy': five({ isp: PROXY.isp }),
      'five phones behind one address': five({ agent: 'phone' }),
      'five members of an app': five({ agent: 'app' }),
      'one member five times': five({ user_id: 'U0ANNA0001' }),
      'an address that is none': five({ ip: 'unknown' }),
    },
  },
  'access-shared-address-phones': {
    finds: {
      'five phones behind one address': five({ agent: 'phone' }),
      'an app that calls for five members from one address': five({ agent: 'stolenApp' }),
    },
    passes: {
      'four members and Slack itself': [
        ...five().slice(1),
        use({ ...SLACK_ITSELF, ago: '1h', ip: '198.18.0.7' }),
      ],
      'five phones in the office': five({ agent: 'phone', ...OFFICE }),
      'five phones on the company VPN': five({ agent: 'phone', ...VPN }),
      'five phones behind a corporate proxy': five({ agent: 'phone', isp: PROXY.isp }),
      'the collector itself': five({ agent: 'collector' }),
    },
  },
  'access-two-countries': {
    finds: {
      'two countries within two hours': [
        use({ ago: '2h' }),
        use({ ago: '10m', country: 'BR', agent: 'linux' }),
      ],
      'a phone and a browser elsewhere': [
        use({ ago: '2h', agent: 'phone' }),
        use({ ago: '1h', country: 'BR', agent: 'web' }),
      ],
      'a script elsewhere': [use({ ago: '2h' }), use({ ago: '1h', country: 'BR', agent: 'python' })],
      'two countries, stored hours later': [
        use({ ago: '8h', read: '7h', stored: '20m' }),
        use({ ago: '7h', read: '6h', stored: '20m', country: 'BR' }),
      ],
      'three countries, once': [
        use({ ago: '3h' }),
        use({ ago: '2h', country: 'BR' }),
        use({ ago: '10m', country: 'US' }),
      ],
    },
    passes: {
      'Slack itself': [
        use({ ...SLACK_ITSELF, ago: '1h' }),
        use({ ...SLACK_ITSELF, ago: '10m', country: 'BR' }),
      ],
      'two countries within nine hours': [use({ ago: '9h' }), use({ ago: '10m', country: 'BR' })],
      'two members in two countries': [use({ ago: '2h' }), use({ ...OTHER, ago: '10m', country: 'BR' })],
      'an app that calls from another country': [
        use({ ago: '1h' }),
        use({ ago: '10m', agent: 'app', country: 'US' }),
      ],
      'a country that Slack does not know': [use({ ago: '1h' }), use({ ago: '10m', country: null })],
      'the company VPN': [use({ ago: '1h', country: 'US' }), use({ ago: '10m', ...VPN })],
      'an office': [use({ ago: '1h', country: 'US' }), use({ ago: '10m', ...OFFICE })],
      ...each(['Zscaler Inc.', 'Microsoft Corporation', 'Cloudflare, Inc.', 'Akamai Technologies'], (isp) => [
        use({ ago: '1h' }),
        use({ ago: '10m', country: 'NL', isp }),
      ]),
      'a VPN provider of the list, which another rule finds': [
        use({ ago: '1h' }),
        use({ ago: '10m', country: 'SE', isp: 'M247 Europe SRL' }),
      ],
    },
  },
  'access-new-country': {
    finds: {
      'a country that is new for the member': [...AS_ALWAYS, use({ ago: '20m', country: 'BR' })],
      'a country last used more than 60 days ago': [
        ...AS_ALWAYS,
        use({ ago: '70d', country: 'BR' }),
        use({ ago: '20m', country: 'BR' }),
      ],
      'a row that is read an hour late': [...AS_ALWAYS, use({ ago: '80m', read: '5m', country: 'BR' })],
      'a row that is read after the collector was down for two days': [
        ...AS_ALWAYS,
        use({ ago: '2d', read: '5m', country: 'BR' }),
      ],
      'a row that waited three hours in the queue, as the store was down': [
        ...AS_ALWAYS,
        use({ ago: '4h', read: '3h', stored: '10m', country: 'BR' }),
      ],
      'several states of one row, once': [
        ...AS_ALWAYS,
        use({ ago: '60m', country: 'BR' }),
        use({ ago: '30m', country: 'BR' }),
        use({ ago: '1m', country: 'BR' }),
      ],
      'a script': [...AS_ALWAYS, use({ ago: '20m', agent: 'curl', country: 'US' })],
      'no country at all': [
        ...AS_ALWAYS,
        use({ ago: '20m', country: null }),
        use({ ago: '10m', country: '' }),
      ],
    },
    passes: {
      ...elsewhere({ country: 'BR' }),
      'a corporate proxy': [...AS_ALWAYS, use({ ago: '20m', country: 'NL', ...PROXY })],
      'the country of always': [...AS_ALWAYS, use({ ago: '20m' })],
      'a country used 50 days ago': [
        ...AS_ALWAYS,
        use({ ago: '50d', country: 'BR' }),
        use({ ago: '20m', country: 'BR' }),
      ],
      'an app that calls from another country': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'app', country: 'US' }),
      ],
      'what an earlier run has found': [
        ...AS_ALWAYS,
        use({ ago: '5h', country: 'BR' }),
        use({ ago: '20m', country: 'BR' }),
      ],
    },
  },
  'access-foreign-country': {
    finds: {
      'a country that is not on the list': [...AS_ALWAYS, use({ ago: '20m', country: 'KP' })],
      'the same country after ten weeks': [
        use({ ago: '70d', country: 'KP' }),
        use({ ago: '20m', country: 'KP' }),
      ],
    },
    passes: {
      ...elsewhere({ country: 'KP' }),
      'a corporate proxy': [...AS_ALWAYS, use({ ago: '20m', country: 'NL', ...PROXY })],
      'a VPN provider, which another rule finds': [
        ...AS_ALWAYS,
        use({ ago: '20m', country: 'SE', isp: 'Mullvad VPN AB' }),
      ],
      'a country of the list': [...AS_ALWAYS, use({ ago: '20m', country: 'FR' })],
      'the same country within a week': [
        use({ ago: '6d', country: 'KP' }),
        use({ ago: '20m', country: 'KP' }),
      ],
      'no country': [...AS_ALWAYS, use({ ago: '20m', country: null })],
      'an app': [...AS_ALWAYS, use({ ago: '20m', agent: 'app', country: 'IE' })],
    },
  },
  'access-new-provider-and-system': {
    finds: {
      'a provider that is new for the member': [...AS_ALWAYS, use({ ago: '20m', isp: 'Hotel Net' })],
      'the known provider with another system': [...AS_ALWAYS, use({ ago: '20m', agent: 'linux' })],
      'no provider': [...AS_ALWAYS, use({ ago: '20m', isp: '' })],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', isp: 'Hotel Net' })],
      'the known provider and system in another browser': [
        ...AS_ALWAYS,
        use({
          ago: '20m',
          user_agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
        }),
      ],
      'the provider in capitals': [...AS_ALWAYS, use({ ago: '20m', isp: 'SWISSCOM (SCHWEIZ) LTD' })],
      'an app at a hosting provider': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'otherApp', isp: 'Amazon.com, Inc.' }),
      ],
    },
  },
  'access-new-system': {
    finds: {
      'another system': [...AS_ALWAYS, use({ ago: '20m', agent: 'mac' })],
      'a browser beside the desktop client': [...AS_ALWAYS, use({ ago: '20m', agent: 'web' })],
      'a phone': [...AS_ALWAYS, use({ ago: '20m', agent: 'phone' })],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m' })],
      'a new version': [
        ...AS_ALWAYS,
        use({
          ago: '20m',
          user_agent:
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.48.1 Chrome/144.0.1.1 Electron/40.1.0 Safari/537.36 Sonic Slack_SSB/4.48.1',
        }),
      ],
      'a script, which another rule finds': [...AS_ALWAYS, use({ ago: '20m', agent: 'python' })],
      'an app': [...AS_ALWAYS, use({ ago: '20m', agent: 'app' })],
      'an app in a browser': [
        use({ ago: '20m', user_agent: 'ApiApp/A0LUNCH001 Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0' }),
      ],
    },
  },
  'access-new-program': {
    finds: {
      'another browser': [...AS_ALWAYS, use({ ago: '20m', agent: 'web' })],
      'no user agent': [...AS_ALWAYS, use({ ago: '20m', user_agent: '' })],
      'a script at another provider': [
        use({ ago: '3d', agent: 'node' }),
        use({ ago: '20m', agent: 'node', isp: 'Vivo' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m' })],
      'as always': [...AS_ALWAYS, use({ ago: '20m' })],
      'an app': [...AS_ALWAYS, use({ ago: '20m', agent: 'app' })],
    },
  },
  'access-rare-version': {
    finds: {
      'a version that nobody has': [
        ...AS_ALWAYS,
        use({ ...OTHER, ago: '9d', agent: 'web' }),
        use({ ago: '20m', agent: 'slackdump' }),
      ],
      'a desktop client that nobody has': [use({ ago: '20m' })],
      'a phone that nobody has': [use({ ago: '20m', agent: 'phone' })],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m' })],
      'a version that somebody else has': [
        ...AS_ALWAYS,
        use({ ...OTHER, ago: '9d', agent: 'web' }),
        use({ ago: '20m', agent: 'web' }),
      ],
      'a script': [...AS_ALWAYS, use({ ago: '20m', agent: 'curl' })],
      'an app': [...AS_ALWAYS, use({ ago: '20m', agent: 'app' })],
      'an app in a browser': [use({ ago: '20m', user_agent: 'ApiApp/A0LUNCH001 Firefox/145.0' })],
    },
  },
  'access-raised-volume': {
    finds: { 'a careful download': [...AS_ALWAYS, use({ ago: '20m', count: 700 })] },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', count: 700 })],
      'a usual day': [...AS_ALWAYS, use({ ago: '20m', count: 120 })],
      'an app': [...AS_ALWAYS, use({ ago: '20m', agent: 'app', count: 700 })],
    },
  },
  'access-dormant-member': {
    finds: {
      'a member not seen for 70 days': [use({ ago: '70d' }), use({ ago: '20m' })],
      'a member who is new, which cannot be told from it': [use({ ago: '20m' })],
      'a member seen by a daily app alone': [
        use({ ago: '5d', agent: 'otherApp' }),
        use({ ago: '1d', agent: 'otherApp' }),
        use({ ago: '20m' }),
      ],
      'a member seen by the notification service of a phone alone': [
        use({ ago: '5d', agent: 'push' }),
        use({ ago: '1d', agent: 'phone' }),
        use({ ago: '20m' }),
      ],
      'a script': [use({ ago: '70d' }), use({ ago: '20m', agent: 'curl' })],
    },
    passes: {
      'a member seen 50 days ago': [use({ ago: '50d' }), use({ ago: '20m' })],
      'an app that goes on': [use({ ago: '70d' }), use({ ago: '20m', agent: 'otherApp' })],
      'a phone that goes on': [use({ ago: '70d' }), use({ ago: '20m', agent: 'push' })],
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m' })],
    },
  },
  'access-new-app-of-member': {
    finds: {
      'an app that calls for a member for the first time': [...AS_ALWAYS, use({ ago: '20m', agent: 'app' })],
      'an app that called for another member before': [
        use({ ...OTHER, ago: '3d', agent: 'app' }),
        use({ ago: '20m', agent: 'app' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'app' })],
      'an app that called for the member before': [
        use({ ago: '3d', agent: 'app' }),
        use({ ago: '20m', agent: 'app' }),
      ],
      'a member without an app': [...AS_ALWAYS, use({ ago: '20m' })],
      'a raw HTTP client, which another rule finds': [...AS_ALWAYS, use({ ago: '20m', agent: 'curl' })],
      'the collector itself': [use({ ...COLLECTOR, ago: '20m' })],
    },
  },
  'access-app-new-provider': {
    finds: {
      'a known app from another provider': [
        use({ ago: '3d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({ ago: '20m', agent: 'app', isp: 'M247 Europe SRL' }),
      ],
      'a known app from nobody knows where': [
        use({ ago: '3d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({ ago: '20m', agent: 'app', isp: null }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'app' })],
      'the provider of always, for another member': [
        use({ ago: '3d', agent: 'app', isp: 'Amazon.com, Inc.' }),
        use({ ...OTHER, ago: '20m', agent: 'app', isp: 'AMAZON.COM INC' }),
      ],
      'the collector itself': [use({ ...COLLECTOR, ago: '20m' })],
    },
  },
  'access-app-new-library': {
    finds: {
      'a known app with another library': [
        use({ ago: '3d', agent: 'app' }),
        use({ ago: '20m', agent: 'stolenApp' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'app' })],
      'a new version of its library': [
        use({ ago: '3d', agent: 'app' }),
        use({
          ago: '20m',
          user_agent: 'ApiApp/A0LUNCH001 Python/3.13.1 slackclient/3.36.0 Linux/6.8.0',
        }),
      ],
      'the collector itself': [use({ ...COLLECTOR, ago: '20m' })],
    },
  },
  'integration-admin-scopes': {
    finds: {
      ...each(
        [
          'identify,admin',
          'admin.users:write',
          'admin:org',
          'MAX',
          'identify,client',
          'post',
          'identify,read,post,client',
          'auditlogs:read',
          'discovery:read',
          'app_configurations:write',
        ],
        (scope) => [entry({ ago: '20m', scope })],
      ),
      ...Object.fromEntries(
        GRANTS.map((change_type) => [
          `by ${change_type}`,
          [entry({ ago: '20m', change_type, scope: 'admin' })],
        ]),
      ),
      'a known app that now asks for more': [
        entry({ ago: '90d', scope: 'im:history' }),
        entry({ ago: '20m', scope: 'im:history,admin' }),
      ],
    },
    passes: {
      'an app that has had it for months, for another member': [
        entry({ ago: '90d', scope: 'identify,admin' }),
        entry({ ago: '20m', scope: 'identify,admin', user_id: 'U0BORIS002' }),
      ],
      ...HARMLESS('admin'),
    },
  },
  'integration-high-scopes': {
    finds: {
      ...each(
        [
          'read',
          'users:read,im:history',
          'channels:history:read',
          'search:read.private',
          'files:read',
          'files:read:user',
          'canvases:read',
          'lists:read',
        ],
        (scope) => [entry({ ago: '20m', scope })],
      ),
      ...Object.fromEntries(
        GRANTS.map((change_type) => [
          `by ${change_type}`,
          [entry({ ago: '20m', change_type, scope: 'search:read' })],
        ]),
      ),
    },
    passes: {
      'an app that has had it for months, for another member': [
        entry({ ago: '90d', scope: 'identify,search:read' }),
        entry({ ago: '20m', scope: 'identify,search:read', user_id: 'U0BORIS002' }),
      ],
      ...HARMLESS('search:read'),
    },
  },
  'integration-security-app-gone': {
    finds: {
      'a security app that a member removes': [
        entry({ ago: '20m', change_type: 'removed', app_type: 'Nightfall DLP', reason: 'user' }),
      ],
      'a backup that is switched off': [
        entry({ ago: '20m', change_type: 'disabled', app_type: 'CloudBackup for Slack' }),
      ],
      'by deactivating its owner': [
        entry({
          ago: '20m',
          change_type: 'removed',
          app_type: 'Acme Security Bot',
          reason: 'user_deactivated',
        }),
      ],
    },
    passes: {
      'Slack itself': [entry({ ...SLACK, ago: '20m', change_type: 'disabled', app_type: 'Nightfall DLP' })],
      'another app': [entry({ ago: '20m', change_type: 'removed' })],
      'a security app that is added': [entry({ ago: '20m', app_type: 'Nightfall DLP' })],
    },
  },
  'integration-many-removals': {
    finds: {
      'five removals within minutes': removals(5),
      'five removals with no reason told': removals(5, { reason: undefined }),
      'a leaver who disables five': removals(5, { change_type: 'disabled' }),
      'some of each': [...removals(3), ...removals(6, { change_type: 'disabled' }).slice(3)],
    },
    passes: {
      'four removals': removals(4),
      'a member who was deactivated': removals(9, { reason: 'user_deactivated' }),
      'an archived channel': removals(23, { reason: 'channel_archive' }),
      'a changed plan': [
        ...removals(9, { reason: 'plan_downgrade' }),
        ...removals(9, { reason: 'team_downgrade' }),
      ],
      'one integration removed five times': removals(5, { app_id: 'A0LUNCH001' }),
      'five additions': removals(5, { change_type: 'added' }),
      'Slack itself': removals(9, SLACK),
    },
  },
  'integration-token-minted': {
    finds: {
      'by the API tester': [entry({ ago: '20m', app_type: 'Slack API Tester' })],
      'by the vendor of tooling tokens': [entry({ ago: '20m', app_type: 'Slack Tooling Tokens Vendor' })],
      'as a service': [
        entry({
          ago: '20m',
          app_id: undefined,
          app_type: undefined,
          service_id: 12345,
          service_type: 'Slack API Tester',
        }),
      ],
      'issued again': [entry({ ago: '20m', app_type: 'Slack API Tester', change_type: 'reissued' })],
      'switched on again': [entry({ ago: '20m', app_type: 'Slack API Tester', change_type: 'enabled' })],
    },
    passes: {
      'a token that went': [
        entry({
          ago: '20m',
          app_type: 'Slack API Tester',
          change_type: 'removed',
          reason: 'system_inactive_api_tester_token',
        }),
      ],
      'an app with a like name': [
        entry({ ago: '20m', app_type: 'API Tester' }),
        entry({ ago: '20m', app_type: 'My Slack API Tester' }),
      ],
      'Slack itself': [entry({ ...SLACK, ago: '20m', app_type: 'Slack API Tester' })],
    },
  },
  'integration-policy-weakened': {
    finds: each(
      [
        'whitelist_disabled',
        'allowlist_disabled',
        'whitelist_requests_require_comment_disabled',
        'whitelist_permissions_updated',
        'whitelist_request_permissions_updated',
      ],
      (change_type) => [
        entry({ ago: '20m', app_id: undefined, app_type: undefined, scope: undefined, change_type }),
      ],
    ),
    passes: {
      ...each(
        ['whitelist_enabled', 'whitelist_requests_require_comment_enabled', 'app_whitelist_added'],
        (change_type) => [entry({ ago: '20m', change_type })],
      ),
      'Slack itself': [entry({ ...SLACK, ago: '20m', change_type: 'whitelist_disabled' })],
    },
  },
  'integration-scopes-expanded': {
    finds: {
      ...each(
        [
          'expanded',
          'bot_token_upgraded',
          'wildcard_resource_grant_created',
          'app_whitelist_approved_with_scope_change',
        ],
        (change_type) => [entry({ ago: '20m', change_type })],
      ),
      'twice on a day, once': [
        entry({ ago: '50m', change_type: 'expanded' }),
        entry({ ago: '20m', change_type: 'expanded' }),
      ],
    },
    passes: {
      'a new app': [entry({ ago: '20m' })],
      'an update': [entry({ ago: '20m', change_type: 'updated' })],
      'a request for more': [entry({ ago: '20m', change_type: 'app_whitelist_requested_new_scopes' })],
      'Slack itself': [entry({ ...SLACK, ago: '20m', change_type: 'expanded' })],
      'what an earlier run has found': [entry({ ago: '5h', change_type: 'expanded' })],
    },
  },
  'integration-many-apps': {
    finds: {
      'three apps within ten minutes': apps('A1', 'A2', 'A3'),
      'three apps, read in two runs': [
        entry({ ago: '45m', read: '35m', app_id: 'A1' }),
        entry({ ago: '44m', read: '35m', app_id: 'A2' }),
        entry({ ago: '20m', read: '5m', app_id: 'A3' }),
      ],
    },
    passes: {
      'Slack itself': apps('A1', 'A2', 'A3').map((told) => by(told, SLACK)),
      'three updates of three apps': apps('A1', 'A2', 'A3').map((told) =>
        by(told, { change_type: 'updated' }),
      ),
      'three sign-ins': apps('A1', 'A2', 'A3').map((told) => by(told, { scope: 'openid,email,profile' })),
      'three sign-ins of the older kind': apps('A1', 'A2', 'A3').map((told) =>
        by(told, { scope: 'identity.basic,identity.email' }),
      ),
      'two apps': apps('A1', 'A2'),
      'one app in three entries': apps('A1', 'A1', 'A1'),
      'three apps by three members': apps('A1', 'A2', 'A3').map((told, index) =>
        by(told, { user_id: `U0MEMBER0${index}` }),
      ),
      'three apps within four hours': [
        entry({ ago: '4h', app_id: 'A1' }),
        entry({ ago: '2h', app_id: 'A2' }),
        entry({ ago: '10m', app_id: 'A3' }),
      ],
      'three webhooks': ['1', '2', '3'].map((id) => entry({ ...WEBHOOKS, ago: '10m', service_id: id })),
    },
  },
  'integration-collaborator-added': {
    finds: {
      'a collaborator': [
        entry({ ago: '20m', change_type: 'app_collaborator_added', admin_app_id: 'A0ADMIN003' }),
      ],
    },
    passes: {
      'a new app': [entry({ ago: '20m' })],
      'Slack itself': [entry({ ...SLACK, ago: '20m', change_type: 'app_collaborator_added' })],
    },
  },
  'integration-first-app': {
    finds: {
      'an app that was never added': [entry({ ago: '20m' })],
      'an app that another member took away again and nobody added': [
        entry({ ago: '300d', change_type: 'removed', user_id: 'U0BORIS002' }),
        entry({ ago: '20m' }),
      ],
      'two entries of one installation, once': [
        entry({ ago: '20m' }),
        entry({ ago: '20m', scope: undefined }),
      ],
    },
    passes: {
      'an app that another member added before': [
        entry({ ago: '300d', user_id: 'U0BORIS002' }),
        entry({ ago: '20m' }),
      ],
      'a webhook, which has no app id': [entry({ ...WEBHOOKS, ago: '20m', service_id: 1234567890123 })],
      'an update': [entry({ ago: '20m', change_type: 'updated' })],
      'an approval': [entry({ ago: '20m', change_type: 'app_whitelist_added' })],
      'Slack itself': [entry({ ...SLACK, ago: '20m' })],
    },
  },
  'integration-untold-scopes': {
    finds: {
      'an app without scopes': [entry({ ago: '20m', scope: undefined })],
      'the bot half of an installation': [entry({ ago: '20m' }), entry({ ago: '20m', scope: undefined })],
      'an empty scope': [entry({ ago: '20m', scope: '' })],
    },
    passes: {
      'Slack itself': [entry({ ...SLACK, ago: '20m', scope: undefined })],
      'an app with scopes': [entry({ ago: '20m' })],
      'an app that came without scopes before': [
        entry({ ago: '100d', scope: undefined }),
        entry({ ago: '20m', scope: undefined }),
      ],
      'a webhook, which has none': [entry({ ...WEBHOOKS, ago: '20m', service_id: 1234567890123 })],
      'an update': [entry({ ago: '20m', change_type: 'updated', scope: undefined })],
    },
  },
  'integration-legacy': {
    finds: {
      'a bot': [entry({ ...LEGACY_BOT, ago: '20m' })],
      'a slash command without any id': [entry({ ...WEBHOOKS, service_type: 'Slash Commands', ago: '20m' })],
      'a bot that is switched on again': [entry({ ...LEGACY_BOT, ago: '20m', change_type: 'enabled' })],
      'a bot with a new token': [entry({ ...LEGACY_BOT, ago: '20m', change_type: 'reissued' })],
    },
    passes: {
      'an app': [entry({ ago: '20m' })],
      'a webhook': [entry({ ...WEBHOOKS, ago: '20m' })],
      'a bot that goes': [entry({ ...LEGACY_BOT, ago: '20m', change_type: 'removed' })],
      'Slack itself': [entry({ ...LEGACY_BOT, ...SLACK, ago: '20m' })],
    },
  },
  'integration-webhook': {
    finds: {
      'an incoming webhook': [entry({ ...WEBHOOKS, ago: '20m', service_id: 1234567890123 })],
      'an outgoing webhook': [entry({ ...WEBHOOKS, ago: '20m', service_type: 'Outgoing WebHooks' })],
      'a new address': [entry({ ...WEBHOOKS, ago: '20m', change_type: 'reissued' })],
      'switched on again': [entry({ ...WEBHOOKS, ago: '20m', change_type: 'enabled' })],
      'led to another channel': [entry({ ...WEBHOOKS, ago: '20m', change_type: 'updated' })],
      'made larger': [entry({ ...WEBHOOKS, ago: '20m', change_type: 'expanded' })],
      'a webhook of an app': [entry({ ago: '20m', scope: 'chat:write,incoming-webhook' })],
      'in small letters': [entry({ ...WEBHOOKS, ago: '20m', service_type: 'Incoming Webhooks' })],
    },
    passes: {
      'a webhook that goes': [
        entry({ ...WEBHOOKS, ago: '20m', change_type: 'removed', reason: 'channel_archive' }),
      ],
      'another integration': [entry({ ...WEBHOOKS, ago: '20m', service_type: 'Slash Commands' })],
      'Slack itself': [entry({ ...WEBHOOKS, ...SLACK, ago: '20m' })],
    },
  },
  'integration-approved': {
    finds: each(
      [
        'app_whitelist_added',
        'app_whitelist_approved_with_scope_change',
        'app_allowlist_rule_executed',
        'resource_grant_created',
        'wildcard_resource_grant_created',
        'enabled',
      ],
      (change_type) => [entry({ ago: '300d' }), entry({ ago: '20m', change_type })],
    ),
    passes: {
      'an approval of an app that was approved before': [
        entry({ ago: '300d', change_type: 'app_whitelist_added' }),
        entry({ ago: '20m', change_type: 'app_whitelist_added' }),
      ],
      'a new app': [entry({ ago: '20m' })],
      'a request': [entry({ ago: '20m', change_type: 'app_whitelist_requested' })],
      'Slack itself': [entry({ ...SLACK, ago: '20m', change_type: 'enabled' })],
    },
  },
  'integration-rare-change': {
    finds: {
      'a type that was never there': [
        entry({ ago: '9d' }),
        entry({ ago: '20m', change_type: 'ownership_moved' }),
      ],
    },
    passes: {
      'a type of every month': [entry({ ago: '30d' }), entry({ ago: '20m', app_id: 'A0OTHER' })],
      'Slack itself': [entry({ ...SLACK, ago: '20m', change_type: 'ownership_moved' })],
    },
  },
  'integration-removed': {
    finds: {
      'one removal': removals(1),
      'one that is switched off': removals(1, { change_type: 'disabled' }),
    },
    passes: {
      'Slack itself': removals(1, SLACK),
      'a member who tidies up again': [
        entry({ ago: '9d', change_type: 'removed', reason: 'user' }),
        ...removals(1),
      ],
      ...each(['user_deactivated', 'channel_archive', 'team_downgrade', 'plan_downgrade'], (reason) =>
        removals(1, { reason }),
      ),
      'an addition': removals(1, { change_type: 'added' }),
    },
  },
  'integration-failing': {
    finds: {
      'switched off by Slack, because of rate limits': [
        entry({ ...SLACK, ago: '20m', change_type: 'disabled', reason: 'rate_limits' }),
      ],
      'switched off because of errors': [entry({ ago: '20m', change_type: 'disabled', reason: 'errors' })],
      'switched off because a call was refused': [
        entry({ ago: '20m', change_type: 'disabled', reason: 'api_decline' }),
      ],
      'its access was taken': [entry({ ago: '20m', change_type: 'removed', reason: 'deauth' })],
      'Slack took it away': [entry({ ago: '20m', change_type: 'removed', reason: 'slack' })],
      'its maker took it away': [
        entry({ ago: '20m', change_type: 'removed', reason: 'developer_uninstalled_app' }),
      ],
      'a token was revoked': [entry({ ago: '20m', change_type: 'removed', reason: 'user_revoked_auth' })],
      'an inactive token': [
        entry({ ...SLACK, ago: '20m', change_type: 'removed', reason: 'system_inactive_api_tester_token' }),
      ],
    },
    passes: {
      'a member removes it': [entry({ ago: '20m', change_type: 'removed', reason: 'user_uninstalled_app' })],
      'a deactivation': [entry({ ago: '20m', change_type: 'removed', reason: 'user_deactivated' })],
      'switched on again with the reason of before': [
        entry({ ago: '20m', change_type: 'enabled', reason: 'errors' }),
      ],
      'an admin switches it off': [entry({ ago: '20m', change_type: 'disabled', reason: 'admin' })],
    },
  },
  'collector-silent': {
    finds: {
      'no success of one log for three hours': [run({ ago: '3h' }), run({ ago: '10m', log: 'integration' })],
      'failures only': [
        run({ ago: '5h' }),
        run({ ago: '10m', log: 'integration' }),
        run({
          ago: '10m',
          outcome: 'failure',
          complete: false,
          error: { class: 'auth', code: 'token_revoked', message: 'no' },
        }),
      ],
      'rows, but no report': [
        use({ ago: '10m' }),
        run({ ago: '5h' }),
        run({ ago: '10m', log: 'integration' }),
      ],
      'one of two workspaces': [
        run({ ago: '10m' }),
        run({ ago: '10m', log: 'integration' }),
        run({ ago: '3h', team: 'T0OTHER' }),
        run({ ago: '10m', team: 'T0OTHER', log: 'integration' }),
      ],
    },
    passes: {
      'a success of each log': [run({ ago: '100m' }), run({ ago: '10m', log: 'integration' })],
      'a success that is incomplete': [
        run({ ago: '10m', complete: false, gaps: 1 }),
        run({ ago: '10m', log: 'integration' }),
      ],
      'a workspace that was given up last month': [
        run({ ago: '10m' }),
        run({ ago: '10m', log: 'integration' }),
        run({ ago: '30d', team: 'T0OTHER' }),
      ],
    },
  },
  'collector-failing': {
    finds: {
      'two failures within an hour': [
        run({ ago: '50m', outcome: 'failure' }),
        run({ ago: '20m', outcome: 'failure' }),
      ],
      'two failures with an interval of an hour': [
        run({ ago: '80m', outcome: 'failure' }),
        run({ ago: '20m', outcome: 'failure' }),
      ],
      'two failures that cannot name the workspace': [
        { ...run({ ago: '50m' }), line: () => failureWithoutTeam(1) },
        { ...run({ ago: '20m' }), line: () => failureWithoutTeam(2) },
      ],
    },
    passes: {
      'one failure': [run({ ago: '50m', outcome: 'failure' }), run({ ago: '20m' })],
      'one failure of each log': [
        run({ ago: '50m', outcome: 'failure' }),
        run({ ago: '20m', outcome: 'failure', log: 'integration' }),
      ],
      'two failures within half a day': [
        run({ ago: '12h', outcome: 'failure' }),
        run({ ago: '20m', outcome: 'failure' }),
      ],
    },
  },
  'collector-incomplete': {
    finds: {
      'most of a day, with an interval of an hour': Array.from({ length: 22 }, (_, index) =>
        run({ ago: `${1 + index * 60}m`, complete: false, gaps: 1, rows_printed: 3 }),
      ),
      'ten hours, with an interval of half an hour': incomplete(20),
      'an older report, without a count of rows': incomplete(20, { rows_printed: undefined }),
    },
    passes: {
      'nineteen runs': incomplete(19),
      'runs that stopped at their limit without a gap': incomplete(40, { gaps: 0 }),
      'runs that are complete': incomplete(40, { complete: true }),
      'fifteen runs of each log': [...incomplete(15), ...incomplete(15, { log: 'integration' })],
      'a backfill, a run each minute': Array.from({ length: 40 }, (_, index) =>
        run({ ago: `${1 + index}m`, complete: false, gaps: 1, rows_printed: 50_000 }),
      ),
    },
  },
  'collector-foreign-line': {
    finds: {
      'a torn line': [torn({ ago: '20m' })],
    },
    passes: {
      'a report': [run({ ago: '20m' })],
      'a row': [use({ ago: '20m' })],
    },
  },
}

function failureWithoutTeam(number: number): object {
  return {
    dataset: 'slack.auditor',
    id: `failure ${number}`,
    team: { id: null, name: null },
    run: {
      log: 'access',
      outcome: 'failure',
      complete: false,
      error: { class: 'auth', code: 'invalid_auth', message: 'no' },
    },
  }
}
