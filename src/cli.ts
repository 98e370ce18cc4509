import packageJson from '../package.json' with { type: 'json' }
import type { CheckResult } from './check.ts'
import { AuditError, asAuditError } from './errors.ts'
import { LOGS } from './log/logs.ts'
import { DEFAULT_API_URL, parseOptions, type Settings } from './options.ts'
import { Stderr } from './output/stderr.ts'
import { openOutput, stdoutSeemsClosed } from './output/stdout.ts'
import { type Clock, Retrier } from './slack/retry.ts'
import { readToken } from './slack/token.ts'
import type { Lock } from './state/lock.ts'

/** A request may take this long, its body included: Slack is slow with full pages. */
const REQUEST_TIMEOUT_MS = 60_000

/** How long to wait after a signal for the chunk being written, so that output never stops mid-line. */
const SIGNAL_GRACE_MS = 1000

const { version } = packageJson

/** 0: everything requested was read. 1: something was not. 2: the command line or the environment is wrong. */
export type ExitCode = CheckResult['exitCode']

export type Streams = Readonly<Record<'stdout' | 'stderr', NodeJS.WriteStream>>

/** Time and chance. */
export interface Timing extends Omit<Clock, 'sleep'> {
  /** Rejects when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Calls back after so long. Returns what calls that off. */
  startTimer(ms: number, onTimeout: () => void): () => void
}

const SYSTEM: Timing = {
  // Monotonic, so that setting the clock during a wait moves no deadline.
  nowMs: () => performance.timeOrigin + performance.now(),
  random: Math.random,
  async sleep(ms, signal) {
    const { setTimeout } = await import('node:timers/promises')
    await setTimeout(ms, undefined, { signal })
  },
  startTimer(ms, onTimeout) {
    const timer = setTimeout(onTimeout, ms)
    return () => clearTimeout(timer)
  },
}

/** A run in progress. */
export interface Invocation {
  /** Never rejects. */
  readonly exitCode: Promise<ExitCode>
  /** Stops at once, after finishing the current line if the reader still reads. Saves nothing. */
  interrupt(signal: NodeJS.Signals): Promise<void>
}

/**
 * Runs the program with these arguments (without its name), this environment and these streams.
 * Each command imports what it needs: the SDK alone is most of the start-up time, and --help does not need it.
 */
export function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: Streams,
  timing: Timing = SYSTEM,
): Invocation {
  const context = openContext(env, streams, timing)
  return { exitCode: main(context, args), interrupt: (signal) => interrupt(context, signal) }
}

/** What a run works with, whatever it is to do. */
function openContext(env: NodeJS.ProcessEnv, { stdout, stderr }: Streams, timing: Timing) {
  /** Aborted once stdout has failed: there is nothing left to wait for. */
  const stop = new AbortController()
  const isTerminal = (stream: NodeJS.WriteStream) => stream.isTTY === true && env['TERM'] !== 'dumb'
  return {
    env,
    stdout,
    colour: isTerminal(stdout) && !env['NO_COLOR'],
    output: openOutput(stdout, () => stop.abort()),
    stderr: new Stderr(stderr, isTerminal(stderr)),
    stop: stop.signal,
    clock: { ...timing, sleep: (ms: number) => timing.sleep(ms, stop.signal) },
    startedMs: timing.nowMs(),
    /** Those that are held, so that a run ended by a signal can let go of them. */
    locks: new Set<Lock>(),
    version,
  }
}

type Context = ReturnType<typeof openContext>
/** A context with what the command line says. */
type Job = Context & { settings: Settings; retrier: Retrier; deadlineMs: number }

async function main(context: Context, args: readonly string[]): Promise<ExitCode> {
  const { env, stdout, output, stderr, clock, startedMs } = context
  let job: Job | undefined
  try {
    const nowSeconds = Math.floor(startedMs / 1000)
    const settings = parseOptions(args, env, version, { nowSeconds, columns: stdout.columns })
    if (typeof settings === 'string') {
      await output.write(settings)
      return 0
    }
    stderr.verbosity = settings.verbosity
    const deadlineMs = startedMs + (settings.maxTime ?? Number.POSITIVE_INFINITY) * 1000
    const retrier = new Retrier(clock, deadlineMs, (seconds, why) => stderr.waiting('slack', seconds, why))
    job = { ...context, settings, retrier, deadlineMs }
    return await (settings.command === 'check' ? checkToken : collectLogs)(job)
  } catch (thrown) {
    const requested = job?.settings ?? { report: args.includes('--report'), logs: Object.values(LOGS) }
    return fail(context, asAuditError(thrown), requested, job?.retrier)
  }
}

async function collectLogs(job: Job): Promise<ExitCode> {
  const { settings, stderr } = job
  if (job.stdout === process.stdout && stdoutSeemsClosed()) {
    const advice = 'nobody would get the lines; to drop them on purpose, use > /dev/null'
    const seen = 'stdout is closed, or it is /dev/null open for reading too'
    throw new AuditError('output', 'closed', `${seen}: ${advice}`)
  }
  if (settings.stateVariable) {
    stderr.hint(`using the state folder ${settings.stateDir} (${settings.stateVariable})`)
  }
  const { call, token } = await connectToSlack(job)
  if (token.warning) stderr.say(token.warning)
  const { run } = await import('./run.ts')
  return (await run({ ...job, call })) ? 0 : 1
}

async function checkToken(job: Job): Promise<ExitCode> {
  const { check, findingLine, findingsJson } = await import('./check.ts')
  const { settings, output, colour } = job
  const { findings, exitCode } = await check({
    settings,
    retrier: job.retrier,
    nowMs: job.clock.nowMs,
    connect: () => connectToSlack(job),
    onFinding: async (finding) => {
      if (!settings.json) await output.write(findingLine(finding, colour))
    },
  })
  if (settings.json) await output.write(findingsJson(findings))
  return exitCode
}

async function connectToSlack({ settings, env, clock, stop, deadlineMs }: Job) {
  const { apiUrl, tokenFile: file, tokenFileFirst: fileFirst } = settings
  const isForSlack = apiUrl === DEFAULT_API_URL
  const token = readToken({ fromEnvironment: env['SLACK_TOKEN'], file, fileFirst, isForSlack })
  const { connect } = await import('./slack/client.ts')
  const startTimer = (onTimeout: () => void) => {
    const leftMs = Math.max(1, Math.min(REQUEST_TIMEOUT_MS, deadlineMs - clock.nowMs()))
    return clock.startTimer(Math.ceil(leftMs), onTimeout)
  }
  return { call: connect({ token: token.token, apiUrl, version, env, startTimer, stop }), token }
}

/** Says what went wrong, and also in a report per log if that was requested. */
async function fail(
  { output, stderr, startedMs, clock }: Context,
  error: AuditError,
  requested: Pick<Settings, 'report' | 'logs' | 'teamId'>,
  retrier: Retrier | undefined,
): Promise<ExitCode> {
  // Whoever quits `less` or runs `head` has had enough.
  if (error.code === 'EPIPE') stderr.say(error.message)
  else stderr.error(error.message)
  if (/^(auth|network|plan)$/.test(error.class) || /token/.test(error.code)) {
    stderr.hint('"slack-auditor check" shows what works and what to fix')
  }
  if (requested.report && error.class !== 'output') {
    const { reportLine } = await import('./output/lines.ts')
    const { report } = await import('./output/report.ts')
    const team = { id: requested.teamId ?? null, name: null }
    const facts = { startedMs, endedMs: clock.nowMs(), version, complete: false, error, calls: retrier }
    const lines = requested.logs.map((log) => reportLine(team, report({ log, ...facts })))
    await output.write(lines.join('')).catch((thrown) => stderr.error(asAuditError(thrown).message))
  }
  return error.class === 'config' ? 2 : 1
}

async function interrupt({ output, stderr, locks }: Context, signal: NodeJS.Signals): Promise<void> {
  await Promise.race([output.halt(), new Promise((resolve) => setTimeout(resolve, SIGNAL_GRACE_MS))])
  stderr.stopProgress()
  // A lock is held from before the first row is printed until the state is saved.
  const lost = 'nothing was saved; the next run prints these rows again, with the same ids'
  stderr.error(`interrupted by ${signal}${locks.size > 0 ? `: ${lost}` : ''}`)
  for (const lock of locks) lock.release()
}
