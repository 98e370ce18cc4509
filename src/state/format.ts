import { AuditError } from '../errors.ts'
import { asObject } from '../json.ts'
import type { Log } from '../log/logs.ts'
import type { Times } from '../log/page.ts'
import type { Reader, Undelivered } from './reader.ts'
import type { State } from './state.ts'

/** Of the file format. Versions 1 and 2 were those of slack-auditor 1.x. */
const VERSION = 3

/** Whose state it is. `tokenTeamId` is what auth.test says; `requestedTeamId` is --team-id, if given. */
export interface Owner {
  readonly tokenTeamId: string
  readonly requestedTeamId: string | undefined
  readonly log: Log
}

/** What a state file holds. */
export interface Saved {
  /** When it was saved: ISO 8601, or "" if the file does not say. */
  readonly at: string
  /** After the last run. */
  readonly state: State
  /** Undefined if the last run was not given --reader. */
  readonly undelivered?: Undelivered | undefined
}

/** The text of a state file. */
export function formatState(
  { tokenTeamId, requestedTeamId, log }: Owner,
  { at, state, undelivered }: Saved,
): string {
  const file = {
    version: VERSION,
    team: tokenTeamId,
    workspace: requestedTeamId ?? null,
    log: log.name,
    saved: at,
    ...formatOne(state),
    ...(undelivered && { reader: undelivered.reader, before: formatOne(undelivered.state) }),
  }
  return `${JSON.stringify(file)}\n`
}

function formatOne({ watermark, since, longestRowSeconds, gaps, seen }: State): object {
  return {
    watermark,
    since: finite(since),
    longest_row_s: longestRowSeconds,
    gaps: gaps.map(({ top, floor }) => ({ top, floor: finite(floor) })),
    seen: Object.fromEntries([...seen].map(([id, { time, began }]) => [id, [time, began]])),
  }
}

/** JSON has no infinity; null stands for "no bound". */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/**
 * Reads the text of a state file. `path`: for the messages.
 * @throws AuditError of class `state` that names the file, if it is damaged, of another version, or not the owner's.
 */
export function parseState(path: string, owner: Owner, text: string): Saved {
  try {
    const file = parseJson(text)
    assertVersion(path, file['version'])
    assertOwned(path, owner, file)
    const { saved, reader, before } = file
    return {
      at: typeof saved === 'string' ? saved : '',
      state: parseOne(file),
      ...(reader !== undefined && {
        undelivered: { reader: parseReader(reader), state: parseOne(toObject(before, 'before')) },
      }),
    }
  } catch (error) {
    if (!(error instanceof Damage)) throw error
    const advice = 'restore a backup, or delete it to read everything again (the ids stay the same)'
    throw new AuditError('state', 'malformed', `state file ${path} is damaged (${error.message}): ${advice}`)
  }
}

function assertVersion(path: string, version: unknown): void {
  if (typeof version !== 'number') throw new Damage('it has no version')
  if (version > VERSION) {
    throw new AuditError(
      'state',
      'newer',
      `state file ${path} was written by a newer slack-auditor: update this one`,
    )
  }
  if (version < VERSION) {
    const message = `state file ${path} was written by slack-auditor 1.x: delete it; then everything is read and printed again, with the same ids`
    throw new AuditError('state', 'older', message)
  }
}

function assertOwned(path: string, owner: Owner, file: Record<string, unknown>): void {
  const mine = { team: owner.tokenTeamId, workspace: owner.requestedTeamId ?? null, log: owner.log.name }
  for (const [field, value] of Object.entries(mine)) {
    if (file[field] === value) continue
    throw new AuditError(
      'state',
      'foreign',
      `state file ${path} belongs to another ${field} (${String(file[field])}, not ${value}); was it copied or renamed? Restore its name, or use another folder`,
    )
  }
}

/** A part of a state file is not what it should be. The message says which and what. */
class Damage extends Error {}

function parseJson(text: string): Record<string, unknown> {
  try {
    return toObject(JSON.parse(text), 'it')
  } catch (error) {
    throw error instanceof Damage ? error : new Damage('it is not JSON', { cause: error })
  }
}

function parseOne({ watermark, since, longest_row_s, gaps, seen }: Record<string, unknown>): State {
  return {
    watermark: watermark === null ? null : toTime(watermark, 'watermark'),
    since: since === null ? Number.NEGATIVE_INFINITY : toTime(since, 'since'),
    longestRowSeconds: toTime(longest_row_s, 'longest_row_s'),
    gaps: toList(gaps, 'gaps').map((gap) => {
      const { top, floor } = toObject(gap, 'gap')
      return {
        top: toTime(top, 'gap.top'),
        floor: floor === null ? Number.NEGATIVE_INFINITY : toTime(floor, 'gap.floor'),
      }
    }),
    seen: new Map(
      Object.entries(toObject(seen, 'seen')).map(([id, times]) => [id, toTimes(times, `seen.${id}`)]),
    ),
  }
}

function parseReader(value: unknown): Reader {
  const { pid, started, boot } = toObject(value, 'reader')
  if (typeof pid !== 'number') throw new Damage('reader.pid is not a number')
  const text = (part: unknown) => (typeof part === 'string' ? part : null)
  return { pid, started: text(started), boot: text(boot) }
}

function toTimes(value: unknown, what: string): Times {
  const [time, began] = toList(value, what)
  return { time: toTime(time, what), began: toTime(began, what) }
}

function toTime(value: unknown, what: string): number {
  if (typeof value !== 'number' || Math.abs(value) > 1e11) throw new Damage(`${what} is not a time`)
  return value
}

function toList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new Damage(`${what} is not a list`)
  return value
}

function toObject(value: unknown, what: string): Record<string, unknown> {
  const object = asObject(value)
  if (!object) throw new Damage(`${what} is not an object`)
  return object
}
