#!/usr/bin/env node
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import packageJson from '../package.json' with { type: 'json' }
import { check, showFindings } from './check.ts'
import { AuditError, asAuditError } from './errors.ts'
import type { Lock } from './lock.ts'
import { LOGS } from './logs.ts'
import { parseOptions, type Settings } from './options.ts'
import { openOutput, stdoutIsClosed } from './output.ts'
import { Voice } from './progress.ts'
import type { Clock } from './retry.ts'
import { reportFailure, run } from './run.ts'
import { readToken } from './token.ts'

/** A request may take this long, its body included: Slack is slow with full pages. */
const REQUEST_TIMEOUT_MS = 60_000

/** How long a signal waits for the chunk that is being written, so that it does not end in half a line. */
const SIGNAL_GRACE_MS = 1000

const { version } = packageJson
/** Aborted when there is nowhere to print to any more: nothing is worth waiting for then. */
const stop = new AbortController()
const output = openOutput(process.stdout, () => stop.abort())
const locks = new Set<Lock>()
let voice = new Voice(process.stderr, 'normal')
const clock: Clock = {
  // Monotonic, so that a clock that is set while we wait moves no deadline.
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms) => setTimeout(ms, undefined, { signal: stop.signal }),
  random: Math.random,
}

async function main(args: readonly string[]): Promise<0 | 1 | 2> {
  const startedMs = clock.now()
  let settings: Pick<Settings, 'report' | 'logs' | 'teamId'> = {
    report: args.includes('--report'),
    logs: Object.values(LOGS),
    teamId: undefined,
  }
  try {
    const texts: string[] = []
    const parsed = parseOptions(args, version, Math.floor(startedMs / 1000), {
      write: (text) => texts.push(text),
    })
    if (!parsed) {
      await output.write(texts.join(''))
      return 0
    }
    settings = parsed
    voice = new Voice(process.stderr, parsed.voice)
    const deadline = startedMs + parsed.maxSeconds * 1000
    const connectWithToken = async () => {
      const { token, source } = await readToken(parsed, process.env)
      // Loaded here because the SDK makes up most of the start, which --help and a wrong option need not wait for.
      const { connect } = await import('./slack.ts')
      // Left alone, V8 lets several times what is in use pile up before it clears away what is not.
      setFlagsFromString('--heap-growing-percent=100')
      const timeoutMs = () => Math.ceil(Math.max(1, Math.min(REQUEST_TIMEOUT_MS, deadline - clock.now())))
      const signal = () => AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs())])
      return { call: connect({ token, apiUrl: parsed.apiUrl, version, signal }), source }
    }
    if (parsed.command === 'check') {
      const { findings, exitCode } = await check({ settings: parsed, clock, deadline }, connectWithToken)
      await output.write(showFindings(findings, parsed.json, process.stdout))
      return exitCode
    }
    if (stdoutIsClosed())
      throw new AuditError('output', 'closed', 'stdout is closed: there is nowhere to print to')
    const { call } = await connectWithToken()
    const good = await run({ settings: parsed, version, call, clock, deadline, output, voice, locks })
    return good ? 0 : 1
  } catch (thrown) {
    const error = asAuditError(thrown)
    voice.error(error.message)
    if (error.class !== 'output') await reportFailure({ settings, version, output, clock }, startedMs, error)
    return error.class === 'config' ? 2 : 1
  }
}

/** Ends as the signal asks, at once, but not in the middle of a line if the reader takes the rest of it. */
async function endBy(signal: NodeJS.Signals): Promise<void> {
  await Promise.race([output.halt(), setTimeout(SIGNAL_GRACE_MS)])
  voice.stop()
  for (const lock of locks) lock.release()
  process.kill(process.pid, signal)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void endBy(signal))
}
// Not process.exit, which would cut what a pipe has not taken yet.
main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    voice.error(asAuditError(error).message)
    process.exitCode = 1
  },
)
