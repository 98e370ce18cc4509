import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AuditError, errnoOf, stateError } from '../errors.ts'

/** How long a second run waits for the first. A lock that nobody touched meanwhile has lost its owner. */
const WAIT_MS = 15_000
const POLL_MS = 250
/** A living owner touches its lock this often. */
const HEARTBEAT_MS = 2_000

export interface Lock {
  /** @throws AuditError of class `state` if another run has taken the lock, because this one stood still for too long. */
  assertHeld(): void
  /** May be called twice, and from a signal handler. */
  release(): void
}

/**
 * Locks a state file against a second run. A lock lives by its heartbeat alone: process numbers and host names prove
 * nothing, because two containers may share them.
 * @throws AuditError of class `state` if a living run holds it for longer than this one waits: 15 seconds, or `mostMs`.
 */
export async function lockState(
  path: string,
  sleep: (ms: number) => Promise<void>,
  mostMs = Number.POSITIVE_INFINITY,
): Promise<Lock> {
  const lockPath = `${path}.lock`
  const mine = randomBytes(8).toString('hex')
  let first: string | undefined
  for (let waitedMs = 0; !(await create(lockPath, mine)); waitedMs += POLL_MS) {
    first ??= await look(lockPath)
    if (waitedMs < Math.min(WAIT_MS, mostMs)) {
      await sleep(POLL_MS)
    } else if (waitedMs >= WAIT_MS && first !== undefined && first === (await look(lockPath))) {
      await takeOver(lockPath, mine)
      break
    } else {
      throw new AuditError(
        'state',
        'locked',
        `state ${path} is in use by another run; giving up, the next run will continue`,
      )
    }
  }
  // What is there now may belong to a run that took over: then it is not ours to touch or remove.
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
    assertHeld() {
      if (isMine()) return
      const message = `state ${path} was taken over by another run, or its lock was removed; stopping, this run is not saved`
      throw new AuditError('state', 'lock_lost', message)
    },
    release() {
      clearInterval(beat)
      if (isMine()) rmSync(lockPath, { force: true })
    },
  }
}

/** The lock as it is now, with its last heartbeat; undefined if there is none. */
async function look(lockPath: string): Promise<string | undefined> {
  try {
    return `${await readFile(lockPath, 'utf8')} ${(await stat(lockPath)).mtimeMs}`
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw stateError('lock', lockPath, 'cannot be read', error)
  }
}

/** @returns whether there was no lock, and there is ours now. */
async function create(lockPath: string, content: string): Promise<boolean> {
  try {
    const file = await open(lockPath, 'wx', 0o600)
    try {
      await file.writeFile(content)
    } catch (error) {
      await rm(lockPath, { force: true })
      throw error
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw stateError('lock', dirname(lockPath), 'cannot be locked', error)
  }
}

/** Of two runs that replace a dead lock at once, the last one has it; the other one notices before its first page. */
async function takeOver(lockPath: string, mine: string): Promise<void> {
  const fresh = `${lockPath}.${mine}`
  await create(fresh, mine)
  await rename(fresh, lockPath).catch(async (error: unknown) => {
    await rm(fresh, { force: true })
    throw stateError('lock', dirname(lockPath), 'cannot be locked', error)
  })
}
