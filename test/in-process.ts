import { Writable } from 'node:stream'
import { type Invocation, start, type Timing } from '../src/cli.ts'
import { assertSound, type Finished, type Line, TOKEN } from './program.ts'

/** Time that passes only when somebody sleeps, which takes no time at all, or when a test says so. */
export interface PlayedTime extends Timing {
  pass(ms: number): void
}

export function playTime(nowMs = Date.now()): PlayedTime {
  const timers = new Set<{ atMs: number; onTimeout: () => void }>()
  const pass = (ms: number) => {
    nowMs += ms
    for (const timer of timers) {
      if (timer.atMs <= nowMs && timers.delete(timer)) timer.onTimeout()
    }
  }
  return {
    pass,
    nowMs: () => nowMs,
    random: () => 1,
    async sleep(ms, signal) {
      signal.throwIfAborted()
      pass(ms)
    },
    startTimer(ms, onTimeout) {
      const timer = { atMs: nowMs + ms, onTimeout }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
}

export interface Kept {
  stream: NodeJS.WriteStream
  chunks: string[]
  text: () => string
}

/** A stream that keeps what it is given, or fails at a chunk that holds `failingAt`. */
export function keeper({
  failingAt,
  onChunk,
}: {
  failingAt?: string
  onChunk?: (nth: number) => void
} = {}): Kept {
  const chunks: string[] = []
  const stream = new Writable({
    autoDestroy: false,
    decodeStrings: false,
    write(chunk: string, _encoding, callback) {
      if (failingAt !== undefined && chunk.includes(failingAt)) {
        return callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      }
      chunks.push(chunk)
      callback()
      onChunk?.(chunks.length)
    },
  })
  return { stream: stream as unknown as NodeJS.WriteStream, chunks, text: () => chunks.join('') }
}

/** Starts the program in this process, with this environment and nothing else in it. */
export function begin(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timing: Timing = playTime(),
  stdout: Kept = keeper(),
): Invocation & { out: Kept; err: Kept } {
  const stderr = keeper()
  const invocation = start(args, env, { stdout: stdout.stream, stderr: stderr.stream }, timing)
  return { ...invocation, out: stdout, err: stderr }
}

/** Runs the program in this process to its end. */
export async function runHere(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  timing: Timing = playTime(),
): Promise<Finished> {
  const { exitCode, out, err } = begin(args, { SLACK_TOKEN: TOKEN, ...env }, timing)
  const code = await exitCode
  const lines = () => linesOf(out.text()).map((line) => JSON.parse(line) as Line)
  return { code, signal: null, stdout: out.text(), stderr: err.text(), lines }
}

/** Runs the program in this process to its end, and checks the invariants of every run. */
export async function auditHere(...run: Parameters<typeof runHere>): Promise<Finished> {
  return assertSound(await runHere(...run))
}

export function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean)
}
