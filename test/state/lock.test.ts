import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
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
import { AuditError } from '../../src/errors.ts'
import { LOGS } from '../../src/log/logs.ts'
import { lockState } from '../../src/state/lock.ts'
import { type Owner, statePath } from '../../src/state/store.ts'
import { folderOf, stateFailure } from '../program.ts'

const OWNER: Owner = { teamId: 'T0EXAMPLE1', workspace: undefined, log: LOGS.access }

/** On Linux the boot and the PID namespace; elsewhere a lock names neither. */
function processTable(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}

describe('a lock', () => {
  /** The host and the process table of this process, as a lock names them. */
  const HERE = { host: hostname(), table: processTable() }
  /** A PID namespace that is not ours, on this very host. */
  const OTHER_TABLE = `${HERE.table}0`
  const OF_1_0 = { pid: 1, host: HERE.host, key: '0123456789abcdef' }
  /** A process that has just ended. */
  const dead = () => spawnSync(process.execPath, ['--version']).pid

  /**
   * A lock file of somebody, and what comes of trying to lock past it, without any real waiting. `meanwhile` is called
   * in each wait with its number, from 1.
   */
  async function contended(
    t: TestContext,
    holder: string | object,
    ageSeconds = 0,
    meanwhile: (lockPath: string, waits: number) => void = () => {},
  ) {
    const path = statePath(folderOf(t), OWNER)
    const lockPath = `${path}.lock`
    const content = typeof holder === 'string' ? holder : JSON.stringify(holder)
    writeFileSync(lockPath, content)
    const touched = Date.now() / 1000 - ageSeconds
    utimesSync(lockPath, touched, touched)
    const slept: number[] = []
    const outcome = await lockState(path, async (ms) => {
      slept.push(ms)
      meanwhile(lockPath, slept.length)
    }).catch((error: unknown) => error as AuditError)
    if (!(outcome instanceof Error)) t.after(() => outcome.release())
    return { path, lockPath, content, outcome, waitedMs: slept.reduce((sum, ms) => sum + ms, 0) }
  }

  const takenAtOnce: [what: string, holder: () => string | object, ageSeconds: number][] = [
    ['of a process that is gone from this process table', () => ({ ...HERE, pid: dead() }), 0],
    [
      'with our own process number from this process table, which an earlier process had',
      () => ({ ...HERE, pid: process.pid }),
      0,
    ],
    ['that stayed empty for three seconds, because its run was killed while making it', () => '', 3],
  ]
  const takenAfterTheWait: typeof takenAtOnce = [
    [
      'of a living process that nobody touched for a minute, so that its number is that of another one now',
      () => ({ ...HERE, pid: process.ppid }),
      61,
    ],
    ['of another host that nobody touched for a minute', () => ({ pid: 1, host: 'elsewhere' }), 61],
    [
      'of another process table on a host of this name that nobody touched for a minute',
      () => ({ ...HERE, pid: 1, table: OTHER_TABLE }),
      61,
    ],
    ['of version 1.0, which named no process table, that nobody touched for a minute', () => OF_1_0, 61],
    ['in a form that is not ours that nobody touched for a minute', () => '12345\n', 61],
    ['last touched far in the future', () => ({ pid: 1, host: 'elsewhere' }), -10 * 365 * 86_400],
    ['that is empty and was made in the future', () => '', -60],
  ]
  const taken = [
    ...takenAtOnce.map((each) => ({ each, afterMs: 0, when: 'at once' })),
    ...takenAfterTheWait.map((each) => ({
      each,
      afterMs: 10_000,
      when: 'after ten seconds, but not before',
    })),
  ]
  for (const { each, afterMs, when } of taken) {
    const [what, holder, ageSeconds] = each
    test(`${what} is taken over ${when}`, async (t) => {
      const { lockPath, content, outcome, waitedMs } = await contended(t, holder(), ageSeconds)
      assert.ok(!(outcome instanceof Error), String(outcome))
      assert.equal(waitedMs, afterMs)
      const mine = readFileSync(lockPath, 'utf8')
      assert.notEqual(mine, content)
      const { key, ...owner } = JSON.parse(mine) as Record<string, unknown>
      assert.deepEqual(owner, { ...HERE, pid: process.pid })
      assert.match(String(key), /^[0-9a-f]{16}$/)
      assert.equal(statSync(lockPath).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(join(lockPath, '..')), ['T0EXAMPLE1-access.json.lock'])
      outcome.assertHeld()
    })
  }

  /** The lock was respected: this run waited ten seconds, gave up, and changed nothing. */
  function assertRespected(
    { path, lockPath, content, outcome, waitedMs }: Awaited<ReturnType<typeof contended>>,
    names: RegExp,
  ): void {
    assert.ok(outcome instanceof AuditError, 'the lock was taken')
    assert.deepEqual([outcome.class, outcome.code], ['state', 'locked'])
    assert.ok(outcome.message.includes(path))
    assert.match(outcome.message, names)
    assert.equal(waitedMs, 10_000)
    assert.equal(readFileSync(lockPath, 'utf8'), content)
  }

  const respected: [what: string, holder: () => string | object, names: RegExp][] = [
    [
      'of a living process of this process table',
      () => ({ ...HERE, pid: process.ppid }),
      new RegExp(`process ${process.ppid} on `),
    ],
    ['of another host', () => ({ ...HERE, pid: dead(), host: 'elsewhere' }), /on elsewhere/],
    [
      'of a process with our own number, in another PID namespace on a host of this name',
      () => ({ ...HERE, pid: process.pid, table: OTHER_TABLE }),
      new RegExp(`process ${process.pid} on `),
    ],
    [
      'of a process number that is free here, in another PID namespace on a host of this name',
      () => ({ ...HERE, pid: dead(), table: OTHER_TABLE }),
      /process \d+ on /,
    ],
    ['of version 1.0, which named no process table,', () => OF_1_0, /process 1 on /],
    ['in a form that is not ours', () => '12345\n', /process unknown on an unknown host/],
  ]
  for (const [what, holder, names] of respected) {
    test(`${what} that was touched half a minute ago is waited for, ten seconds, and left alone`, async (t) => {
      assertRespected(await contended(t, holder(), 30), names)
    })
  }

  for (const [what, ageSeconds] of [
    ['looked a year old at first', 365 * 86_400],
    ['looked a year ahead at first', -365 * 86_400],
  ] as const) {
    test(`that ${what} but is touched while one waits is left alone`, async (t) => {
      const holder = { pid: 1, host: 'elsewhere' }
      const result = await contended(t, holder, ageSeconds, (lockPath, waits) => {
        // The clock of that host is wrong by a year; its heartbeat shows all the same.
        const touched = Date.now() / 1000 - ageSeconds + waits
        if (waits === 12) utimesSync(lockPath, touched, touched)
      })
      assertRespected(result, /on elsewhere/)
    })
  }

  test('that changes hands while one waits is left alone, though its time is the same', async (t) => {
    const other = JSON.stringify({ pid: 2, host: 'elsewhere' })
    const old = Date.now() / 1000 - 3600
    const result = await contended(t, { pid: 1, host: 'elsewhere' }, 3600, (lockPath, waits) => {
      if (waits !== 12) return
      writeFileSync(lockPath, other)
      utimesSync(lockPath, old, old)
    })
    assertRespected({ ...result, content: other }, /process 2 on elsewhere/)
  })

  test('that is released while one waits is taken', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    writeFileSync(`${path}.lock`, JSON.stringify({ ...HERE, pid: process.ppid }))
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

  test('of another run is not removed by a run that held it before', async (t) => {
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
    assert.equal(
      (
        await stateFailure(
          Promise.resolve().then(() => lock.assertHeld()),
          path,
        )
      ).code,
      'lock_lost',
    )
    lock.release()
  })

  test('is touched every three seconds as a sign of life, unless another run took it over', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const path = statePath(folderOf(t), OWNER)
    const lock = await lockState(path, async () => {})
    t.after(() => lock.release())
    const lockPath = `${path}.lock`
    /** Makes it look old, lets three seconds pass, and waits until it is young again, as often as that may take. */
    const touched = async (tries: number) => {
      utimesSync(lockPath, 1000, 1000)
      t.mock.timers.tick(3000)
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
    assert.equal(
      (
        await stateFailure(
          Promise.resolve().then(() => lock.assertHeld()),
          path,
        )
      ).code,
      'lock_lost',
    )
    lock.release()
    assert.equal(readFileSync(`${path}.lock`, 'utf8'), other)
  })

  test('is held by one of several that take over the same dead one at once', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    writeFileSync(`${path}.lock`, JSON.stringify({ ...HERE, pid: dead() }))
    // Each prints a line after each line it is sent: whether it got the lock, then whether it has it still.
    const script = `
      import { createInterface } from 'node:readline'
      import { lockState } from ${JSON.stringify(new URL('../../src/state/lock.ts', import.meta.url))}
      const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
      const held = (lock) => {
        try {
          lock?.assertHeld()
          return lock ? 'held' : 'locked'
        } catch {
          return 'lost'
        }
      }
      console.log('ready')
      await lines.next()
      const lock = await lockState(${JSON.stringify(path)}, async () => {}).catch(() => undefined)
      console.log('tried')
      await lines.next()
      console.log(held(lock))
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

  test('of process 1 of another PID namespace is left alone by a process 1 that shares its host name', async (t) => {
    const unshare = ['--pid', '--fork', '--kill-child', '--mount-proc']
    if (spawnSync('unshare', [...unshare, 'true']).status !== 0) {
      t.skip('needs root and the command unshare of util-linux')
      return
    }
    const path = statePath(folderOf(t), OWNER)
    // Prints what came of it, and then holds on until stdin ends.
    const script = `
      import { lockState } from ${JSON.stringify(new URL('../../src/state/lock.ts', import.meta.url))}
      const taken = await lockState(${JSON.stringify(path)}, async () => {}).then(() => 'taken', (error) => error.code)
      console.log(process.pid + ' ' + taken)
      process.stdin.resume()`
    const processOne = () => {
      const command = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script]
      const child = spawn('unshare', [...unshare, ...command])
      t.after(() => child.kill('SIGKILL'))
      return createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
    }
    assert.equal((await processOne()).value, '1 taken')
    assert.equal((await processOne()).value, '1 locked')
  })
})
