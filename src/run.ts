import { type Collected, collect } from './collect.ts'
import { type AuditError, asAuditError } from './errors.ts'
import type { Log } from './log/logs.ts'
import { readPage } from './log/page.ts'
import type { Team } from './log/team.ts'
import type { Settings } from './options.ts'
import { entryLines, reportLine } from './output/lines.ts'
import { type Run, report, summary } from './output/report.ts'
import type { Stderr } from './output/stderr.ts'
import type { Output } from './output/stdout.ts'
import { type Account, authenticate } from './slack/auth.ts'
import type { SlackCall } from './slack/client.ts'
import { type Clock, Retrier } from './slack/retry.ts'
import { type Lock, lockState } from './state/lock.ts'
import { emptyState, type State } from './state/state.ts'
import {
  loadState,
  type Owner,
  type PreparedState,
  prepareFolder,
  prepareState,
  statePath,
} from './state/store.ts'

export interface Session {
  readonly settings: Settings
  readonly version: string
  readonly call: SlackCall
  /** Makes the calls that belong to no log, and counts what they cost. */
  readonly calls: Retrier
  readonly clock: Clock
  /** Epoch milliseconds. */
  readonly deadline: number
  readonly output: Output
  readonly stderr: Stderr
  /** The locks that are held, so that a run ended by a signal can let go of them. */
  readonly locks: Set<Lock>
}

/** The state file of a log, locked, and what it held. */
interface Memory {
  readonly path: string
  readonly owner: Owner
  readonly lock: Lock
  readonly before: State
}

/** How the run of one log went. */
interface LogRun {
  readonly log: Log
  readonly startedMs: number
  readonly calls: Retrier
  readonly memory?: Memory | undefined
  readonly collected?: Collected
  error: AuditError | undefined
  /** The new state, if there is one to remember. */
  prepared?: PreparedState | undefined
}

/**
 * One run: asks Slack whose token it is, reads the logs side by side, prints the reports, and saves the states last.
 * @returns whether all that was asked for was read, or a limit that was asked for left the rest to a later run.
 * @throws AuditError if Slack does not say whose token it is; of class `output` when the lines find no reader, of class
 * `config` when there is nowhere to remember.
 */
export async function run(session: Session): Promise<boolean> {
  const { settings, stderr } = session
  if (settings.stateDir !== undefined) await prepareFolder(settings.stateDir)
  const account = await authenticate(session.call, session.calls, settings.teamId)
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
    // Never filled in unasked: with it, an org-wide token gets less than without (docs.slack.dev, team.accessLogs).
    ...(settings.teamId !== undefined && { team_id: settings.teamId }),
    ...(!log.hasBefore && settings.filters),
  }
}

/** Reads one log and prints it. What goes wrong with it stays in the result, so that the other log goes on. */
async function runLog(session: Session, account: Account, log: Log): Promise<LogRun> {
  const { settings, clock, deadline, output, stderr } = session
  const startedMs = clock.now()
  const calls = new Retrier(clock, deadline, (seconds) => stderr.waiting(log.name, seconds))
  let memory: Memory | undefined
  try {
    memory = await openMemory(session, account, log)
  } catch (thrown) {
    return { log, startedMs, calls, error: asAuditError(thrown) }
  }
  const toLines = entryLines(log, account.team)
  const collected = await collect(
    {
      log,
      args: logArguments(settings, log),
      until: settings.until,
      lookbackSeconds: settings.lookback ?? 30 * 86_400,
      maxRows: settings.maxRows ?? Number.POSITIVE_INFINITY,
      deadline,
    },
    memory?.before ?? emptyState(settings.since),
    {
      fetchPage: (args, neighbour) => {
        memory?.lock.assertHeld()
        // The answer is checked within the retry: a proxy about to recover may have sent it.
        return calls.call(async () =>
          readPage(log, await session.call(log.method, args), account.team.id, neighbour),
        )
      },
      print: (entries) => output.write(toLines(entries)),
      now: () => clock.now(),
      warn: (message) => stderr.say(`${log.name}: ${message}`),
      onPage: ({ pages, rowsRead }, oldest) => stderr.progress(log.name, pages, rowsRead, oldest),
    },
  )
  for (const doubt of collected.doubts) {
    stderr.error(`${log.name}: something may have been left out: ${doubt}`)
  }
  return { log, startedMs, calls, memory, collected, error: collected.error }
}

/** Locks and reads the state of this log; undefined without --state-dir. */
async function openMemory(
  { settings, clock, stderr, locks }: Session,
  account: Account,
  log: Log,
): Promise<Memory | undefined> {
  if (settings.stateDir === undefined) return undefined
  const owner: Owner = { teamId: account.teamId, workspace: settings.teamId, log }
  const path = statePath(settings.stateDir, owner)
  const lock = await lockState(path, clock.sleep)
  locks.add(lock)
  const loaded = await loadState(path, owner)
  if (loaded) {
    const minutes = Math.max(0, Math.round((clock.now() - Date.parse(loaded.saved)) / 60_000))
    const saved = Number.isFinite(minutes) ? `, saved ${minutes} min ago` : ''
    stderr.detail(`${log.name}: goes on from ${path}${saved}`)
    if (settings.since !== undefined) {
      stderr.detail(`${log.name}: there is a state, so --since, which is for the first run, is ignored`)
    }
  }
  return { path, owner, lock, before: loaded?.state ?? emptyState(settings.since) }
}

/**
 * Deliver, then remember: the new states are written beside the old ones, the reports are printed, and only then are
 * the new states put in force. A run that dies in between prints the same lines again, with the same ids.
 */
async function conclude(session: Session, team: Team, runs: readonly LogRun[]): Promise<boolean> {
  const { settings, output, stderr } = session
  for (const run of runs) {
    try {
      run.prepared = await prepareStateOf(run)
    } catch (thrown) {
      // This error tells more than one that Slack may have given before: nothing of this run is remembered.
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
  for (const { report, collected, prepared } of reports) {
    const limit = collected?.limit
    const failed = report.outcome === 'failure' || (collected?.doubts.length ?? 0) > 0
    const line = summary(report, limit, prepared !== undefined)
    if (failed) stderr.error(line)
    else stderr.say(line)
    if (failed) good = false
    try {
      await prepared?.commit()
    } catch (thrown) {
      stderr.error(asAuditError(thrown).message)
      good = false
    }
  }
  return good
}

/** The new state, ready to be put in force; undefined if there is nothing to remember. */
async function prepareStateOf({ memory, collected }: LogRun): Promise<PreparedState | undefined> {
  if (!memory || !collected || collected.state === memory.before) return undefined
  memory.lock.assertHeld()
  return prepareState(memory.path, memory.owner, collected.state)
}

function reportOf({ clock, version }: Session, run: LogRun): Run {
  const { memory, collected, error } = run
  // A state that could not be saved leaves the old one in force.
  const state = error?.class === 'state' ? memory?.before : collected?.state
  return report({
    ...run,
    endedMs: clock.now(),
    version,
    complete: error === undefined && collected?.complete === true,
    counts: collected?.counts,
    sortKeys: collected?.order.sortKeys,
    watermark: state?.watermark,
    gaps: memory && state?.gaps.length,
  })
}
