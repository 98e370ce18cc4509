import { type Account, authenticate } from './auth.ts'
import { type Collected, collect } from './collect.ts'
import { type AuditError, asAuditError } from './errors.ts'
import { linePrinter, reportLine, type Team } from './lines.ts'
import { type Lock, lockState } from './lock.ts'
import { type Log, readPage } from './logs.ts'
import type { Settings } from './options.ts'
import type { Output } from './output.ts'
import type { Voice } from './progress.ts'
import { type Run, report, summary } from './report.ts'
import { type Clock, Retrier } from './retry.ts'
import type { SlackCall } from './slack.ts'
import { emptyState, type State } from './state.ts'
import { loadState, type Owner, prepareFolder, saveState, statePath } from './store.ts'

/** What a run works with. */
export interface Session {
  readonly settings: Settings
  readonly version: string
  readonly call: SlackCall
  readonly clock: Clock
  /** Epoch milliseconds. */
  readonly deadline: number
  readonly output: Output
  readonly voice: Voice
  /** Locks that are held, for whoever has to let go of them in a hurry. */
  readonly locks: Set<Lock>
}

/** How the run of one log ended, and what is to be saved once stdout took the last line. */
interface Finished {
  readonly run: Run
  readonly limit: Collected['limit']
  readonly doubtful: boolean
  readonly save?: () => Promise<void>
}

/**
 * One run: asks Slack who we are, reads the logs side by side, prints the reports, and saves the states last of all.
 * @returns whether all that was asked for was read, or left to a later run because a limit was asked for.
 * @throws AuditError of class `output` when the lines find no reader, `config` when there is nowhere to remember.
 */
export async function run(session: Session): Promise<boolean> {
  const { settings, voice } = session
  const startedMs = session.clock.now()
  if (settings.stateDir !== undefined) await prepareFolder(settings.stateDir)
  const retrier = new Retrier(session.clock, session.deadline)
  let account: Account
  try {
    account = await authenticate(session.call, retrier, settings.teamId)
  } catch (thrown) {
    const error = asAuditError(thrown)
    voice.error(error.message)
    await reportFailure(session, startedMs, error, retrier)
    return false
  }
  voice.start()
  try {
    const settled = await Promise.allSettled(settings.logs.map((log) => runLog(session, account, log)))
    voice.stop()
    const finished = settled.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
    return await conclude(session, account.team, finished)
  } finally {
    for (const lock of session.locks) lock.release()
  }
}

/** The report of each log for a run that could not begin, if reports were asked for. */
export async function reportFailure(
  session: Pick<Session, 'version' | 'output' | 'clock'> & {
    settings: Pick<Settings, 'report' | 'logs' | 'teamId'>
  },
  startedMs: number,
  error: AuditError,
  counters?: Retrier,
): Promise<void> {
  const { settings, version, clock } = session
  if (!settings.report) return
  const team = { id: settings.teamId ?? null, name: null }
  const lines = settings.logs.map((log) =>
    reportLine(
      team,
      report({ log, startedMs, endedMs: clock.now(), version, complete: false, error, ...counted(counters) }),
    ),
  )
  await session.output.write(lines.join(''))
}

/** Deliver, then remember: a run that dies in between prints the same lines again, with the same ids. */
async function conclude(session: Session, team: Team, finished: readonly Finished[]): Promise<boolean> {
  const { settings, output, voice } = session
  if (settings.report) await output.write(finished.map(({ run }) => reportLine(team, run)).join(''))
  let good = true
  for (const { run, limit, doubtful, save } of finished) {
    const line = summary(run, limit, save !== undefined)
    if (run.error || doubtful) voice.error(line)
    else voice.say(line)
    if (run.error || doubtful || (!run.complete && limit === undefined)) good = false
    try {
      await save?.()
    } catch (thrown) {
      voice.error(asAuditError(thrown).message)
      good = false
    }
  }
  return good
}

/** Reads one log and prints it. Whatever goes wrong with it is in the report, so that the other log goes on. */
async function runLog(session: Session, account: Account, log: Log): Promise<Finished> {
  const { settings, clock, deadline, voice } = session
  const startedMs = clock.now()
  const retrier = new Retrier(clock, deadline, (seconds) => voice.waiting(log.name, seconds))
  const finish = (facts: Partial<Parameters<typeof report>[0]>) =>
    report({
      log,
      startedMs,
      endedMs: clock.now(),
      version: session.version,
      complete: false,
      error: undefined,
      ...counted(retrier),
      ...facts,
    })
  let before: State
  let lock: Lock | undefined
  const owner: Owner = { teamId: account.teamId, workspace: settings.teamId, log }
  const path = settings.stateDir === undefined ? undefined : statePath(settings.stateDir, owner)
  try {
    if (path !== undefined) {
      lock = await lockState(path, clock.sleep)
      session.locks.add(lock)
    }
    before = await remembered(session, path, owner)
  } catch (thrown) {
    return { run: finish({ error: asAuditError(thrown) }), limit: undefined, doubtful: false }
  }

  const print = linePrinter(log, account.team)
  const collected = await collect(
    {
      log,
      args: argumentsFor(settings, log),
      until: settings.until,
      lookbackSeconds: settings.lookbackSeconds,
      maxRows: settings.maxRows,
      deadline,
    },
    before,
    {
      // The page is checked within the retry: a body that is not Slack's may come from a proxy about to recover.
      fetchPage: (args, neighbour) =>
        retrier.call(async () =>
          readPage(log, await session.call(log.method, args), account.team.id, neighbour),
        ),
      print: (entries) => session.output.write(entries.map(print).join('')),
      now: () => clock.now(),
      warn: (message) => voice.say(`${log.name}: ${message}`),
      onPage: (counts, oldest) => voice.progress(log.name, counts.pages, counts.rowsRead, oldest),
    },
  )
  const { state, counts, error, limit, complete, doubts } = collected
  for (const doubt of doubts) voice.error(`${log.name}: something may have been left out: ${doubt}`)
  return {
    run: finish({
      ...counts,
      complete,
      error,
      order: state.order,
      watermark: state.watermark,
      gaps: path === undefined ? 0 : state.gaps.length,
    }),
    limit,
    doubtful: doubts.length > 0,
    ...(path !== undefined && {
      save: async () => {
        if (state === before) return
        await lock?.assertHeld()
        await saveState(path, owner, state)
      },
    }),
  }
}

async function remembered(
  { settings, voice, clock }: Session,
  path: string | undefined,
  owner: Owner,
): Promise<State> {
  const loaded = path === undefined ? undefined : await loadState(path, owner)
  if (!loaded) return emptyState(owner.log, settings.since ?? Number.NEGATIVE_INFINITY)
  const minutes = Math.round((clock.now() - Date.parse(loaded.saved)) / 60_000)
  voice.detail(`${owner.log.name}: goes on from ${path}, saved ${minutes} min ago`)
  if (settings.since !== undefined) {
    voice.detail(`${owner.log.name}: --since is for the first run and is ignored: there is a state`)
  }
  return loaded.state
}

function argumentsFor(settings: Settings, log: Log): Record<string, string> {
  return {
    // Never filled in unasked: with it, an org-wide token gets less than without (docs.slack.dev, team.accessLogs).
    ...(settings.teamId !== undefined && { team_id: settings.teamId }),
    ...(!log.hasBefore && settings.filters),
  }
}

function counted(retrier: Retrier | undefined): {
  requests?: number
  retries?: number
  rateLimitedMs?: number
} {
  return retrier
    ? { requests: retrier.requests, retries: retrier.retries, rateLimitedMs: retrier.rateLimitedMs }
    : {}
}
