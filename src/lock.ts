import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { AuditError, stateError } from './errors.ts'
import { asObject } from './logs.ts'

/** How long a second run waits for the first, and how it is told that an owner is gone for good. */
const LOCK_WAIT_MS = 10_000
const LOCK_POLL_MS = 250
const HEARTBEAT_MS = 5_000
const DEAD_AFTER_MS = 60_000
/** A lock is filled at once after it is made; one that stays empty was made by a run that was killed in between. */
const DEAD_IF_EMPTY_AFTER_MS = 2_000

export interface Lock {
  /** @throws AuditError if another run has taken the lock meanwhile, because this one was asleep for too long. */
  assertHeld(): Promise<void>
  /** May be called twice, and from a signal handler. */
  release(): void
}

/**
 * Locks a state file against a second run. A lock is dead if its process is gone from this host, or if nobody has
 * touched it for a minute: pids are reused, and containers do not see each other's.
 * @throws AuditError of class `state` if a living run holds it for longer than one waits.
 */
export async function lockState(path: string, sleep: (ms: number) => Promise<void>): Promise<Lock> {
  const lockPath = `${path}.lock`
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), key: randomBytes(8).toString('hex') })
  for (let waited = 0; !(await create(lockPath, mine)); waited += LOCK_POLL_MS) {
    const holder = await readLock(lockPath)
    if (holder !== undefined && (await isDead(lockPath, holder))) {
      await takeAway(lockPath, holder)
    } else if (waited >= LOCK_WAIT_MS) {
      const who = holder === undefined ? 'unknown' : describe(holder)
      throw new AuditError(
        'state',
        'locked',
        `state ${path} is in use by another run (${who}): the next run goes on`,
      )
    } else {
      await sleep(LOCK_POLL_MS)
    }
  }
  // A run that slept for too long may have been taken over: what is there then is not its own to touch or remove.
  const isMine = (): boolean => {
    try {
      return readFileSync(lockPath, 'utf8') === mine
    } catch {
      return false
    }
  }
  const beat = setInterval(() => {
    const now = new Date()
    if (isMine()) utimes(lockPath, now, now).catch(() => {})
  }, HEARTBEAT_MS)
  beat.unref()
  return {
    async assertHeld() {
      if (isMine()) return
      throw new AuditError(
        'state',
        'lock_lost',
        `state ${path} was taken over by another run: nothing is remembered of this one`,
      )
    },
    release() {
      clearInterval(beat)
      if (isMine()) rmSync(lockPath, { force: true })
    },
  }
}

async function create(lockPath: string, content: string): Promise<boolean> {
  try {
    const file = await open(lockPath, 'wx', 0o600)
    try {
      await file.writeFile(content)
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw stateError('lock', lockPath, 'cannot be made', error)
  }
}

/** Undefined if the lock has just gone. */
async function readLock(lockPath: string): Promise<string | undefined> {
  try {
    return await readFile(lockPath, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw stateError('lock', lockPath, 'cannot be read', error)
  }
}

async function isDead(lockPath: string, holder: string): Promise<boolean> {
  const { pid, host } = parseHolder(holder)
  if (host === hostname() && typeof pid === 'number') {
    if (pid === process.pid) return true
    try {
      process.kill(pid, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
    }
  }
  const touched = await stat(lockPath).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  )
  return Date.now() - touched > (holder === '' ? DEAD_IF_EMPTY_AFTER_MS : DEAD_AFTER_MS)
}

/** Moves a dead lock out of the way. Of two runs that try, one moves it; what was moved by mistake is put back. */
async function takeAway(lockPath: string, holder: string): Promise<void> {
  const aside = `${lockPath}.${process.pid}`
  try {
    await rename(lockPath, aside)
    if ((await readFile(aside, 'utf8')) === holder) await rm(aside)
    else await rename(aside, lockPath)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw stateError('lock', lockPath, 'cannot be taken over', error)
  }
}

function parseHolder(holder: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(holder) as unknown) ?? {}
  } catch {
    return {}
  }
}

function describe(holder: string): string {
  const { pid, host } = parseHolder(holder)
  return `process ${pid ?? 'unknown'} on ${host ?? 'an unknown host'}`
}
