import assert from 'node:assert/strict'
import { type SpawnOptions, spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { Run } from '../src/output/report.ts'
import { type ServerOptions, serve } from './fake-slack/server.ts'
import { Slack, type SlackOptions } from './fake-slack/slack.ts'
import { type AccessRow, Workspace, type WorkspaceOptions } from './fake-slack/workspace.ts'
import { audit, closedAfter, type Finished, folderOf, printed, reportOf, texts } from './program.ts'

const HOUR = 3600
/** Workspaces begin two days ago, so that there is time to pass before the present. */
const NOW = Math.floor(Date.now() / 1000) - 48 * HOUR
const ACCESS = 'team.accessLogs'

type LogName = Run['log']
type Options = Partial<WorkspaceOptions> & Partial<SlackOptions>

/** A workspace behind a fake Slack, and the program with a folder to remember in. */
async function slackWith(t: TestContext, options: Options = {}, server: ServerOptions = {}) {
  const workspace = new Workspace({
    ...{ seed: 1, now: NOW, accessRows: 120, integrationRows: 30, days: 20 },
    ...options,
  })
  const fake = await closedAfter(t, serve(new Slack({ workspace, ...options }), server))
  const folder = folderOf(t)
  return {
    workspace,
    fake,
    folder,
    address: ['--api-url', fake.url],
    audit: (more: string[] = [], env: Record<string, string> = {}, spawning: SpawnOptions = {}) =>
      audit(['--api-url', fake.url, '--state-dir', folder, '--report', ...more], env, spawning),
    fileOf: (log: LogName = 'access'): string => join(folder, `${workspace.team.id}-${log}.json`),
    asked: (method = ACCESS) => fake.requests.filter((request) => request.method === method).length,
  }
}

type Scene = Awaited<ReturnType<typeof slackWith>>

const idsOf = (result: Finished, log: LogName = 'access') =>
  result.lines().flatMap(({ dataset, id }) => (dataset === `slack.${log}` ? [id] : []))

/** What the report of a run says of its end. */
function endOf(result: Finished, log: LogName = 'access') {
  const { outcome, complete, watermark, gaps, error } = reportOf(result, log)
  return { outcome, complete, watermark, gaps, class: error?.class, code: error?.code }
}

/** Adds access rows that are newer than all others, one a second. */
function addNewRows({ workspace }: Scene, count: number): AccessRow[] {
  const newest = Math.max(...workspace.accessRows().map(({ date_last }) => date_last))
  return Array.from({ length: count }, (_, index) =>
    workspace.addAccess({ date_last: newest + 1 + index, ip: `192.0.2.${index}` }),
  )
}

describe('a state that cannot be saved', { concurrency: 4 }, () => {
  test('is a failure in the report of a first run, with no watermark; the other log is saved', async (t) => {
    const scene = await slackWith(t)
    const blocked = `${scene.fileOf()}.tmp`
    mkdirSync(blocked)
    const result = await scene.audit()
    assert.equal(result.code, 1)
    assert.deepEqual(endOf(result), {
      outcome: 'failure',
      complete: false,
      watermark: null,
      gaps: 0,
      class: 'state',
      code: 'save',
    })
    assert.match(
      result.stderr,
      /state \S+-access\.json cannot be saved: it is a folder \(EISDIR\); .* equal ids/,
    )
    const other = reportOf(result, 'integration')
    assert.deepEqual([other.outcome, other.complete, other.error], ['success', true, undefined])
    const saved = JSON.parse(readFileSync(scene.fileOf('integration'), 'utf8')) as Record<string, unknown>
    assert.equal(saved['watermark'], other.watermark)
    assert.deepEqual(readdirSync(scene.folder).sort(), [
      `${scene.workspace.team.id}-access.json.tmp`,
      `${scene.workspace.team.id}-integration.json`,
    ])
    assert.deepEqual(readdirSync(blocked), [])
  })

  test('does not hide an error of Slack in the same run: stderr has both', async (t) => {
    const scene = await slackWith(
      t,
      { maxPageRows: 30 },
      {
        fault: (method, nth) =>
          method === ACCESS && nth === 2 ? { kind: 'error', error: 'no_permission' } : undefined,
      },
    )
    mkdirSync(`${scene.fileOf()}.tmp`)
    const { code, stderr } = await scene.audit(['access'])
    assert.equal(code, 1)
    assert.match(stderr, /access: team\.accessLogs: no_permission: .*\n.*cannot be saved/)
  })

  test('is a failure in the report of a later run, with the old watermark, and the same lines come again', async (t) => {
    const scene = await slackWith(t)
    const first = await scene.audit()
    const before = readFileSync(scene.fileOf(), 'utf8')
    const added = addNewRows(scene, 5)
    mkdirSync(`${scene.fileOf()}.tmp`)
    const failed = await scene.audit()
    assert.equal(failed.code, 1)
    assert.deepEqual(endOf(failed), {
      outcome: 'failure',
      complete: false,
      watermark: reportOf(first).watermark,
      gaps: 0,
      class: 'state',
      code: 'save',
    })
    assert.equal(reportOf(failed, 'integration').outcome, 'success')
    assert.deepEqual(texts(printed(failed)), texts(added))
    assert.equal(readFileSync(scene.fileOf(), 'utf8'), before, 'the old state is in force')

    rmSync(`${scene.fileOf()}.tmp`, { recursive: true })
    const healed = await scene.audit()
    assert.equal(healed.code, 0)
    assert.deepEqual(idsOf(healed), idsOf(failed), 'the same lines, with the same ids')
    assert.ok((reportOf(healed).watermark ?? 0) > (reportOf(first).watermark ?? 0))
  })

  for (const [what, pagesLeft, code] of [
    ['beside the lock alone', 1, 'save'],
    ['at all, not even for the lock', 0, 'lock'],
  ] as const) {
    test(`on a disk without room ${what} is a failure in the report, and leaves no temporary file`, async (t) => {
      const scene = await slackWith(t)
      const unmount = mountSmallDisk(scene.folder)
      if (!unmount) return t.skip('needs the right to mount a tmpfs')
      try {
        const first = await scene.audit(['access'])
        assert.equal(first.code, 0, first.stderr)
        const before = readFileSync(scene.fileOf(), 'utf8')
        addNewRows(scene, 100)
        fillDisk(join(scene.folder, 'filler'), pagesLeft)

        const failed = await scene.audit(['access'])
        assert.equal(failed.code, 1)
        assert.deepEqual(endOf(failed), {
          outcome: 'failure',
          complete: false,
          watermark: code === 'save' ? reportOf(first).watermark : null,
          gaps: 0,
          class: 'state',
          code,
        })
        assert.match(failed.stderr, /\(ENOSPC\)/)
        assert.deepEqual(
          readdirSync(scene.folder).filter((name) => name.endsWith('.tmp')),
          [],
        )
        assert.equal(readFileSync(scene.fileOf(), 'utf8'), before, 'the old state is in force')

        rmSync(join(scene.folder, 'filler'))
        const healed = await scene.audit(['access'])
        assert.equal(healed.code, 0, healed.stderr)
        assert.equal(printed(healed).length, 100)
      } finally {
        unmount()
      }
    })
  }

  /** Puts a disk of 128 KiB in the place of the folder. Undefined where that may not be done. */
  function mountSmallDisk(folder: string): (() => void) | undefined {
    const options = ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'slack-auditor-test', folder]
    if (spawnSync('mount', options).status !== 0) return undefined
    return () => assert.equal(spawnSync('umount', [folder]).status, 0)
  }

  /** Writes a file until the disk is full, after setting aside this many pages of memory, which are given back. */
  function fillDisk(path: string, pagesLeft: number): void {
    const page = Buffer.alloc(4096)
    writeFileSync(`${path}.aside`, Buffer.alloc(4096 * pagesLeft))
    const file = openSync(path, 'w')
    try {
      for (;;) writeSync(file, page)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    } finally {
      closeSync(file)
    }
    rmSync(`${path}.aside`)
  }
})

describe('what a killed save left', { concurrency: 4 }, () => {
  for (const [what, text] of [
    ['longer than a state', '{"version":2,'.repeat(5000)],
    ['empty', ''],
  ] as const) {
    test(`(a temporary file that is ${what}) is written over by the next run and gone after it`, async (t) => {
      const scene = await slackWith(t)
      for (const log of ['access', 'integration'] as const) writeFileSync(`${scene.fileOf(log)}.tmp`, text)
      assert.equal((await scene.audit()).code, 0)
      const { id } = scene.workspace.team
      assert.deepEqual(readdirSync(scene.folder).sort(), [`${id}-access.json`, `${id}-integration.json`])
      const second = await scene.audit()
      assert.deepEqual([second.code, printed(second)], [0, []])
    })
  }
})

test('a state that cannot be put in its place after the report is exit 1, and leaves no temporary file', async (t) => {
  const scene: Scene = await slackWith(
    t,
    {},
    {
      beforeAnswer: (method) => {
        if (method === ACCESS) mkdirSync(scene.fileOf())
      },
    },
  )
  const result = await scene.audit()
  assert.equal(result.code, 1)
  assert.match(result.stderr, /access\.json cannot be saved.*\(EISDIR\)/)
  const { id } = scene.workspace.team
  assert.deepEqual(readdirSync(scene.folder).sort(), [`${id}-access.json`, `${id}-integration.json`])
})

describe('a lock that another run takes', { concurrency: 4 }, () => {
  for (const [what, swap] of [
    ['is replaced', (lock: string) => writeFileSync(lock, OTHER)],
    ['is removed', (lock: string) => rmSync(lock)],
  ] as const) {
    test(`between two pages ends the run before its next page when it ${what}, saves nothing, and leaves the other log unharmed`, async (t) => {
      const scene: Scene = await slackWith(
        t,
        { maxPageRows: 20 },
        {
          beforeAnswer: (method, nth) => {
            if (method === ACCESS && nth === 3) swap(`${scene.fileOf()}.lock`)
          },
        },
      )
      const result = await scene.audit()
      assert.equal(result.code, 1)
      assert.equal(scene.asked(), 3, 'no page is asked for after the one that was on its way')
      assert.deepEqual(endOf(result), {
        outcome: 'failure',
        complete: false,
        watermark: null,
        gaps: 0,
        class: 'state',
        code: 'lock_lost',
      })
      assert.equal(printed(result).length, 60, 'what was read is printed')
      assert.match(result.stderr, /access\.json was taken over by another run, or its lock was removed/)
      assert.equal(reportOf(result, 'integration').outcome, 'success')
      const { id } = scene.workspace.team
      const left = [...(what === 'is replaced' ? [`${id}-access.json.lock`] : []), `${id}-integration.json`]
      assert.deepEqual(readdirSync(scene.folder).sort(), left)
      if (what === 'is replaced') assert.equal(readFileSync(`${scene.fileOf()}.lock`, 'utf8'), OTHER)
    })
  }

  test('while the last page is on its way: it is printed, but nothing is saved', async (t) => {
    const scene: Scene = await slackWith(
      t,
      {},
      {
        beforeAnswer: (method) => {
          if (method === ACCESS) writeFileSync(`${scene.fileOf()}.lock`, OTHER)
        },
      },
    )
    const result = await scene.audit(['access'])
    assert.equal(result.code, 1)
    assert.deepEqual([scene.asked(), printed(result).length], [1, 120])
    const { outcome, complete, code } = endOf(result)
    assert.deepEqual([outcome, complete, code], ['failure', false, 'lock_lost'])
    assert.deepEqual(readdirSync(scene.folder), [`${scene.workspace.team.id}-access.json.lock`])
  })

  const OTHER = JSON.stringify({ pid: 1, host: 'elsewhere', table: 'x', key: 'y' })
})

describe('a state folder', { concurrency: 2 }, () => {
  test('of several levels that two first runs make at once serves both, ten times out of ten', async (t) => {
    const scene = await slackWith(t, { accessRows: 5, integrationRows: 5 })
    for (let round = 1; round <= 10; round += 1) {
      const folder = join(scene.folder, String(round), 'a', 'b', 'c', 'd', 'e')
      const runs = await Promise.all(
        ['access', 'integration'].map((log) => audit([...scene.address, '--state-dir', folder, log])),
      )
      for (const { code, stderr } of runs) assert.equal(code, 0, `round ${round}: ${stderr}`)
      assert.equal(readdirSync(folder).length, 2)
    }
  })

  for (const [what, saved] of [
    ['is no time', 'yesterday'],
    ['is a number', 7],
    ['is missing', undefined],
  ] as const) {
    test(`with a state whose time of saving ${what} is used by the next run, and -v says no age`, async (t) => {
      const scene = await slackWith(t)
      await scene.audit(['access'])
      const state = JSON.parse(readFileSync(scene.fileOf(), 'utf8')) as object
      writeFileSync(scene.fileOf(), JSON.stringify({ ...state, saved }))
      const result = await scene.audit(['access', '-v'])
      assert.deepEqual([result.code, printed(result)], [0, []])
      assert.match(result.stderr, /goes on from \S+-access\.json\n/)
      assert.doesNotMatch(result.stderr, /NaN|Invalid|saved/)
    })
  }

  test('with a state of a run just before: -v says how old it is', async (t) => {
    const scene = await slackWith(t)
    await scene.audit(['access'])
    assert.match(
      (await scene.audit(['access', '-v'])).stderr,
      /goes on from \S+-access\.json, saved 0 min ago\n/,
    )
  })
})

describe('full integration pages without paging', { concurrency: 4 }, () => {
  const bare: ServerOptions = {
    fault: (method) =>
      method === 'team.integrationLogs'
        ? { kind: 'answer', change: ({ paging: _, ...answer }) => answer }
        : undefined,
  }
  for (const [rows, pages] of [
    [3300, 4],
    [2000, 3],
    [999, 1],
  ] as const) {
    test(`are followed by the next page: ${rows} entries, ${pages} pages asked for`, async (t) => {
      const scene = await slackWith(t, { integrationRows: rows }, bare)
      const result = await scene.audit(['integration'])
      assert.equal(result.code, 0, result.stderr)
      const { complete, rows_read, pages: read } = reportOf(result, 'integration')
      assert.deepEqual([complete, rows_read, read], [true, rows, pages])
      const distinct = new Set(texts(scene.workspace.integrationRows()))
      assert.deepEqual(texts(printed(result, 'integration')), [...distinct])
    })
  }
})

test('a run that may have left something out ends in exit 1 and says so, even with --quiet', async (t) => {
  const odd: Options = { accessRows: 400, filter: 'date_first', maxPageRows: 20, pageCap: 5 }
  const { audit } = await slackWith(t, odd)
  const { code, stderr } = await audit(['access', '--quiet'])
  assert.equal(code, 1)
  assert.match(stderr, /something may have been left out: "before" compares another field/)
  assert.match(stderr, /perhaps not complete/)
})
