import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AuditError, errnoOf, reasonOf, stateError } from '../errors.ts'
import { formatState, type Owner, parseState, type Saved } from './format.ts'

/** The disk calls that load and save a state, passed in so that tests can crash between any two of them. */
export interface Disk {
  readFile(path: string): Promise<string>
  /** `wx`: creates the file and fails if there is one, or a symbolic link of that name. `r`: for a folder. */
  open(path: string, flags: 'wx' | 'r', mode?: number): Promise<DiskFile>
  exists(path: string): Promise<boolean>
  rename(from: string, to: string): Promise<void>
  /** Removes a file; a missing one is not an error. */
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
  exists: (path) =>
    stat(path).then(
      () => true,
      () => false,
    ),
  rename,
  remove: (path) => rm(path, { force: true }),
}

/** What a file system says that cannot sync a folder (CIFS and some FUSE file systems: EINVAL). */
const CANNOT_SYNC_FOLDERS = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** The file of this team and log in the folder: `T0EXAMPLE1-access.json`. */
export function statePath(folder: string, { tokenTeamId, requestedTeamId, log }: Owner): string {
  return join(folder, `${[tokenTeamId, requestedTeamId, log.name].filter(Boolean).join('-')}.json`)
}

/** Creates the folder with mode 0700. @throws AuditError of class `config`, also if it is a file. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolder(resolve(folder), true)
  } catch (error) {
    const message = `--state-dir ${folder} cannot be used as a folder: ${reasonOf(error)}`
    throw new AuditError('config', 'state_dir', message, error)
  }
}

/** Not mkdir with `recursive`, which never returns from folders such as /proc (seen with Node 20). */
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

/**
 * What was remembered; undefined if nothing ever was.
 * @throws AuditError of class `state` that names the file, if it cannot be read or used.
 */
export async function loadState(path: string, owner: Owner, disk: Disk = DISK): Promise<Saved | undefined> {
  let text: string
  try {
    text = await disk.readFile(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw stateError('read', path, 'cannot be read', error)
  }
  return parseState(path, owner, text)
}

/** Whether the last run printed its lines but did not get its state saved: it failed at that, or was killed. */
export async function wasLastSaveCut(path: string, disk: Disk = DISK): Promise<boolean> {
  return disk.exists(temporaryPath(path))
}

/** A state on disk beside the old one, complete and synced, but not in force yet. */
export interface PreparedState {
  /** Replaces the old state. @throws AuditError of class `state`; then `wasLastSaveCut` is true for the next run. */
  commit(): Promise<void>
  /** Removes the prepared state. The old one stays in force. */
  discard(): Promise<void>
}

/**
 * The first of two steps that save a state: a temporary file, written and synced. The second step, `commit`, renames it
 * and syncs the folder. A run that is stopped in between leaves the old state whole.
 * @throws AuditError of class `state`; then no temporary file is left.
 */
export async function prepareState(
  path: string,
  owner: Owner,
  saved: Saved,
  disk: Disk = DISK,
): Promise<PreparedState> {
  const temporary = temporaryPath(path)
  const discard = () => disk.remove(temporary).catch(() => {})
  try {
    // Not opened in place: it may be a link, or have looser permissions, in a folder that others may write to.
    await disk.remove(temporary)
    await withFile(await disk.open(temporary, 'wx', 0o600), async (file) => {
      await file.writeFile(formatState(owner, saved))
      await file.sync()
    })
  } catch (error) {
    await discard()
    throw cannotBeSaved(path, error)
  }
  return { discard, commit: () => commit(path, disk) }
}

async function commit(path: string, disk: Disk): Promise<void> {
  try {
    await disk.rename(temporaryPath(path), path)
    await withFile(await disk.open(dirname(path), 'r'), async (folder) => {
      await folder.sync().catch((error: unknown) => {
        if (!CANNOT_SYNC_FOLDERS.includes(errnoOf(error) ?? '')) throw error
      })
    })
  } catch (error) {
    throw cannotBeSaved(path, error)
  }
}

async function withFile(file: DiskFile, work: (file: DiskFile) => Promise<void>): Promise<void> {
  try {
    await work(file)
  } finally {
    await file.close()
  }
}

/** The name is fixed, so that a later run replaces what a killed one left. */
function temporaryPath(path: string): string {
  return `${path}.tmp`
}

function cannotBeSaved(path: string, error: unknown): AuditError {
  const consequence = "; this run's entries will be printed again, with the same ids"
  return stateError('save', path, 'cannot be saved', error, consequence)
}
