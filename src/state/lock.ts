import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync, rmSync } from 'node:fs'
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { AuditError, errnoOf, stateError } from '../errors.ts'
import { asObject } from '../json.ts'

/** How long a second run waits for the first. */
const LOCK_WAIT_MS = 10_000
const LOCK_POLL_MS = 250
/** A living owner touches its lock this often. A lock untouched for a minute, and while we waited, has lost its owner. */
const HEARTBEAT_MS = 3_000
const DEAD_AFTER_MS = 60_000
/** A lock is filled as soon as it is made. One that stays empty was made by a run that was killed in between. */
const DEAD_IF_EMPTY_AFTER_MS = 2_000

export interface Lock {
  /** @throws AuditError of class `state` if another run has taken the lock, because this one stood still for too long. */
  assertHeld(): void
  /** May be called twice, and from a signal handler. */
  release(): void
}

/**
 * Locks a state file against a second run. A lock is dead if its process is gone from this very process table, or if
 * nobody has touched it for a minute and while this run waited. Process numbers alone prove nothing: two containers may
 * share a host name, and both runs be process 1.
 * @throws AuditError of class `state` if a living run holds it for longer than this one waits.
 */
export async function lockState(path: string, sleep: (ms: number) => Promise<void>): Promise<Lock> {
  const lockPath = `${path}.lock`
  const mine = JSON.stringify({ ...thisProcess(), key: randomBytes(8).toString('hex') })
  const first = await look(lockPath)
  for (let waited = 0; !(await create(lockPath, mine)); waited += LOCK_POLL_MS) {
    const seen = await look(lockPath)
    const isUnchanged = first?.holder === seen?.holder && first?.touchedMs === seen?.touchedMs
    if (seen && isDead(seen, waited >= LOCK_WAIT_MS && isUnchanged)) {
      await takeAway(lockPath, seen.holder)
    } else if (waited >= LOCK_WAIT_MS) {
      throw new AuditError(
        'state',
        'locked',
        `state ${path} is in use by another run (${describe(seen)}): this run ends, and the next one goes on`,
      )
    } else {
      await sleep(LOCK_POLL_MS)
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
      throw new AuditError(
        'state',
        'lock_lost',
        `state ${path} was taken over by another run, or its lock was removed: this run stops, and nothing is remembered of it`,
      )
    },
    release() {
      clearInterval(beat)
      if (isMine()) rmSync(lockPath, { force: true })
    },
  }
}

/** Where the process numbers of this process mean something: the host, and on Linux its PID namespace and boot. */
function thisProcess(): { pid: number; host: string; table: string } {
  let table = ''
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    table = `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    // Other systems have neither, and no containers that share a host name.
  }
  return { pid: process.pid, host: hostname(), table }
}

interface Seen {
  readonly holder: string
  readonly touchedMs: number
}

/** The lock as it is now; undefined if there is none. */
async function look(lockPath: string): Promise<Seen | undefined> {
  try {
    return { holder: await readFile(lockPath, 'utf8'), touchedMs: (await stat(lockPath)).mtimeMs }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw stateError('lock', lockPath, 'cannot be read', error)
  }
}

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
    throw stateError('lock', lockPath, 'cannot be made', error)
  }
}

/** `untouched`: nobody touched it for as long as a run waits. */
function isDead({ holder, touchedMs }: Seen, untouched: boolean): boolean {
  if (holder === '') return untouched || Date.now() - touchedMs > DEAD_IF_EMPTY_AFTER_MS
  const { pid, host, table } = parseHolder(holder)
  const here = thisProcess()
  if (host === here.host && table === here.table && typeof pid === 'number' && isGone(pid)) return true
  // The clock of another host may be off in either direction, so the age alone proves nothing.
  return untouched && Math.abs(Date.now() - touchedMs) > DEAD_AFTER_MS
}

function isGone(pid: number): boolean {
  // A lock with our own number was left by an earlier process that had it.
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return errnoOf(error) === 'ESRCH'
  }
}

/** Moves a dead lock out of the way. Of two runs that try, one moves it; what was moved by mistake is put back. */
async function takeAway(lockPath: string, holder: string): Promise<void> {
  const aside = `${lockPath}.${randomBytes(4).toString('hex')}`
  try {
    await rename(lockPath, aside)
    if ((await readFile(aside, 'utf8')) === holder) await rm(aside)
    else await rename(aside, lockPath)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw stateError('lock', lockPath, 'cannot be taken over', error)
  }
}

function parseHolder(holder: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(holder) as unknown) ?? {}
  } catch {
    return {}
  }
}

function describe(seen: Seen | undefined): string {
  const { pid, host } = parseHolder(seen?.holder ?? '')
  return `process ${pid ?? 'unknown'} on ${host ?? 'an unknown host'}`
}
