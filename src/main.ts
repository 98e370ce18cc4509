#!/usr/bin/env node
import { start } from './cli.ts'

const { exitCode, interrupt } = start(process.argv.slice(2), process.env, process)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void interrupt().then(() => process.kill(process.pid, signal)))
}

// Not process.exit, which would cut what a pipe has not taken yet.
void exitCode.then((code) => {
  process.exitCode = code
})
