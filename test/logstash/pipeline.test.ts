import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { oddLines } from './odd-lines.ts'
import { documentsOf, eventsOf } from './pipeline.ts'
import { type LogstashEvent, SAMPLE_LINES, sampleEvents } from './samples.ts'

const TEAM = { id: 'T0EXAMPLE1', name: 'Beispiel GmbH' }

test('The sample lines become the sample events', () => {
  const events = eventsOf(readFileSync(SAMPLE_LINES, 'utf8'))
  const expected = sampleEvents()
  assert.equal(events.length, expected.length)
  for (const [index, event] of events.entries()) assert.deepEqual(event, expected[index])
})

test('Only what was created or deleted is a creation or a deletion: an app, an integration, a feed', async (t) => {
  for (const [type, changes] of Object.entries(CHANGES)) {
    for (const change of changes) {
      await t.test(`${change.change_type} ${change.rss_feed_change_type ?? ''} is a ${type}`, () => {
        const event = integration(change)
        assert.deepEqual(at(event, 'event.type'), [type])
        assert.equal(at(event, 'event.action'), `integration_${change.change_type}`)
      })
    }
  }
})

interface Change {
  change_type: string
  rss_feed_change_type?: string
}

const feed = (rss_feed_change_type: string, change_type = 'updated'): Change => ({
  change_type,
  rss_feed_change_type,
})

/** All change types that Slack documents or that were seen. */
const CHANGES: Record<string, Change[]> = {
  creation: [{ change_type: 'added' }, feed('added'), feed('added', 'added')],
  deletion: [{ change_type: 'removed' }, feed('removed'), feed('removed', 'removed')],
  change: [
    feed('updated'),
    ...[
      'enabled',
      'disabled',
      'updated',
      'expanded',
      'reissued',
      'app_collaborator_added',
      'app_whitelist_added',
      'app_whitelist_requested',
      'app_whitelist_requested_new_scopes',
      'app_whitelist_approved_with_scope_change',
      'app_whitelist_restricted_with_scope_change',
      'app_allowlist_rule_executed',
      'whitelist_enabled',
      'whitelist_disabled',
      'whitelist_requests_enabled',
      'whitelist_requests_disabled',
      'whitelist_requests_require_comment_enabled',
      'whitelist_requests_require_comment_disabled',
      'whitelist_permissions_updated',
      'whitelist_request_permissions_updated',
      'bot_token_upgraded',
      'default_calls_app_changed',
      'resource_grant_created',
      'wildcard_resource_grant_created',
      'something_new_created',
    ].map((change_type) => ({ change_type })),
  ],
}

test('The user agent shows what kind of client it was', async (t) => {
  const clients: [type: string, userAgent: unknown, app?: string][] = [
    ['api', 'ApiApp/A0EXAMPLE1 Python/3.8.5 slackclient/2.9.3 Darwin/19.6.0', 'A0EXAMPLE1'],
    ['api', `ApiApp/A0EXAMPLE1 ${BROWSER}`, 'A0EXAMPLE1'],
    ['api', 'ApiApp/A0EXAMPLE1', 'A0EXAMPLE1'],
    ['api', 'ApiApp/A0EXAMPLE1 ', 'A0EXAMPLE1'],
    ['api', 'ApiApp/ Python/3.8.5'],
    ['api', 'Python/3.8.5 slackclient/2.9.3 Darwin/19.6.0'],
    ['api', 'python-requests/2.31.0'],
    ['api', 'curl/8.4.0'],
    ['api', 'Go-http-client/1.1'],
    ['api', 'okhttp/4.12.0'],
    ['api', '@slack:web-api/8.2.0 node/20.20.0 linux/5.15.0'],
    ['api', 'slack-api-client/1.29.2 OpenJDK 64-Bit Server VM/17.0.1 Linux/5.4'],
    ['api', 'Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1.19041.1'],
    ['web', BROWSER],
    ['web', `SlackWeb/0123456789abcdef ${BROWSER}`],
    ['web', `SlackWeb ${BROWSER}`],
    ['web', 'SlackWeb/0123456789abcdef'],
    ['desktop', `${BROWSER} Slack_SSB/4.41.97`],
    ['desktop', `SlackWeb/0123456789abcdef ${BROWSER} Slack_SSB/4.41.97`],
    [
      'desktop',
      'Mozilla/5.0 (X11; Linux x86_64) Slack/4.41.97 Chrome/130.0.6723.91 Electron/33.0.2 Safari/537.36',
    ],
    ['mobile', 'com.tinyspeck.chatlyio/24.10.40 (iPhone; iOS 18.0.1; Scale/3.00)'],
    ['mobile', 'com.Slack/24.10.50.0 (Google Pixel 8; Android 14)'],
    ['mobile', 'slack/24.10.50.0 (samsung SM-S911B; Android 14)'],
    ['mobile', 'com.Slack/24.10.50.0 (Google Pixel 8; Android 14) okhttp/4.12.0'],
    ['unknown', 'Example Thing'],
    ['unknown', 'NotApiApp/A0EXAMPLE1 Thing'],
    ['unknown', '7'],
    ['unknown', ''],
    ['unknown', null],
  ]
  for (const [type, user_agent, app] of clients) {
    await t.test(`${type}: ${JSON.stringify(user_agent)}`, () => {
      const event = access({ user_agent })
      assert.equal(at(event, 'slack.client.type'), type)
      assert.equal(at(event, 'slack.app.id'), app)
      assert.equal(at(event, 'slack.app.name'), undefined)
      assert.equal(at(event, 'user_agent.original'), user_agent || undefined)
    })
  }
})

const BROWSER =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'

test('The tag in front of a user agent does not hide the browser and the system', () => {
  for (const tag of ['ApiApp/A0EXAMPLE1 ', 'SlackWeb/0123456789abcdef ', '']) {
    const event = access({ user_agent: `${tag}${BROWSER}` })
    assert.equal(at(event, 'user_agent.name'), 'Chrome')
    assert.equal(at(event, 'user_agent.os.name'), 'Linux')
    assert.equal(at(event, 'slack.client.os'), 'Linux')
    assert.equal(at(event, 'user_agent.original'), `${tag}${BROWSER}`)
  }
})

test('One field names the app of an access and of its installation', () => {
  const user_agent = 'ApiApp/A0EXAMPLE1 Python/3.8.5'
  assert.equal(at(access({ user_agent }), 'slack.app.id'), 'A0EXAMPLE1')
  const app = { app_id: 'A0EXAMPLE1', app_type: 'Example App' }
  const service = { service_id: 1234567890123, service_type: 'Example Service' }
  const named = (event: LogstashEvent): unknown[] => [at(event, 'slack.app.id'), at(event, 'slack.app.name')]
  assert.deepEqual(named(integration(app)), ['A0EXAMPLE1', 'Example App'])
  assert.deepEqual(named(integration(service)), ['1234567890123', 'Example Service'])
  assert.deepEqual(named(integration({ ...service, ...app })), ['A0EXAMPLE1', 'Example App'])
  assert.deepEqual(named(integration({ change_type: 'whitelist_enabled' })), [undefined, undefined])
})

test('Slack itself, user 0, is named and is not a related user', () => {
  for (const user of [
    { user_id: 0, user_name: 'slack' },
    { user_id: '0' },
    { user_id: 0, user_name: null },
  ]) {
    const event = integration({ change_type: 'disabled', ...user })
    assert.deepEqual(at(event, 'user'), { id: '0', name: 'slack' })
    assert.equal(at(event, 'related'), undefined)
  }
  const person = integration({ user_id: 'U0ALICE001', user_name: 'slack' })
  assert.deepEqual(at(person, 'related.user'), ['U0ALICE001', 'slack'])
})

test('Only what is an address becomes source.ip; anything else stays in source.address', async (t) => {
  const good = [
    '192.0.2.1',
    '0.0.0.0',
    '255.255.255.255',
    '2001:db8::1',
    '::1',
    '::',
    '2001:DB8:0:0:0:0:0:1',
    '::ffff:192.0.2.1',
  ]
  const bad = [
    '999.1.2.3',
    '256.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.4/24',
    'fe80::1%eth0',
    '1::2::3',
    ':::',
    '12345::',
    '1:2:3:4:5:6:7:8:9',
    '::ffff:999.1.1.1',
    '1.2.3.4\n',
    'unknown',
    ':',
    '.',
    '127',
    'beef',
  ]
  for (const ip of [...good, ...bad]) {
    await t.test(JSON.stringify(ip), () => {
      const event = access({ ip })
      const expected = good.includes(ip) ? ip : undefined
      assert.equal(at(event, 'source.address'), ip)
      assert.equal(at(event, 'source.ip'), expected)
      assert.equal(at(event, 'slack.access.ip'), expected)
      assert.deepEqual(at(event, 'related.ip'), expected && [expected])
    })
  }
})

test('What Slack leaves empty or null is left out everywhere', () => {
  for (const nothing of ['', ' ', '\t\n', null]) {
    const row = {
      ip: nothing,
      isp: nothing,
      country: nothing,
      region: nothing,
      user_agent: nothing,
      username: nothing,
    }
    const event = access(row)
    assert.deepEqual(Object.keys(at(event, 'slack.access') as object).sort(), [
      'count',
      'date_first',
      'date_last',
      'user_id',
    ])
    assert.equal(at(event, 'source'), undefined)
    assert.deepEqual(at(event, 'user'), { id: 'U0ALICE001' })
    assert.equal(at(event, 'user_agent'), undefined)
    const entry = { reason: nothing, scope: nothing, channel: nothing, app_id: nothing, service_id: 77 }
    const { slack } = integration(entry)
    assert.deepEqual(at(slack, 'app'), { id: '77' })
    assert.deepEqual(Object.keys(at(slack, 'integration') as object).sort(), [
      'date',
      'service_id',
      'user_id',
      'user_name',
    ])
  }
})

test('A time that cannot be read leaves the rest of the event as it is', async (t) => {
  const collected = '2024-11-05T09:30:00.000Z'
  for (const date_last of [
    'soon',
    '\n-5',
    1e12,
    '1730797261000',
    '99999999999999999999',
    {},
    [],
    true,
    0.5e-7,
  ]) {
    await t.test(JSON.stringify(date_last), () => {
      const event = access({ date_last })
      assert.deepEqual(at(event, 'tags'), ['slack-auditor', '_dateparsefailure'])
      assert.equal(at(event, '@timestamp'), collected)
      assert.equal(at(event, 'event.end'), undefined)
      assert.equal(at(event, 'user.name'), 'alice')
    })
  }
  await t.test('a time below zero', () => {
    const event = access({ date_last: -62_135_596_801_000 })
    assert.equal(at(event, '@timestamp'), collected)
    assert.equal(at(event, 'slack.access.date_last'), '-62135596801000')
  })
})

test('A count is a number, or the string that Slack sent', () => {
  for (const count of [17, '17']) assert.equal(at(access({ count }), 'slack.access.count'), 17)
  for (const count of ['many', '1e3', '-1', '1.5', '1\n-5', '9'.repeat(30)])
    assert.equal(at(access({ count }), 'slack.access.count'), count)
})

test('The name of an unknown field makes no object and replaces no other field', () => {
  const names = { 'user.id': 'other', 'user.': 'last', '': 'none', ' ': 'blank', '[a]': 'brackets' }
  const event = access({ ...names, user_id: 'U0ALICE001', new: { a: [1.5], 'b.c': null } })
  const { user_id, user_, _, _a_, new: json } = at(event, 'slack.access') as Record<string, unknown>
  assert.deepEqual([user_, _, _a_, json], ['last', 'blank', 'brackets', '{"a":[1.5],"b.c":null}'])
  assert.equal(user_id, 'U0ALICE001')
  const dotted = access({ 'user.id': 'other', user_id: undefined })
  assert.equal(at(dotted, 'slack.access.user_id'), 'other')
})

test('Of names that become equal the same one counts, in whatever order they come', () => {
  const names = ['a.b', 'a[b', 'a]b', 'a_b']
  for (const order of [names, names.toReversed()]) {
    const event = access(Object.fromEntries(order.map((name) => [name, name])))
    assert.equal(at(event, 'slack.access.a_b'), 'a_b')
    const changed = order.filter((name) => name !== 'a_b')
    assert.equal(
      at(access(Object.fromEntries(changed.map((name) => [name, name]))), 'slack.access.a_b'),
      'a]b',
    )
  }
})

test('Anything that is not a complete line is kept as text, whatever it holds', async (t) => {
  const odd = [
    'torn',
    'null',
    '[{},{}]',
    '{}',
    '7',
    '{"a":{"b":1}}',
    '{"dataset":"slack.other","id":"x"}',
    '{"dataset":["slack.access"],"access":{}}',
    '{"dataset":"slack.access","id":"x","access":[1]}',
    '{"dataset":"slack.integration","id":"x","access":{}}',
    '{"dataset":"slack.auditor","id":"x","run":"none"}',
  ]
  for (const line of odd) {
    await t.test(line, () => {
      const [event = {}, ...more] = eventsOf(line)
      assert.equal(more.length, 0)
      assert.equal(at(event, 'event.kind'), 'pipeline_error')
      assert.equal(at(event, 'data_stream.dataset'), 'slack.auditor')
      assert.deepEqual(at(event, 'slack'), { line })
      assert.equal(at(event, 'message'), line)
    })
  }
})

test('The report of a run that never learnt its workspace has no team', () => {
  const run = { log: 'access', outcome: 'failure' }
  const [event = {}] = eventsOf([{ dataset: 'slack.auditor', id: 'x', team: { id: null, name: null }, run }])
  assert.deepEqual(at(event, 'slack'), { dataset: 'slack.auditor', id: 'x', run })
  assert.equal(at(event, 'organization'), undefined)
})

test('A report is stamped with the end of its run', () => {
  const run = { log: 'access', outcome: 'success', started: '2024-11-05T09:01:40.250Z', duration_ms: 5312 }
  const [event = {}] = eventsOf([{ dataset: 'slack.auditor', id: 'x', team: TEAM, run }])
  assert.equal(at(event, '@timestamp'), '2024-11-05T09:01:45.562Z')
  assert.equal(at(event, 'event.duration'), 5_312_000_000)
  assert.equal(at(event, 'event.kind'), 'state')
})

test('A document has the id of its line, or a new one, and the data stream of its log', () => {
  const documents = documentsOf([accessLine({}), 'torn', 'torn'])
  assert.deepEqual(
    documents.map(({ dataStream }) => dataStream),
    ['logs-slack.access-default', 'logs-slack.auditor-default', 'logs-slack.auditor-default'],
  )
  assert.equal(documents[0]?.id, 'an-id')
  assert.equal(new Set(documents.map(({ id }) => id)).size, 3)
})

const SEED = Number(process.env['SEED'] ?? 20_241_105)

test(`Odd entries become events all the same, and no field changes its type (SEED=${SEED})`, () => {
  const lines = oddLines(SEED, 1000)
  const events = eventsOf(lines.join('\n'))
  assert.equal(events.length, lines.length)
  const types = new Map<string, string>()
  for (const [index, event] of events.entries()) {
    const tags = at(event, 'tags') as string[]
    const known = ['slack-auditor', '_dateparsefailure']
    assert.deepEqual(
      tags.filter((tag) => !known.includes(tag)),
      [],
      lines[index],
    )
    for (const [path, type] of typesOf(event)) {
      const before = types.get(path) ?? type
      assert.equal(type, before, `${path} in ${lines[index]}`)
      types.set(path, before)
    }
  }
  assert.equal(types.get('slack.access.user_id'), 'string')
  assert.equal(types.get('slack.integration.scope'), 'list of string')
})

/** Each field with its type. A count that is not a number is a string; a store is told to ignore it. */
function typesOf(value: unknown, path = ''): [path: string, type: string][] {
  if (Array.isArray(value)) return value.length === 0 ? [] : [[path, `list of ${typeof value[0]}`]]
  if (typeof value !== 'object' || value === null)
    return path.endsWith('.count') ? [] : [[path, typeof value]]
  return Object.entries(value).flatMap(([name, inner]) => {
    assert.doesNotMatch(name, /\./)
    return typesOf(inner, path === '' ? name : `${path}.${name}`)
  })
}

test('The same seed gives the same odd lines, and another seed others', () => {
  assert.deepEqual(oddLines(1, 50), oddLines(1, 50))
  assert.notDeepEqual(oddLines(1, 50), oddLines(2, 50))
})

function access(entry: Record<string, unknown>): LogstashEvent {
  return onlyEventOf(accessLine(entry))
}

function accessLine(entry: Record<string, unknown>): object {
  const usual = {
    user_id: 'U0ALICE001',
    username: 'alice',
    date_first: 1730797000,
    date_last: 1730797261,
    count: 1,
  }
  return { dataset: 'slack.access', id: 'an-id', row: 'a-row', team: TEAM, access: { ...usual, ...entry } }
}

function integration(entry: object): LogstashEvent {
  const usual = { user_id: 'U0ALICE001', user_name: 'alice', date: 1730797000 }
  return onlyEventOf({
    dataset: 'slack.integration',
    id: 'an-id',
    team: TEAM,
    integration: { ...usual, ...entry },
  })
}

function onlyEventOf(line: object): LogstashEvent {
  const [event, ...more] = eventsOf([line])
  assert.ok(event)
  assert.equal(more.length, 0)
  return event
}

/** The value at a path such as `event.type`. */
function at(event: unknown, path: string): unknown {
  let value = event
  for (const step of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[step]
  return value
}

test('What the detections compare is never missing and never empty, whatever Slack sends', () => {
  const rows = eventsOf(oddLines(SEED, 1000).join('\n')).filter(
    (event) => at(event, 'event.dataset') === 'slack.access',
  )
  assert.ok(rows.length > 100)
  for (const event of rows)
    for (const field of ['program', 'version', 'os', 'provider', 'country'])
      assert.match(String(at(event, `slack.client.${field}`)), /./s, `${field}, SEED=${SEED}`)
})

test('A script is named by its library, a provider by its name alone, a line by its network', async (t) => {
  for (const [user_agent, program] of [
    ['Python/3.11.4 slackclient/3.33.3 Linux/5.15.0', 'slackclient'],
    ['Python/3.11 aiohttp/3.9.1', 'aiohttp'],
    ['@slack:web-api/7.5.0 node/20.17.0 linux/5.15.0', '@slack:web-api'],
    ['node', 'node'],
    ['Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.2', 'powershell'],
    ['slack-api-client/1.42.0 (Java; Linux)', 'slack-api-client'],
    ['', 'none'],
  ] as const)
    await t.test(user_agent || 'no user agent', () => {
      assert.equal(at(access({ user_agent }), 'slack.client.program'), program)
      assert.equal(at(access({ user_agent: `ApiApp/A1 ${user_agent}` }), 'slack.client.program'), program)
    })
  for (const [isp, provider] of [
    ['Swisscom (Schweiz) AG', 'swisscom schweiz'],
    ['DigitalOcean, LLC', 'digitalocean'],
    ['DIGITALOCEAN-ASN', 'digitalocean'],
    ['AMAZON-02', 'amazon'],
    ['Télé2 S.A.S.', 'télé2'],
    ['', 'none'],
  ] as const)
    await t.test(isp || 'no provider', () =>
      assert.equal(at(access({ isp }), 'slack.client.provider'), provider),
    )
  for (const [ip, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:17::9', '2001:0db8:0000:0017::/64'],
    ['unknown', undefined],
  ] as const)
    await t.test(ip, () => assert.equal(at(access({ ip }), 'slack.client.network'), network))
})
