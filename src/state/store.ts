import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AuditError, stateError } from '../errors.ts'
import { asObject } from '../json.ts'
import type { Log } from '../log/logs.ts'
import type { Times } from '../log/page.ts'
import type { SortedBy } from '../walk/order.ts'
import type { Range } from './plan.ts'
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

/** Of the file format; `parseVersion1` reads the first one. A reader that meets a higher one leaves the file alone. */
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
    await makeFolder(resolve(folder))
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
  const make = async () => {
    try {
      await mkdir(folder, { mode: 0o700 })
    } catch (error) {
      // Another run may make the same folders at this moment.
      const exists = (error as NodeJS.ErrnoException).code === 'EEXIST'
      if (!exists || !(await stat(folder)).isDirectory()) throw error
    }
  }
  try {
    await make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error
    await makeFolder(dirname(folder))
    await make()
  }
}

/**
 * What was remembered, and when it was saved (ISO 8601, or "" where the file does not say). Undefined if nothing ever
 * was.
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
  const version = file['version']
  if (typeof version !== 'number') throw malformed(path, 'it has no version')
  if (version > VERSION) {
    throw new AuditError(
      'state',
      'newer',
      `state file ${path} was written by a newer slack-auditor: update this one`,
    )
  }
  assertOwned(path, owner, file)
  const parser = new Parser(path, owner.log)
  return {
    state: version < 2 ? parseVersion1(parser, owner.log, file) : parseState(parser, file),
    saved: typeof file['saved'] === 'string' ? file['saved'] : '',
  }
}

function assertOwned(path: string, owner: Owner, file: Record<string, unknown>): void {
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
      const what = 'cannot be saved, so the entries of this run will come again, with equal ids'
      throw stateError('save', path, what, error)
    }
  }
  await orFail(async () => {
    const file = await disk.open(temporary, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(formatState(owner, state))}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  })
  return {
    discard,
    commit: () =>
      orFail(async () => {
        await disk.rename(temporary, path)
        const folder = await disk.open(dirname(path), 'r')
        try {
          await folder.sync()
        } finally {
          await folder.close()
        }
      }),
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

/** Reads the parts of a state file. Each method throws an AuditError that names the file and the part. */
class Parser {
  readonly #path: string
  readonly #log: Log

  constructor(path: string, log: Log) {
    this.#path = path
    this.#log = log
  }

  time(value: unknown, unbounded: number, what: string): number {
    if (value === null) return unbounded
    if (typeof value !== 'number' || Math.abs(value) > 1e11) throw this.fail(`${what} is no time`)
    return value
  }

  /** `[time, began]`. */
  times(value: unknown, unbounded: number, what: string): Times {
    const [time, began] = this.list(value, what)
    return { time: this.time(time, unbounded, what), began: this.time(began, unbounded, what) }
  }

  /** `{"date_last": time, "date_first": began}`, as version 1 had it. */
  namedTimes(value: unknown, unbounded: number, what: string): Times {
    const { timeField, beganField } = this.#log
    const named = this.object(value, what)
    return this.times([named[timeField], named[beganField]], unbounded, what)
  }

  list(value: unknown, what: string): unknown[] {
    if (!Array.isArray(value)) throw this.fail(`${what} is no list`)
    return value
  }

  object(value: unknown, what: string): Record<string, unknown> {
    const object = asObject(value)
    if (!object) throw this.fail(`${what} is no object`)
    return object
  }

  sortedBy(value: unknown): SortedBy {
    if (value === 'time' || value === 'began' || value === 'unsure' || value === 'none') return value
    throw this.fail('order is none of time, began, unsure, none')
  }

  fail(what: string): AuditError {
    return malformed(this.#path, what)
  }
}

function parseState(parser: Parser, file: Record<string, unknown>): State {
  return {
    ...parseBounds(parser, file),
    order: parser.sortedBy(file['order']),
    gaps: parser.list(file['gaps'], 'gaps').map((gap): Range => {
      const { top, floor } = parser.object(gap, 'gap')
      return {
        top: parser.times(top, Number.POSITIVE_INFINITY, 'gap.top'),
        floor: parser.times(floor, Number.NEGATIVE_INFINITY, 'gap.floor'),
      }
    }),
    seen: new Map(
      Object.entries(parser.object(file['seen'], 'seen')).map(([id, at]) => [
        id,
        parser.times(at, Number.NEGATIVE_INFINITY, `seen.${id}`),
      ]),
    ),
  }
}

function parseBounds(
  parser: Parser,
  { watermark, since }: Record<string, unknown>,
): Pick<State, 'watermark' | 'since'> {
  return {
    watermark: watermark === null ? null : parser.time(watermark, 0, 'watermark'),
    since: parser.time(since, Number.NEGATIVE_INFINITY, 'since'),
  }
}

/**
 * The state that version 1.0 of the program saved. It kept no beginning of the entries it remembered, and no time of
 * those that it kept with a gap. Here they count as old enough, and as lying at the top of their gap, so that they stay
 * until the gap is read.
 */
function parseVersion1(parser: Parser, log: Log, file: Record<string, unknown>): State {
  const bounds = parseBounds(parser, file)
  const began = Number.NEGATIVE_INFINITY
  const seen = new Map<string, Times>()
  const gaps = parser.list(file['gaps'], 'gaps').map((gap): Range => {
    const { top, floor, ids, printed } = parser.object(gap, 'gap')
    const range = {
      top: parser.namedTimes(top, Number.POSITIVE_INFINITY, 'gap.top'),
      floor: parser.namedTimes(floor, Number.NEGATIVE_INFINITY, 'gap.floor'),
    }
    const time = Number.isFinite(range.top.time) ? range.top.time : (bounds.watermark ?? 0)
    for (const id of [...parser.list(ids, 'gap.ids'), ...parser.list(printed, 'gap.printed')]) {
      seen.set(String(id), { time, began })
    }
    return range
  })
  for (const [id, at] of Object.entries(parser.object(file['seen'], 'seen'))) {
    seen.set(id, { time: parser.time(at, 0, `seen.${id}`), began })
  }
  const refuted = parser.list(parser.object(file['order'], 'order')['refuted'], 'order.refuted')
  const time = refuted.includes(log.timeField)
  const beganRefuted = refuted.includes(log.beganField)
  const order = time && beganRefuted ? 'none' : time ? 'began' : beganRefuted ? 'time' : 'unsure'
  return { ...bounds, order, gaps, seen }
}

function malformed(path: string, what: string, cause?: unknown): AuditError {
  return new AuditError(
    'state',
    'malformed',
    `state file ${path} is damaged (${what}): put back a copy, or remove it to read everything again with equal ids`,
    cause,
  )
}
