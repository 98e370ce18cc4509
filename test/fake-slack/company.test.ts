import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, test } from 'node:test'
import { inventCompany } from './company.ts'
import type { IntegrationRow } from './integrations.ts'
import type { AccessRow } from './workspace.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const NOW = 1_764_000_000
const SEED = 1

const company = inventCompany({ seed: SEED, now: NOW })
const { accessRows, integrationRows, collector } = company
const added = integrationRows.filter((row) => row.change_type === 'added')
const people = accessRows.filter(({ user_id }) => !/^U0B|^U0AUDIT/.test(user_id))

function share<Row>(rows: readonly Row[], has: (row: Row) => boolean): number {
  return rows.filter(has).length / rows.length
}

function groups<Row>(rows: readonly Row[], key: (row: Row) => unknown): Map<unknown, Row[]> {
  const found = new Map<unknown, Row[]>()
  for (const row of rows) found.set(key(row), [...(found.get(key(row)) ?? []), row])
  return found
}

const reason = (name: string) => (row: IntegrationRow) => row['reason'] === name
const scope = (pattern: RegExp) => (row: IntegrationRow) => pattern.test(String(row['scope'] ?? ''))
const isMobile = ({ user_agent }: AccessRow) =>
  /^(com\.tinyspeck\.chatlyio|com\.Slack|slack)\//.test(user_agent)
const isApp = ({ user_agent }: AccessRow) => user_agent.startsWith('ApiApp/')
/** The user agent without the tag of Slack's page and without versions: what stays the same for years. */
const device = ({ user_agent }: AccessRow) => user_agent.replace(/^SlackWeb\/\w+ /, '').replaceAll(/\d+/g, '')

describe(`the company of seed ${SEED}`, () => {
  test('is the same for the same seed and another one for another seed', () => {
    assert.deepEqual(
      inventCompany({ seed: 3, members: 20, now: NOW }),
      inventCompany({ seed: 3, members: 20, now: NOW }),
    )
    assert.notDeepEqual(
      inventCompany({ seed: 4, members: 20, now: NOW }).accessRows,
      inventCompany({ seed: 3, members: 20, now: NOW }).accessRows,
    )
  })

  test('has rows that Slack could hold: times in order, nothing in the future, no identity twice', () => {
    for (const { date_first, date_last, count } of accessRows) {
      assert.ok(date_first <= date_last && date_last <= NOW && date_first >= NOW - 32 * DAY)
      assert.ok(Number.isInteger(date_first) && Number.isInteger(date_last))
      assert.ok(count === 1 ? date_first === date_last : count > 1 && date_last >= date_first)
    }
    const identities = accessRows.map((row) =>
      [row.user_id, row.ip, row.user_agent, row.date_first].join(' '),
    )
    assert.equal(new Set(identities).size, accessRows.length)
    for (const { date } of integrationRows) assert.ok(Number(date) <= NOW)
  })

  test('has no address that could be real', () => {
    for (const { ip } of accessRows) {
      assert.ok(isIP(String(ip)), String(ip))
      assert.match(String(ip), /^(2001:db8:|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|198\.1[89]\.)/)
    }
  })

  for (const [what, measured, expected] of [
    [
      'rows that last no longer than a day',
      share(accessRows, (row) => row.date_last - row.date_first <= DAY),
      0.97,
    ],
    ['rows of phones and tablets', share(accessRows, isMobile), 0.45],
    ['rows of apps', share(accessRows, isApp), 0.12],
    [
      'rows that tell the release of the page',
      share(accessRows, (row) => /^SlackWeb/.test(row.user_agent)),
      0.22,
    ],
    ['rows without a country', share(accessRows, (row) => !row.country), 0.01],
    ['entries of type added', added.length / integrationRows.length, 0.39],
    ['removals for a deactivation', share(integrationRows, reason('user_deactivated')), 0.2],
    ['removals for an archived channel', share(integrationRows, reason('channel_archive')), 0.02],
    ['added: the first of its app', groups(added, (row) => row['app_id']).size / added.length, 0.22],
    [
      'added: sign-in scopes only',
      share(added, scope(/^(identity\.\w+|openid|email|profile|identify|,)+$/)),
      0.35,
    ],
    [
      'added: high scopes',
      share(added, scope(/\badmin\b|MAX|:history|search:read|app_configurations:write/)),
      0.055,
    ],
    ['added: webhooks', share(added, (row) => row['app_type'] === 'Incoming WebHooks'), 0.06],
    ['added: tokens', share(added, (row) => /Tester|Tooling/.test(String(row['app_type']))), 0.028],
    [
      'recently added: no scope',
      share(
        added.filter((row) => typeof row.date === 'number'),
        (row) => row['scope'] === undefined,
      ),
      0.55,
    ],
  ] as const)
    test(`has its share of ${what}`, () => {
      assert.ok(measured > expected * 0.7 && measured < expected * 1.3, `${measured}, expected ${expected}`)
    })

  test('has as many members as asked for, who mostly come on weekdays', () => {
    const members = new Set(people.map(({ user_id }) => user_id)).size
    assert.ok(members > 480 && members < 560, String(members))
    const onWeekend = share(people, ({ date_first }) =>
      [0, 6].includes(new Date(date_first * 1000).getUTCDay()),
    )
    assert.ok(onWeekend > 0.01 && onWeekend < 0.12, String(onWeekend))
  })

  test('has people who keep their devices and seldom go abroad', () => {
    let abroad = 0
    const own = groups(
      people.filter((row) => !isApp(row) && /Mozilla|^com\.|^slack/.test(row.user_agent)),
      (row) => row.user_id,
    )
    for (const rows of own.values()) {
      assert.ok(new Set(rows.map(device)).size <= 4, [...new Set(rows.map(device))].join('\n'))
      const countries = [
        ...groups(
          rows.filter(({ country }) => country),
          ({ country }) => country,
        ).values(),
      ]
      if (countries.length > 2) abroad++
    }
    assert.ok(abroad > 0 && abroad < own.size * 0.15, String(abroad))
  })

  test('has addresses of one person, of a few and of many', () => {
    const sizes = [...groups(people, (row) => row.ip).values()].map(
      (rows) => new Set(rows.map((row) => row.user_id)).size,
    )
    assert.ok(share(sizes, (size) => size === 1) > 0.8)
    assert.ok(Math.max(...sizes) > 100, 'an office')
    assert.ok(
      sizes.some((size) => size > 10 && size < 60),
      'a mobile network',
    )
  })

  test('has apps that call only after somebody installed them', () => {
    const installedAt = new Map<unknown, number>()
    for (const { app_id, date } of added.toReversed()) installedAt.set(app_id, Number(date))
    const calls = accessRows.filter(isApp)
    for (const { user_agent, date_first } of calls) {
      const id = user_agent.slice('ApiApp/'.length).split(' ')[0]
      assert.ok((installedAt.get(id) ?? Number.POSITIVE_INFINITY) <= date_first, user_agent)
    }
    assert.ok(
      calls.some(
        ({ user_id, user_agent }) => user_id === collector.user_id && user_agent.includes(collector.app_id),
      ),
    )
    assert.ok(
      calls.some(({ user_id }) => user_id.startsWith('U0B')),
      'a bot',
    )
    assert.ok(
      accessRows.some(({ user_agent }) => /^(curl|python|Postman)/.test(user_agent)),
      'a script',
    )
  })

  test('has leavers who take up to ten integrations along within minutes and are not seen again', () => {
    const leavers = groups(integrationRows.filter(reason('user_deactivated')), (row) => row['user_id'])
    const sizes = [...leavers.values()].map((rows) => rows.length)
    assert.equal(Math.max(...sizes), 10)
    for (const [user, rows] of leavers) {
      const times = rows.map(({ date }) => Number(date))
      assert.ok(Math.max(...times) - Math.min(...times) < 5 * 60)
      const seenLast = Math.max(
        0,
        ...accessRows.filter(({ user_id }) => user_id === user).map(({ date_last }) => date_last),
      )
      assert.ok(seenLast <= Math.max(...times))
    }
  })

  test('has installs of two entries, twins, feeds, entries of Slack itself, and strings in the old half only', () => {
    const now = added.filter((row) => typeof row.date === 'number')
    const pairs = now.filter((row, index) => {
      const next = now[index + 1]
      return (
        row['app_id'] === next?.['app_id'] &&
        Number(next?.date) - Number(row.date) < 3 &&
        row['scope'] &&
        !next?.['scope']
      )
    })
    assert.ok(pairs.length > 50)
    assert.ok(new Set(integrationRows.map((row) => JSON.stringify(row))).size < integrationRows.length)
    const feeds = integrationRows.filter((row) => row['rss_feed'])
    assert.ok(
      feeds.length > 0 && feeds.every((row) => row.change_type === 'updated' && row['rss_feed_change_type']),
    )
    assert.ok(integrationRows.some((row) => row['user_id'] === 0 && row['user_name'] === 'slack'))
    const types = integrationRows.map(({ date }) => typeof date)
    assert.equal(types.lastIndexOf('string') + 1, types.indexOf('number'))
    for (const { date, service_id } of integrationRows)
      if (service_id !== undefined) assert.equal(typeof service_id, typeof date)
  })
})
