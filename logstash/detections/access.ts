import type { Detection } from './detection.ts'

const ACCESS = 'event.dataset:slack.access AND NOT user.id:0'
/** Without API calls: those come from wherever a server stands. */
const PEOPLE = `${ACCESS} AND NOT slack.client.type:api`

const TRIAGE_MEMBER = 'Look at all rows of this member in the last two weeks: addresses, countries, clients.'
const TRIAGE_ASK =
  'Ask the member over another channel than Slack. If it was not them: sign out all their sessions, reset password and second factor.'

export const ACCESS_DETECTIONS: Detection[] = [
  {
    slug: 'access-new-country',
    id: '21b18179-bef5-4136-bf5b-26a8a3bb498e',
    version: 1,
    name: 'Slack: member in a new country',
    severity: 'medium',
    finds: 'A member uses Slack from a country from which they did not use it for 60 days.',
    why: 'Stolen sessions are mostly used from somewhere else.',
    wrongly: ['travel', 'VPNs', 'each new member once', 'wrong guesses of Slack'],
    tune: 'Exceptions for travellers.',
    triage: [
      TRIAGE_MEMBER,
      'Is the client one that this member has used before, and is the provider a home or mobile one?',
      TRIAGE_ASK,
    ],
    attack: ['T1078.004', 'T1550.004'],
    query: PEOPLE,
    alert: { on: 'new', fields: ['user.id', 'source.geo.country_iso_code'], within: '60d' },
  },
  {
    slug: 'access-new-provider-and-system',
    id: 'eed01a06-15c9-46b1-b6d5-09dba70f07e8',
    version: 1,
    name: 'Slack: member with a new provider, or a known one on another system',
    severity: 'low',
    finds:
      'A member uses Slack through a provider, or through a known provider with an operating system, that is new for them within 60 days.',
    why: 'A copied cookie turns up with another provider or system.',
    wrongly: ['cafés and hotels', 'new computers', 'new members'],
    tune: 'Read it as a list; phones are left out.',
    triage: [
      TRIAGE_MEMBER,
      'New provider and new system on the same day is worse than either of them.',
      TRIAGE_ASK,
    ],
    attack: ['T1539', 'T1550.004'],
    query: `${PEOPLE} AND NOT slack.client.type:mobile`,
    alert: {
      on: 'new',
      fields: ['user.id', 'source.as.organization.name', 'slack.client.os'],
      within: '60d',
    },
  },
  {
    slug: 'access-two-countries',
    id: '6ddf1f78-7a62-4214-9ba0-5ef8398fd017',
    version: 1,
    name: 'Slack: one member in two countries within four hours',
    severity: 'high',
    finds:
      'One member is seen in two countries within four hours. API calls, phones, the company VPN and the hosting and VPN providers of the list are left out.',
    why: 'An account that is shared or stolen.',
    wrongly: ['flights and borders', 'VPNs that are not listed', 'wrong guesses of Slack'],
    tune: 'Lists vpn_exits, hosting_providers; phones are left out.',
    triage: [
      'Which of the two is the usual one?',
      'Are both the same device? Then it is a VPN or a journey.',
      TRIAGE_ASK,
    ],
    attack: ['T1078.004', 'T1550.004'],
    query: `${PEOPLE} AND NOT slack.client.type:mobile AND NOT {vpn_exits} AND NOT {hosting_providers}`,
    alert: {
      on: 'count',
      by: ['user.id'],
      atLeast: 2,
      distinct: 'source.geo.country_iso_code',
      within: '4h',
      time: 'happened',
    },
  },
  {
    slug: 'access-new-app-of-member',
    id: 'b130a20e-a20e-415d-b652-8956f0fef2df',
    version: 1,
    name: 'Slack: an app calls the API for a member for the first time',
    severity: 'medium',
    finds: 'An app makes API calls in the name of a member for whom it made none for 60 days.',
    why: 'Apps read what the member can, and outlive a password.',
    wrongly: ['each new app of each member, once'],
    tune: 'Exceptions for apps that everybody uses.',
    triage: [
      'Find the installation: search slack.app.id in the integration log. Which scopes, who, when?',
      'Does the address belong to the maker of the app?',
      'If nobody knows the app: remove it, which revokes its tokens.',
    ],
    attack: ['T1671', 'T1550.001'],
    query: `${ACCESS} AND NOT {own_app}`,
    alert: { on: 'new', fields: ['user.id', 'slack.app.id'], within: '60d' },
  },
  {
    slug: 'access-new-http-client',
    id: 'b5865b40-6f05-485c-a829-b7a393805edb',
    version: 1,
    name: 'Slack: a script or unknown client is new for a member',
    severity: 'high',
    finds:
      'A member uses a raw HTTP client such as curl or a Python library, or one that is no known browser or app, for the first time in 60 days.',
    why: 'Tools that copy a whole workspace look like this.',
    wrongly: ['developers', 'exotic browsers'],
    tune: 'Exceptions for developers.',
    triage: [
      'Read user_agent.original.',
      'How large is slack.access.count? Hundreds of calls are a download.',
      TRIAGE_ASK,
    ],
    attack: ['T1550.001', 'T1213.005'],
    query: `${ACCESS} AND slack.client.type:(api OR unknown) AND NOT slack.app.id:*`,
    alert: { on: 'new', fields: ['user.id', 'user_agent.name'], within: '60d' },
    splunk: {
      because: 'Splunk is sent the user agent, but not the name that was taken from it',
      earliest: '60d',
      search: `sourcetype=slack.access NOT access.user_id=0 (client.type=api OR client.type=unknown) NOT app.id=*
| rex field=access.user_agent "^(?<client_name>[^/ ]+)"
| stats min(_indextime) AS first_collected latest(_time) AS _time values(access.username) AS member values(access.ip) AS addresses values(access.user_agent) AS agents max(access.count) AS calls BY access.user_id client_name
| where first_collected >= relative_time(now(), "-30m@m") AND first_collected < relative_time(now(), "@m")`,
      names: ['access.user_id', 'client_name'],
    },
  },
  {
    slug: 'access-unknown-app',
    id: '91776603-9c17-49cf-acb6-46c62b63fcfb',
    version: 1,
    name: 'Slack: an app in use that was never added',
    severity: 'high',
    finds:
      'An app makes API calls, and no entry of the integration log ever named it. An entry read in the same half hour does not count yet.',
    why: 'Somebody uses a token that nobody approved.',
    wrongly: ['apps added within the same half hour', 'installations older than your store'],
    tune: 'Keep the integration log for years: it is small.',
    triage: [
      'Search slack.app.id in the integration log. If it was added within the last hour, this is the false alarm named above.',
      'Look the app up at https://slack.com/apps/<app id> and under Manage apps.',
      'If nobody knows the app: remove it, which revokes its tokens.',
    ],
    attack: ['T1528', 'T1550.001'],
    // Both logs, and an integration entry counts only once it is older than what the rule looks at: so it can make
    // an app known, and is never itself the news.
    query: `NOT user.id:0 AND NOT {own_app} AND (event.dataset:slack.access OR (event.dataset:slack.integration AND event.created:[* TO now-41m]))`,
    alert: { on: 'new', fields: ['slack.app.id'], within: '730d', lookBack: '40m' },
    splunk: {
      because:
        'Splunk can ask for the absence of an integration entry, so an app that was just added is no false alarm',
      earliest: '730d',
      search: `((sourcetype=slack.access client.type=api NOT access.user_id=0) OR sourcetype=slack.integration) app.id=* NOT {own_app}
| eval used=if(sourcetype="slack.access", _indextime, null())
| stats count(eval(sourcetype="slack.integration")) AS entries min(used) AS first_used latest(_time) AS _time values(access.username) AS members values(access.ip) AS addresses values(access.user_agent) AS agents BY app.id
| where entries=0 AND first_used >= relative_time(now(), "-30m@m") AND first_used < relative_time(now(), "@m")`,
      names: ['app.id'],
    },
  },
  {
    slug: 'access-hosting-provider',
    id: '85e45f51-53a3-418b-bc28-cd3fc2f622e1',
    version: 1,
    name: 'Slack: member behind a hosting or VPN provider',
    severity: 'medium',
    finds:
      'A member, not an app, uses Slack through a hosting or VPN provider of the list for the first time in 30 days.',
    why: 'Attackers rent servers and hide behind VPNs.',
    wrongly: ['private VPNs', 'virtual desktops'],
    tune: 'List hosting_providers.',
    triage: [
      'Is it your own cloud? Then take its name off the list, or add an exception for its addresses.',
      TRIAGE_MEMBER,
      TRIAGE_ASK,
    ],
    attack: ['T1078.004', 'T1090'],
    query: `${PEOPLE} AND {hosting_providers}`,
    alert: { on: 'new', fields: ['user.id', 'source.as.organization.name'], within: '30d' },
  },
  {
    slug: 'access-shared-address',
    id: 'fe18fb9f-3c8a-4b43-9b2c-635a30b6239c',
    version: 1,
    name: 'Slack: one address with many members',
    severity: 'medium',
    finds: 'Five or more members use Slack from one address within a day, offices and phones left out.',
    why: 'Many stolen sessions, used from one place.',
    wrongly: ['offices that are not listed', 'conferences', 'providers that share addresses'],
    tune: 'Fill the list offices before you enable it.',
    triage: [
      'Do these members work together, or live together?',
      'Is the same user agent on all of them?',
      'Whose address is it? A hosting provider is the bad case.',
    ],
    attack: ['T1078.004'],
    query: `${PEOPLE} AND NOT slack.client.type:mobile AND NOT {offices}`,
    alert: {
      on: 'count',
      by: ['source.ip'],
      atLeast: 5,
      distinct: 'user.id',
      within: '1d',
      time: 'collected',
    },
  },
  {
    slug: 'access-dormant-member',
    id: '9a5df689-07bd-49b7-85a7-5988788ee6de',
    version: 1,
    name: 'Slack: a dormant member wakes',
    severity: 'medium',
    finds: 'An account is used that was not used for 60 days. It may be a new one.',
    why: 'Nobody notices the use of a forgotten account.',
    wrongly: ['each new member once', 'long absences'],
    tune: 'Compare with the list of new staff.',
    triage: [
      'Search the member without a time limit: no older row means a new member.',
      'Should this account still exist?',
      TRIAGE_ASK,
    ],
    attack: ['T1078.004'],
    query: `${ACCESS} AND NOT {own_app}`,
    alert: { on: 'new', fields: ['user.id'], within: '60d' },
    splunk: {
      because: 'Splunk can look for an older row, so a new member is not reported',
      earliest: '365d',
      search: `sourcetype=slack.access NOT access.user_id=0 NOT {own_app}
| eval new=if(_indextime >= relative_time(now(), "-30m@m"), _time, null()), old=if(_indextime < relative_time(now(), "-30m@m"), _time, null())
| stats max(old) AS previous min(new) AS back latest(_time) AS _time values(access.username) AS member values(access.ip) AS addresses BY access.user_id
| where back - previous > 60 * 86400
| convert ctime(previous) ctime(back)`,
      names: ['access.user_id'],
    },
  },
  {
    slug: 'access-foreign-country',
    id: 'd7ab8ab1-2e1f-4fd9-bac7-87c687a8a7ea',
    version: 1,
    name: 'Slack: use from a country outside of the list',
    severity: 'medium',
    finds: 'A member uses Slack from a country that is not on the list, for the first time in 14 days.',
    why: 'Where nobody works, nobody should use Slack.',
    wrongly: ['travel', 'VPNs'],
    tune: 'List home_countries.',
    triage: [TRIAGE_MEMBER, 'Is this member known to travel?', TRIAGE_ASK],
    attack: ['T1078.004'],
    query: `${PEOPLE} AND NOT {home_countries}`,
    alert: { on: 'new', fields: ['user.id', 'source.geo.country_iso_code'], within: '14d' },
  },
]
