import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AuditError, stateError } from './errors.ts'
import { asObject, type Log } from './logs.ts'
import { unknownOrder } from './order.ts'
import type { State, Stretch } from './state.ts'

/** The few calls by which a state comes and goes, so that tests can stop the world between any two of them. */
export interface Disk {
  readFile(path: string): Promise<string>
  open(path: string, flags: 'w' | 'r', mode?: number): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
}

interface DiskFile {
  writeFile(text: string): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

const DISK: Disk = {
  readFile: (path) => readFile(path, 'utf8'),
  open,
  rename,
  remove: (path) => rm(path, { force: true }),
}

/** Of the file format. A reader that meets a higher one leaves the file alone. */
const VERSION = 1

/** Whose state it is. `teamId` is what auth.test says; `workspace` is --team-id, if given. */
export interface Owner {
  readonly teamId: string
  readonly workspace: string | undefined
  readonly log: Log
}

/** The file of this team and log in the folder: `T0EXAMPLE1-access.json`. */
export function statePath(folder: string, { teamId, workspace, log }: Owner): string {
  return join(folder, `${[teamId, workspace, log.name].filter(Boolean).join('-')}.json`)
}

/** Makes the folder, for the owner's eyes only. @throws AuditError of class `config`, also if it is a file. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new AuditError(
      'config',
      'state_dir',
      `--state-dir ${folder} cannot be made or is no folder (${reason})`,
      error,
    )
  }
}

/** Not mkdir with `recursive`, which never comes back from folders such as /proc (seen with Node 20). */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error
    await makeFolder(dirname(folder))
    await mkdir(folder, { mode: 0o700 })
  }
}

/**
 * What was remembered, with the time it was saved (ISO 8601); undefined if nothing ever was.
 * @throws AuditError of class `state` that names the file, if it cannot be read, is not ours or is of a newer version.
 */
export async function loadState(
  path: string,
  owner: Owner,
  disk: Disk = DISK,
): Promise<{ state: State; saved: string } | undefined> {
  let text: string
  try {
    text = await disk.readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw stateError('read', path, 'cannot be read', error)
  }
  let file: Record<string, unknown> | undefined
  try {
    file = asObject(JSON.parse(text) as unknown)
  } catch (error) {
    throw malformed(path, 'it is no JSON', error)
  }
  if (!file) throw malformed(path, 'it is no JSON object')
  if (typeof file['version'] !== 'number') throw malformed(path, 'it has no version')
  if (file['version'] > VERSION) {
    throw new AuditError(
      'state',
      'newer',
      `state file ${path} was written by a newer slack-auditor: update this one`,
    )
  }
  const mine = { team: owner.teamId, workspace: owner.workspace ?? null, log: owner.log.name }
  for (const [field, value] of Object.entries(mine)) {
    if (file[field] !== value) {
      throw new AuditError(
        'state',
        'foreign',
        `state file ${path} belongs to another ${field} (${String(file[field])}, not ${value}): it was copied or renamed; give it its name back, or use another folder`,
      )
    }
  }
  return {
    state: parseState(path, owner.log, file),
    saved: typeof file['saved'] === 'string' ? file['saved'] : '',
  }
}

/**
 * Replaces the state in one step: a temporary file, fsync, rename, fsync of the folder. Whoever is stopped between
 * two of these leaves the old state whole.
 * @throws AuditError of class `state`.
 */
export async function saveState(path: string, owner: Owner, state: State, disk: Disk = DISK): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await disk.open(temporary, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(formatState(owner, state))}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await disk.rename(temporary, path)
    const folder = await disk.open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    await disk.remove(temporary).catch(() => {})
    throw stateError(
      'save',
      path,
      'cannot be saved, so the entries of this run will come again, with equal ids',
      error,
    )
  }
}

function formatState({ teamId, workspace, log }: Owner, state: State): object {
  const byField = (times: readonly number[]) =>
    Object.fromEntries(log.timeFields.map((field, index) => [field, finite(times[index])]))
  return {
    version: VERSION,
    team: teamId,
    workspace: workspace ?? null,
    log: log.name,
    saved: new Date().toISOString(),
    watermark: state.watermark,
    since: finite(state.since),
    order: {
      refuted: log.timeFields.filter((_, index) => state.order.refuted[index]),
      before: log.timeFields[state.order.beforeField ?? -1] ?? null,
    },
    gaps: state.gaps.map(({ top, floor, ids, printed }) => ({
      top: byField(top),
      floor: byField(floor),
      ids: [...ids],
      printed: [...printed],
    })),
    seen: Object.fromEntries(state.seen),
  }
}

/** JSON knows no infinity; null stands for "without bound". */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null
}

function parseState(path: string, log: Log, file: Record<string, unknown>): State {
  const time = (value: unknown, unbounded: number, what: string): number => {
    if (value === null) return unbounded
    if (typeof value !== 'number' || Math.abs(value) > 1e11) throw malformed(path, `${what} is no time`)
    return value
  }
  const times = (value: unknown, unbounded: number, what: string): number[] =>
    log.timeFields.map((field) => time(asObject(value)?.[field], unbounded, `${what}.${field}`))
  const list = (value: unknown, what: string): unknown[] => {
    if (!Array.isArray(value)) throw malformed(path, `${what} is no list`)
    return value
  }
  const order = unknownOrder(log.timeFields.length)
  const known = asObject(file['order'])
  for (const field of list(known?.['refuted'], 'order.refuted')) {
    const index = log.timeFields.indexOf(String(field))
    if (index >= 0) order.refuted[index] = true
  }
  const beforeField = log.timeFields.indexOf(String(known?.['before']))
  if (beforeField >= 0) order.beforeField = beforeField
  const seen = asObject(file['seen'])
  if (!seen) throw malformed(path, 'seen is no object')
  return {
    watermark: file['watermark'] === null ? null : time(file['watermark'], 0, 'watermark'),
    since: time(file['since'], Number.NEGATIVE_INFINITY, 'since'),
    seen: new Map(Object.entries(seen).map(([id, at]) => [id, time(at, 0, `seen.${id}`)])),
    gaps: list(file['gaps'], 'gaps').map((gap): Stretch => {
      const { top, floor, ids, printed } = asObject(gap) ?? {}
      return {
        top: times(top, Number.POSITIVE_INFINITY, 'gap.top'),
        floor: times(floor, Number.NEGATIVE_INFINITY, 'gap.floor'),
        ids: new Set(list(ids, 'gap.ids').map(String)),
        printed: new Set(list(printed, 'gap.printed').map(String)),
      }
    }),
    order,
  }
}

function malformed(path: string, what: string, cause?: unknown): AuditError {
  return new AuditError(
    'state',
    'malformed',
    `state file ${path} is damaged (${what}): put back a copy, or remove it to read everything again with equal ids`,
    cause,
  )
}
