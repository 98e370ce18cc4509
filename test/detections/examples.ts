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

/** The same entry with other fields. */
function by(told: Told, fields: object): Told {
  return {
    ...told,
    line: (seconds) => {
      const line = told.line(seconds) as { integration: object }
      return { ...line, integration: { ...line.integration, ...fields } }
    },
  }
}

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
    run({ ago: `${1 + index * 30}m`, complete: false, gaps: 1, ...more }),
  )

export const EXAMPLES: Record<string, Examples> = {
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
      'several states of one row, once': [
        ...AS_ALWAYS,
        use({ ago: '60m', country: 'BR' }),
        use({ ago: '30m', country: 'BR' }),
        use({ ago: '1m', country: 'BR' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', country: 'BR' })],
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
      'a raw HTTP client in another country, which another rule finds': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'curl', country: 'US' }),
      ],
      'a row without a country': [
        ...AS_ALWAYS,
        use({ ago: '20m', country: null }),
        use({ ago: '10m', country: '' }),
      ],
      'a country that is no code': [...AS_ALWAYS, use({ ago: '20m', country: 'Brazil' })],
      'what an earlier run has found': [
        ...AS_ALWAYS,
        use({ ago: '5h', country: 'BR' }),
        use({ ago: '20m', country: 'BR' }),
      ],
    },
  },
  'access-new-provider-and-system': {
    finds: {
      'a provider that is new for the member': [...AS_ALWAYS, use({ ago: '20m', isp: 'Hotel Net' })],
      'the known provider with another system': [...AS_ALWAYS, use({ ago: '20m', agent: 'linux' })],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', isp: 'Hotel Net' })],
      'the known provider and system in another browser': [
        ...AS_ALWAYS,
        use({
          ago: '20m',
          user_agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0',
        }),
      ],
      'a phone in another network': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'phone', isp: 'Example Mobile' }),
      ],
      'an app at a hosting provider': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'otherApp', isp: 'Amazon.com, Inc.' }),
      ],
      'a row without a provider': [...AS_ALWAYS, use({ ago: '20m', isp: '' })],
    },
  },
  'access-two-countries': {
    finds: {
      'two countries within two hours': [
        use({ ago: '2h' }),
        use({ ago: '10m', country: 'BR', agent: 'linux' }),
      ],
      'two countries within four hours, both read late': [
        use({ ago: '350m', read: '4h' }),
        use({ ago: '2h', read: '5m', country: 'BR' }),
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
      'a phone that roams': [use({ ago: '1h' }), use({ ago: '10m', agent: 'phone', country: 'DE' })],
      'the company VPN': [use({ ago: '1h', country: 'US' }), use({ ago: '10m', ip: '203.0.113.10' })],
      'a VPN provider of the list, which another rule finds': [
        use({ ago: '1h' }),
        use({ ago: '10m', country: 'SE', isp: 'M247 Europe SRL' }),
      ],
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
  'access-new-http-client': {
    finds: {
      'curl, for the first time': [...AS_ALWAYS, use({ ago: '20m', agent: 'curl' })],
      'Python beside curl of always': [
        use({ ago: '3d', agent: 'curl' }),
        use({ ago: '20m', agent: 'python' }),
      ],
      'a program that is no browser and no app': [...AS_ALWAYS, use({ ago: '20m', agent: 'unknown' })],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'curl' })],
      'curl of always': [use({ ago: '3d', agent: 'curl' }), use({ ago: '20m', agent: 'curl' })],
      'an app that names itself': [...AS_ALWAYS, use({ ago: '20m', agent: 'app' })],
      'a new browser': [...AS_ALWAYS, use({ ago: '20m', agent: 'linux' })],
      'a row without a user agent': [...AS_ALWAYS, use({ ago: '20m', user_agent: '' })],
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
      // The false alarm that the table names.
      'an app added and used within the same half hour': [
        entry({ ago: '25m', read: '20m' }),
        use({ ago: '22m', read: '20m', agent: 'app' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', agent: 'app' })],
      'an app that was added long ago': [entry({ ago: '300d' }), use({ ago: '20m', agent: 'app' })],
      'an app that was added two hours before': [entry({ ago: '2h' }), use({ ago: '20m', agent: 'app' })],
      'an app that was only approved, by its id': [
        entry({ ago: '30d', change_type: 'app_whitelist_added', resolution: 'approved' }),
        use({ ago: '20m', agent: 'app' }),
      ],
      'an app that was in use before': [use({ ago: '3d', agent: 'app' }), use({ ago: '20m', agent: 'app' })],
      'an app that was just added and is not in use': [entry({ ago: '20m' })],
      'a member without an app': [use({ ago: '20m' })],
      'the collector itself': [use({ ...COLLECTOR, ago: '20m' })],
    },
  },
  'access-hosting-provider': {
    finds: {
      'a hosting provider of the list': [...AS_ALWAYS, use({ ago: '20m', isp: 'DigitalOcean, LLC' })],
      'in capitals': [...AS_ALWAYS, use({ ago: '20m', isp: 'DIGITALOCEAN-ASN' })],
      'a name of two words': [...AS_ALWAYS, use({ ago: '20m', isp: 'The Constant Company, LLC' })],
      'a name that begins with a word of the list': [
        ...AS_ALWAYS,
        use({ ago: '20m', isp: 'Amazon.com, Inc.' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', isp: 'DigitalOcean, LLC' })],
      'an app at a hosting provider': [
        ...AS_ALWAYS,
        use({ ago: '20m', agent: 'app', isp: 'DigitalOcean, LLC' }),
      ],
      'another provider': [...AS_ALWAYS, use({ ago: '20m', isp: 'Ocean Digital Cable' })],
      'the two words apart': [...AS_ALWAYS, use({ ago: '20m', isp: 'Constant Fibre Company' })],
      'a provider used three days ago': [
        use({ ago: '3d', isp: 'DigitalOcean, LLC' }),
        use({ ago: '20m', isp: 'DigitalOcean, LLC' }),
      ],
    },
  },
  'access-shared-address': {
    finds: {
      'five members at one address within a day': five(),
    },
    passes: {
      'four members and Slack itself': [
        ...five().slice(1),
        use({ ...SLACK_ITSELF, ago: '1h', ip: '198.18.0.7' }),
      ],
      'four members at one address': five().slice(1),
      'five members at five addresses': five().map((told, index) => ({
        ...told,
        line: (seconds: number) => {
          const line = told.line(seconds) as { access: object }
          return { ...line, access: { ...line.access, ip: `198.18.0.${index + 1}` } }
        },
      })),
      'five members in the office': five({ ip: '203.0.113.66' }),
      'five members in the office, by IPv6': five({ ip: '2001:db8:0:17::9' }),
      'five phones behind one address': five({ agent: 'phone' }),
      'five apps at one address': five({ agent: 'app' }),
      'one member five times': five({ user_id: 'U0ANNA0001' }),
      'an address that is none': five({ ip: 'unknown' }),
    },
  },
  'access-dormant-member': {
    finds: {
      'a member not seen for 70 days': [use({ ago: '70d' }), use({ ago: '20m' })],
      'a member who is new, which cannot be told from it': [use({ ago: '20m' })],
    },
    passes: {
      'a member seen 50 days ago': [use({ ago: '50d' }), use({ ago: '20m' })],
      'a member seen by an app alone': [use({ ago: '5d', agent: 'app' }), use({ ago: '20m' })],
      'the collector itself': [use({ ...COLLECTOR, ago: '20m' })],
      'Slack itself': [use({ user_id: 0, username: 'slack', ago: '20m' })],
    },
  },
  'access-foreign-country': {
    finds: {
      'a country that is not on the list': [...AS_ALWAYS, use({ ago: '20m', country: 'KP' })],
      'the same country after three weeks': [
        use({ ago: '21d', country: 'KP' }),
        use({ ago: '20m', country: 'KP' }),
      ],
    },
    passes: {
      'Slack itself': [use({ ...SLACK_ITSELF, ago: '20m', country: 'KP' })],
      'a country of the list': [...AS_ALWAYS, use({ ago: '20m', country: 'FR' })],
      'the same country within a week': [
        use({ ago: '6d', country: 'KP' }),
        use({ ago: '20m', country: 'KP' }),
      ],
      'no country': [...AS_ALWAYS, use({ ago: '20m', country: null })],
      'an app': [...AS_ALWAYS, use({ ago: '20m', agent: 'app', country: 'IE' })],
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
  'integration-high-scopes': {
    finds: {
      admin: [entry({ ago: '20m', scope: 'identify,admin' })],
      MAX: [entry({ ago: '20m', scope: 'MAX' })],
      'a history': [entry({ ago: '20m', scope: 'users:read,im:history' })],
      search: [entry({ ago: '20m', scope: 'search:read.private' })],
      'app_configurations:write': [entry({ ago: '20m', scope: 'app_configurations:write' })],
      'a scope of the admin API': [entry({ ago: '20m', scope: 'admin.users:write' })],
      'by switching it on': [entry({ ago: '20m', change_type: 'enabled', scope: 'admin' })],
      'by issuing it again': [entry({ ago: '20m', change_type: 'reissued', scope: 'admin' })],
      'by a grant': [entry({ ago: '20m', change_type: 'resource_grant_created', scope: 'admin' })],
      'by a grant for all': [
        entry({ ago: '20m', change_type: 'wildcard_resource_grant_created', scope: 'admin' }),
      ],
      'by an expansion': [entry({ ago: '20m', change_type: 'expanded', scope: 'groups:history' })],
      'by an update': [entry({ ago: '20m', change_type: 'updated', scope: 'search:read' })],
    },
    passes: {
      'sign-in scopes': [
        entry({ ago: '20m', scope: 'identity.basic,identity.email,identity.avatar' }),
        entry({ ago: '19m', scope: 'openid,email,profile' }),
      ],
      'harmless scopes': [entry({ ago: '20m', scope: 'chat:write,users:read,team:read,reactions:read' })],
      'scopes that only look so': [
        entry({
          ago: '20m',
          scope: 'administrator,history,search:write,maximum,app_configurations:read,im:history.export',
        }),
      ],
      'a removal': [entry({ ago: '20m', change_type: 'removed', scope: 'admin' })],
      'a request': [entry({ ago: '20m', change_type: 'app_whitelist_requested', scope: 'admin' })],
      'no scope': [entry({ ago: '20m', scope: null })],
      'Slack itself': [entry({ ...SLACK, ago: '20m', scope: 'admin' })],
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
  'integration-scopes-expanded': {
    finds: {
      'an expansion': [entry({ ago: '20m', change_type: 'expanded' })],
      'an upgraded bot token': [entry({ ago: '20m', change_type: 'bot_token_upgraded' })],
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
  'integration-many-removals': {
    finds: {
      'five removals within minutes': removals(5),
      'five removals with no reason told': removals(5, { reason: undefined }),
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
  'integration-webhook': {
    finds: {
      'an incoming webhook': [entry({ ...WEBHOOKS, ago: '20m', service_id: 1234567890123 })],
      'an outgoing webhook': [entry({ ...WEBHOOKS, ago: '20m', service_type: 'Outgoing WebHooks' })],
      'a new address': [entry({ ...WEBHOOKS, ago: '20m', change_type: 'reissued' })],
      'switched on again': [entry({ ...WEBHOOKS, ago: '20m', change_type: 'enabled' })],
      'a webhook of an app': [entry({ ago: '20m', scope: 'chat:write,incoming-webhook' })],
      'in small letters': [entry({ ...WEBHOOKS, ago: '20m', service_type: 'Incoming Webhooks' })],
    },
    passes: {
      'a webhook that goes': [
        entry({ ...WEBHOOKS, ago: '20m', change_type: 'removed', reason: 'channel_archive' }),
      ],
      'a webhook that is changed': [entry({ ...WEBHOOKS, ago: '20m', change_type: 'updated' })],
      'another integration': [entry({ ...WEBHOOKS, ago: '20m', service_type: 'Slash Commands' })],
      'an app whose name begins so': [entry({ ago: '20m', app_type: 'WebHooks Inspector' })],
      'Slack itself': [entry({ ...WEBHOOKS, ...SLACK, ago: '20m' })],
    },
  },
  'integration-policy-weakened': {
    finds: {
      'the approval is switched off': [
        entry({
          ago: '20m',
          app_id: undefined,
          app_type: undefined,
          scope: undefined,
          change_type: 'whitelist_disabled',
        }),
      ],
      'requests need no reason': [
        entry({ ago: '20m', app_id: undefined, change_type: 'whitelist_requests_require_comment_disabled' }),
      ],
      'others may approve': [
        entry({ ago: '20m', app_id: undefined, change_type: 'whitelist_permissions_updated' }),
      ],
      'others may ask': [
        entry({ ago: '20m', app_id: undefined, change_type: 'whitelist_request_permissions_updated' }),
      ],
    },
    passes: {
      'the approval is switched on': [entry({ ago: '20m', change_type: 'whitelist_enabled' })],
      'requests need a reason': [
        entry({ ago: '20m', change_type: 'whitelist_requests_require_comment_enabled' }),
      ],
      'an app is approved': [entry({ ago: '20m', change_type: 'app_whitelist_added' })],
      'Slack itself': [entry({ ...SLACK, ago: '20m', change_type: 'whitelist_disabled' })],
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
    },
    passes: {
      'a success of each log': [run({ ago: '100m' }), run({ ago: '10m', log: 'integration' })],
      'a success that is incomplete': [
        run({ ago: '10m', complete: false, gaps: 1 }),
        run({ ago: '10m', log: 'integration' }),
      ],
    },
  },
  'collector-failing': {
    finds: {
      'two failures within an hour': [
        run({ ago: '50m', outcome: 'failure' }),
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
      'thirty runs of a day': incomplete(30),
    },
    passes: {
      'twenty-nine runs of a day': incomplete(29),
      'runs that stopped at their limit without a gap': incomplete(40, { gaps: 0 }),
      'runs that are complete': incomplete(40, { complete: true }),
      'twenty runs of each log': [...incomplete(20), ...incomplete(20, { log: 'integration' })],
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
