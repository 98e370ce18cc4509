import assert from 'node:assert/strict'
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
import fs, { open, stat } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { AuditError } from '../../src/errors.ts'
import { type Lock, lockState } from '../../src/state/lock.ts'
import { folderOf, gate, stateFailure } from '../program.ts'

const OTHER = '0123456789abcdef'
const noSleep = async () => {}

const pathIn = (t: TestContext) => join(folderOf(t), 'state.json')

function isHeld(lock: Lock): boolean {
  try {
    lock.assertHeld()
    return true
  } catch (error) {
    assert.ok(error instanceof AuditError)
    assert.deepEqual([error.class, error.code], ['state', 'lock_lost'])
    return false
  }
}

/**
 * A lock that another run left or holds, and what comes of trying to lock past it. No time passes. `meanwhile` is called
 * in each wait with its number, from 1.
 */
async function contend(
  t: TestContext,
  { content = OTHER, ageSeconds = 0 }: { content?: string; ageSeconds?: number } = {},
  meanwhile: (lockPath: string, nth: number) => void = () => {},
) {
  const path = pathIn(t)
  const lockPath = `${path}.lock`
  writeFileSync(lockPath, content)
  const touched = Date.now() / 1000 - ageSeconds
  utimesSync(lockPath, touched, touched)
  const waits: number[] = []
  const outcome = await lockState(path, async (ms) => {
    waits.push(ms)
    meanwhile(lockPath, waits.length)
  }).catch((error: unknown) => error as AuditError)
  if (!(outcome instanceof Error)) t.after(() => outcome.release())
  return { path, lockPath, outcome, waits }
}

/** Replaces a function of node:fs/promises for everybody who imports it, until the end of the test. */
function replace(t: TestContext, name: 'rename', make: (real: typeof fs.rename) => typeof fs.rename): void {
  const { mock } = t.mock.method(fs, name, make(fs[name]))
  syncBuiltinESMExports()
  t.after(() => {
    mock.restore()
    syncBuiltinESMExports()
  })
}

describe('a lock that nobody touches for 15 seconds is taken over, not earlier:', () => {
  const HOURS = 10 * 3600
  for (const [what, content, ageSeconds] of [
    ['that of a killed run', OTHER, 0],
    ['one that is empty, because its run was killed while it made it', '', 0],
    ['one of version 1.x', '{"pid":1,"host":"elsewhere","key":"0123456789abcdef"}', HOURS],
    ['one last touched in the future', OTHER, -HOURS],
  ] as const) {
    test(what, async (t) => {
      const { lockPath, outcome, waits } = await contend(t, { content, ageSeconds })
      assert.ok(!(outcome instanceof Error), String(outcome))
      assert.deepEqual(waits, Array(60).fill(250))
      assert.match(readFileSync(lockPath, 'utf8'), /^[0-9a-f]{16}$/)
      assert.equal(statSync(lockPath).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(dirname(lockPath)), ['state.json.lock'])
      assert.ok(isHeld(outcome))
    })
  }
})

describe('a lock that shows a sign of life during the wait is left alone:', () => {
  const touch = (lockPath: string, ageSeconds: number) => {
    const now = Date.now() / 1000 - ageSeconds
    utimesSync(lockPath, now, now)
  }
  const signs: [what: string, ageSeconds: number, nth: number, sign: (lockPath: string) => void][] = [
    ['it is touched at the beginning', 100, 1, (path) => touch(path, 1)],
    ['it is touched at the end', 100, 60, (path) => touch(path, 1)],
    ['it is touched by a clock that is a year late', 365 * 86_400, 30, (path) => touch(path, 364 * 86_400)],
    [
      'another run takes it in the same moment',
      100,
      30,
      (path) => {
        const { atime, mtime } = statSync(path)
        writeFileSync(path, OTHER.toUpperCase())
        utimesSync(path, atime, mtime)
      },
    ],
  ]
  for (const [what, ageSeconds, at, sign] of signs) {
    test(what, async (t) => {
      const { path, lockPath, outcome, waits } = await contend(t, { ageSeconds }, (lock, nth) => {
        if (nth === at) sign(lock)
      })
      assert.ok(outcome instanceof AuditError, 'the lock was taken')
      assert.deepEqual([outcome.class, outcome.code, waits.length], ['state', 'locked', 60])
      assert.ok(outcome.message.includes(path))
      assert.match(outcome.message, /in use by another run; giving up, the next run will continue/)
      assert.equal(readFileSync(lockPath, 'utf8').toLowerCase(), OTHER)
      assert.deepEqual(readdirSync(dirname(lockPath)), ['state.json.lock'])
    })
  }
})

test('a lock that is released during the wait is taken at the next look', async (t) => {
  const { outcome, waits } = await contend(t, {}, (lockPath, nth) => {
    if (nth === 3) rmSync(lockPath)
  })
  assert.ok(!(outcome instanceof Error) && isHeld(outcome))
  assert.equal(waits.length, 3)
})

test('of two runs that take over a dead lock at once, the one that comes first loses it', async (t) => {
  const path = pathIn(t)
  writeFileSync(`${path}.lock`, OTHER)
  const both = gate()
  let takers = 0
  replace(t, 'rename', (real) => async (from, to) => {
    takers += 1
    if (takers === 2) both.open()
    await both.passed
    await real(from, to)
  })
  const locks = await Promise.all([lockState(path, noSleep), lockState(path, noSleep)])
  t.after(() => locks.map((lock) => lock.release()))
  assert.equal(takers, 2)
  assert.equal(locks.filter(isHeld).length, 1)
  assert.deepEqual(readdirSync(dirname(path)), ['state.json.lock'])
})

describe('a lock that cannot be had is an error, and nothing is left behind:', () => {
  const failing = async (path: string) => {
    const error = await stateFailure(lockState(path, noSleep), dirname(path))
    return [error.code, /\((\w+)\)/.exec(error.message)?.[1]]
  }

  test('there is no room to write it', async (t) => {
    const path = pathIn(t)
    const file = await open(`${path}.other`, 'w')
    t.mock.method(Object.getPrototypeOf(file) as typeof file, 'writeFile', async () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    })
    await file.close()
    assert.deepEqual(await failing(path), ['lock', 'ENOSPC'])
    assert.deepEqual(readdirSync(dirname(path)), ['state.json.other'])
  })

  test('it is dead, but belongs to another user in a folder where that one alone may remove it', async (t) => {
    const path = pathIn(t)
    writeFileSync(`${path}.lock`, OTHER)
    replace(t, 'rename', () => async () => {
      throw Object.assign(new Error('sticky'), { code: 'EPERM' })
    })
    assert.deepEqual(await failing(path), ['lock', 'EPERM'])
    assert.deepEqual(readdirSync(dirname(path)), ['state.json.lock'])
    assert.equal(readFileSync(`${path}.lock`, 'utf8'), OTHER)
  })

  test('its folder does not exist', async (t) => {
    const folder = folderOf(t)
    assert.deepEqual(await failing(join(folder, 'missing', 'state.json')), ['lock', 'ENOENT'])
  })

  test('a folder has its name', async (t) => {
    const path = pathIn(t)
    mkdirSync(`${path}.lock`)
    assert.deepEqual(await failing(path), ['lock', 'EISDIR'])
  })

  test('a dangling link has its name', async (t) => {
    const path = pathIn(t)
    symlinkSync('nowhere', `${path}.lock`)
    assert.deepEqual(await failing(path), ['locked', undefined])
    assert.deepEqual(readdirSync(dirname(path)), ['state.json.lock'])
  })
})

describe('a lock that is held', () => {
  test('is gone once it is released, which may happen twice', async (t) => {
    const path = pathIn(t)
    const lock = await lockState(path, noSleep)
    assert.deepEqual([isHeld(lock), readdirSync(dirname(path))], [true, ['state.json.lock']])
    lock.release()
    lock.release()
    assert.deepEqual(readdirSync(dirname(path)), [])
  })

  for (const [what, take, left] of [
    ['another run took', (lockPath: string) => writeFileSync(lockPath, OTHER), ['state.json.lock']],
    ['somebody removed', (lockPath: string) => rmSync(lockPath), []],
  ] as const) {
    test(`and ${what} is lost, and not removed by its first owner`, async (t) => {
      const path = pathIn(t)
      const lock = await lockState(path, noSleep)
      take(`${path}.lock`)
      assert.equal(isHeld(lock), false)
      lock.release()
      assert.deepEqual(readdirSync(dirname(path)), left)
    })
  }

  test('is touched every two seconds, until it is released or another run takes it', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const path = pathIn(t)
    const lockPath = `${path}.lock`
    const lock = await lockState(path, noSleep)
    t.after(() => lock.release())
    const makeOld = () => utimesSync(lockPath, 1000, 1000)
    const isOld = async () => (await stat(lockPath)).mtimeMs === 1_000_000
    /** Whether it was touched by the time that so many looks have been taken. */
    const touched = async (looks: number) => {
      while (looks > 0 && (await isOld())) looks -= 1
      return looks > 0
    }
    for (let beat = 1; beat <= 2; beat += 1) {
      makeOld()
      t.mock.timers.tick(1999)
      assert.equal(await touched(30), false, 'not yet')
      t.mock.timers.tick(1)
      assert.equal(await touched(100_000), true)
    }
    const mine = readFileSync(lockPath, 'utf8')
    const leftAlone = async () => {
      makeOld()
      t.mock.timers.tick(4000)
      return !(await touched(30))
    }
    writeFileSync(lockPath, OTHER)
    assert.ok(await leftAlone(), 'another run has it')
    lock.release()
    writeFileSync(lockPath, mine)
    assert.ok(await leftAlone(), 'it was released')
  })
})
