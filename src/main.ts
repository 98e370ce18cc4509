#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

const [major = 0] = process.versions.node.split('.').map(Number)
if (major >= 20) void main()
else {
  process.stderr.write(`slack-auditor: needs Node 20 or later, best 24; this is ${process.version}\n`)
  process.exitCode = 2
}

async function main(): Promise<void> {
  const { start } = await import('./cli.ts')
  const { exitCode, interrupt } = start(process.argv.slice(2), process.env, process)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    if (signal === 'SIGHUP' && hangupIsIgnored()) process.on(signal, () => {})
    else process.once(signal, () => void interrupt(signal).then(() => dieOf(signal)))
  }
  // Not process.exit, which would cut off what a pipe has not taken yet.
  process.exitCode = await exitCode
}

/** Ends the process as the signal would have. The system ignores the signal where this is process 1, in a container. */
function dieOf(signal: NodeJS.Signals): never {
  process.kill(process.pid, signal)
  process.exit(128 + constants.signals[signal])
}

/**
 * Whether the program was started to survive the end of its terminal. Node undoes what nohup set, so this looks at the
 * command that the shell has noted in the environment, and at what the parent ignores (Linux).
 */
function hangupIsIgnored(): boolean {
  if (/(^|\/)nohup$/.test(process.env['_'] ?? '')) return true
  try {
    // The lowest bit is that of signal 1, which is SIGHUP.
    return /^SigIgn:\s*[0-9a-f]*[13579bdf]$/m.test(readFileSync(`/proc/${process.ppid}/status`, 'utf8'))
  } catch {
    return false
  }
}
