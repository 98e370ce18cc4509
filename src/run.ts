import { type Collected, collect } from './collect.ts'
import { AuditError, asAuditError } from './errors.ts'
import type { Log } from './log/logs.ts'
import { readPage } from './log/page.ts'
import type { Team } from './log/team.ts'
import type { Settings } from './options.ts'
import { entryLines, reportLine } from './output/lines.ts'
import { type Report, report, summary } from './output/report.ts'
import type { Stderr } from './output/stderr.ts'
import type { Output } from './output/stdout.ts'
import { type Account, authenticate } from './slack/auth.ts'
import type { SlackCall } from './slack/client.ts'
import { withSmallerPages } from './slack/page-size.ts'
import { type Clock, Retrier } from './slack/retry.ts'
import { foreignOwners } from './state/folder.ts'
import type { Owner } from './state/format.ts'
import { type Lock, lockState } from './state/lock.ts'
import { type Reader, readerOf, stateFor } from './state/reader.ts'
import { emptyState, type State } from './state/state.ts'
import {
  loadState,
  type PreparedState,
  prepareFolder,
  prepareState,
  statePath,
  wasLastSaveCut,
} from './state/store.ts'

/** How long to wait before an answer without entries is requested once more. */
const EMPTY_ANSWER_PAUSE_MS = 3000

export interface Session {
  readonly settings: Settings
  readonly version: string
  readonly call: SlackCall
  /** Makes the calls that belong to neither log, and counts what they cost. */
  readonly retrier: Retrier
  readonly clock: Clock
  /** Epoch milliseconds. */
  readonly deadlineMs: number
  readonly output: Output
  readonly stderr: Stderr
  /** The locks that are held, so that a signal can release them. */
  readonly locks: Set<Lock>
}

/** The state file of a log, locked, and what it held. */
interface Memory {
  readonly path: string
  readonly owner: Owner
  readonly lock: Lock
  readonly reader: Reader | undefined
  /** Whether there was no state file. */
  readonly isFirst: boolean
  /** The state this run continues from. */
  readonly previous: State
  /** Set if the last run printed its lines but could not save. */
  readonly fault: AuditError | undefined
}

/** How the run of one log went. */
interface LogRun {
  readonly log: Log
  readonly startedMs: number
  readonly retrier: Retrier
  readonly memory?: Memory | undefined
  readonly collected?: Collected
  error: AuditError | undefined
  /** The new state, if there is one to remember. */
  prepared?: PreparedState | undefined
}

/**
 * One run: asks Slack whose token it is, reads the logs side by side, prints the reports, and saves the states last.
 * @returns whether everything requested was read, or a limit the user set stopped the run.
 * @throws AuditError if Slack does not say whose token it is; of class `output` if stdout fails, of class `config` if
 * there is nowhere to remember.
 */
export async function run(session: Session): Promise<boolean> {
  const { settings, stderr } = session
  if (settings.stateDir !== undefined) await prepareFolder(settings.stateDir)
  const account = await authenticate(session.call, session.retrier, settings.teamId)
  if (settings.stateDir !== undefined) {
    const others = await foreignOwners(settings.stateDir, account.tokenTeamId, settings.teamId)
    if (others) stderr.say(`${settings.stateDir} holds only the state of ${others}: is this the right token?`)
  }
  stderr.startProgress()
  try {
    const settled = await Promise.allSettled(settings.logs.map((log) => runLog(session, account, log)))
    stderr.stopProgress()
    const runs = settled.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
    return await conclude(session, account.team, runs)
  } finally {
    for (const lock of session.locks) lock.release()
  }
}

/** What every request to this log is sent with. */
function logArguments(settings: Settings, log: Log): Record<string, string> {
  return {
    // Sent only if the user gave it: with team_id, an org-wide token sees less than without (docs.slack.dev).
    ...(settings.teamId !== undefined && { team_id: settings.teamId }),
    ...(!log.hasBefore && settings.filters),
  }
}

/** Reads one log and prints it. What goes wrong with it stays in the result, so that the other log is still read. */
async function runLog(session: Session, account: Account, log: Log): Promise<LogRun> {
  const { settings, clock, deadlineMs, output, stderr } = session
  const startedMs = clock.nowMs()
  const retrier = new Retrier(clock, deadlineMs, (seconds, why) => stderr.waiting(log.name, seconds, why))
  const call = withSmallerPages(session.call)
  let memory: Memory | undefined
  try {
    memory = await openMemory(session, account, log)
  } catch (thrown) {
    return { log, startedMs, retrier, error: asAuditError(thrown) }
  }
  const toLines = entryLines(log, account.team)
  const collected = await collect(
    {
      log,
      args: logArguments(settings, log),
      until: settings.until,
      lookbackSeconds: settings.lookback,
      maxRows: settings.maxRows ?? Number.POSITIVE_INFINITY,
      deadlineMs,
    },
    memory?.previous ?? emptyState(settings.since),
    {
      fetchPage: (args, neighbour) => {
        memory?.lock.assertHeld()
        // Parsed inside the retry, because a recovering proxy may answer with garbage first.
        return retrier.call(async () =>
          readPage(log, await call(log.method, args), account.team.id, neighbour),
        )
      },
      print: (entries) => output.write(toLines(entries)),
      nowMs: clock.nowMs,
      pause: () => clock.sleep(Math.max(0, Math.min(EMPTY_ANSWER_PAUSE_MS, deadlineMs - clock.nowMs()))),
      warn: (message) => stderr.say(`${log.name}: ${message}`),
      onPage: ({ pages, rowsRead }, oldest) => stderr.progress(log.name, pages, rowsRead, oldest),
    },
  )
  for (const omission of collected.omissions) stderr.error(`${log.name}: ${omission}`)
  return { log, startedMs, retrier, memory, collected, error: collected.error ?? memory?.fault }
}

/** Locks and reads the state of this log; undefined without --state-dir. */
async function openMemory(
  { settings, clock, deadlineMs, stderr, locks }: Session,
  account: Account,
  log: Log,
): Promise<Memory | undefined> {
  if (settings.stateDir === undefined) return undefined
  const owner: Owner = { tokenTeamId: account.tokenTeamId, requestedTeamId: settings.teamId, log }
  const path = statePath(settings.stateDir, owner)
  const lock = await lockState(path, clock.sleep, deadlineMs - clock.nowMs())
  locks.add(lock)
  const saved = await loadState(path, owner)
  const reader = settings.reader === undefined ? undefined : readerOf(settings.reader)
  const memory = { path, owner, lock, reader, isFirst: !saved, fault: await faultOfLastSave(path) }
  if (!saved) return { ...memory, previous: emptyState(settings.since) }
  const { state, lost } = stateFor(saved, reader)
  stderr.detail(`${log.name}: resuming from ${path}${saved.at && `, saved ${saved.at}`}`)
  if (lost) {
    stderr.say(
      `${log.name}: another process read the last run and may have lost it, so its lines are printed again, with the same ids`,
    )
  }
  if (settings.since !== undefined) {
    stderr.hint(`${log.name}: ignoring --since: it applies to the first run only, and a saved state exists`)
  }
  return { ...memory, previous: state }
}

async function faultOfLastSave(path: string): Promise<AuditError | undefined> {
  if (!(await wasLastSaveCut(path))) return undefined
  return new AuditError(
    'state',
    'last_save',
    `the last run printed its lines but did not save state ${path}, so this run printed them again, with the same ids; see what the last run said`,
  )
}

/**
 * Deliver, then remember: the new states are written beside the old ones, the reports are printed, and only then do the
 * new states replace the old ones. A run that dies in between prints the same lines again, with the same ids.
 */
async function conclude(session: Session, team: Team, runs: readonly LogRun[]): Promise<boolean> {
  const { settings, output, stderr } = session
  for (const run of runs) {
    try {
      run.prepared = await prepareStateOf(session, run)
    } catch (thrown) {
      // This outranks an earlier Slack error: the run will not be remembered at all.
      if (run.error) stderr.error(`${run.log.name}: ${run.error.message}`)
      run.error = asAuditError(thrown)
    }
  }
  const reports = runs.map((run) => ({ ...run, report: reportOf(session, run) }))
  try {
    if (settings.report) await output.write(reports.map(({ report }) => reportLine(team, report)).join(''))
  } catch (error) {
    for (const { prepared } of runs) await prepared?.discard()
    throw error
  }
  let good = true
  for (const { report, collected, prepared, memory } of reports) {
    const failed = report.outcome === 'failure' || (collected?.omissions.length ?? 0) > 0
    const line = summary(report, collected?.limit, prepared !== undefined)
    if (failed) stderr.error(line)
    else stderr.say(line)
    if (failed) good = false
    try {
      if (prepared) memory?.lock.assertHeld()
      await prepared?.commit()
      // A signal says that nothing was saved as long as a lock is held.
      if (memory && session.locks.delete(memory.lock)) memory.lock.release()
    } catch (thrown) {
      stderr.error(asAuditError(thrown).message)
      good = false
    }
  }
  return good
}

/**
 * The new state, ready to replace the old one; undefined if there is nothing to remember. A run that read nothing still
 * remembers its reader, since that it was started shows that the lines of the last run were delivered.
 */
async function prepareStateOf(
  { clock }: Session,
  { memory, collected }: LogRun,
): Promise<PreparedState | undefined> {
  if (!memory || !collected || collected.error?.class === 'state') return undefined
  const { lock, path, owner, reader, previous, isFirst } = memory
  if (collected.state === previous && (isFirst || !reader)) return undefined
  lock.assertHeld()
  return prepareState(path, owner, {
    at: new Date(clock.nowMs()).toISOString(),
    state: collected.state,
    ...(reader && { undelivered: { reader, state: previous } }),
  })
}

function reportOf({ clock, version }: Session, run: LogRun): Report {
  const { memory, collected, error, prepared, retrier } = run
  // A state that could not be saved leaves the old one in force.
  const state = memory && !prepared ? memory.previous : collected?.state
  return report({
    ...run,
    ...collected,
    error,
    calls: retrier,
    endedMs: clock.nowMs(),
    version,
    complete: error === undefined && collected?.complete === true,
    watermark: state?.watermark,
    gaps: memory && state?.gaps.length,
  })
}
