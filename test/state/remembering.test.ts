import assert from 'node:assert/strict'
import type { SpawnOptions } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { Run } from '../../src/output/report.ts'
import { seeded } from '../fake-slack/random.ts'
import { type ServerOptions, serve } from '../fake-slack/server.ts'
import { Slack, type SlackOptions } from '../fake-slack/slack.ts'
import { type AccessRow, Workspace, type WorkspaceOptions } from '../fake-slack/workspace.ts'
import {
  audit,
  closedAfter,
  printed as entries,
  type Finished,
  finished,
  folderOf,
  gate,
  reportOf,
  run,
  shell,
  start,
  texts,
  wholeLines,
} from '../program.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const PRESENT = Math.floor(Date.now() / 1000)
/** Workspaces begin here, so that there is time to pass before the present. */
const NOW = PRESENT - 2 * DAY
const ACCESS = 'team.accessLogs'
const INTEGRATION = 'team.integrationLogs'

type LogName = Run['log']
type Options = Partial<WorkspaceOptions> & Partial<SlackOptions>

/** A workspace behind a fake Slack, and the program with a folder to remember in. */
async function slackWith(t: TestContext, options: Options = {}, server: ServerOptions = {}) {
  const workspace = new Workspace({
    ...{ seed: 1, now: NOW, accessRows: 120, integrationRows: 30, days: 20 },
    ...options,
  })
  const fake = await closedAfter(t, serve(new Slack({ workspace, ...options }), server))
  const folder = join(folderOf(t), 'state')
  const args = ['--api-url', fake.url, '--state-dir', folder, '--report']
  return {
    workspace,
    fake,
    folder,
    args,
    audit: (more: string[] = [], env: Record<string, string> = {}, spawning: SpawnOptions = {}) =>
      audit([...args, ...more], env, spawning),
    statePath: (log: LogName = 'access'): string => join(folder, `${workspace.team.id}-${log}.json`),
    asked: (method = ACCESS) =>
      fake.requests.filter((request) => request.method === method).map(({ args }) => args),
  }
}

type Scene = Awaited<ReturnType<typeof slackWith>>

/** What was printed, as text that is equal for equal entries. */
const printed = (result: Finished, log?: LogName): string[] => texts(entries(result, log))
const rowsOf = ({ workspace }: Pick<Scene, 'workspace'>): string[] => texts(workspace.accessRows())
const entriesOf = ({ workspace }: Pick<Scene, 'workspace'>): string[] => [
  ...new Set(texts(workspace.integrationRows())),
]
const without = (all: string[], gone: string[]): string[] => {
  const known = new Set(gone)
  return all.filter((each) => !known.has(each))
}

const SHAPES: [string, Options][] = [
  ['sorted by date_last, with cursors', {}],
  ['sorted by date_last, with pages', { paging: 'classic' }],
  ['sorted by date_first, with cursors', { order: 'date_first', filter: 'date_first' }],
  ['sorted by date_first, with pages', { order: 'date_first', filter: 'date_first', paging: 'classic' }],
]

// Side by side, since some wait where others compute.
describe('slack-auditor --state-dir', { concurrency: 3 }, () => {
  describe('two runs at once', { concurrency: true }, () => {
    /** A first run that hangs until it is let go on. */
    async function firstRun(t: TestContext) {
      const [hanging, letGo, secondRun] = [gate(), gate(), gate()]
      const scene = await slackWith(
        t,
        { maxPageRows: 30 },
        {
          beforeAnswer: async (method, nth) => {
            if (method === 'auth.test' && nth === 2) secondRun.open()
            if (method !== ACCESS || nth !== 3) return
            hanging.open()
            await letGo.passed
          },
        },
      )
      const child = start([...scene.args, 'access'])
      const ended = finished(child)
      await hanging.passed
      return { scene, child, ended, letGo: letGo.open, secondRun: secondRun.passed }
    }

    test('the second gives up and names the first, which loses nothing', async (t) => {
      const { scene, child, ended, letGo } = await firstRun(t)
      const second = await scene.audit(['access'])
      assert.equal(second.code, 1)
      assert.match(
        second.stderr,
        new RegExp(`in use by another run \\(process ${child.pid} on ${hostname()}\\)`),
      )
      assert.equal(reportOf(second).error?.class, 'state')
      assert.deepEqual(printed(second), [])
      letGo()
      assert.deepEqual(printed(await ended), rowsOf(scene))
    })

    test('the second goes on when the first ends, and prints nothing again', async (t) => {
      const { scene, ended, letGo, secondRun } = await firstRun(t)
      const second = scene.audit(['access'])
      await secondRun
      letGo()
      assert.deepEqual(printed(await ended), rowsOf(scene))
      assert.deepEqual([(await second).code, printed(await second)], [0, []])
    })

    test('two logs do not wait for each other', async (t) => {
      const { scene, ended, letGo } = await firstRun(t)
      assert.equal((await scene.audit(['integration'])).code, 0)
      letGo()
      assert.equal((await ended).code, 0)
    })

    /** The lock of a run that was killed. */
    async function deadLock(t: TestContext) {
      const { scene, child, ended, letGo } = await firstRun(t)
      child.kill('SIGKILL')
      await ended
      letGo()
      const [name = ''] = readdirSync(scene.folder).filter((each) => each.endsWith('.lock'))
      return { scene, lock: join(scene.folder, name) }
    }

    test('a lock whose process is dead is taken over', async (t) => {
      const { scene } = await deadLock(t)
      const result = await scene.audit(['access'])
      assert.deepEqual([result.code, printed(result)], [0, rowsOf(scene)])
      assert.deepEqual(readdirSync(scene.folder), [`${scene.workspace.team.id}-access.json`])
    })

    const foreign = (lock: string): void =>
      writeFileSync(lock, readFileSync(lock, 'utf8').replace(hostname(), 'another-host'))

    test('a lock of another host that was touched just now is respected', async (t) => {
      const { scene, lock } = await deadLock(t)
      foreign(lock)
      const result = await scene.audit(['access'])
      assert.equal(result.code, 1)
      assert.match(result.stderr, /in use by another run \(process \d+ on another-host\)/)
    })

    test('a lock of another host that nobody has touched for long is taken over', async (t) => {
      const { scene, lock } = await deadLock(t)
      foreign(lock)
      const past = new Date(Date.now() - 10 * 60_000)
      utimesSync(lock, past, past)
      assert.equal((await scene.audit(['access'])).code, 0)
    })
  })

  describe('a later run', { concurrency: 4 }, () => {
    for (const [shape, options] of SHAPES) {
      test(`prints what is new or changed, once, from logs ${shape}`, async (t) => {
        const scene = await slackWith(t, { ...options, maxPageRows: 50 })
        const { workspace, audit } = scene
        let before: string[] = []
        let events: string[] = []
        for (const hours of [0, 6]) {
          workspace.advanceTo(NOW + hours * HOUR, { perHour: 40 })
          const result = await audit()
          assert.equal(result.code, 0, result.stderr)
          assert.deepEqual(printed(result), without(rowsOf(scene), before))
          assert.deepEqual(printed(result, 'integration'), without(entriesOf(scene), events))
          assert.deepEqual([reportOf(result).complete, reportOf(result).gaps], [true, 0])
          before = rowsOf(scene)
          events = entriesOf(scene)
        }
        const idle = await audit()
        assert.deepEqual(
          idle.lines().map(({ dataset }) => dataset),
          ['slack.auditor', 'slack.auditor'],
        )
        assert.equal(idle.code, 0)
      })
    }

    const newest = (workspace: Workspace): AccessRow =>
      workspace.accessRows().reduce((a, b) => (b.date_last > a.date_last ? b : a))
    const oldest = (workspace: Workspace): AccessRow =>
      workspace.accessRows().reduce((a, b) => (b.date_last < a.date_last ? b : a))
    const changes: [string, number, (workspace: Workspace) => void, Options?][] = [
      ['a row that is an hour late', 1, (w) => w.addAccess({ date_last: newest(w).date_last - HOUR })],
      [
        'a row of the newest second that was known',
        1,
        (w) => w.addAccess({ date_last: newest(w).date_last }),
      ],
      [
        'a second row of one user, address and second',
        1,
        (w) => w.addAccess({ ...newest(w), user_agent: 'another program' }),
      ],
      ['a change of the newest row', 1, (w) => w.touch(newest(w), NOW + 1)],
      ['a change of the count alone', 1, (w) => w.touch(newest(w), newest(w).date_last)],
      ['a change that is an hour late', 1, (w) => w.touch(oldest(w), NOW - HOUR)],
      ['the oldest row coming back', 1, (w) => w.touch(oldest(w), NOW + 60)],
      [
        'the oldest row of a log sorted by date_first coming back',
        1,
        (w) => w.touch(oldest(w), NOW + 60),
        { order: 'date_first', filter: 'date_first', maxPageRows: 20 },
      ],
      [
        'a late row below pages of rows that are known',
        1,
        (w) => w.addAccess({ date_last: NOW - HOUR }),
        { days: 0.1, maxPageRows: 10 },
      ],
      [
        'the first rows of a log that was empty',
        2,
        (w) => [1, 2].map((s) => w.addAccess({ ...row(), date_last: NOW + s })),
        { accessRows: 0 },
      ],
    ]
    function row(): Partial<AccessRow> {
      return { user_id: 'U1', username: 'ada', user_agent: 'Firefox', isp: null, country: null, region: null }
    }
    for (const [what, count, change, options = {}] of changes) {
      test(`prints ${what}`, async (t) => {
        const scene = await slackWith(t, options)
        await scene.audit(['access'])
        const before = rowsOf(scene)
        change(scene.workspace)
        const expected = without(rowsOf(scene), before)
        assert.equal(expected.length, count)
        assert.deepEqual(printed(await scene.audit(['access'])), expected)
      })
    }

    test('prints another integration of a known second, and no twin of a known one', async (t) => {
      const { workspace, audit } = await slackWith(t)
      const known = workspace.addIntegration({ date: NOW - 60 })
      await audit(['integration'])
      workspace.addIntegration({ ...known })
      const another = workspace.addIntegration({ ...known, scope: 'another' })
      assert.deepEqual(printed(await audit(['integration']), 'integration'), texts([another]))
    })

    test('prints what arrived at the head while the run before it was reading', async (t) => {
      const scene: Scene = await slackWith(
        t,
        { maxPageRows: 30 },
        {
          beforeAnswer: (method, nth) => {
            if (method === ACCESS && nth === 3) scene.workspace.addAccess({ date_last: NOW + 1 })
          },
        },
      )
      const first = printed(await scene.audit(['access']))
      assert.deepEqual(printed(await scene.audit(['access'])), without(rowsOf(scene), first))
      assert.equal(first.length, 120)
    })

    test('takes nothing from before the --since of the first run, and ignores its own, which -v says', async (t) => {
      const scene = await slackWith(t)
      const since = NOW - HOUR
      // Older than --since, yet within the overlap of the second run.
      for (const minutes of [59, 61, 90]) scene.workspace.addAccess({ date_last: NOW - minutes * 60 })
      const young = texts(scene.workspace.accessRows().filter(({ date_last }) => date_last >= since))
      const first = await scene.audit(['access', '--since', String(since)])
      assert.deepEqual(printed(first), young)
      const second = await scene.audit(['access', '--since', String(NOW - 20 * DAY)])
      assert.deepEqual([second.code, printed(second)], [0, []])
      assert.doesNotMatch(second.stderr, /--since/)
      const third = await scene.audit(['access', '--since', String(NOW - 20 * DAY), '-v'])
      assert.match(third.stderr, /--since, which is for the first run, is ignored/)
      assert.match(third.stderr, new RegExp(`goes on from ${scene.statePath()}`))
    })
  })

  describe('a walk that is cut', { concurrency: 4 }, () => {
    for (const [shape, options] of SHAPES) {
      test(`by --max-rows is gone on with until all is printed once, in logs ${shape}`, async (t) => {
        const scene = await slackWith(t, { ...options, accessRows: 300, maxPageRows: 25 })
        const all: string[] = []
        let gaps = 1
        let runs = 0
        for (; gaps > 0; runs++) {
          assert.ok(runs < 12, 'the gaps do not end')
          scene.workspace.advanceTo(NOW + runs * 600, { perHour: 12 })
          const result = await scene.audit(['access', '--max-rows', '100'])
          assert.equal(result.code, 0, result.stderr)
          all.push(...printed(result))
          gaps = reportOf(result).gaps
          assert.equal(reportOf(result).complete, gaps === 0)
          if (gaps > 0) assert.match(result.stderr, /stopped at --max-rows; later runs read the rest/)
        }
        assert.ok(runs > 2)
        assert.equal(new Set(all).size, all.length, 'nothing twice')
        assert.deepEqual(without(rowsOf(scene), all), [])
        assert.deepEqual(printed(await scene.audit(['access'])), [])
      })
    }

    test('costs about as many requests as an uncut one', async (t) => {
      const whole = await slackWith(t, { accessRows: 2000, maxPageRows: 50 })
      await whole.audit(['access'])
      const cut = await slackWith(t, { accessRows: 2000, maxPageRows: 50 })
      for (let runs = 0; runs < 5; runs++) await cut.audit(['access', '--max-rows', '500'])
      assert.deepEqual(printed(await cut.audit(['access'])), [])
      assert.ok(
        cut.asked().length < whole.asked().length * 1.5,
        `${cut.asked().length} of ${whole.asked().length}`,
      )
    })

    test('of an integration log is gone on with, too', async (t) => {
      const scene = await slackWith(t, { integrationRows: 300, maxPageRows: 30 })
      const all: string[] = []
      for (let gaps = 1; gaps > 0; ) {
        assert.ok(all.length < 400)
        const result = await scene.audit(['integration', '--max-rows', '80'])
        all.push(...printed(result, 'integration'))
        gaps = reportOf(result, 'integration').gaps
      }
      assert.deepEqual(all.sort(), entriesOf(scene))
    })

    test('by an error of Slack on page 3 is a failure whose rest the next run prints, and only that', async (t) => {
      let broken = true
      const scene = await slackWith(
        t,
        { maxPageRows: 30 },
        {
          fault: (method, nth) =>
            broken && method === ACCESS && nth > 2 ? { kind: 'error', error: 'no_permission' } : undefined,
        },
      )
      const first = await scene.audit(['access'])
      const { outcome, complete, gaps, error: reported } = reportOf(first)
      assert.deepEqual([first.code, outcome, complete, gaps], [1, 'failure', false, 1])
      assert.equal(reported?.code, 'no_permission')
      assert.equal(printed(first).length, 60)
      broken = false
      const asked = scene.asked().length
      const second = await scene.audit(['access'])
      assert.equal(second.code, 0)
      assert.deepEqual([...printed(first), ...printed(second)].sort(), rowsOf(scene))
      assert.equal(scene.asked()[asked]?.['cursor'], undefined, 'no cursor is kept')
      assert.equal(reportOf(second).gaps, 0)
    })

    test('by --max-time is no failure, and the next run prints the rest', async (t) => {
      let slow = true
      const scene = await slackWith(
        t,
        { maxPageRows: 30 },
        { fault: (method, nth) => (slow && method === ACCESS && nth > 2 ? { kind: 'hang' } : undefined) },
      )
      const first = await scene.audit(['access', '--max-time', '3s'])
      assert.deepEqual([first.code, printed(first).length, reportOf(first).gaps], [0, 60, 1])
      slow = false
      const second = await scene.audit(['access'])
      assert.deepEqual([...printed(first), ...printed(second)].sort(), rowsOf(scene))
    })

    test('before its first page leaves no state', async (t) => {
      for (const method of ['auth.test', ACCESS]) {
        const scene = await slackWith(
          t,
          {},
          { fault: (asked) => (asked === method ? { kind: 'error', error: 'no_permission' } : undefined) },
        )
        const { code } = await scene.audit(['access'])
        assert.equal(code, 1)
        assert.deepEqual(existsSync(scene.folder) ? readdirSync(scene.folder) : [], [])
      }
    })
  })

  describe('what does not go together', { concurrency: 4 }, () => {
    for (const other of [
      ['--until', '2026-01-01'],
      ['--user', 'U1'],
    ]) {
      test(`--state-dir with ${other[0]} is exit 2, and nothing is asked or made`, async (t) => {
        const { audit, fake, folder } = await slackWith(t)
        const { code, stderr } = await audit(other)
        assert.equal(code, 2)
        assert.match(
          stderr,
          /--state-dir does not go with .*the watermark would pass over entries never read/,
        )
        assert.deepEqual([fake.requests.length, existsSync(folder)], [0, false])
      })
    }
  })

  describe('the state folder', { concurrency: 4 }, () => {
    test('is made for its owner alone, with a file for each log and nothing else', async (t) => {
      const { audit, folder, statePath } = await slackWith(t)
      await audit()
      assert.equal(statSync(folder).mode & 0o777, 0o700)
      assert.deepEqual(
        readdirSync(folder)
          .map((name) => join(folder, name))
          .sort(),
        [statePath(), statePath('integration')],
      )
      for (const log of ['access', 'integration'] as const) {
        assert.equal(statSync(statePath(log)).mode & 0o777, 0o600)
        const { version, team, watermark } = JSON.parse(readFileSync(statePath(log), 'utf8'))
        assert.deepEqual([typeof version, team, typeof watermark], ['number', 'T000000001', 'number'])
      }
    })

    test('may come from SLACK_AUDIT_STATE', async (t) => {
      const { fake, folder, statePath } = await slackWith(t)
      assert.equal((await run(['--api-url', fake.url], { SLACK_AUDIT_STATE: folder })).code, 0)
      assert.ok(existsSync(statePath()))
    })

    const unusable: [string, (t: TestContext) => string][] = [
      [
        'is a file',
        (t) => {
          const path = join(folderOf(t), 'file')
          writeFileSync(path, '')
          return path
        },
      ],
      ['lies below a file', () => '/dev/null/state'],
      ['cannot be made', () => '/proc/state'],
    ]
    for (const [what, make] of unusable) {
      test(`that ${what} is named, and the run ends before anything is printed`, async (t) => {
        const { fake } = await slackWith(t)
        const folder = make(t)
        const args = ['--api-url', fake.url, '--state-dir', folder, '--report']
        const result = await audit(args)
        assert.equal(result.code, 2)
        assert.ok(result.stderr.includes(folder))
        assert.deepEqual([printed(result), fake.requests], [[], []])
        assert.equal(reportOf(result).error?.class, 'config')
      })
    }

    test('keeps the states of two teams and of two --team-id apart', async (t) => {
      const one = await slackWith(t)
      const other = await slackWith(t, { seed: 2 })
      const here = ['--state-dir', one.folder]
      await one.audit(['access'])
      assert.deepEqual(printed(await other.audit(['access', ...here])), rowsOf(other))
      for (const id of ['T0FIRST001', 'T0SECOND01']) {
        assert.deepEqual(printed(await one.audit(['access', '--team-id', id])), rowsOf(one))
        assert.deepEqual(printed(await one.audit(['access', '--team-id', id])), [])
      }
      assert.deepEqual(printed(await one.audit(['access'])), [])
      assert.equal(readdirSync(one.folder).length, 4)
    })
  })

  describe('a state file', { concurrency: 4 }, () => {
    const edited = (change: Record<string, unknown>) => (state: string) =>
      JSON.stringify({ ...(JSON.parse(state) as object), ...change })
    const bad: [string, (state: string) => string, RegExp][] = [
      ['that is cut', (state) => state.slice(0, state.length / 2), /damaged/],
      ['of a newer version', edited({ version: 99 }), /newer slack-auditor/],
      ['of another team', edited({ team: 'T0OTHER001' }), /belongs to another team \(T0OTHER001/],
    ]
    for (const [what, spoil, message] of bad) {
      test(`${what} is named and left as it is, and the other log is read`, async (t) => {
        const scene = await slackWith(t)
        await scene.audit(['access'])
        const spoilt = spoil(readFileSync(scene.statePath(), 'utf8'))
        writeFileSync(scene.statePath(), spoilt)
        scene.workspace.addAccess({ date_last: NOW + 60 })
        const result = await scene.audit()
        assert.equal(result.code, 1)
        assert.match(result.stderr, message)
        assert.ok(result.stderr.includes(scene.statePath()))
        assert.equal(readFileSync(scene.statePath(), 'utf8'), spoilt)
        assert.deepEqual([printed(result), printed(result, 'integration')], [[], entriesOf(scene)])
        assert.equal(reportOf(result).error?.class, 'state')
        assert.equal(reportOf(result, 'integration').outcome, 'success')
      })
    }

    test('with a watermark from the future, as after a clock that was wrong, does not keep new rows back', async (t) => {
      const scene = await slackWith(t)
      await scene.audit(['access'])
      const state = readFileSync(scene.statePath(), 'utf8')
      writeFileSync(scene.statePath(), edited({ watermark: PRESENT + DAY })(state))
      scene.workspace.addAccess({ date_last: PRESENT })
      const result = await scene.audit(['access'])
      assert.equal(printed(result).length, 1)
      assert.match(result.stderr, /lies in the future: was the clock set back\?/)
      scene.workspace.addAccess({ date_last: PRESENT + 1 })
      const next = await scene.audit(['access'])
      assert.equal(printed(next).length, 1)
      assert.doesNotMatch(next.stderr, /future/)
    })

    test('is not carried into the future by a row that is dated there', async (t) => {
      const scene = await slackWith(t)
      scene.workspace.addAccess({ date_last: PRESENT + 30 * DAY })
      const first = await scene.audit(['access'])
      assert.deepEqual(printed(first), rowsOf(scene))
      assert.ok(Number(reportOf(first).watermark) <= Date.now() / 1000)
      scene.workspace.addAccess({ date_last: PRESENT })
      const second = await scene.audit(['access'])
      assert.equal(printed(second).length, 1)
      assert.equal((JSON.parse(printed(second)[0] ?? '') as AccessRow).date_last, PRESENT)
    })
  })

  describe('a run that does not end by itself', { concurrency: 4 }, () => {
    const stopped = async (
      args: string[],
      signal: NodeJS.Signals,
      when: Promise<unknown>,
    ): Promise<Finished> => {
      const child = start(args)
      const ended = finished(child)
      await when
      child.kill(signal)
      return ended
    }
    type End = (scene: Scene, secondPage: Promise<unknown>) => Promise<Finished>
    const ends: [string, End][] = [
      ['a reader that goes away', ({ args }) => shell('"$@" | head -n 1', [...args, 'access'])],
      ['a full disk behind stdout', ({ args }) => shell('exec "$@" > /dev/full', [...args, 'access'])],
      ['SIGTERM', ({ args }, secondPage) => stopped([...args, 'access'], 'SIGTERM', secondPage)],
      ['SIGKILL', ({ args }, secondPage) => stopped([...args, 'access'], 'SIGKILL', secondPage)],
    ]
    for (const [how, end] of ends) {
      test(`but by ${how} leaves the old state, and its rows come again with the same ids`, async (t) => {
        let hang = false
        const secondPage = gate()
        const scene = await slackWith(
          t,
          { accessRows: 40, maxPageRows: 100 },
          {
            fault: (method, _, { cursor }) => {
              if (!hang || method !== ACCESS || cursor === undefined) return undefined
              secondPage.open()
              return { kind: 'hang' }
            },
          },
        )
        await scene.audit(['access'])
        const state = readFileSync(scene.statePath())
        for (let count = 0; count < 300; count++)
          scene.workspace.addAccess({ date_last: NOW + count, ip: `192.0.2.${count % 256}` })
        hang = how.startsWith('SIG')
        const ended = await end(scene, secondPage.passed)
        hang = false
        assert.deepEqual(readFileSync(scene.statePath()), state)
        const again = await scene.audit(['access'])
        assert.equal(printed(again).length, 300)
        const ids = new Set(again.lines().map(({ id }) => id))
        const repeated = wholeLines(ended).filter(({ dataset }) => dataset === 'slack.access')
        assert.ok(repeated.every(({ id }) => ids.has(id)))
        if (how.startsWith('SIG')) assert.equal(repeated.length, 100)
      })
    }

    test('because its reports find no reader leaves the old state, too', async (t) => {
      const readerGone = gate()
      const scene = await slackWith(
        t,
        { integrationRows: 0 },
        { beforeAnswer: (method) => (method === INTEGRATION ? readerGone.passed : undefined) },
      )
      const child = start(scene.args)
      child.stdout?.once('data', () => child.stdout?.destroy())
      child.stdout?.once('close', readerGone.open)
      const { code } = await finished(child)
      assert.equal(code, 1)
      assert.deepEqual(readdirSync(scene.folder), [])
    })

    test('but by SIGKILL at any moment loses nothing', async (t) => {
      const seed = Number(process.env['TEST_SEED'] ?? 7)
      const random = seeded(seed)
      let killAt = Number.POSITIVE_INFINITY
      let kill = (): void => {}
      const scene = await slackWith(
        t,
        { accessRows: 300, maxPageRows: 40 },
        {
          beforeAnswer: () => {
            if (--killAt <= 0) kill()
          },
        },
      )
      const all = new Set<string>()
      const events = new Set<string>()
      for (let runs = 0; runs < 10; runs++) {
        scene.workspace.advanceTo(NOW + runs * 900)
        const child = start([...scene.args, '--max-rows', '120'])
        const ended = finished(child)
        kill = () => child.kill('SIGKILL')
        // By its requests or by what it has printed; now and then it lives to its end.
        killAt = random.chance(0.6) ? 1 + random.int(8) : Number.POSITIVE_INFINITY
        if (random.chance(0.3)) child.stdout?.once('data', kill)
        const result = await ended
        for (const entry of printed(result)) all.add(entry)
        for (const entry of printed(result, 'integration')) events.add(entry)
      }
      killAt = Number.POSITIVE_INFINITY
      for (const _ of [1, 2]) {
        const clean = await scene.audit()
        assert.equal(clean.code, 0, `TEST_SEED=${seed}: ${clean.stderr}`)
        for (const entry of printed(clean)) all.add(entry)
        for (const entry of printed(clean, 'integration')) events.add(entry)
      }
      assert.deepEqual(without(rowsOf(scene), [...all]), [], `TEST_SEED=${seed}`)
      assert.deepEqual(without(entriesOf(scene), [...events]), [], `TEST_SEED=${seed}`)
      const idle = await scene.audit()
      assert.deepEqual([printed(idle), printed(idle, 'integration')], [[], []], `TEST_SEED=${seed}`)
      assert.equal(reportOf(idle).gaps, 0)
    })

    test('because the disk is full behind the state says so, and leaves the old state', async (t) => {
      const scene = await slackWith(t)
      mkdirSync(scene.folder)
      // A disk of its own, which is gone with the last process that sees it. The lock still finds room, the state does not.
      const script = `
      mount -t tmpfs -o size=128k none '${scene.folder}' || exit 77
      "$@" > /dev/null || exit 78
      cp '${scene.statePath()}' '${scene.folder}/../before'
      cat /dev/zero > '${scene.folder}/full' 2> /dev/null
      truncate -s -4096 '${scene.folder}/full'
      "$@"
      echo "exit $?" >&2
      cp '${scene.statePath()}' '${scene.folder}/../after'
      rm '${scene.folder}/full'`
      scene.workspace.addAccess({ date_last: NOW + 1 })
      const result = await shell(script, [...scene.args, 'access'], ['unshare', '-Urm', 'sh']).catch(
        () => undefined,
      )
      if (!result || result.code === 77 || result.stderr.startsWith('unshare'))
        return t.skip('needs a mount of its own, which is not allowed here')
      assert.match(result.stderr, /cannot be saved: no space is left .*ENOSPC.* will come again.*\nexit 1\n$/)
      assert.deepEqual(readFileSync(`${scene.folder}/../after`), readFileSync(`${scene.folder}/../before`))
    })
  })

  describe('a run with nothing new', { concurrency: 2 }, () => {
    const large: Options = { accessRows: 100_000, integrationRows: 200, days: 365, odd: false }

    test('makes three requests in all where the log is sorted by date_last', async (t) => {
      const { audit, fake } = await slackWith(t, large)
      await audit(['access', '--since', String(NOW - 10 * DAY)])
      const before = fake.requests.length
      const idle = await audit(['access'])
      assert.equal(printed(idle).length, 0)
      assert.ok(fake.requests.length - before <= 3, `${fake.requests.length - before} requests`)
    })

    test('reads no further than the look-back where the log is sorted by date_first', async (t) => {
      const { workspace, audit, asked } = await slackWith(t, {
        ...large,
        order: 'date_first',
        filter: 'date_first',
      })
      await audit(['access', '--since', String(NOW - 10 * DAY)])
      const before = asked().length
      assert.deepEqual(printed(await audit(['access', '--lookback', '20d'])), [])
      const within = workspace.accessRows().filter(({ date_first }) => date_first >= PRESENT - 20 * DAY)
      const pages = Math.ceil(within.length / 999)
      assert.ok(asked().length - before <= pages + 1, `${asked().length - before} pages for ${pages}`)
    })
  })
})
