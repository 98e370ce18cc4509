import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { LOGS } from '../src/log/logs.ts'
import type { Owner } from '../src/state/format.ts'
import { emptyState, type State } from '../src/state/state.ts'
import { prepareState, statePath } from '../src/state/store.ts'
import type { Range } from '../src/walk/range.ts'
import { type ServerOptions, serve } from './fake-slack/server.ts'
import { Slack, type SlackOptions } from './fake-slack/slack.ts'
import { Workspace } from './fake-slack/workspace.ts'
import { begin, keeper, playTime, runHere } from './in-process.ts'
import { cleanEnvironment, closedAfter, finished, folderOf, gate, PROGRAM, shell, TOKEN } from './program.ts'

const NOW = 1_764_000_000

interface Finding {
  name: string
  ok: boolean
  message: string
}

/** A fake Slack, and `slack-auditor check` against it. */
async function slackWith(t: TestContext, options: Partial<SlackOptions> = {}, server: ServerOptions = {}) {
  const workspace = new Workspace({ seed: 1, now: NOW, accessRows: 20, integrationRows: 20 })
  const fake = await closedAfter(t, serve(new Slack({ workspace, ...options }), server))
  const words = ['check', '--api-url', fake.url]
  return {
    fake,
    words,
    team: workspace.team.id,
    async check(args: string[] = [], env: Record<string, string> = {}) {
      const { code, stdout, stderr } = await runHere([...words, ...args, '--json'], env)
      assert.equal(stderr, '')
      assert.ok(!stdout.includes(TOKEN), 'the token is not shown')
      assert.match(stdout, /^[^\n]+\n$/, 'one line')
      const verdict = JSON.parse(stdout) as { ok: boolean; checks: Finding[] }
      assert.deepEqual([Object.keys(verdict), verdict.ok], [['ok', 'checks'], code === 0])
      return { code, findings: verdict.checks }
    },
  }
}

/** Every finding matches its line: `ok name message` or `fix name message`, the message a pattern. */
function assertFindings(findings: readonly Finding[], expected: readonly string[]): void {
  const shown = findings.map(({ name, ok, message }) => `${ok ? 'ok' : 'fix'} ${name}: ${message}`)
  assert.equal(shown.length, expected.length, shown.join('\n'))
  for (const [index, pattern] of expected.entries())
    assert.match(shown[index] ?? '', new RegExp(`^${pattern}`))
}

const GOOD = [
  'ok token: from SLACK_TOKEN$',
  'ok slack: token accepted: Beispiel GmbH – Zürich \\(T000000001\\), user audit\\.service$',
  'ok scope: admin$',
  'ok access: team\\.accessLogs can be read$',
  'ok integration: team\\.integrationLogs can be read$',
]
const [TOKEN_GOOD = '', SLACK_GOOD = '', SCOPE_GOOD = '', ACCESS_GOOD = '', INTEGRATION_GOOD = ''] = GOOD

describe('the token', { concurrency: 4 }, () => {
  type Case = [
    string,
    Partial<SlackOptions>,
    ServerOptions,
    string[],
    Record<string, string>,
    number,
    string[],
  ]
  const refused = (method: string, error: string): ServerOptions => ({
    fault: (asked) => (asked === method ? { kind: 'error', error } : undefined),
  })
  const cases: Case[] = [
    ['that is good is good for both logs', {}, {}, [], {}, 0, GOOD],
    ['is looked at for the named log alone', {}, {}, ['access'], {}, 0, GOOD.slice(0, 4)],
    [
      'that is missing is a wrong environment',
      {},
      {},
      [],
      { SLACK_TOKEN: '' },
      2,
      ['fix token: SLACK_TOKEN is empty: it must be the User OAuth Token, which begins with xoxp-'],
    ],
    [
      'that is one of a bot by its prefix is a wrong environment',
      {},
      {},
      [],
      { SLACK_TOKEN: 'xoxb-1-secret' },
      2,
      ['fix token: SLACK_TOKEN holds a bot token: use the User OAuth Token'],
    ],
    [
      'whose file is missing is a wrong environment',
      {},
      {},
      ['--token-file', '/nowhere/token'],
      {},
      2,
      ['fix token: token file /nowhere/token cannot be read: there is no such file \\(ENOENT\\)$'],
    ],
    [
      'that Slack does not take is said with where to look',
      {},
      {},
      [],
      { SLACK_TOKEN: 'xoxp-another-one' },
      1,
      [TOKEN_GOOD, 'fix slack: auth\\.test: invalid_auth: .*copied whole.*allow-list.*--team-id'],
    ],
    [
      'of a bot, by what Slack says, cannot read either log',
      { tokenType: 'bot' },
      {},
      [],
      {},
      1,
      [
        TOKEN_GOOD,
        SLACK_GOOD,
        SCOPE_GOOD,
        'fix access: .*not_allowed_token_type.*xoxp-',
        'fix integration: .*not_allowed',
      ],
    ],
    [
      'without the scope admin: says what it has and what to do',
      { scopes: ['identify', 'users:read'] },
      {},
      [],
      {},
      1,
      [
        TOKEN_GOOD,
        SLACK_GOOD,
        'fix scope: the token lacks the scope "admin" \\(it has: identify, users:read\\): add the user scope "admin"',
        'fix access: team\\.accessLogs: missing_scope: .*\\(needed: admin; the token has: identify,users:read\\)$',
        'fix integration: team\\.integrationLogs: missing_scope',
      ],
    ],
    [
      'with admin.teams:read has not the scope admin',
      { scopes: ['admin.teams:read'] },
      {},
      [],
      {},
      1,
      [TOKEN_GOOD, SLACK_GOOD, 'fix scope: .*it has: admin\\.teams:read', 'fix access', 'fix integration'],
    ],
    [
      'of a free workspace still reads the integration log',
      {},
      refused('team.accessLogs', 'paid_only'),
      [],
      {},
      1,
      [TOKEN_GOOD, SLACK_GOOD, SCOPE_GOOD, 'fix access: .*paid_only: .*upgrade', INTEGRATION_GOOD],
    ],
    [
      'may be good where only the integration log is wanted of it',
      {},
      refused('team.accessLogs', 'paid_only'),
      ['integration'],
      {},
      0,
      [TOKEN_GOOD, SLACK_GOOD, SCOPE_GOOD, INTEGRATION_GOOD],
    ],
    [
      'for which Slack names no scopes is judged by the logs',
      {},
      {
        fault: (method) =>
          method === 'auth.test'
            ? { kind: 'body', body: '{"ok":true,"team_id":"T1","user_id":"U1"}' }
            : undefined,
      },
      [],
      {},
      0,
      [TOKEN_GOOD, 'ok slack: token accepted: workspace \\(T1\\), user U1$', ACCESS_GOOD, INTEGRATION_GOOD],
    ],
  ]
  for (const [what, options, server, args, env, code, expected] of cases) {
    test(`${what}: exit ${code}`, async (t) => {
      const { check } = await slackWith(t, options, server)
      const got = await check(args, env)
      assertFindings(got.findings, expected)
      assert.equal(got.code, code)
    })
  }
})

describe('check', { concurrency: 4 }, () => {
  test('asks Slack who it is and for one row of each log, and nothing else', async (t) => {
    const { fake, words } = await slackWith(t)
    await runHere([...words, '--since', '1d'])
    const asked = fake.requests.map(({ method, args }) => [method, { ...args }])
    assert.deepEqual(asked, [
      ['auth.test', {}],
      ['team.accessLogs', { limit: '1' }],
      ['team.integrationLogs', { count: '1', page: '1' }],
    ])
  })

  test('says as text what it says as JSON, a line for each finding, and nothing else', async (t) => {
    const { check, words } = await slackWith(t, { scopes: ['identify'] })
    const folder = folderOf(t)
    const { findings } = await check(['--state-dir', folder])
    const { code, stdout, stderr } = await runHere([...words, '--state-dir', folder])
    const width = 'state of integration'.length
    const lines = findings.map(
      ({ name, ok, message }) => `${ok ? 'ok ' : 'fix'}  ${name.padEnd(width)}  ${message}\n`,
    )
    assert.deepEqual([stdout, stderr, code], [lines.join(''), '', 1])
  })

  test('prints each finding when it has it', async (t) => {
    const reached = gate()
    const { words } = await slackWith(
      t,
      {},
      { beforeAnswer: (method) => (method === 'team.accessLogs' ? reached.passed : undefined) },
    )
    const stdout = keeper({ onChunk: (nth) => nth === 3 && reached.open() })
    const { exitCode } = begin(words, { SLACK_TOKEN: TOKEN }, playTime(), stdout)
    assert.equal(await exitCode, 0)
    assert.deepEqual(
      stdout.chunks.map((line) => line.split(/ +/)[1]),
      ['token', 'slack', 'scope', 'access', 'integration'],
    )
  })

  test('finds fault with a token that rotates, since the feed would stop within hours', async (t) => {
    const rotating = 'xoxe.xoxp-1-rotating'
    const { check } = await slackWith(t, {}, { token: rotating })
    const { code, findings } = await check([], { SLACK_TOKEN: rotating })
    assertFindings(findings, [
      TOKEN_GOOD,
      'fix rotation: SLACK_TOKEN holds a token that rotates',
      ...GOOD.slice(1),
    ])
    assert.equal(code, 1)
  })

  test('asks for the workspace that is wanted', async (t) => {
    const { fake, check } = await slackWith(t)
    const { findings } = await check(['access', '--team-id', 'T0OTHER'])
    assert.match(findings[1]?.message ?? '', /workspace \(T0OTHER\)/)
    assert.deepEqual({ ...fake.requests.at(-1)?.args }, { team_id: 'T0OTHER', limit: '1' })
  })

  test('refuses logs that do not exist', async (t) => {
    const { words, fake } = await slackWith(t)
    const { code, stdout, stderr } = await runHere([...words, 'audit'])
    assert.deepEqual([code, stdout, fake.requests.length], [2, '', 0])
    assert.match(stderr, /^slack-auditor: unknown log "audit"[^\n]*\n$/)
  })

  test('says what is wrong with an answer that is not of Slack', async (t) => {
    const { check } = await slackWith(
      t,
      {},
      { fault: (method) => (method === 'team.accessLogs' ? { kind: 'status', status: 403 } : undefined) },
    )
    const { code, findings } = await check()
    assertFindings(findings, [
      ...GOOD.slice(0, 3),
      'fix access: team\\.accessLogs: HTTP 403, which Slack does not send: check --api-url and the proxy$',
      INTEGRATION_GOOD,
    ])
    assert.equal(code, 1)
  })
})

describe('with --state-dir', { concurrency: 4 }, () => {
  const owner = (tokenTeamId: string): Owner => ({
    tokenTeamId,
    requestedTeamId: undefined,
    log: LOGS.access,
  })
  const gap: Range = { top: NOW, floor: 0 }
  const state = (fields: Partial<State>): State => ({ ...emptyState(0), ...fields })

  /** A folder in which a state of the access log was saved; `saved`: how many seconds ago. */
  async function stateFolder(t: TestContext, team: string, saved: State, secondsAgo = 0): Promise<string> {
    const folder = folderOf(t)
    const path = statePath(folder, owner(team))
    const at = new Date(Date.now() - secondsAgo * 1000).toISOString()
    await (await prepareState(path, owner(team), { at, state: saved })).commit()
    return folder
  }

  const day = '2025-11-24 16:00:00Z'
  const states: [what: string, saved: State, secondsAgo: number, message: string][] = [
    [
      'that is good is described in words',
      state({ watermark: NOW }),
      3.1 * 3600,
      `last run 3 h ago, read up to ${day}, no gaps$`,
    ],
    [
      'with one gap is described with its gap',
      state({ watermark: NOW, gaps: [gap] }),
      8.1 * 86_400,
      `last run 8 d ago, read up to ${day}, 1 gap that later runs will read$`,
    ],
    [
      'with two gaps is described with the number of its gaps',
      state({ watermark: NOW, gaps: [gap, gap] }),
      630,
      `last run 1[01] min ago, .*, 2 gaps that later runs will read$`,
    ],
    [
      'of an empty log is described as one of which no entry was seen',
      state({}),
      -9999,
      'last run 0 s ago, no entry seen yet, no gaps$',
    ],
  ]
  for (const [what, saved, secondsAgo, message] of states) {
    test(`a state ${what}`, async (t) => {
      const { check, team } = await slackWith(t)
      const folder = await stateFolder(t, team, saved, secondsAgo)
      const { code, findings } = await check(['access', '--state-dir', folder])
      assertFindings(findings.slice(4), [
        `ok state: ${folder} can be written$`,
        `ok state of access: ${message}`,
      ])
      assert.equal(code, 0)
    })
  }

  test('a folder that holds only the state of another team is good, and that is mentioned, by a run too', async (t) => {
    const { check, words } = await slackWith(t)
    const folder = await stateFolder(t, 'T0OTHER', state({ watermark: NOW }))
    const { code, findings } = await check(['access', '--state-dir', folder])
    assertFindings(findings.slice(4), [
      `ok state: ${folder} can be written, but holds only the state of T0OTHER: is this the right token\\?$`,
      'ok state of access: no saved state',
    ])
    assert.equal(code, 0)
    const run = [...words.slice(1), 'access', '--state-dir', folder]
    const question = `${folder} holds only the state of T0OTHER: is this the right token?`
    assert.ok((await runHere(run)).stderr.startsWith(`slack-auditor: ${question}\n`))
    assert.ok(!(await runHere(run)).stderr.includes('right token'), 'now there is one of our own')
  })

  test('a folder in which nothing can be written, as on a full disk, is to be fixed', async (t) => {
    const { words } = await slackWith(t)
    const folder = folderOf(t)
    const { stdout } = await shell('ulimit -f 0; exec "$@"', [...words, 'access', '--state-dir', folder])
    assert.match(stdout, new RegExp(`\\nfix  state +${folder} cannot be written: EFBIG\\n$`))
    assert.deepEqual(readdirSync(folder), [])
  })

  for (const saved of ['yesterday', 7, undefined]) {
    test(`a state that says ${JSON.stringify(saved)} for the time of saving is good, and its age is unknown`, async (t) => {
      const { check, team } = await slackWith(t)
      const folder = await stateFolder(t, team, state({ watermark: NOW }))
      const path = statePath(folder, owner(team))
      const file = JSON.parse(readFileSync(path, 'utf8')) as object
      writeFileSync(path, JSON.stringify({ ...file, saved }))
      const { code, findings } = await check(['access', '--state-dir', folder])
      assertFindings(findings.slice(5), [`ok state of access: age unknown, read up to ${day}, no gaps$`])
      assert.equal(code, 0)
    })
  }

  test('a state that is not there yet is good, and so is a folder that can be made; check does not make it', async (t) => {
    const { check } = await slackWith(t)
    for (const folder of [folderOf(t), join(folderOf(t), 'a', 'b')]) {
      const there = existsSync(folder)
      const { code, findings } = await check(['--state-dir', folder])
      assertFindings(findings.slice(5), [
        `ok state: ${folder} can be written$`,
        'ok state of access: no saved state: the next run reads everything$',
        'ok state of integration: no saved state: the next run reads everything$',
      ])
      assert.equal(code, 0)
      assert.equal(existsSync(folder), there)
    }
  })

  for (const [what, change, message] of [
    ['damaged', () => '{"version":1,', 'is damaged \\(it is not JSON\\)'],
    ['of another team', (text: string) => text.replace('T000000001', 'T9'), 'belongs to another team \\(T9'],
    [
      'of a newer program',
      (text: string) => text.replace('"version":3', '"version":4'),
      'was written by a newer',
    ],
  ] as const) {
    test(`a state that is ${what} is to be fixed, and the rest is looked at all the same`, async (t) => {
      const { check, team } = await slackWith(t)
      const folder = await stateFolder(t, team, state({ watermark: NOW }))
      const path = statePath(folder, owner(team))
      writeFileSync(path, change(readFileSync(path, 'utf8')))
      const { code, findings } = await check(['--state-dir', folder])
      assertFindings(findings, [
        ...GOOD,
        `ok state: ${folder} can be written$`,
        `fix state of access: state file ${path} ${message}`,
        'ok state of integration: no saved state',
      ])
      assert.equal(code, 1)
    })
  }

  const faults: [what: string, make: (folder: string) => string, message: string][] = [
    ['is a file', (folder) => join(folder, 'file'), 'is not a directory'],
    [
      'is below a file',
      (folder) => join(folder, 'file', 'below'),
      'cannot be written: part of its path is a file \\(ENOTDIR\\)',
    ],
  ]
  for (const [what, make, message] of faults) {
    test(`a folder that ${what} is to be fixed`, async (t) => {
      const { check } = await slackWith(t)
      const folder = folderOf(t)
      writeFileSync(join(folder, 'file'), '')
      const { code, findings } = await check(['--state-dir', make(folder)])
      assertFindings(findings.slice(5), [`fix state: ${make(folder)} ${message}$`])
      assert.equal(code, 1)
    })
  }

  test('a folder in which one may not write is to be fixed, and so is one that may not be made there', async (t) => {
    const { words } = await slackWith(t)
    const folder = folderOf(t)
    // The user nobody may not write there, even where root runs the tests. The built file has to lie where nobody can read it.
    const copy = join(folder, 'program.cjs')
    copyFileSync(PROGRAM, copy)
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o555 })
    chmodSync(folder, 0o755)
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    for (const path of [closed, join(closed, 'below')]) {
      const child = spawn(process.execPath, [copy, ...words, 'access', '--state-dir', path, '--json'], {
        env: cleanEnvironment({ SLACK_TOKEN: TOKEN }),
        cwd: '/',
        ...nobody,
      })
      const { code, stdout } = await finished(child)
      const { checks } = JSON.parse(stdout) as { checks: Finding[] }
      assertFindings(checks.slice(4), [
        `fix state: ${path} cannot be written: permission denied \\(EACCES\\)`,
      ])
      assert.equal(code, 1)
    }
  })

  test('it leaves nothing on disk and changes no file, takes no lock and waits for none', async (t) => {
    const { check, team } = await slackWith(t)
    const folder = await stateFolder(t, team, state({ watermark: NOW, gaps: [gap] }))
    const lockPath = `${statePath(folder, owner(team))}.lock`
    writeFileSync(lockPath, JSON.stringify({ pid: process.pid, host: hostname() }))
    const look = () =>
      readdirSync(folder).map((name) => {
        const path = join(folder, name)
        const { mtimeMs, ctimeMs, mode, ino } = lstatSync(path)
        return { name, mtimeMs, ctimeMs, mode, ino, text: readFileSync(path, 'utf8') }
      })
    const before = look()
    const { code } = await check(['--state-dir', folder])
    assert.equal(code, 0)
    assert.deepEqual(look(), before)
    assert.equal(before.length, 2)
  })
})

describe('colour', { concurrency: 3 }, () => {
  /** What a terminal gets. */
  async function onTerminal(
    t: TestContext,
    env: Record<string, string>,
    args: string[] = [],
  ): Promise<string | undefined> {
    const { words } = await slackWith(t, { scopes: ['identify'] })
    const command = [process.execPath, PROGRAM, ...words, ...args].map((word) => `'${word}'`).join(' ')
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: cleanEnvironment({ SLACK_TOKEN: TOKEN, ...env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = await finished(child).catch(() => undefined)
    if (!ended?.stdout.includes('token accepted')) {
      t.skip('needs the command script of util-linux')
      return undefined
    }
    assert.equal(ended.code, 1)
    return ended.stdout
  }

  test('marks on a terminal what is good and what is to be fixed', async (t) => {
    const shown = await onTerminal(t, {})
    if (shown === undefined) return
    const [green, red, plain] = ['\u001b[32m', '\u001b[31m', '\u001b[0m']
    assert.ok(shown.includes(`${green}ok ${plain}  token                 from SLACK_TOKEN`), shown)
    assert.ok(shown.includes(`${red}fix${plain}  scope                 the token lacks the scope`), shown)
  })

  test('is left out with NO_COLOR', async (t) => {
    const shown = await onTerminal(t, { NO_COLOR: '1' })
    if (shown === undefined) return
    assert.ok(!shown.includes('\u001b'))
    assert.match(shown, /^ok {3}token/m)
  })

  test('is left out with --json', async (t) => {
    const shown = await onTerminal(t, {}, ['--json'])
    if (shown === undefined) return
    assert.ok(!shown.includes('\u001b'))
    assert.equal((JSON.parse(shown) as { ok: boolean }).ok, false)
  })
})
