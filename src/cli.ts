import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import packageJson from '../package.json' with { type: 'json' }
import { check, showFindings } from './check.ts'
import { AuditError, asAuditError } from './errors.ts'
import { LOGS } from './log/logs.ts'
import { parseOptions, type Settings } from './options.ts'
import { reportLine } from './output/lines.ts'
import { report } from './output/report.ts'
import { Stderr } from './output/stderr.ts'
import { openOutput, stdoutIsClosed } from './output/stdout.ts'
import { run } from './run.ts'
import { type Clock, Retrier } from './slack/retry.ts'
import { readToken } from './slack/token.ts'
import type { Lock } from './state/lock.ts'

/** A request may take this long, its body included: Slack is slow with full pages. */
const REQUEST_TIMEOUT_MS = 60_000

/** How long a signal waits for the chunk that is being written, so that the run does not end in half a line. */
const SIGNAL_GRACE_MS = 1000

const { version } = packageJson

/** 0: all asked for was read. 1: something was not. 2: the command line or the environment is wrong. */
export type ExitCode = 0 | 1 | 2

export interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** A run of the program that is under way. */
export interface Invocation {
  /** Never rejects. */
  readonly exitCode: Promise<ExitCode>
  /** Stops where it is, though not in the middle of a line if the reader takes the rest of it. Nothing is saved. */
  interrupt(): Promise<void>
}

/** Runs the program with these arguments (without its name), this environment and these streams. */
export function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { stdout, stderr: errors }: Streams,
): Invocation {
  /** Aborted when there is nowhere to print to any more: then nothing is worth waiting for. */
  const stop = new AbortController()
  const output = openOutput(stdout, () => stop.abort())
  const locks = new Set<Lock>()
  const clock: Clock = {
    // Monotonic, so that a clock that is set while a run waits moves no deadline.
    now: () => performance.timeOrigin + performance.now(),
    sleep: (ms) => setTimeout(ms, undefined, { signal: stop.signal }),
    random: Math.random,
  }
  let stderr = new Stderr(errors, 'normal')

  async function main(): Promise<ExitCode> {
    const startedMs = clock.now()
    let calls: Retrier | undefined
    let settings: Pick<Settings, 'report' | 'logs' | 'teamId'> = {
      report: args.includes('--report'),
      logs: Object.values(LOGS),
    }
    try {
      const parsed = parseOptions(args, env, version, Math.floor(startedMs / 1000))
      if (typeof parsed === 'string') {
        await output.write(parsed)
        return 0
      }
      settings = parsed
      stderr = new Stderr(errors, parsed.verbosity)
      const deadline = startedMs + (parsed.maxTime ?? Number.POSITIVE_INFINITY) * 1000
      calls = new Retrier(clock, deadline)
      const connect = () => connectToSlack(parsed, deadline)
      if (parsed.command === 'check') {
        const { findings, exitCode } = await check({ settings: parsed, calls, now: clock.now, connect })
        const colour = stdout.isTTY === true && !env['NO_COLOR']
        await output.write(showFindings(findings, parsed.json === true, colour))
        return exitCode
      }
      if (stdout === process.stdout && stdoutIsClosed()) {
        throw new AuditError('output', 'closed', 'stdout is closed: there is nowhere to print to')
      }
      const { call } = await connect()
      const session = { settings: parsed, version, call, calls, clock, deadline, output, stderr, locks }
      return (await run(session)) ? 0 : 1
    } catch (thrown) {
      const error = asAuditError(thrown)
      stderr.error(error.message)
      if (settings.report && error.class !== 'output') {
        const team = { id: settings.teamId ?? null, name: null }
        const facts = { startedMs, endedMs: clock.now(), version, complete: false, error, calls }
        await output.write(settings.logs.map((log) => reportLine(team, report({ log, ...facts }))).join(''))
      }
      return error.class === 'config' ? 2 : 1
    }
  }

  async function connectToSlack(settings: Settings, deadline: number) {
    const { token, source } = await readToken({
      fromEnvironment: env['SLACK_TOKEN'],
      file: settings.tokenFile,
      fileFirst: settings.tokenFileFirst,
    })
    // Loaded here because the SDK makes up most of the start, which --help and a wrong option need not wait for.
    const { connect } = await import('./slack/client.ts')
    // Left alone, V8 lets garbage pile up: about 150 MiB at the peak of 200,000 rows instead of 125.
    setFlagsFromString('--heap-growing-percent=100')
    const timeoutMs = () => Math.ceil(Math.max(1, Math.min(REQUEST_TIMEOUT_MS, deadline - clock.now())))
    const signal = () => AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs())])
    return { call: connect({ token, apiUrl: settings.apiUrl, version, signal }), source }
  }

  return {
    exitCode: main().catch((error: unknown) => {
      stderr.error(asAuditError(error).message)
      return 1
    }),
    async interrupt() {
      await Promise.race([output.halt(), setTimeout(SIGNAL_GRACE_MS)])
      stderr.stopProgress()
      for (const lock of locks) lock.release()
    },
  }
}
