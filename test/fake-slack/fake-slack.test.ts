import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import { TOKEN } from '../program.ts'
import { type Fault, type ServerOptions, serve } from './server.ts'
import { type Answer, Slack, type SlackOptions } from './slack.ts'
import { type AccessRow, type IntegrationRow, Workspace } from './workspace.ts'

const NOW = 1_764_000_000
const HOUR = 3600
const BEARER = { authorization: `Bearer ${TOKEN}` }

const workspaceOf = (accessRows: number, seed = 1): Workspace => new Workspace({ seed, now: NOW, accessRows })

const slackOf = (accessRows: number, options: Omit<SlackOptions, 'workspace'> = {}): Slack =>
  new Slack({ workspace: workspaceOf(accessRows), ...options })

const logins = (answer: Answer): AccessRow[] => answer['logins'] as AccessRow[]
const logs = (answer: Answer): IntegrationRow[] => answer['logs'] as IntegrationRow[]
const nextCursor = (answer: Answer): string =>
  (answer['response_metadata'] as { next_cursor: string }).next_cursor

/** All pages of one cursor listing, up to its end or the first refusal. */
function walk(slack: Slack, args: Record<string, string>): Answer[] {
  const pages: Answer[] = []
  for (let cursor = ''; ; ) {
    const answer = slack.answer('team.accessLogs', { ...args, ...(cursor && { cursor }) })
    pages.push(answer)
    cursor = answer['ok'] ? nextCursor(answer) : ''
    if (!cursor) return pages
  }
}

/** How far, at most, a row is newer than one before it. */
function worstInversion(times: number[]): number {
  let lowest = Infinity
  let worst = 0
  for (const time of times) {
    worst = Math.max(worst, time - lowest)
    lowest = Math.min(lowest, time)
  }
  return worst
}

test('the same seed gives the same history, however the time is cut; another seed another one', () => {
  const inOneGo = workspaceOf(300)
  const inSteps = workspaceOf(300)
  const another = workspaceOf(300, 2)
  inOneGo.advanceTo(NOW + 6 * HOUR)
  for (let time = NOW; time <= NOW + 6 * HOUR; time += 600) inSteps.advanceTo(time)
  another.advanceTo(NOW + 6 * HOUR)
  assert.ok(inOneGo.version > 50, 'something happens in six hours')
  assert.deepEqual(inSteps.accessRows(), inOneGo.accessRows())
  assert.deepEqual(inSteps.integrationRows(), inOneGo.integrationRows())
  assert.notDeepEqual(another.accessRows(), inOneGo.accessRows())
  assert.notEqual(another.team.id, inOneGo.team.id)
})

test('a made-up past ends at its clock, and its two times sort unlike each other', () => {
  const rows = workspaceOf(2000).accessRows()
  assert.equal(rows.length, 2000)
  const newest = Math.max(...rows.map((row) => row.date_last))
  assert.ok(newest <= NOW && newest > NOW - 60)
  assert.ok(rows.every((row) => row.date_first <= row.date_last))
  assert.ok(rows.some((row) => row.date_first === row.date_last))
  const byLast = rows.toSorted((a, b) => b.date_last - a.date_last)
  const byFirst = rows.toSorted((a, b) => b.date_first - a.date_first)
  assert.ok(worstInversion(byLast.map((row) => row.date_first)) > 12 * HOUR)
  assert.ok(worstInversion(byFirst.map((row) => row.date_last)) > 12 * HOUR)
  const lengths = (longRows: number) =>
    new Workspace({ seed: 1, now: NOW, accessRows: 2000, longRows })
      .accessRows()
      .map(({ date_first, date_last }) => date_last - date_first)
  assert.ok(Math.max(...lengths(0)) <= 24 * HOUR, 'a row is a session of up to a day')
  assert.ok(Math.max(...lengths(0.2)) > 14 * 24 * HOUR, 'or of weeks, if asked for')
})

/** What tells one row from another; a missing address counts as null. */
const identityOf = (row: AccessRow): string =>
  JSON.stringify([row.user_id, row.ip ?? null, row.user_agent, row.date_first])

test('no two rows are of one identity, however crowded it gets, and no address could be real', () => {
  const rows = new Workspace({ seed: 1, now: NOW, accessRows: 5000, days: 0.01 }).accessRows()
  assert.equal(new Set(rows.map(identityOf)).size, 5000)
  for (const { ip } of rows)
    if (ip)
      assert.ok(
        isIPv6(ip) ? ip.startsWith('2001:db8:') : /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/.test(ip),
        ip,
      )
})

test('the oddities of real logs are there, and can be left out', () => {
  const { accessRows, integrationRows } = rowsOf({})
  assert.ok(accessRows.some((row) => row.ip === null && row.isp === null && row.country === null))
  assert.ok(accessRows.some((row) => row.ip === ''))
  assert.ok(accessRows.some((row) => !('ip' in row)))
  assert.ok(accessRows.some((row) => row.region === '12345'))
  assert.ok(accessRows.some((row) => /\p{Extended_Pictographic}/u.test(row.username)))
  assert.ok(integrationRows.some((row) => row['user_id'] === 0))
  assert.ok(integrationRows.some((row) => row['rss_feed'] === true))
  assert.ok(integrationRows.some((row) => !row['app_id'] && !row['service_id']))
  for (const field of ['date', 'service_id'])
    for (const type of ['string', 'number'])
      assert.ok(
        integrationRows.some((row) => typeof row[field] === type),
        `${field} as ${type}`,
      )
  assert.ok(new Set(integrationRows.map((row) => JSON.stringify(row))).size < integrationRows.length, 'twins')

  const plain = rowsOf({ odd: false })
  assert.match(JSON.stringify(plain), /^\p{ASCII}*$/u)
  assert.ok(plain.accessRows.every((row) => row.ip && row.isp && row.country))
  assert.ok(plain.integrationRows.every((row) => typeof row.date === 'number'))
})

function rowsOf(options: { odd?: boolean }): {
  accessRows: readonly AccessRow[]
  integrationRows: readonly IntegrationRow[]
} {
  const workspace = new Workspace({ seed: 3, now: NOW, accessRows: 500, ...options })
  return { accessRows: workspace.accessRows(), integrationRows: workspace.integrationRows() }
}

test('the user agents, sessions and entries of a long log come in about the shares of real ones', () => {
  const workspace = new Workspace({ seed: 5, now: NOW, accessRows: 20_000, integrationRows: 4000 })
  const access = workspace.accessRows()
  const integrations = workspace.integrationRows()
  const agents = (pattern: RegExp) => (row: AccessRow) => pattern.test(row.user_agent)
  const added = integrations.filter((row) => row.change_type === 'added')
  const isAbout = (what: string, share: number, expected: number): void =>
    assert.ok(share > expected * 0.75 && share < expected * 1.25, `${what}: ${share}`)
  const shareOf = <Row>(rows: readonly Row[], of: (row: Row) => boolean): number =>
    rows.filter(of).length / rows.length

  isAbout('calls of apps', shareOf(access, agents(/^ApiApp\/A0\w+ \S/)), 0.12)
  isAbout('the tag of the page', shareOf(access, agents(/^SlackWeb\/[0-9a-f]{40} Mozilla/)), 0.3)
  isAbout('phones', shareOf(access, agents(/^(com\.tinyspeck\.chatlyio|com\.Slack|slack)\//)), 0.25)
  isAbout(
    'sessions',
    shareOf(access, (row) => row.date_last - row.date_first <= 24 * HOUR),
    0.9,
  )
  for (const nothing of ['', null])
    assert.ok(access.some(({ isp, country }) => isp === nothing && country === nothing))

  isAbout('added', added.length / integrations.length, 0.39)
  isAbout(
    'deactivations',
    shareOf(integrations, (row) => row['reason'] === 'user_deactivated'),
    0.2,
  )
  isAbout(
    'sign-ins',
    shareOf(added, (row) => /^(identi|openid)/.test(String(row['scope']))),
    0.36,
  )
  isAbout(
    'bots',
    shareOf(added, (row) => row['scope'] === undefined),
    0.35,
  )
  for (const reason of ['channel_archive', 'system_inactive_api_tester_token', 'team_downgrade'])
    assert.ok(
      integrations.some((row) => row['reason'] === reason),
      reason,
    )
  const feeds = integrations.filter((row) => row['rss_feed'])
  assert.ok(feeds.length > 100 && feeds.every((row) => row.change_type === 'updated'))
  assert.deepEqual(new Set(feeds.map((row) => row['rss_feed_change_type'])), new Set(['added', 'removed']))
  const half = NOW - (365 / 2) * 24 * HOUR
  for (const { date } of integrations) assert.equal(typeof date, Number(date) < half ? 'string' : 'number')
})

test('rows that were made elsewhere are added as they are', () => {
  const workspace = new Workspace({ seed: 1, now: NOW, accessRows: 0, integrationRows: 0 })
  const [row] = workspaceOf(1).accessRows()
  const entry = { date: '1', change_type: 'whitelist_enabled' }
  workspace.addAll({ accessRows: [row as AccessRow], integrationRows: [entry] })
  assert.deepEqual([workspace.accessRows(), workspace.integrationRows()], [[row], [entry]])
  assert.equal(workspace.version, 2)
})

test('while time passes rows begin, grow and are replaced, some up to an hour late, some in one second', () => {
  const workspace = new Workspace({ seed: 1, now: NOW, accessRows: 500, days: 10 })
  const before = [...workspace.accessRows()]
  const copies = structuredClone(before)
  const delays: number[] = []
  const perSecond = new Map<number, number>()
  const lastSeen = new Map<string, number>()
  let integrations = 0
  workspace.onChange = (kind, row, visibleAt) => {
    assert.equal(visibleAt, workspace.now)
    if (kind === 'integration') integrations++
    else {
      const { date_last } = row as AccessRow
      const identity = identityOf(row as AccessRow)
      assert.ok(date_last >= (lastSeen.get(identity) ?? 0), 'a late update turns nothing back')
      lastSeen.set(identity, date_last)
      perSecond.set(date_last, (perSecond.get(date_last) ?? 0) + 1)
      delays.push(visibleAt - date_last)
    }
  }
  workspace.advanceTo(NOW + 48 * HOUR)
  assert.equal(workspace.now, NOW + 48 * HOUR)

  assert.deepEqual(before, copies, 'what was read stays as it was')
  const after = workspace.accessRows()
  assert.ok(after.length > before.length)
  const grown = before.flatMap((row, position) =>
    after[position] === row ? [] : [{ row, now: after[position] as AccessRow }],
  )
  assert.ok(grown.length > 3)
  for (const { row, now } of grown) {
    assert.deepEqual({ ...now, date_last: row.date_last, count: row.count }, row)
    assert.ok(now.count > row.count && now.date_last >= row.date_last)
  }
  assert.ok(
    grown.every(({ now }) => now.date_last - now.date_first <= 24 * HOUR),
    'no session lasts longer than a day',
  )
  assert.ok(Math.min(...delays) >= 0)
  assert.ok(
    delays.some((delay) => delay > HOUR / 2) &&
      delays.filter((delay) => delay < 1).length > delays.length / 4,
  )
  assert.ok(Math.max(...perSecond.values()) >= 4, 'a burst')
  assert.ok(integrations > 0)
})

test('nothing is late without a delay, and nothing happens without activity', () => {
  const workspace = workspaceOf(100)
  workspace.advanceTo(NOW + HOUR, { perHour: 0 })
  assert.equal(workspace.version, 0)
  workspace.onChange = (kind, row, visibleAt) => {
    if (kind === 'access') assert.equal((row as AccessRow).date_last, Math.floor(visibleAt))
  }
  workspace.advanceTo(NOW + 24 * HOUR, { maxDelay: 0 })
  assert.ok(workspace.version > 100)
  workspace.advanceTo(NOW)
  assert.equal(workspace.now, NOW + 24 * HOUR)
})

test('a row that is touched moves to where its new time belongs', () => {
  const workspace = workspaceOf(50)
  const slack = new Slack({ workspace })
  const head = (): AccessRow | undefined => logins(slack.answer('team.accessLogs', { limit: '1' }))[0]
  const oldest = logins(slack.answer('team.accessLogs', { limit: '50' })).at(-1) as AccessRow
  assert.notEqual(head(), oldest)
  const touched = workspace.touch(oldest, NOW + 5)
  assert.deepEqual(touched, { ...oldest, date_last: NOW + 5, count: oldest.count + 1 })
  assert.equal(head(), touched)
  const late = workspace.addAccess({ date_last: NOW + 4, username: 'late' })
  assert.equal(logins(slack.answer('team.accessLogs', { limit: '2' }))[1], late)
  assert.throws(() => workspace.touch(oldest, NOW + 9), /not visible/)
})

for (const order of ['date_last', 'date_first'] as const)
  for (const filter of ['date_last', 'date_first'] as const)
    test(`an access log sorted by ${order} descends in it, and \`before\` includes its second of ${filter}`, () => {
      const slack = slackOf(900, { order, filter })
      const all = logins(slack.answer('team.accessLogs', { limit: '1000' }))
      assert.equal(all.length, 900)
      assert.equal(worstInversion(all.map((row) => row[order])), 0)
      const bound = all[300]?.[filter] as number
      const listed = logins(slack.answer('team.accessLogs', { limit: '1000', before: String(bound) }))
      assert.deepEqual(
        listed,
        all.filter((row) => row[filter] <= bound),
      )
      assert.ok(listed.some((row) => row[filter] === bound))
    })

for (const cursors of ['keyed', 'offset'] as const)
  test(`a walk with ${cursors} cursors reads every row once and ends with an empty cursor`, () => {
    const slack = slackOf(1000, { cursors })
    const pages = walk(slack, { limit: '99' })
    assert.equal(pages.length, 11)
    assert.equal(new Set(pages.flatMap(logins)).size, 1000)
    assert.equal(pages.flatMap(logins).length, 1000)
    assert.equal(nextCursor(pages.at(-1) as Answer), '')
    assert.ok(pages.every((page) => !('paging' in page)))
  })

test('a row that arrives at the head pushes others past an offset, not past a key', () => {
  for (const [cursors, repeated] of [
    ['keyed', 0],
    ['offset', 1],
  ] as const) {
    const workspace = workspaceOf(20)
    const slack = new Slack({ workspace, cursors })
    const first = slack.answer('team.accessLogs', { limit: '10' })
    workspace.addAccess({ date_last: NOW + 1 })
    const second = slack.answer('team.accessLogs', { limit: '10', cursor: nextCursor(first) })
    assert.equal(logins(second).filter((row) => logins(first).includes(row)).length, repeated, cursors)
  }
})

test('what is not repeated with a cursor is forgotten', () => {
  const slack = slackOf(100)
  const all = logins(slack.answer('team.accessLogs', { limit: '100' }))
  const before = String(all[50]?.date_last)
  const cursor = nextCursor(slack.answer('team.accessLogs', { limit: '10' }))
  assert.equal(logins(slack.answer('team.accessLogs', { limit: '10', cursor }))[0], all[10])
  assert.equal(
    logins(slack.answer('team.accessLogs', { limit: '10', cursor, before }))[0],
    all.find((row) => row.date_last <= Number(before)),
  )
  // Without `limit` it is not even cursor mode.
  assert.equal(logins(slack.answer('team.accessLogs', { cursor }))[0], all[0])
})

test('classic pages count from 1, default to 100 rows, and are empty past the last', () => {
  for (const paging of ['classic', 'cursor'] as const) {
    const slack = slackOf(250, { paging })
    const page = (args: Record<string, string>): Answer => slack.answer('team.accessLogs', args)
    assert.deepEqual(page({})['paging'], { count: 100, total: 250, page: 1, pages: 3 })
    assert.equal(logins(page({ page: '3' })).length, 50)
    assert.deepEqual(logins(page({ page: '4' })), [])
    assert.equal(page({})['warning'], paging === 'cursor' ? 'use_cursor_pagination_instead' : undefined)
  }
})

test('a Slack without cursors ignores limit and cursor', () => {
  const answer = slackOf(250, { paging: 'classic' }).answer('team.accessLogs', { limit: '10', cursor: 'x' })
  assert.equal(logins(answer).length, 100)
  assert.equal(answer['response_metadata'], undefined)
})

test('arguments out of bounds are refused by the name Slack gives it', () => {
  const slack = slackOf(10)
  for (const [method, args, error] of [
    ['team.accessLogs', { limit: '1001' }, 'invalid_limit'],
    ['team.accessLogs', { limit: '0' }, 'invalid_limit'],
    ['team.accessLogs', { count: '1001' }, 'over_pagination_limit'],
    ['team.accessLogs', { page: '101' }, 'over_pagination_limit'],
    ['team.accessLogs', { page: '0' }, 'invalid_arguments'],
    ['team.accessLogs', { before: '1.566e+09' }, 'invalid_arguments'],
    ['team.accessLogs', { limit: '10', cursor: 'bogus' }, 'invalid_cursor'],
    ['team.integrationLogs', { count: '1001' }, 'over_pagination_limit'],
    ['team.integrationLogs', { change_type: 'expanded' }, 'invalid_arguments'],
    ['team.info', {}, 'unknown_method'],
  ] as const)
    assert.equal(slack.answer(method, args)['error'], error, `${method} ${JSON.stringify(args)}`)
  assert.equal(logins(slack.answer('team.accessLogs', { limit: '1000' })).length, 10)
})

test('the page after the cap is refused in both modes', () => {
  const slack = slackOf(100, { pageCap: 3 })
  const pages = walk(slack, { limit: '10' })
  assert.deepEqual(
    pages.map((page) => page['error'] ?? 'ok'),
    ['ok', 'ok', 'ok', 'over_pagination_limit'],
  )
  const classic = (page: string): Answer => slack.answer('team.accessLogs', { count: '10', page })
  assert.deepEqual(classic('3')['paging'], { count: 10, total: 100, page: 3, pages: 10 })
  assert.equal(classic('4')['error'], 'over_pagination_limit')
})

test('short and empty pages come in the middle, and no row is lost by them', () => {
  for (const cursors of ['keyed', 'offset'] as const) {
    const pages = walk(slackOf(200, { cursors, shortPages: 0.7 }), { limit: '5' })
    const sizes = pages.slice(0, -1).map((page) => logins(page).length)
    assert.ok(sizes.includes(0) && sizes.includes(3) && sizes.includes(5))
    assert.equal(new Set(pages.flatMap(logins)).size, 200)
  }
})

test('a server may give fewer rows than asked', () => {
  const slack = slackOf(100, { maxPageRows: 30 })
  assert.deepEqual(
    walk(slack, { limit: '999' }).map((page) => logins(page).length),
    [30, 30, 30, 10],
  )
  const answer = slack.answer('team.accessLogs', { count: '1000' })
  assert.equal(logins(answer).length, 30)
  assert.deepEqual(answer['paging'], { count: 30, total: 100, page: 1, pages: 4 })
})

test('cursors die with their listing after so many calls', () => {
  for (const cursorLife of [1, 3]) {
    const slack = slackOf(100, { cursorLife })
    for (const _ of ['once', 'again, from the start']) {
      const pages = walk(slack, { limit: '10' })
      assert.equal(pages.length, cursorLife + 1)
      assert.equal(pages.at(-1)?.['error'], 'invalid_cursor')
    }
  }
})

test('paging may come in cursor mode too, and then always speaks of page 1', () => {
  const pages = walk(slackOf(30, { pagingInCursorMode: true }), { limit: '10' })
  assert.deepEqual(
    pages.map((page) => page['paging']),
    Array(3).fill({ count: 10, total: 30, page: 1, pages: 3 }),
  )
})

test('jitter disturbs the order by no more than it says, and always the same way', () => {
  // So many rows that many stand within the jitter of a neighbour.
  const slack = slackOf(20_000, { jitterSeconds: 240 })
  const listing = (): AccessRow[] => walk(slack, { limit: '1000' }).flatMap(logins)
  const inversion = worstInversion(listing().map((row) => row.date_last))
  assert.ok(inversion > 60 && inversion <= 240, String(inversion))
  assert.deepEqual(listing(), listing())
})

test('the integration log comes in either order, whole, and knows neither before nor limit', () => {
  for (const [integrationOrder, sign] of [
    ['descending', 1],
    ['ascending', -1],
  ] as const) {
    const answer = slackOf(0, { integrationOrder }).answer('team.integrationLogs', {
      before: '1',
      limit: '5',
      cursor: 'x',
    })
    assert.equal(worstInversion(logs(answer).map((row) => sign * Number(row.date))), 0)
    assert.deepEqual(answer['paging'], { count: 100, total: 60, page: 1, pages: 1 })
    assert.equal(logs(answer).length, 60)
  }
})

test('the integration log is filtered by app, service, user and change, whatever the type of the field', () => {
  const slack = slackOf(0)
  const all = logs(slack.answer('team.integrationLogs', {}))
  for (const [argument, field, value] of [
    ['app_id', 'app_id', 'A0LUNCH001'],
    ['service_id', 'service_id', '1000000000007'],
    ['user', 'user_id', '0'],
    ['change_type', 'change_type', 'removed'],
  ] as const) {
    const kept = logs(slack.answer('team.integrationLogs', { [argument]: value }))
    assert.deepEqual(
      kept,
      all.filter((row) => String(row[field]) === value),
    )
    assert.ok(kept.length > 0 && kept.length < all.length, argument)
  }
})

test('a token needs the scope and must be a user token for the logs, not for auth.test', () => {
  const { team } = workspaceOf(1)
  for (const method of ['team.accessLogs', 'team.integrationLogs']) {
    assert.equal(slackOf(1, { tokenType: 'bot' }).answer(method, {})['error'], 'not_allowed_token_type')
    assert.deepEqual(slackOf(1, { scopes: ['identify', 'users:read'] }).answer(method, {}), {
      ok: false,
      error: 'missing_scope',
      needed: 'admin',
      provided: 'identify,users:read',
    })
  }
  const answer = slackOf(1, { tokenType: 'bot', scopes: [] }).answer('auth.test', {})
  assert.deepEqual([answer['ok'], answer['team_id'], answer['team']], [true, team.id, team.name])
})

/** Runs `use` with a server that is closed whatever happens. */
async function withServer(
  options: ServerOptions,
  use: (url: string, server: Awaited<ReturnType<typeof serve>>) => Promise<void>,
  slack = slackOf(10),
): Promise<void> {
  const server = await serve(slack, options)
  try {
    await use(server.url, server)
  } finally {
    await server.close()
  }
}

const body = async (response: Response): Promise<Answer> => (await response.json()) as Answer

test('GET with a query and POST with a form are the same request', async () => {
  await withServer({}, async (url, { requests, slack }) => {
    const args = { limit: '3', before: String(NOW), team_id: 'T0ANY' }
    const got = await fetch(`${url}team.accessLogs?${new URLSearchParams(args)}`, { headers: BEARER })
    const posted = await fetch(`${url}team.accessLogs`, {
      method: 'POST',
      headers: BEARER,
      body: new URLSearchParams(args),
    })
    assert.equal(got.headers.get('x-oauth-scopes'), 'admin,identify')
    assert.equal(got.headers.get('x-accepted-oauth-scopes'), 'admin')
    const rows = logins(await body(got))
    assert.equal(rows.length, 3)
    assert.deepEqual(logins(await body(posted)), rows)
    assert.deepEqual(
      requests.map((request) => [request.method, request.args]),
      Array(2).fill(['team.accessLogs', args]),
    )
    assert.deepEqual(slack.calls, Array(2).fill({ method: 'team.accessLogs', args }))
    assert.equal(requests[1]?.headers.authorization, `Bearer ${TOKEN}`)
  })
})

test('a token is taken from the header only, and only the right one', async () => {
  await withServer({}, async (url) => {
    const error = async (path: string, headers: Record<string, string>): Promise<unknown> =>
      (await body(await fetch(url + path, { headers })))['error']
    assert.equal(await error('team.accessLogs', BEARER), undefined)
    assert.equal(await error('team.accessLogs', {}), 'not_authed')
    assert.equal(await error('auth.test', { authorization: 'Bearer xoxp-other' }), 'invalid_auth')
    assert.equal(await error(`team.accessLogs?token=${TOKEN}`, {}), 'invalid_auth')
    assert.equal(await error('team.accessLogs', { authorization: 'Bearer xoxb-1' }), 'not_allowed_token_type')
    assert.equal(
      await error('team.integrationLogs', { authorization: 'Bearer xoxb-1' }),
      'not_allowed_token_type',
    )
    assert.equal(await error('auth.test', { authorization: 'Bearer xoxb-1' }), undefined)
  })
})

test('calls beyond the burst get 429 and Retry-After, each method by itself', async () => {
  // At one call an hour nothing is refilled while this test runs.
  const rateLimit = { perMinute: 1 / 60, burst: 2, retryAfter: 7 }
  await withServer({ rateLimit }, async (url, { slack }) => {
    const call = (method: string): Promise<Response> => fetch(url + method, { headers: BEARER })
    const statuses = [
      await call('team.accessLogs'),
      await call('team.accessLogs'),
      await call('team.accessLogs'),
    ]
    assert.deepEqual(
      statuses.map((response) => response.status),
      [200, 200, 429],
    )
    assert.equal(statuses[2]?.headers.get('retry-after'), '7')
    assert.equal((await call('team.integrationLogs')).status, 200)
    assert.equal(slack.calls.length, 3, 'Slack did not see the one refused')
  })
})

test('a fault strikes the request it is meant for', async () => {
  const fault: ServerOptions['fault'] = (method, nth, args) =>
    method === 'team.accessLogs' && nth === 2 && args['limit'] === '1'
      ? { kind: 'error', error: 'fatal_error' }
      : undefined
  await withServer({ fault }, async (url) => {
    const errors: unknown[] = []
    for (const path of ['auth.test', 'auth.test', ...Array(3).fill('team.accessLogs?limit=1')])
      errors.push((await body(await fetch(url + path, { headers: BEARER })))['error'])
    assert.deepEqual(errors, [undefined, undefined, undefined, 'fatal_error', undefined])
  })
})

/** One call under a fault: what comes back, as text. */
async function under(fault: Fault): Promise<Response & { content: string }> {
  let reply: (Response & { content: string }) | undefined
  await withServer({ fault: () => fault }, async (url) => {
    const response = await fetch(`${url}team.accessLogs?limit=2`, { headers: BEARER, redirect: 'manual' })
    reply = Object.assign(response, { content: await response.text() })
  })
  assert.ok(reply)
  return reply
}

test('every kind of fault looks as it does on the wire', async () => {
  const busy = await under({
    kind: 'status',
    status: 503,
    headers: { 'retry-after': '9' },
    body: '<h1>busy</h1>',
  })
  assert.deepEqual([busy.status, busy.headers.get('retry-after'), busy.content], [503, '9', '<h1>busy</h1>'])

  const page = await under({ kind: 'body', body: '<html>', contentType: 'text/html' })
  assert.deepEqual(
    [page.status, page.headers.get('content-type'), page.content],
    [200, 'text/html', '<html>'],
  )

  const refused = await under({ kind: 'error', error: 'paid_only', extra: { detail: 1 } })
  assert.deepEqual(
    [refused.status, JSON.parse(refused.content)],
    [200, { ok: false, error: 'paid_only', detail: 1 }],
  )

  const changed = await under({ kind: 'answer', change: (answer) => logins(answer).length })
  assert.deepEqual([changed.status, changed.content], [200, '2'])

  const moved = await under({ kind: 'redirect', location: 'https://elsewhere.example/' })
  assert.deepEqual([moved.status, moved.headers.get('location')], [302, 'https://elsewhere.example/'])

  await assert.rejects(under({ kind: 'reset' }), /fetch failed/)
  await assert.rejects(under({ kind: 'cut' }), /terminated/)
})

test('a cut body has begun: headers came, and half of the bytes', async () => {
  await withServer({ fault: () => ({ kind: 'cut' }) }, async (url) => {
    const response = await fetch(`${url}team.accessLogs`, { headers: BEARER })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const { value } = await reader.read()
    assert.equal(response.status, 200)
    assert.equal(value?.length, Math.floor(Number(response.headers.get('content-length')) / 2))
    await assert.rejects(reader.read())
  })
})

test('a hanging request hangs until the server is closed', async () => {
  let arrived = (): void => {}
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const server = await serve(slackOf(1), { fault: () => ({ kind: 'hang' }), beforeAnswer: () => arrived() })
  const request = assert.rejects(fetch(`${server.url}auth.test`, { headers: BEARER }))
  await arrival
  await server.close()
  await request
})

test('the workspace lives between two requests', async () => {
  const workspace = workspaceOf(10)
  const beforeAnswer = (_: string, nth: number): void => {
    if (nth === 2) workspace.addAccess({ date_last: NOW + 1 })
  }
  await withServer(
    { beforeAnswer },
    async (url) => {
      const counts: number[] = []
      for (let nth = 1; nth <= 2; nth++)
        counts.push(logins(await body(await fetch(`${url}team.accessLogs`, { headers: BEARER }))).length)
      assert.deepEqual(counts, [10, 11])
    },
    new Slack({ workspace }),
  )
})

test('a hook that throws fails the test, as closing the server rejects', async () => {
  const beforeAnswer = (): void => {
    throw new Error('a bug in a test')
  }
  const server = await serve(slackOf(1), { beforeAnswer })
  await assert.rejects(fetch(`${server.url}auth.test`, { headers: BEARER }))
  await assert.rejects(server.close(), /a bug in a test/)
})
