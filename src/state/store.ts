import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AuditError, errnoOf, reasonOf, stateError } from '../errors.ts'
import { asObject } from '../json.ts'
import type { Log } from '../log/logs.ts'
import type { Times } from '../log/page.ts'
import type { SortedBy } from '../walk/order.ts'
import type { State } from './state.ts'

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

/** Of the file format; `fromVersion1` reads the first one. A reader that meets a higher one leaves the file alone. */
const VERSION = 2

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
    await makeFolder(resolve(folder), true)
  } catch (error) {
    const message = `--state-dir ${folder} cannot be used as a folder: ${reasonOf(error)}`
    throw new AuditError('config', 'state_dir', message, error)
  }
}

/** Not mkdir with `recursive`, which never comes back from folders such as /proc (seen with Node 20). */
async function makeFolder(folder: string, withParents: boolean): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && withParents && dirname(folder) !== folder) {
      await makeFolder(dirname(folder), true)
      await makeFolder(folder, false)
    } else if (errnoOf(error) !== 'EEXIST' || !(await stat(folder)).isDirectory()) {
      throw error
    }
  }
}

/** What a state file holds. */
export interface Loaded {
  readonly state: State
  /** When it was saved: ISO 8601, or "" where the file does not say. */
  readonly saved: string
}

/**
 * What was remembered; undefined if nothing ever was.
 * @throws AuditError of class `state` that names the file, if it cannot be read, is not ours or is of a newer version.
 */
export async function loadState(path: string, owner: Owner, disk: Disk = DISK): Promise<Loaded | undefined> {
  try {
    return parseFile(path, owner, await disk.readFile(path))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    if (error instanceof AuditError) throw error
    if (!(error instanceof Damage)) throw stateError('read', path, 'cannot be read', error)
    const advice = 'put back a copy, or remove it to read everything again with equal ids'
    const message = `state file ${path} is damaged (${error.message}): ${advice}`
    throw new AuditError('state', 'malformed', message, error)
  }
}

function parseFile(path: string, owner: Owner, text: string): Loaded {
  const file = asObject(parseJson(text))
  if (!file) throw new Damage('it is no JSON object')
  const { version, saved } = file
  if (typeof version !== 'number') throw new Damage('it has no version')
  if (version > VERSION) {
    const message = `state file ${path} was written by a newer slack-auditor: update this one`
    throw new AuditError('state', 'newer', message)
  }
  assertOwned(path, owner, file)
  return {
    state: parseState(version < 2 ? fromVersion1(owner.log, file) : file),
    saved: typeof saved === 'string' ? saved : '',
  }
}

function assertOwned(path: string, owner: Owner, file: Record<string, unknown>): void {
  const mine = { team: owner.teamId, workspace: owner.workspace ?? null, log: owner.log.name }
  for (const [field, value] of Object.entries(mine)) {
    if (file[field] === value) continue
    throw new AuditError(
      'state',
      'foreign',
      `state file ${path} belongs to another ${field} (${String(file[field])}, not ${value}): it was copied or renamed; give it its name back, or use another folder`,
    )
  }
}

/** A state that lies on the disk beside the old one, complete and synced, but is not in force yet. */
export interface PreparedState {
  /** Puts it in the place of the old one. @throws AuditError of class `state`. */
  commit(): Promise<void>
  /** Removes it. The old one stays. */
  discard(): Promise<void>
}

/**
 * The first of two steps that save a state: a temporary file, written and synced. The second step, `commit`, renames it
 * and syncs the folder. A run that is stopped anywhere in between leaves the old state whole. The name of the temporary
 * file is fixed, so that a later run writes over what a killed one left.
 * @throws AuditError of class `state`; then no temporary file is left.
 */
export async function prepareState(
  path: string,
  owner: Owner,
  state: State,
  disk: Disk = DISK,
): Promise<PreparedState> {
  const temporary = `${path}.tmp`
  const discard = () => disk.remove(temporary).catch(() => {})
  const orFail = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      await discard()
      const consequence = '; the entries of this run will come again, with equal ids'
      throw stateError('save', path, 'cannot be saved', error, consequence)
    }
  }
  const text = `${JSON.stringify(formatState(owner, state))}\n`
  await orFail(async () => sync(await disk.open(temporary, 'w', 0o600), text))
  return {
    discard,
    commit: () =>
      orFail(async () => {
        await disk.rename(temporary, path)
        await sync(await disk.open(dirname(path), 'r'))
      }),
  }
}

async function sync(file: DiskFile, text?: string): Promise<void> {
  try {
    if (text !== undefined) await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function formatState({ teamId, workspace, log }: Owner, state: State): object {
  const times = ({ time, began }: Times) => [finite(time), finite(began)]
  return {
    version: VERSION,
    team: teamId,
    workspace: workspace ?? null,
    log: log.name,
    saved: new Date().toISOString(),
    watermark: state.watermark,
    since: finite(state.since),
    order: state.order,
    gaps: state.gaps.map(({ top, floor }) => ({ top: times(top), floor: times(floor) })),
    seen: Object.fromEntries([...state.seen].map(([id, at]) => [id, times(at)])),
  }
}

/** JSON knows no infinity; null stands for "without bound". */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/** A part of a state file is not what it should be. The message says which and what. */
class Damage extends Error {}

function parseState({ watermark, since, order, gaps, seen }: Record<string, unknown>): State {
  return {
    watermark: watermark === null ? null : parseTime(watermark, 0, 'watermark'),
    since: parseTime(since, Number.NEGATIVE_INFINITY, 'since'),
    order: parseOrder(order),
    gaps: parseList(gaps, 'gaps').map((gap) => {
      const { top, floor } = parseObject(gap, 'gap')
      return {
        top: parseTimes(top, Number.POSITIVE_INFINITY, 'gap.top'),
        floor: parseTimes(floor, Number.NEGATIVE_INFINITY, 'gap.floor'),
      }
    }),
    seen: new Map(
      Object.entries(parseObject(seen, 'seen')).map(([id, times]) => [
        id,
        parseTimes(times, Number.NEGATIVE_INFINITY, `seen.${id}`),
      ]),
    ),
  }
}

/**
 * What version 1.0 of the program saved, in the present form. It kept no beginning of the entries it remembered, and no
 * time of those that it kept with a gap. Here they count as old enough, and as lying at the top of their gap, so that
 * they stay until the gap is read.
 */
function fromVersion1(log: Log, file: Record<string, unknown>): Record<string, unknown> {
  const times = (value: unknown, what: string) => {
    const named = parseObject(value, what)
    return [named[log.timeField], named[log.beganField]]
  }
  const inGaps: [string, unknown][] = []
  const gaps = parseList(file['gaps'], 'gaps').map((gap) => {
    const { top, floor, ids, printed } = parseObject(gap, 'gap')
    const range = { top: times(top, 'gap.top'), floor: times(floor, 'gap.floor') }
    for (const id of [...parseList(ids, 'gap.ids'), ...parseList(printed, 'gap.printed')]) {
      inGaps.push([String(id), [range.top[0] ?? file['watermark'] ?? 0, null]])
    }
    return range
  })
  const seen = Object.entries(parseObject(file['seen'], 'seen')).map(([id, time]) => [id, [time ?? 0, null]])
  const refuted = parseList(parseObject(file['order'], 'order')['refuted'], 'order.refuted')
  const time = refuted.includes(log.timeField)
  const began = refuted.includes(log.beganField)
  const order = time && began ? 'none' : time ? 'began' : began ? 'time' : 'unsure'
  return { ...file, gaps, order, seen: Object.fromEntries([...inGaps, ...seen]) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Damage('it is no JSON', { cause: error })
  }
}

function parseTime(value: unknown, unbounded: number, what: string): number {
  if (value === null) return unbounded
  if (typeof value !== 'number' || Math.abs(value) > 1e11) throw new Damage(`${what} is no time`)
  return value
}

/** `[time, began]`. */
function parseTimes(value: unknown, unbounded: number, what: string): Times {
  const [time, began] = parseList(value, what)
  return { time: parseTime(time, unbounded, what), began: parseTime(began, unbounded, what) }
}

function parseOrder(value: unknown): SortedBy {
  if (value === 'time' || value === 'began' || value === 'unsure' || value === 'none') return value
  throw new Damage('order is none of time, began, unsure, none')
}

function parseList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new Damage(`${what} is no list`)
  return value
}

function parseObject(value: unknown, what: string): Record<string, unknown> {
  const object = asObject(value)
  if (!object) throw new Damage(`${what} is no object`)
  return object
}
