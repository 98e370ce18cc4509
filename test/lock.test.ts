import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { AuditError } from '../src/errors.ts'
import { lockState } from '../src/lock.ts'
import { LOGS } from '../src/logs.ts'
import { type Owner, statePath } from '../src/store.ts'
import { folderOf, stateFailure } from './program.ts'

const OWNER: Owner = { teamId: 'T0EXAMPLE1', workspace: undefined, log: LOGS.access }

describe('a lock', () => {
  const HOST = hostname()
  /** A process that has just ended. */
  const dead = () => spawnSync(process.execPath, ['--version']).pid

  /** A lock file of somebody, and what comes of trying to lock past it, without any real waiting. */
  async function contended(t: TestContext, holder: string | object, ageSeconds = 0) {
    const path = statePath(folderOf(t), OWNER)
    const lockPath = `${path}.lock`
    const content = typeof holder === 'string' ? holder : JSON.stringify(holder)
    writeFileSync(lockPath, content)
    const touched = Date.now() / 1000 - ageSeconds
    utimesSync(lockPath, touched, touched)
    const slept: number[] = []
    const outcome = await lockState(path, async (ms) => {
      slept.push(ms)
    }).catch((error: unknown) => error as AuditError)
    if (!(outcome instanceof Error)) t.after(() => outcome.release())
    return { path, lockPath, content, outcome, waitedMs: slept.reduce((sum, ms) => sum + ms, 0) }
  }

  const taken: [what: string, holder: () => string | object, ageSeconds: number][] = [
    ['of a process that is gone from this host', () => ({ pid: dead(), host: HOST, key: 'k' }), 0],
    [
      'of a process with our own number, which cannot be another one',
      () => ({ pid: process.pid, host: HOST }),
      0,
    ],
    [
      'of a living process that nobody touched for a minute: its number was reused',
      () => ({ pid: process.ppid, host: HOST }),
      61,
    ],
    ['of another host that nobody touched for a minute', () => ({ pid: 1, host: 'elsewhere' }), 61],
    ['of another form that nobody touched for a minute', () => '12345\n', 61],
    ['that stayed empty, as its run was killed while making it', () => '', 3],
  ]
  for (const [what, holder, ageSeconds] of taken) {
    test(`${what} is taken over at once`, async (t) => {
      const { lockPath, content, outcome, waitedMs } = await contended(t, holder(), ageSeconds)
      assert.ok(!(outcome instanceof Error), String(outcome))
      assert.equal(waitedMs, 0)
      const mine = readFileSync(lockPath, 'utf8')
      assert.notEqual(mine, content)
      const { pid, host } = JSON.parse(mine) as Record<string, unknown>
      assert.deepEqual([pid, host], [process.pid, HOST])
      assert.equal(statSync(lockPath).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(join(lockPath, '..')), ['T0EXAMPLE1-access.json.lock'])
      await outcome.assertHeld()
    })
  }

  const respected: [what: string, holder: () => string | object, names: RegExp, ageSeconds?: number][] = [
    [
      'of a living process',
      () => ({ pid: process.ppid, host: HOST }),
      new RegExp(`process ${process.ppid} on `),
    ],
    ['of another host', () => ({ pid: dead(), host: 'elsewhere' }), /on elsewhere/],
    ['that is just being made', () => '', /process unknown on an unknown host/, -60],
    ['in a form that is not ours', () => '12345\n', /process unknown/],
  ]
  for (const [what, holder, names, ageSeconds = 30] of respected) {
    test(`${what} that was touched lately is waited for, ten seconds, and left alone`, async (t) => {
      const { path, lockPath, content, outcome, waitedMs } = await contended(t, holder(), ageSeconds)
      assert.ok(outcome instanceof AuditError)
      assert.deepEqual([outcome.class, outcome.code], ['state', 'locked'])
      assert.ok(outcome.message.includes(path))
      assert.match(outcome.message, names)
      assert.equal(waitedMs, 10_000)
      assert.equal(readFileSync(lockPath, 'utf8'), content)
    })
  }

  test('that is let go of while one waits is taken', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: process.ppid, host: HOST }))
    let waits = 0
    const lock = await lockState(path, async () => {
      waits += 1
      if (waits === 3) rmSync(`${path}.lock`)
    })
    assert.equal(waits, 3)
    lock.release()
  })

  for (const [what, make, code] of [
    ['a folder', (path: string) => mkdirSync(path), 'lock'],
    ['a link that leads nowhere', (path: string) => symlinkSync('nowhere', path), 'locked'],
  ] as const) {
    test(`in whose place ${what} stands is an error, not an endless wait`, async (t) => {
      const path = statePath(folderOf(t), OWNER)
      make(`${path}.lock`)
      const error = await stateFailure(
        lockState(path, async () => {}),
        path,
      )
      assert.equal(error.code, code)
    })
  }

  test('where nothing can be made is an error that names it', async (t) => {
    const path = join(folderOf(t), 'missing', 'state.json')
    const { code, message } = await stateFailure(
      lockState(path, async () => {}),
      path,
    )
    assert.equal(code, 'lock')
    assert.match(message, /ENOENT/)
  })

  test('is gone once it is released, which may happen twice', async (t) => {
    const folder = folderOf(t)
    const lock = await lockState(statePath(folder, OWNER), async () => {})
    lock.release()
    lock.release()
    assert.deepEqual(readdirSync(folder), [])
  })

  test('of another run is not removed, not even by one that never looked', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    const lock = await lockState(path, async () => {})
    writeFileSync(`${path}.lock`, 'of another')
    lock.release()
    assert.equal(readFileSync(`${path}.lock`, 'utf8'), 'of another')
  })

  test('that is gone is lost', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    const lock = await lockState(path, async () => {})
    rmSync(`${path}.lock`)
    assert.equal((await stateFailure(lock.assertHeld(), path)).code, 'lock_lost')
    lock.release()
  })

  test('is touched every five seconds as a sign of life, unless another run took it over', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const path = statePath(folderOf(t), OWNER)
    const lock = await lockState(path, async () => {})
    t.after(() => lock.release())
    const lockPath = `${path}.lock`
    /** Makes it look old, lets five seconds pass, and waits until it is young again, as often as that may take. */
    const touched = async (tries: number) => {
      utimesSync(lockPath, 1000, 1000)
      t.mock.timers.tick(5000)
      while (tries > 0 && (await stat(lockPath)).mtimeMs === 1_000_000) tries -= 1
      return tries > 0
    }
    assert.equal(await touched(10_000), true)
    writeFileSync(lockPath, 'of another')
    assert.equal(await touched(50), false)
  })

  test('that another run took over is said, and that one keeps it', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    const lock = await lockState(path, async () => {})
    const other = JSON.stringify({ pid: 1, host: 'elsewhere' })
    writeFileSync(`${path}.lock`, other)
    assert.equal((await stateFailure(lock.assertHeld(), path)).code, 'lock_lost')
    lock.release()
    assert.equal(readFileSync(`${path}.lock`, 'utf8'), other)
  })

  test('is held by one of several that take over the same dead one at once', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: dead(), host: HOST }))
    // Each prints a line after each line it is sent: whether it got the lock, then whether it has it still.
    const script = `
      import { createInterface } from 'node:readline'
      import { lockState } from ${JSON.stringify(new URL('../src/lock.ts', import.meta.url))}
      const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
      console.log('ready')
      await lines.next()
      const lock = await lockState(${JSON.stringify(path)}, async () => {}).catch(() => undefined)
      console.log('tried')
      await lines.next()
      console.log(await lock?.assertHeld().then(() => 'held', () => 'lost') ?? 'locked')
      process.exit()`
    const contenders = Array.from({ length: 3 }, () => {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
      t.after(() => child.kill())
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
    })
    const answers = () => Promise.all(contenders.map(async ({ lines }) => (await lines.next()).value))
    const send = () => contenders.map(({ child }) => child.stdin.write('go\n'))
    assert.deepEqual(new Set(await answers()), new Set(['ready']))
    send()
    assert.deepEqual(new Set(await answers()), new Set(['tried']))
    send()
    assert.equal((await answers()).filter((answer) => answer === 'held').length, 1)
  })
})
