import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Report } from '../src/output/report.ts'
import { KNOWN_SLACK_ERRORS } from '../src/slack/errors.ts'
import { type Fault, type SeenRequest, type ServerOptions, serve } from './fake-slack/server.ts'
import { type Answer, type Arguments, Slack, type SlackOptions } from './fake-slack/slack.ts'
import { type AccessRow, Workspace, type WorkspaceOptions } from './fake-slack/workspace.ts'
import { auditHere, begin, keeper, linesOf, playTime } from './in-process.ts'
import {
  assertSound,
  cleanEnvironment,
  closedAfter,
  type Finished,
  finished,
  folderOf,
  gate,
  PATIENCE_MS,
  PROGRAM,
  printed,
  reportOf,
  run,
  shell,
  start,
  TOKEN,
  texts,
} from './program.ts'

const NOW = 1_764_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const ACCESS = 'team.accessLogs'
const INTEGRATION = 'team.integrationLogs'

type Options = Partial<WorkspaceOptions> & Partial<SlackOptions>

/** A small workspace behind a fake Slack, and the program pointed at it. */
async function slackWith(t: TestContext, options: Options = {}, server: ServerOptions = {}) {
  const workspace = new Workspace({ seed: 1, now: NOW, accessRows: 60, integrationRows: 30, ...options })
  const time = playTime()
  const fault: ServerOptions['fault'] = (...asked) => {
    const found = server.fault?.(...asked)
    // Whoever waits for an answer that does not come waits as long as a request may take.
    if (found?.kind === 'hang') setImmediate(() => time.pass(60_000))
    return found
  }
  const fake = await closedAfter(t, serve(new Slack({ workspace, ...options }), { ...server, fault }))
  const address = ['--api-url', fake.url]
  return {
    workspace,
    fake,
    address,
    time,
    /** Runs the program in this process, where pauses take no time. */
    audit: (args: string[] = [], env: NodeJS.ProcessEnv = {}) => auditHere([...address, ...args], env, time),
    asked: (method: string): SeenRequest['args'][] =>
      fake.requests.filter((request) => request.method === method).map(({ args }) => args),
  }
}

/** A fault of one method only, for its first `times` requests. */
function faultOf(method: string, fault: Fault, times = Number.POSITIVE_INFINITY): ServerOptions {
  return { fault: (asked, nth) => (asked === method && nth <= times ? fault : undefined) }
}

/** Slack gives exactly these access rows. */
function giving(logins: unknown): ServerOptions {
  return faultOf(ACCESS, { kind: 'answer', change: () => ({ ok: true, logins }) })
}

/** Integration twins are one line. */
const distinct = (entries: readonly unknown[]): string[] => [...new Set(texts(entries))]

const row = (fields: Partial<AccessRow> = {}): Record<string, unknown> => ({
  user_id: 'U1',
  username: 'ada',
  date_first: NOW - HOUR,
  date_last: NOW - 60,
  count: 3,
  ip: '192.0.2.1',
  user_agent: 'Firefox, "the" fox',
  isp: null,
  country: null,
  region: null,
  ...fields,
})

/** Why a group of tests that needs this command cannot run here; false where it can. */
function missing(command: string): string | false {
  return spawnSync(command, ['--version']).error ? `needs the command ${command}` : false
}

/** Two by two; the last one once more where the number is odd. */
function pairs<T>(list: readonly T[]): [T, T][] {
  return list.flatMap((first, index) => (index % 2 === 0 ? [[first, list[index + 1] ?? first]] : []))
}

// Side by side, since some wait where others compute.
describe('slack-auditor', { concurrency: 3 }, () => {
  describe('what is printed', { concurrency: 4 }, () => {
    test('both logs, every row once and as Slack sent it, in an envelope', async (t) => {
      const { workspace, audit } = await slackWith(t)
      const result = await audit()
      assert.equal(result.code, 0)
      assert.deepEqual(texts(printed(result, 'access')), texts(workspace.accessRows()))
      assert.deepEqual(texts(printed(result, 'integration')), distinct(workspace.integrationRows()))
      const { id, name } = workspace.team
      for (const line of result.lines()) {
        const log = line.dataset.replace('slack.', '')
        const fields = ['dataset', 'id', ...(log === 'access' ? ['row'] : []), 'team', log]
        assert.deepEqual(Object.keys(line), fields)
        assert.deepEqual(line['team'], { id, name })
        assert.match(line.id, /^[0-9a-f]{32}$/)
      }
    })

    for (const log of ['access', 'integration'] as const) {
      test(`only the ${log} log where it alone is named, and no request for the other`, async (t) => {
        const { audit, asked } = await slackWith(t)
        const result = await audit(['collect', log, log])
        assert.equal(result.code, 0)
        assert.deepEqual(new Set(result.lines().map((line) => line.dataset)), new Set([`slack.${log}`]))
        assert.deepEqual(asked(log === 'access' ? INTEGRATION : ACCESS), [])
        assert.equal(asked('auth.test').length, 1)
      })
    }

    test('letters beyond ASCII as escapes that stand for the same text', async (t) => {
      const username = 'foxy🦊 ольга \u007f\u2028'
      const { audit } = await slackWith(t, {}, giving([row({ username })]))
      const result = await audit(['access'])
      assert.equal((printed(result)[0] as AccessRow).username, username)
      assert.match(result.stdout, /foxy\\ud83e\\udd8a/)
    })

    test('nothing but exit 0 where the logs are empty', async (t) => {
      const { audit } = await slackWith(t, { accessRows: 0, integrationRows: 0 })
      const result = await audit()
      assert.deepEqual([result.code, result.stdout], [0, ''])
    })

    test('rows that are odd but readable, and one whose time is not, which is said', async (t) => {
      const rows = [
        row({ ip: null }),
        {
          user_id: 'U2',
          date_last: String(NOW - 61),
          date_first: `${NOW - 100}`,
          whole_new: { field: [1.5] },
        },
        row({ ip: '', region: '12345', count: 0 }),
        row({ date_last: 'yesterday' as unknown as number }),
        {},
      ]
      const { audit } = await slackWith(t, {}, giving(rows))
      const result = await audit(['access', '--since', String(NOW - DAY)])
      assert.equal(result.code, 0)
      assert.deepEqual(texts(printed(result)), texts(rows))
      assert.match(result.stderr, /2 entries without a readable time/)
    })
  })

  describe('ids', { concurrency: 4 }, () => {
    const hash = (parts: unknown[]): string =>
      createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
    const plain = (value: unknown): unknown => (typeof value === 'number' ? String(value) : (value ?? null))
    const values = (entry: Record<string, unknown>, fields: string[]): unknown[] =>
      fields.map((field) => plain(entry[field]))

    /** One run over these entries; what it printed. */
    async function idsOf(t: TestContext, list: 'logins' | 'logs', entries: unknown[]) {
      const answer: Fault = { kind: 'answer', change: () => ({ ok: true, [list]: entries }) }
      const method = list === 'logins' ? ACCESS : INTEGRATION
      const { audit } = await slackWith(t, {}, faultOf(method, answer))
      const result = await audit([list === 'logins' ? 'access' : 'integration'])
      return result.lines().map(({ id, row }) => ({ id, row }))
    }

    test('anyone can compute them again from the recipe', async (t) => {
      const { workspace, audit } = await slackWith(t, { accessRows: 200, integrationRows: 60 })
      const team = workspace.team.id
      for (const line of (await audit()).lines()) {
        if (line.dataset === 'slack.access') {
          const entry = line['access'] as Record<string, unknown>
          const parts = [team, ...values(entry, ['user_id', 'ip', 'user_agent', 'date_first'])]
          assert.equal(line['row'], hash(parts))
          assert.equal(line.id, hash([...parts, ...values(entry, ['date_last', 'count'])]))
        } else {
          const entry = line['integration'] as Record<string, unknown>
          const fields = Object.keys(entry).sort()
          const kept = fields.filter((field) => entry[field] !== null)
          assert.equal(
            line.id,
            hash([team, Object.fromEntries(kept.map((field) => [field, plain(entry[field])]))]),
          )
        }
      }
    })

    test('a row that was used again keeps its row and gets a new id', async (t) => {
      const states = [row(), row({ date_last: NOW - 59 }), row({ count: 4 })]
      const ids = await idsOf(t, 'logins', states)
      assert.equal(new Set(ids.map(({ row }) => row)).size, 1)
      assert.equal(new Set(ids.map(({ id }) => id)).size, 3)
    })

    const others = [
      { user_id: 'U2' },
      { ip: null },
      { ip: '' },
      { user_agent: 'Firefox' },
      { user_agent: null },
      { date_first: NOW - HOUR - 1 },
      // A plain join of the parts would take these for the first row.
      { user_id: 'U1,192.0.2.1', ip: undefined },
      { user_id: 'U1","192.0.2.1' },
    ] as Partial<AccessRow>[]
    test('rows that differ in what names them have another row and another id', async (t) => {
      const rows = [row(), ...others.map(row)]
      const ids = await idsOf(t, 'logins', rows)
      assert.equal(ids.length, rows.length)
      assert.equal(new Set(ids.map(({ row }) => row)).size, rows.length)
      assert.equal(new Set(ids.map(({ id }) => id)).size, rows.length)
    })

    const event = {
      app_id: 'A1',
      service_id: 1_234_567_890_123,
      date: NOW,
      change_type: 'added',
      rss_feed: true,
    }
    const equals: [string, 'logins' | 'logs', Record<string, unknown>, Record<string, unknown>][] = [
      [
        'dates and counts as text',
        'logins',
        row(),
        { ...row(), date_first: `${NOW - HOUR}`, date_last: `${NOW - 60}`, count: '3' },
      ],
      ['a missing address instead of null', 'logins', row({ ip: null }), { ...row(), ip: undefined }],
      ['a new field, another isp', 'logins', row(), { ...row({ isp: 'Example' }), risk: 'low' }],
      [
        'numbers as text, fields in another order',
        'logs',
        event,
        Object.fromEntries(
          Object.entries({ ...event, service_id: '1234567890123', date: `${NOW}` }).reverse(),
        ),
      ],
      ['null instead of a missing field', 'logs', event, { ...event, scope: null }],
    ]
    for (const [what, list, one, other] of equals) {
      test(`${what}: the ids of ${list} stay the same, and so it is one line`, async (t) => {
        assert.equal((await idsOf(t, list, [one, other])).length, 1)
      })
    }

    test('identical integration twins are one line, near twins are two', async (t) => {
      const ids = await idsOf(t, 'logs', [event, { ...event }, { ...event, reason: 'admin' }])
      assert.equal(ids.length, 2)
    })
  })

  describe('what is requested', { concurrency: 4 }, () => {
    test('--since and --until take the entries from the one to the other, both included', async (t) => {
      const { workspace, audit } = await slackWith(t, { accessRows: 300 })
      const times = workspace.accessRows().map(({ date_last }) => date_last)
      const [since = 0, until = 0] = times.sort((a, b) => a - b).filter((_, index) => index % 100 === 50)
      const within = (time: unknown): boolean => Number(time) >= since && Number(time) <= until
      const result = await audit(['--since', String(since), '--until', new Date(until * 1000).toISOString()])
      assert.equal(result.code, 0)
      const rows = workspace.accessRows().filter(({ date_last }) => within(date_last))
      assert.ok(rows.length >= 100)
      assert.deepEqual(texts(printed(result)), texts(rows))
      const events = workspace.integrationRows().filter(({ date }) => within(date))
      assert.deepEqual(texts(printed(result, 'integration')), distinct(events))
    })

    test('--until is sent to Slack, and no page is requested without a bound', async (t) => {
      const { audit, asked } = await slackWith(t, { accessRows: 300, maxPageRows: 100 })
      await audit(['access', '--until', String(NOW)])
      const bounds = asked(ACCESS).map(({ before }) => Number(before))
      assert.equal(bounds[0], NOW)
      assert.ok(bounds.length > 2 && bounds.every((bound) => bound <= NOW), String(bounds))
    })

    test('--max-rows ends after the page that reaches it, without a failure, and says that there is more', async (t) => {
      const { audit } = await slackWith(t, { accessRows: 500, maxPageRows: 100 })
      const result = await audit(['access', '--max-rows', '150', '--report'])
      assert.equal(result.code, 0)
      assert.equal(printed(result).length, 200)
      const { outcome, complete, rows_printed } = reportOf(result)
      assert.deepEqual(
        { outcome, complete, rows_printed },
        { outcome: 'success', complete: false, rows_printed: 200 },
      )
      assert.match(result.stderr, /^slack-auditor: access: 200 printed .*stopped at --max-rows\n$/)
    })

    test('the filters reach Slack with every page, for the integration log only', async (t) => {
      const { audit, asked } = await slackWith(t, { maxPageRows: 2 })
      const app = 'A0LUNCH001'
      const result = await audit(['--app-id', app, '--change-type', 'updated'])
      const pages = asked(INTEGRATION)
      assert.ok(pages.length > 1)
      assert.ok(pages.every(({ app_id, change_type }) => app_id === app && change_type === 'updated'))
      assert.ok(
        asked(ACCESS).every(({ app_id, change_type }) => app_id === undefined && change_type === undefined),
      )
      const entries = printed(result, 'integration') as Record<string, unknown>[]
      assert.ok(entries.length > 0)
      assert.ok(entries.every(({ app_id, change_type }) => app_id === app && change_type === 'updated'))
    })

    test('--service-id and --user reach Slack under its names', async (t) => {
      const { audit, asked } = await slackWith(t)
      await audit(['integration', '--service-id', '1000000000007', '--user', 'U1'])
      const { service_id, user } = asked(INTEGRATION)[0] ?? {}
      assert.deepEqual({ service_id, user }, { service_id: '1000000000007', user: 'U1' })
    })

    for (const [how, args, env] of [
      ['--team-id', ['--team-id', 'T0OTHER001'], {}],
      ['SLACK_TEAM_ID', [], { SLACK_TEAM_ID: 'T0OTHER001' }],
    ] as const) {
      test(`${how} goes with every page and into every line`, async (t) => {
        const { audit, asked } = await slackWith(t, { maxPageRows: 25 })
        const result = await audit([...args, '--report'], env)
        const pages = [...asked(ACCESS), ...asked(INTEGRATION)]
        assert.ok(pages.length > 4)
        assert.ok(pages.every(({ team_id }) => team_id === 'T0OTHER001'))
        assert.ok(result.lines().every((line) => (line['team'] as { id: string }).id === 'T0OTHER001'))
      })
    }

    test('no team_id, before or filter is sent unless given', async (t) => {
      const { audit, asked } = await slackWith(t, { accessRows: 1500, integrationRows: 1200 })
      await audit()
      assert.deepEqual(
        asked(ACCESS).map((args) => Object.keys(args)),
        [['limit'], ['limit', 'cursor']],
      )
      assert.deepEqual(asked(INTEGRATION), [
        { count: '1000', page: '1' },
        { count: '1000', page: '2' },
      ])
      assert.equal(asked(ACCESS)[0]?.['limit'], '999')
    })

    test('every request carries the token in its header and says who asks', async (t) => {
      const { audit, fake } = await slackWith(t)
      await audit()
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
      assert.ok(fake.requests.length >= 3)
      for (const { headers } of fake.requests) {
        assert.equal(headers.authorization, `Bearer ${TOKEN}`)
        assert.ok(headers['user-agent']?.includes(`slack-auditor/${version}`), headers['user-agent'])
      }
    })
  })

  describe('the token', { concurrency: 4 }, () => {
    const other = 'xoxp-999-of-the-file'

    /** The token that reached Slack, with these in the folder, on the command line and in the environment. */
    async function tokenUsed(t: TestContext, file: string, args: string[], env: Record<string, string>) {
      const folder = folderOf(t)
      const path = join(folder, 'token')
      writeFileSync(path, file)
      const here = (text: string): string => text.replace('FILE', path)
      const { fake, audit } = await slackWith(
        t,
        {},
        { fault: () => ({ kind: 'error', error: 'token_revoked' }) },
      )
      const entries = Object.entries(env).map(([name, value]) => [name, here(value)])
      const result = await audit(args.map(here), Object.fromEntries(entries))
      assert.ok(!result.stderr.includes(other))
      return fake.requests[0]?.headers.authorization?.replace('Bearer ', '')
    }

    const uses: [string, string, string[], Record<string, string>, string][] = [
      ['a file named with --token-file', other, ['--token-file', 'FILE'], { SLACK_TOKEN: '' }, other],
      ['a file that ends with a newline', `${other}\r\n`, ['--token-file', 'FILE'], {}, other],
      ['--token-file before SLACK_TOKEN', other, ['--token-file', 'FILE'], { SLACK_TOKEN: TOKEN }, other],
      ['SLACK_TOKEN before SLACK_TOKEN_FILE', other, [], { SLACK_TOKEN_FILE: 'FILE' }, TOKEN],
      ['SLACK_TOKEN_FILE', other, [], { SLACK_TOKEN: '', SLACK_TOKEN_FILE: 'FILE' }, other],
      ['SLACK_TOKEN, blanks around it removed', other, [], { SLACK_TOKEN: ` ${TOKEN}\n` }, TOKEN],
    ]
    for (const [what, file, args, env, expected] of uses) {
      test(`comes from ${what}`, async (t) => {
        assert.equal(await tokenUsed(t, file, args, env), expected)
      })
    }
  })

  describe('a command line or an environment that is wrong', { concurrency: 4 }, () => {
    const folder = (t: TestContext, content?: string): string => {
      const path = join(folderOf(t), 'token')
      if (content !== undefined) writeFileSync(path, content)
      return path
    }
    type Case = [string, (t: TestContext) => string[], RegExp, NodeJS.ProcessEnv?]
    const cases: Case[] = [
      ['no token', () => [], /no token: set SLACK_TOKEN/, { SLACK_TOKEN: undefined }],
      ['an empty token', () => [], /SLACK_TOKEN is empty/, { SLACK_TOKEN: '' }],
      ['a bot token', () => [], /holds a bot token: .*begins with xoxp-/, { SLACK_TOKEN: 'xoxb-1-secret' }],
      ['a token with a line break inside', () => [], /one line/, { SLACK_TOKEN: 'xoxp-1\nsecret' }],
      [
        'a token file that is missing',
        (t) => ['--token-file', folder(t)],
        /token cannot be read: there is no such file \(ENOENT\)/,
      ],
      ['a token file that is empty', (t) => ['--token-file', folder(t, '\n')], /token is empty/],
      ['a token file of two lines', (t) => ['--token-file', folder(t, 'xoxp-1\nsecret\n')], /one line/],
      [
        'a token file that is a folder',
        (t) => ['--token-file', folderOf(t)],
        /cannot be read: it is a folder \(EISDIR\)/,
      ],
      ['a token as an argument', () => ['--token', TOKEN], /unknown option '--token'/],
      ['--since tomorrow', () => ['--since', 'tomorrow'], /'tomorrow' is invalid.*2026-11-05T09:00Z/],
      ['a day that no calendar has', () => ['--since', '2026-02-30'], /'2026-02-30' is invalid/],
      ['--max-rows 0', () => ['--max-rows', '0'], /'0' is invalid.*positive whole number/],
      [
        'an unknown log',
        () => ['accesss'],
        /unknown log "accesss" \(did you mean access\?\): name access, integration/,
      ],
      ['an unknown option', () => ['--sinse', '1h'], /unknown option '--sinse'.*--since/],
      ['plain http to another host', () => ['--api-url', 'http://example.com/api/'], /in the clear/],
      ['a state folder without a name', () => ['--state-dir', ''], /It is empty/],
    ]
    for (const [what, args, message, env = {}] of cases) {
      test(`${what} ends with exit 2 and one line, and nothing is sent`, async (t) => {
        const { address, fake } = await slackWith(t)
        const own = args(t)
        const target = own.includes('--api-url') ? [] : address
        const result = await auditHere([...target, ...own], env)
        assert.equal(result.code, 2)
        assert.equal(result.stdout, '')
        assert.equal(linesOf(result.stderr).length, 1, result.stderr)
        assert.match(result.stderr, /^slack-auditor: /)
        assert.match(result.stderr, message)
        assert.doesNotMatch(result.stderr, /secret/)
        assert.deepEqual(fake.requests, [])
      })
    }

    test('with --report, a usage error is a failure report of each log and exit 2', async (t) => {
      const { audit } = await slackWith(t)
      const result = await audit(['--report', '--since', 'tomorrow'])
      assert.equal(result.code, 2)
      for (const log of ['access', 'integration'] as const) {
        const { outcome, complete, error } = reportOf(result, log)
        assert.deepEqual([outcome, complete, error?.class], ['failure', false, 'config'])
      }
      assert.equal(result.lines().length, 2)
    })
  })

  describe('help and version', { concurrency: 4 }, () => {
    const bare = (args: string[], cwd?: string) => run(args, { SLACK_TOKEN: '' }, cwd ? { cwd } : {})

    test('--help names every option and the exit codes on stdout, with exit 0', async () => {
      const { code, stdout, stderr } = await bare(['--help'])
      assert.deepEqual([code, stderr], [0, ''])
      for (const option of [
        ...['--since', '--until', '--state-dir', '--lookback', '--max-rows', '--max-time', '--report'],
        ...[
          '--reader',
          '--team-id',
          '--token-file',
          '--api-url',
          '--app-id',
          '--service-id',
          '--user',
          '--change-type',
        ],
        ...['--quiet', '--verbose', '--version', 'check', 'SLACK_TOKEN', 'SLACK_AUDIT_STATE', 'Exit codes'],
      ])
        assert.ok(stdout.includes(option), option)
      assert.ok(linesOf(stdout).every((line) => line.length <= 80))
    })
  })

  describe('the pages of Slack', { concurrency: 4 }, () => {
    const shapes: [string, Options][] = [
      ['behind cursors', {}],
      ['behind cursors that count rows', { cursors: 'offset' }],
      ['where cursors come with page counts', { pagingInCursorMode: true }],
      ['on pages that are short or empty', { accessRows: 150, maxPageRows: 4, shortPages: 0.5 }],
      ['where only pages are known', { paging: 'classic' }],
      ['where only small pages are known', { paging: 'classic', maxPageRows: 150 }],
      ['sorted by date_first', { order: 'date_first', filter: 'date_first' }],
      ['sorted by date_first where only pages are known', { order: 'date_first', paging: 'classic' }],
      ['out of order by minutes', { jitterSeconds: 240 }],
      ['with the oldest integration first', { integrationOrder: 'ascending' }],
      ['beyond 100 pages of cursors', { accessRows: 240, maxPageRows: 2 }],
      ['beyond 100 pages', { accessRows: 240, maxPageRows: 2, paging: 'classic' }],
      [
        'beyond 100 pages, sorted by date_first',
        { accessRows: 240, maxPageRows: 2, order: 'date_first', filter: 'date_first' },
      ],
      ['behind cursors that die early', { maxPageRows: 100, cursorLife: 4 }],
      [
        'sorted by date_last, whose before compares date_first',
        { maxPageRows: 50, pageCap: 8, filter: 'date_first' },
      ],
      [
        'sorted by date_first, whose before compares date_last',
        { maxPageRows: 50, pageCap: 8, order: 'date_first' },
      ],
    ]
    for (const [what, options] of shapes) {
      test(`logs ${what} are read to the end, every row once`, async (t) => {
        const { workspace, audit, asked } = await slackWith(t, {
          accessRows: 1200,
          integrationRows: 150,
          ...options,
        })
        const result = await audit(['--report'])
        assert.equal(result.code, 0, result.stderr)
        assert.deepEqual(texts(printed(result)), texts(workspace.accessRows()))
        assert.deepEqual(texts(printed(result, 'integration')), distinct(workspace.integrationRows()))
        assert.deepEqual([reportOf(result).complete, reportOf(result, 'integration').complete], [true, true])
        assert.ok([...asked(ACCESS), ...asked(INTEGRATION)].every(({ page }) => Number(page ?? 1) <= 100))
      })
    }

    test('a listing that Slack cuts within one look-back is read on below, and not called complete', async (t) => {
      const { workspace, audit } = await slackWith(t, { accessRows: 300, maxPageRows: 50, cursorLife: 1 })
      const result = await audit(['access', '--report', '--lookback', '365d'])
      assert.equal(result.code, 1)
      assert.match(result.stderr, /Slack cut a listing within one look-back/)
      const { outcome, complete } = reportOf(result)
      assert.deepEqual([outcome, complete], ['success', false])
      assert.deepEqual(texts(printed(result)), texts(workspace.accessRows()))
    })

    const caps: [string, Options, RegExp][] = [
      ['by their count', { maxPageRows: 1, integrationRows: 105 }, /100 of 105 pages/],
      ['by an error', { maxPageRows: 10, integrationRows: 105, pageCap: 4 }, /4 of 11 pages/],
    ]
    for (const [how, options, message] of caps) {
      test(`integration pages that Slack does not give, known ${how}, are a failure that is said`, async (t) => {
        const { audit } = await slackWith(t, options)
        const result = await audit(['integration', '--report'])
        assert.equal(result.code, 1)
        assert.ok(printed(result, 'integration').length > 30)
        assert.match(result.stderr, message)
        assert.match(result.stderr, /not read.*--app-id/)
        const { outcome, complete, error } = reportOf(result, 'integration')
        assert.deepEqual([outcome, complete, error?.code], ['failure', false, 'pages_unread'])
      })
    }

    test('rows that arrive or move while the pages are read do not hide others and do not come twice', async (t) => {
      const resting = new Set<string>()
      const { workspace, audit } = await slackWith(
        t,
        { accessRows: 600, maxPageRows: 50, cursors: 'offset' },
        {
          beforeAnswer: () => {
            workspace.addAccess({ date_last: workspace.now })
            const [moving] = [...workspace.accessRows()].sort((a, b) => a.date_last - b.date_last).slice(300)
            if (moving) {
              resting.delete(JSON.stringify(moving))
              workspace.touch(moving, workspace.now)
            }
          },
        },
      )
      for (const entry of workspace.accessRows()) resting.add(JSON.stringify(entry))
      const lines = texts(printed(await audit(['access'])))
      assert.equal(new Set(lines).size, lines.length)
      for (const entry of resting) assert.ok(lines.includes(entry), entry)
    })

    const loops: [string, string[], RegExp, (slack: Slack, args: Arguments) => Answer][] = [
      [
        'the same cursor again and again',
        [],
        /same cursor twice/,
        (slack) => ({ ...slack.answer(ACCESS, {}), response_metadata: { next_cursor: 'again' } }),
      ],
      [
        'the same page again and again',
        [],
        /page 2 was requested, page 1 came/,
        (slack) => slack.answer(ACCESS, { count: '100', page: '1' }),
      ],
      [
        'all of the log, as if it had not read "before",',
        ['--until', String(NOW - 30 * DAY)],
        /"before"/,
        (slack, { before: _, ...args }) => slack.answer(ACCESS, args),
      ],
    ]
    for (const [what, args, message, give] of loops) {
      test(`Slack giving ${what} ends the walk with an error`, async (t) => {
        const { fake, audit, asked } = await slackWith(
          t,
          { accessRows: 300 },
          {
            fault: (method, _, sent) =>
              method === ACCESS ? { kind: 'answer', change: () => give(fake.slack, sent) } : undefined,
          },
        )
        const result = await audit(['access', '--report', ...args])
        assert.equal(result.code, 1)
        assert.match(result.stderr, /the walk does not advance/)
        assert.match(result.stderr, message)
        assert.equal(reportOf(result).error?.code, 'no_advance')
        assert.ok(asked(ACCESS).length <= 3)
      })
    }
  })

  describe('an early end', { concurrency: 4 }, () => {
    const recent = Math.floor(Date.now() / 1000)
    const byDateFirst: Options = { now: recent, maxPageRows: 50, order: 'date_first', filter: 'date_first' }

    test('under date_last the walk stops not far below --since', async (t) => {
      const { workspace, audit, asked } = await slackWith(t, { accessRows: 1000, maxPageRows: 100 })
      const since = [...workspace.accessRows()].map(({ date_last }) => date_last).sort((a, b) => b - a)[150]
      const result = await audit(['access', '--report', '--since', String(since)])
      assert.deepEqual([printed(result).length, result.code], [151, 0])
      assert.ok(asked(ACCESS).length <= 4, `${asked(ACCESS).length} pages`)
      assert.equal(reportOf(result).complete, true)
    })

    test('under date_first it goes on to the look-back, for rows that began long ago and came back', async (t) => {
      const { workspace, audit, asked } = await slackWith(t, { ...byDateFirst, accessRows: 1000, days: 100 })
      for (const days of [20, 60])
        workspace.addAccess({ date_first: recent - days * DAY, date_last: recent - 60 })
      const since = ['access', '--since', String(recent - DAY)]
      for (const [args, days] of [
        [[...since, '--lookback', '30d'], 30],
        [[...since, '--lookback', '90d'], 90],
      ] as const) {
        const begun = workspace.accessRows().filter(({ date_first }) => date_first >= recent - days * DAY)
        const wanted = begun.filter(({ date_last }) => date_last >= recent - DAY)
        const found = new Set(texts(printed(await audit([...args]))))
        assert.ok(texts(wanted).every((entry) => found.has(entry)))
        if (days === 30) assert.ok(asked(ACCESS).length < 1000 / 50, `${asked(ACCESS).length} pages`)
      }
    })

    test('the look-back does not cut off what --since asks for', async (t) => {
      const { workspace, audit } = await slackWith(t, { ...byDateFirst, accessRows: 600, days: 60 })
      const since = recent - 40 * DAY
      const result = await audit(['access', '--since', String(since), '--lookback', '1d'])
      const found = new Set(texts(printed(result)))
      const begun = workspace.accessRows().filter(({ date_first }) => date_first >= since)
      assert.ok(begun.length > 300)
      assert.ok(texts(begun).every((entry) => found.has(entry)))
    })

    test('a quiet log, which descends in both times, is read to below both bounds', async (t) => {
      const quiet = Array.from({ length: 40 }, (_, days) =>
        row({ date_first: recent - days * DAY, date_last: recent - days * DAY }),
      )
      const pages = [...quiet, row({ date_first: recent - 40 * DAY, date_last: recent - 60 })]
      const page = (nth: number): Fault => ({
        kind: 'answer',
        change: () => ({
          ok: true,
          logins: [pages[nth - 1]],
          response_metadata: { next_cursor: nth < pages.length ? `after ${nth}` : '' },
        }),
      })
      const { audit } = await slackWith(
        t,
        {},
        { fault: (method, nth) => (method === ACCESS ? page(nth) : undefined) },
      )
      const result = await audit(['access', '--since', '36h', '--lookback', '45d'])
      assert.deepEqual(texts(printed(result)), texts([...pages.slice(0, 2), pages.at(-1)]))
    })
  })

  describe('what Slack refuses', { concurrency: 4 }, () => {
    // Slack names no time to wait in these answers, so that --max-time ends what may pass.
    const mayPass = ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout']
    const once = KNOWN_SLACK_ERRORS.filter((code) => ![...mayPass, 'ratelimited'].includes(code))
    // Each log has another error, which takes half the runs.
    for (const [access, integration] of [...pairs(mayPass), ...pairs([...once, 'an_error_nobody_knows'])]) {
      test(`${access} and ${integration} are exit 1, and a line each with a sentence on what to do`, async (t) => {
        const { audit, asked } = await slackWith(
          t,
          {},
          {
            fault: (method) => {
              const error = { [ACCESS]: access, [INTEGRATION]: integration }[method]
              return error === undefined ? undefined : { kind: 'error', error }
            },
          },
        )
        const final = !mayPass.includes(access)
        const result = await audit(['--report', '--max-time', final ? '50s' : '3s'])
        assert.equal(result.code, 1)
        const [first = '', second = '', ...more] = linesOf(result.stderr)
        assert.match(first, new RegExp(`${ACCESS}: ${access}: \\S+( \\S+){4}`))
        assert.match(second, new RegExp(`${INTEGRATION}: ${integration}: \\S+( \\S+){4}`))
        assert.deepEqual(more, [])
        for (const [log, code] of [
          ['access', access],
          ['integration', integration],
        ] as const) {
          const { outcome, complete, error } = reportOf(result, log)
          assert.deepEqual([outcome, complete, error?.code], ['failure', false, code])
        }
        if (final)
          assert.deepEqual([asked(ACCESS).length, asked(INTEGRATION).length], [1, 1], 'not tried again')
      })
    }

    test('a scope that is missing is named, with those that are there', async (t) => {
      const extra = { needed: 'admin', provided: 'users:read,team:read' }
      const { audit } = await slackWith(
        t,
        {},
        faultOf(ACCESS, { kind: 'error', error: 'missing_scope', extra }),
      )
      assert.match((await audit(['access'])).stderr, /needed: admin; the token has: users:read,team:read/)
    })

    test('a token that Slack does not take is one line, and a failure report of each log', async (t) => {
      const { audit, asked } = await slackWith(t)
      const result = await audit(['--report'], { SLACK_TOKEN: 'xoxp-another-one' })
      assert.equal(result.code, 1)
      assert.match(result.stderr, /^slack-auditor: auth\.test: invalid_auth: .*\n$/)
      for (const log of ['access', 'integration'] as const)
        assert.equal(reportOf(result, log).error?.class, 'auth')
      assert.deepEqual([asked(ACCESS), asked(INTEGRATION)], [[], []])
    })

    for (const [failing, other, method] of [
      ['access', 'integration', ACCESS],
      ['integration', 'access', INTEGRATION],
    ] as const) {
      test(`the ${other} log is read although the ${failing} log fails`, async (t) => {
        const { workspace, audit } = await slackWith(
          t,
          {},
          faultOf(method, { kind: 'error', error: 'paid_only' }),
        )
        const result = await audit(['--report'])
        assert.equal(result.code, 1)
        assert.deepEqual(
          [reportOf(result, failing).outcome, reportOf(result, other).outcome],
          ['failure', 'success'],
        )
        const rows = other === 'access' ? workspace.accessRows() : workspace.integrationRows()
        assert.deepEqual(texts(printed(result, other)), distinct(rows))
      })
    }

    const evil = `\u001b]0;owned\u0007\u001b[31m\r\nslack-auditor: all is well\u009b2J\u202e Bearer ${TOKEN}`
    const outside: [string, Fault][] = [
      ['the name of an error', { kind: 'error', error: evil }],
      ['the scopes', { kind: 'error', error: 'missing_scope', extra: { needed: evil, provided: evil } }],
      ['a page of HTML', { kind: 'body', body: `<html>${evil}</html>` }],
      ['a refusal of a proxy', { kind: 'status', status: 418, body: evil, headers: { 'x-token': TOKEN } }],
      ['a name of 5,000 letters', { kind: 'error', error: 'x'.repeat(5000) }],
    ]
    for (const [what, fault] of outside) {
      test(`${what} in an error reaches stderr as one short line, without token or control characters`, async (t) => {
        const { audit } = await slackWith(t, {}, faultOf(ACCESS, fault))
        const { code, stderr } = await audit(['access', '--max-time', '4s'])
        assert.equal(code, 1)
        assert.equal(linesOf(stderr).length, 1, stderr)
        assert.ok(stderr.length < 500)
        assert.doesNotMatch(stderr, /\p{Cf}/u)
      })
    }

    test('a team named with escape sequences is printed as JSON, and nowhere raw', async (t) => {
      const { workspace, audit } = await slackWith(t)
      workspace.team.name = '\u001b[31mred\u001b[0m\n'
      const lines = (await audit(['-v'])).lines()
      assert.deepEqual(lines[0]?.['team'], { id: workspace.team.id, name: workspace.team.name })
      assert.match((await audit(['check'])).stdout, / \[31mred \[0m /)
    })
  })

  describe('answers that are not those of Slack', { concurrency: 6 }, () => {
    const body = (text: string): Fault => ({ kind: 'body', body: text })
    const html = body(`<!DOCTYPE html><html>${'<p>Bad gateway</p>'.repeat(200)}</html>`)
    const odd: [string, Fault, RegExp][] = [
      ['HTML', html, /HTML/],
      ['nothing', body(''), /an empty body/],
      ['null', body('null'), /not a JSON object/],
      ['7', body('7'), /not a JSON object/],
      ['an empty list', body('[]'), /no "ok"/],
      ['half a JSON', body('{"ok":true,"logins":[{"user_id":"U1'), /not JSON/],
      ['no list', body('{"ok":true}'), /no list "logins"/],
      ['a list of another kind', body('{"ok":true,"logins":{"0":{}}}'), /no list "logins"/],
      ['HTTP 403', { kind: 'status', status: 403, body: '<html>Forbidden</html>' }, /HTTP 403/],
    ]
    for (const [what, fault, message] of odd) {
      test(`${what} is a contract error of one short line`, async (t) => {
        const { audit } = await slackWith(t, {}, faultOf(ACCESS, fault))
        const result = await audit(['access', '--report', '--max-time', '4s'])
        assert.deepEqual([result.code, printed(result).length], [1, 0])
        assert.equal(linesOf(result.stderr).length, 1)
        assert.ok(result.stderr.length < 300)
        assert.match(result.stderr, message)
        assert.doesNotMatch(result.stderr, /[<>]/)
        assert.equal(reportOf(result).error?.class, 'contract')
      })
    }

    test('garbage on page 2 of 4: page 1 is printed, then come exit 1 and a failure report', async (t) => {
      const { audit } = await slackWith(
        t,
        { accessRows: 200, maxPageRows: 50 },
        { fault: (method, nth) => (method === ACCESS && nth > 1 ? html : undefined) },
      )
      const result = await audit(['access', '--report', '--max-time', '4s'])
      assert.deepEqual([result.code, printed(result).length], [1, 50])
      const { outcome, complete, pages, rows_printed, error } = reportOf(result)
      assert.deepEqual([outcome, complete, pages, rows_printed], ['failure', false, 1, 50])
      assert.equal(error?.class, 'contract')
    })
  })

  describe('what may pass', { concurrency: 6 }, () => {
    const limited = (retryAfter?: string): Fault => ({
      kind: 'status',
      status: 429,
      headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
      body: '{"ok":false,"error":"ratelimited"}',
    })
    const passing: [string, Fault][] = [
      ['HTTP 500', { kind: 'status', status: 500, body: 'oops' }],
      ['HTTP 503 with Retry-After', { kind: 'status', status: 503, headers: { 'retry-after': '1' } }],
      ['HTTP 429 with Retry-After', limited('1')],
      ['an internal_error', { kind: 'error', error: 'internal_error' }],
      ['a connection that is reset', { kind: 'reset' }],
      ['a body that is cut', { kind: 'cut' }],
      ['the page of a proxy', { kind: 'body', body: '<html>one moment</html>' }],
    ]
    for (const [what, fault] of passing) {
      test(`${what} is tried again, and nothing is lost or printed twice`, async (t) => {
        const { workspace, audit } = await slackWith(
          t,
          { maxPageRows: 40 },
          { fault: (method, nth) => (method === ACCESS && nth === 2 ? fault : undefined) },
        )
        const result = await audit(['access', '--report'])
        assert.equal(result.code, 0)
        assert.deepEqual(texts(printed(result)), texts(workspace.accessRows()))
        const { retries, requests, pages, outcome } = reportOf(result)
        assert.deepEqual([retries, requests, pages, outcome], [1, 3, 2, 'success'])
      })
    }

    test('an error of auth.test that passes is not a failure either', async (t) => {
      const { audit } = await slackWith(t, {}, faultOf('auth.test', { kind: 'reset' }, 1))
      assert.equal((await audit()).code, 0)
    })

    test('a rate limit is waited for as long as Slack says, and the report says how long', async (t) => {
      const { audit, asked } = await slackWith(t, {}, faultOf(ACCESS, limited('2'), 1))
      const result = await audit(['access', '--report', '-v'])
      assert.equal(result.code, 0)
      assert.equal(reportOf(result).rate_limited_ms, 2000)
      assert.match(result.stderr, /access: trying again in 2 s \(rate limit\)/)
      assert.equal(asked(ACCESS).length, 2)
    })

    const ends: [string, Fault, RegExp, string][] = [
      ['a wait of three hours', limited('10800'), /ratelimited.*3 h/, 'rate_limit'],
      ['a wait that no header names', limited(), /rate limit/, 'rate_limit'],
      ['a wait until a date', limited('Wed, 21 Oct 2026 07:28:00 GMT'), /rate limit/, 'rate_limit'],
      ['a wait longer than --max-time', limited('60'), /rate limit/, 'rate_limit'],
      ['ratelimited with HTTP 200', { kind: 'error', error: 'ratelimited' }, /rate limit/, 'rate_limit'],
      ['a server that never answers', { kind: 'hang' }, /in time/, 'network'],
      ['a connection that is reset each time', { kind: 'reset' }, /cannot reach/, 'network'],
      ['a body that is cut each time', { kind: 'cut' }, /cannot reach/, 'network'],
      ['HTTP 503 each time', { kind: 'status', status: 503 }, /HTTP 503/, 'outage'],
    ]
    for (const [what, fault, message, errorClass] of ends) {
      test(`${what} ends within --max-time, with exit 1 and one line`, async (t) => {
        const { audit } = await slackWith(t, {}, faultOf(ACCESS, fault))
        const result = await audit(['access', '--report', '--max-time', '5s'])
        assert.equal(result.code, 1)
        assert.equal(linesOf(result.stderr).length, 1)
        assert.match(result.stderr, message)
        assert.equal(reportOf(result).error?.class, errorClass)
      })
    }

    test('a page that takes too long is requested smaller, and no row is lost by it', async (t) => {
      const { workspace, audit, asked } = await slackWith(
        t,
        { accessRows: 1200 },
        { fault: (method, nth) => (nth === 1 && method !== 'auth.test' ? { kind: 'hang' } : undefined) },
      )
      const result = await audit(['access'])
      assert.deepEqual([result.code, (await audit(['integration'])).code], [0, 0])
      assert.deepEqual(
        asked(ACCESS).map(({ limit }) => limit),
        ['999', '500', '500', '500'],
      )
      assert.deepEqual(
        asked(INTEGRATION).map(({ count, page }) => [count, page]),
        Array(2).fill(['1000', '1']),
        'numbered pages keep their size',
      )
      assert.deepEqual(texts(printed(result, 'access')), distinct(workspace.accessRows()))
    })

    test('--max-time ends an answer that trickles in, however often garbage is collected', async (t) => {
      const { workspace } = await slackWith(t)
      const identity = JSON.stringify({ ok: true, team_id: workspace.team.id })
      const server = createServer((request, response) => {
        if (request.url?.endsWith('auth.test')) return response.end(identity)
        const trickle = setInterval(() => response.write(' '), 50)
        return response.on('close', () => clearInterval(trickle))
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
      t.after(() => server.close())
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      const preload = 'data:text/javascript,setInterval(gc,50).unref()'
      const node = ['--expose-gc', '--import', preload, PROGRAM, '--api-url', url]
      const child = spawn(process.execPath, [...node, 'access', '--max-time', '2s', '--report'], {
        env: cleanEnvironment({ SLACK_TOKEN: TOKEN }),
        timeout: PATIENCE_MS,
      })
      const result = assertSound(await finished(child))
      assert.equal(result.code, 1)
      assert.match(result.stderr, /--max-time ran out before Slack answered: its answer did not come in time/)
      assert.equal(reportOf(result).error?.class, 'network')
    })

    test('a server that never answers auth.test ends the run within --max-time', async (t) => {
      const { audit } = await slackWith(t, {}, faultOf('auth.test', { kind: 'hang' }))
      const result = await audit(['--report', '--max-time', '4s'])
      assert.deepEqual([result.code, reportOf(result).outcome], [1, 'failure'])
    })

    test('--max-time in the middle of a walk keeps what was read, and is not a failure', async (t) => {
      const { audit } = await slackWith(
        t,
        { accessRows: 200, maxPageRows: 50 },
        { fault: (method, nth) => (method === ACCESS && nth === 3 ? { kind: 'hang' } : undefined) },
      )
      const result = await audit(['access', '--report', '--max-time', '4s'])
      assert.deepEqual([result.code, printed(result).length], [0, 100])
      const { outcome, complete } = reportOf(result)
      assert.deepEqual([outcome, complete], ['success', false])
      assert.match(result.stderr, /stopped at --max-time/)
    })

    test('a redirect is not followed, so that the token goes nowhere else', async (t) => {
      const elsewhere = await slackWith(t)
      const location = `${elsewhere.fake.url}${ACCESS}`
      const { audit } = await slackWith(t, {}, faultOf(ACCESS, { kind: 'redirect', location }))
      const result = await audit(['access', '--max-time', '4s'])
      assert.equal(result.code, 1)
      assert.match(result.stderr, /redirects elsewhere, check --api-url/)
      assert.deepEqual(elsewhere.fake.requests, [])
    })

    test('an address where nobody listens is exit 1 and named', async (t) => {
      const { fake, audit } = await slackWith(t)
      const gone = await serve(fake.slack)
      await gone.close()
      const result = await audit(['--api-url', gone.url, '--max-time', '4s', '--report'])
      assert.equal(result.code, 1)
      assert.match(result.stderr, new RegExp(`cannot reach ${new URL(gone.url).host} \\(ECONNREFUSED\\)`))
      assert.equal(reportOf(result).error?.class, 'network')
    })
  })

  describe('reports', { concurrency: 4 }, () => {
    const types = {
      log: 'string',
      outcome: 'string',
      complete: 'boolean',
      started: 'string',
      duration_ms: 'number',
      requests: 'number',
      pages: 'number',
      rows_read: 'number',
      rows_printed: 'number',
      retries: 'number',
      rate_limited_ms: 'number',
      lookback_s: 'number',
      longest_row_s: 'number',
      gaps: 'number',
      version: 'string',
    }

    test('have the same fields of the same types after success and after failure', async (t) => {
      const { audit, workspace } = await slackWith(
        t,
        {},
        faultOf(ACCESS, { kind: 'error', error: 'paid_only' }),
      )
      const result = await audit(['--report'])
      const refused = await audit(['--report'], { SLACK_TOKEN: 'xoxp-another-one' })
      const wrong = await audit(['--report', '--max-rows', '0'])
      const all = [result, refused, wrong].flatMap((each) => each.lines())
      const lines = all.filter(({ dataset }) => dataset === 'slack.auditor')
      assert.equal(new Set(lines.map(({ id }) => id)).size, 6)
      for (const line of lines) {
        assert.deepEqual(Object.keys(line), ['dataset', 'id', 'team', 'run'])
        const { watermark, error, ...fields } = line['run'] as Report
        const found = Object.entries(fields).map(([name, value]) => [name, typeof value])
        assert.deepEqual(Object.fromEntries(found), types)
        assert.ok(watermark === null || Number.isInteger(watermark))
        if (error) assert.deepEqual(Object.keys(error), ['class', 'code', 'message'])
        assert.equal(new Date(fields.started).toISOString(), fields.started)
      }
      const rows = workspace.integrationRows()
      const { requests, pages, rows_read, rows_printed, gaps } = reportOf(result, 'integration')
      assert.deepEqual(
        [requests, pages, rows_read, rows_printed, gaps],
        [1, 1, rows.length, distinct(rows).length, 0],
      )
    })

    test('come last, and only when requested', async (t) => {
      const { audit } = await slackWith(t)
      const datasets = (await audit(['--report'])).lines().map(({ dataset }) => dataset)
      assert.deepEqual(datasets.slice(-2), ['slack.auditor', 'slack.auditor'])
      assert.ok(!(await audit()).stdout.includes('slack.auditor'))
    })
  })

  describe('stdout', { concurrency: 4 }, () => {
    const big: Options = { accessRows: 5000, maxPageRows: 100 }

    test('that is closed, or /dev/null open for reading too, is exit 1 and one line, before anything is asked', async (t) => {
      const { address, fake } = await slackWith(t)
      for (const redirect of ['>&-', '1<>/dev/null']) {
        const result = await shell(`exec "$@" ${redirect}`, address)
        assert.equal(result.code, 1)
        assert.match(
          result.stderr,
          /^slack-auditor: stdout is closed, or it is \/dev\/null open for reading.*\n$/,
        )
      }
      assert.deepEqual(fake.requests, [])
    })

    test('that is /dev/null on purpose is fine; on a full disk it is exit 1 and one line', async (t) => {
      const { address, asked } = await slackWith(t, big)
      const script = 'for file in null full; do "$@" > /dev/$file; echo "exit $?" >&2; done'
      const { stderr } = await shell(script, [...address, 'access', '--report'])
      assert.match(stderr, /, complete\nexit 0\nslack-auditor: stdout: no space left .*\nexit 1\n$/)
      assert.ok(asked(ACCESS).length < 60)
    })

    test('into head is exit 1, one line on stderr and an early end; with -q, no line', async (t) => {
      const { address, asked } = await slackWith(t, big)
      const script = 'for option in "" -q; do { "$@" $option; echo "exit $?" >&2; } | head -n 1; done'
      const result = await shell(script, [...address, 'access', '--report'])
      assert.equal(linesOf(result.stdout).length, 2)
      assert.match(result.stderr, /^slack-auditor: stdout: nobody reads .*\nexit 1\nexit 1\n$/)
      assert.ok(asked(ACCESS).length < 60)
    })
  })

  describe('stderr and stdin', { concurrency: 4 }, () => {
    const odd: [string, (address: string[]) => Promise<Finished>][] = [
      ['closed as stdin is', (address) => shell('exec "$@" 2>&- <&-', address)],
      ['on a full disk, and stdin endless,', (address) => shell('exec "$@" 2>/dev/full </dev/zero', address)],
      [
        'read by somebody who goes away, and stdin held open by somebody silent,',
        (address) => {
          const child = start(address)
          child.stderr?.destroy()
          return finished(child)
        },
      ],
    ]
    for (const [what, runWith] of odd) {
      test(`stderr ${what} does not end the run`, async (t) => {
        const { address, workspace } = await slackWith(t, { accessRows: 200, maxPageRows: 50 })
        const result = await runWith([...address, '-v', '--report'])
        assert.equal(result.code, 0)
        assert.deepEqual(texts(printed(result)), texts(workspace.accessRows()))
        assert.equal(reportOf(result, 'integration').outcome, 'success')
      })
    }

    test('in a pipe, stderr gets one closing line per log', async (t) => {
      const { audit } = await slackWith(t)
      const lines = linesOf((await audit()).stderr)
      assert.equal(lines.length, 2)
      assert.match(lines[0] ?? '', /^slack-auditor: access: 60 printed of 60 rows read in 1 page, complete$/)
      assert.match(
        lines[1] ?? '',
        /^slack-auditor: integration: \d+ printed of 30 rows read in 1 page, complete$/,
      )
    })

    test('-q says nothing after a success, and what failed after a failure', async (t) => {
      const { audit } = await slackWith(t)
      assert.equal((await audit(['-q'])).stderr, '')
      assert.match((await audit(['-q'], { SLACK_TOKEN: 'xoxp-another-one' })).stderr, /invalid_auth/)
    })
  })

  describe('a signal', { concurrency: 4 }, () => {
    /** A Slack that calls back when the third page is requested, and then asks to wait for a minute. */
    const waiting = (t: TestContext, onWait: () => void) =>
      slackWith(
        t,
        { accessRows: 500, maxPageRows: 100 },
        {
          fault: (method, nth) => {
            if (method !== ACCESS || nth < 3) return undefined
            // The program should be gone by then.
            if (nth > 3) return { kind: 'error', error: 'paid_only' }
            onWait()
            return { kind: 'status', status: 429, headers: { 'retry-after': '60' } }
          },
        },
      )

    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      test(`${name} during a wait for the rate limit ends the program by that signal, its lines whole`, async (t) => {
        const { address } = await waiting(t, () => child.kill(name))
        const folder = folderOf(t)
        const child = start([...address, 'access', '--report', '--state-dir', folder])
        const result = assertSound(await finished(child))
        assert.deepEqual([result.code, result.signal], [null, name])
        assert.equal(printed(result).length, 200)
        const said = 'nothing was saved; the next run prints these rows again, with the same ids'
        assert.equal(result.stderr, `slack-auditor: interrupted by ${name}: ${said}\n`)
        assert.deepEqual(readdirSync(folder), [])
      })
    }

    const inNamespace = ['unshare', '--map-root-user', '--pid', '--fork', '--mount-proc']
    const noNamespace = spawnSync('unshare', [...inNamespace.slice(1), 'true']).status !== 0
    test('ends it with the same exit code where it is process 1, as in a container', {
      skip: noNamespace && 'needs the command unshare and leave to use it',
    }, async (t) => {
      const { address } = await waiting(t, () => {
        const child = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8')
        process.kill(Number(child), 'SIGTERM')
      })
      const [command = '', ...args] = inNamespace
      const outer = spawn(command, [...args, process.execPath, PROGRAM, ...address, 'access'], {
        env: cleanEnvironment({ SLACK_TOKEN: TOKEN }),
      })
      const result = assertSound(await finished(outer))
      assert.equal(result.stderr, 'slack-auditor: interrupted by SIGTERM\n')
      assert.equal(result.code, 143)
    })

    for (const [how, script] of [
      ['nohup', '_=/usr/bin/nohup exec nohup "$@"'],
      ['the shell', 'trap "" HUP; "$@"; exit $?'],
    ] as const) {
      test(`SIGHUP that ${how} had ignored is ignored`, async (t) => {
        const pid = join(folderOf(t), 'pid')
        const { address } = await slackWith(
          t,
          { maxPageRows: 10 },
          {
            beforeAnswer: (method) => {
              if (method === ACCESS) process.kill(Number(readFileSync(pid, 'utf8')), 'SIGHUP')
            },
          },
        )
        // The preload names the process, which is a child of the shell.
        const preload = `data:text/javascript,import{writeFileSync}from"node:fs";writeFileSync(${JSON.stringify(pid)},String(process.pid))`
        const command = [process.execPath, '--import', preload, PROGRAM, ...address, 'access']
        const child = spawn('sh', ['-c', script, 'sh', ...command], {
          env: cleanEnvironment({ SLACK_TOKEN: TOKEN }),
        })
        const result = await finished(child)
        assert.deepEqual([result.code, printed(result).length], [0, 60], result.stderr)
      })
    }

    test('in the middle of a page lets its last line end', async (t) => {
      const { address } = await slackWith(t, { accessRows: 5000 })
      const child = start([...address, 'access'])
      child.stdout?.once('data', () => child.kill('SIGTERM'))
      const result = assertSound(await finished(child))
      assert.equal(result.signal, 'SIGTERM')
      assert.equal(printed(result).length % 999, 0)
    })
  })

  describe('on a terminal', { concurrency: 2, skip: missing('script') }, () => {
    const ESCAPES = '\r\u001b[K'

    /** What a terminal got as stderr, and what is on it in the end. */
    async function onTerminal(
      address: string[],
      env: Record<string, string> = {},
    ): Promise<{ all: string; last: string[] }> {
      const command = [process.execPath, PROGRAM, ...address].map((word) => `'${word}'`).join(' ')
      const child = spawn('script', ['-qec', `${command} >/dev/null`, '/dev/null'], {
        env: cleanEnvironment({ SLACK_TOKEN: TOKEN, COLUMNS: '120', ...env }),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const ended = await finished(child)
      assert.equal(ended.code, 0)
      const last = ended.stdout.split(/\r?\n/).map((line) => line.split(ESCAPES).at(-1) ?? '')
      return { all: ended.stdout, last: last.filter(Boolean) }
    }

    const closing = /^slack-auditor: (access|integration): .*, complete$/
    const limited: ServerOptions = {
      fault: (method, nth) =>
        method === ACCESS && nth === 2
          ? { kind: 'status', status: 429, headers: { 'retry-after': '2' } }
          : undefined,
    }

    test('a long walk shows how far it is and what it waits for, and removes that in the end', async (t) => {
      const { address } = await slackWith(t, { accessRows: 100, maxPageRows: 50 }, limited)
      const seen = await onTerminal(address)
      assert.match(seen.all, /integration: 1 page, 30 rows, .*access: trying again in \d s \(rate limit\)/)
      assert.equal(seen.last.length, 2)
      for (const line of seen.last) assert.match(line, closing)
    })

    test('that knows no cursor codes there are lines alone', async (t) => {
      const { address } = await slackWith(t, { accessRows: 100, maxPageRows: 50 }, limited)
      const { all } = await onTerminal([...address, 'access'], { TERM: 'dumb' })
      const lines = all.split('\r\n')
      assert.ok(!all.includes('\u001b'))
      assert.equal(lines[0], 'slack-auditor: access: trying again in 2 s (rate limit)')
      assert.match(lines[1] ?? '', closing)
    })

    test('a state folder that comes from the environment is named first', async (t) => {
      const { address } = await slackWith(t)
      const state = folderOf(t)
      const seen = await onTerminal([...address, 'access'], { SLACK_AUDIT_STATE: state })
      assert.equal(seen.last[0], `slack-auditor: using the state folder ${state} (SLACK_AUDIT_STATE)`)
      assert.match(seen.last[1] ?? '', closing)
    })
  })
})

describe('start, called in this process', () => {
  const ENV = { SLACK_TOKEN: TOKEN }

  test('writes to the streams it is given, and gives exit code 0', async (t) => {
    const { address, workspace } = await slackWith(t)
    const { exitCode, out, err } = begin([...address, 'access', '--report'], ENV)
    assert.equal(await exitCode, 0)
    assert.equal(out.chunks.length, 2, 'the page and the report are a chunk each')
    assert.equal(linesOf(out.chunks[0] ?? '').length, workspace.accessRows().length)
    assert.match(out.chunks[1] ?? '', /^\{"dataset":"slack\.auditor".*\}\n$/)
    assert.match(err.text(), /^slack-auditor: access: 60 printed of 60 rows read in 1 page, complete\n$/)
  })

  test('reads the environment it is given and not that of this process', async (t) => {
    const { fake, address } = await slackWith(t)
    const without = begin([...address, 'access'], {})
    assert.equal(await without.exitCode, 2)
    assert.match(without.err.text(), /^slack-auditor: no token: set SLACK_TOKEN.*\n$/)
    assert.equal(fake.requests.length, 0)
    const from = begin(['access', '-q'], { ...ENV, SLACK_API_URL: fake.url, SLACK_TEAM_ID: 'T0OTHER' })
    assert.equal(await from.exitCode, 0)
    assert.equal(fake.requests.at(-1)?.args['team_id'], 'T0OTHER')
    assert.equal(from.err.text(), '')
  })

  const codes: [what: string, args: string[], code: number, out: RegExp, err: RegExp][] = [
    ['--version', ['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    ['--help', ['--help'], 0, /^Usage: slack-auditor /, /^$/],
    ['an unknown option', ['--nonsense'], 2, /^$/, /^slack-auditor: unknown option '--nonsense'.*\n$/],
    ['an unknown log', ['audit'], 2, /^$/, /^slack-auditor: unknown log "audit".*\n$/],
  ]
  for (const [what, args, code, out, err] of codes) {
    test(`gives exit code ${code} for ${what}`, async () => {
      const run = begin(args, ENV)
      assert.equal(await run.exitCode, code)
      assert.match(run.out.text(), out)
      assert.match(run.err.text(), err)
    })
  }

  test('gives exit code 1 when Slack refuses, and never rejects', async (t) => {
    const { address } = await slackWith(t, {}, faultOf(ACCESS, { kind: 'error', error: 'paid_only' }))
    const { exitCode, err } = begin([...address, 'access'], ENV)
    assert.equal(await exitCode, 1)
    assert.match(err.text(), /paid_only/)
  })

  test('saves nothing and leaves no file when the report finds no reader', async (t) => {
    const { address } = await slackWith(t)
    const folder = folderOf(t)
    const stdout = keeper({ failingAt: 'slack.auditor' })
    const { exitCode, err } = begin([...address, '--state-dir', folder, '--report'], ENV, playTime(), stdout)
    assert.equal(await exitCode, 1)
    assert.ok(stdout.chunks.length >= 2, 'the entries were printed')
    assert.match(err.text(), /nobody reads stdout any more/)
    assert.deepEqual(readdirSync(folder), [])
  })

  test('removes its locks when it is interrupted, and saves nothing', async (t) => {
    const [reading, goOn] = [gate(), gate()]
    const { address, workspace, fake } = await slackWith(
      t,
      { maxPageRows: 20 },
      {
        beforeAnswer: async (method, nth) => {
          if (method !== ACCESS || nth !== 2) return
          reading.open()
          await goOn.passed
        },
      },
    )
    const folder = folderOf(t)
    const lock = join(folder, `${workspace.team.id}-access.json.lock`)
    const [printedOne, printedTwo] = [gate(), gate()]
    const stdout = keeper({ onChunk: (nth) => (nth === 1 ? printedOne : printedTwo).open() })
    const args = [...address, 'access', '--state-dir', folder, '--report']
    const { interrupt, exitCode } = begin(args, ENV, playTime(), stdout)
    // A run that ends early must not leave the test waiting.
    const orTheEnd = (awaited: Promise<unknown>) => Promise.race([awaited, exitCode])
    await orTheEnd(Promise.all([reading.passed, printedOne.passed]))
    assert.ok(existsSync(lock), 'the lock is held')
    await interrupt('SIGTERM')
    assert.deepEqual(readdirSync(folder), [])
    goOn.open()
    await orTheEnd(printedTwo.passed)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(linesOf(stdout.text()).length, 40, 'two pages, and no report')
    assert.equal(fake.requests.length, 3, 'who the token belongs to, and the two pages')
    assert.deepEqual(readdirSync(folder), [])
  })

  test('does not begin when cli.ts is only imported', () => {
    const url = new URL('../src/cli.ts', import.meta.url)
    const script = `await import(${JSON.stringify(url)})`
    const args = ['--import', 'tsx', '--input-type=module', '-e', script, '--', '--version']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: cleanEnvironment(),
      encoding: 'utf8',
    })
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
  })
})
