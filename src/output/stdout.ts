import { readFileSync, readlinkSync } from 'node:fs'
import { AuditError, errnoOf } from '../errors.ts'

/** Where the lines go. A write resolves once the system has taken all of it; only then is the next page requested. */
export interface Output {
  /** @throws AuditError of class `output`, as does every later write. */
  write(chunk: string): Promise<void>
  /** Freezes every current and later writer; resolves when the write in progress has finished. */
  halt(): Promise<void>
}

/** The output on a stream, in practice stdout. `onFailure` is called once, when a write fails. */
export function openOutput(stream: NodeJS.WritableStream, onFailure: () => void): Output {
  let failure: AuditError | undefined
  let halted = false
  let idle: Promise<void> = Promise.resolve()
  const fail = (error: Error): AuditError => {
    if (!failure) {
      failure = outputError(error)
      onFailure()
    }
    return failure
  }
  // Each write's callback reports the error; without a listener the 'error' event would crash with a stack trace.
  stream.on('error', fail)
  return {
    async write(chunk) {
      if (failure) throw failure
      const taken = new Promise<void>((resolve) => {
        stream.write(chunk, (error) => {
          if (error) fail(error)
          resolve()
        })
      })
      idle = taken
      await taken
      if (halted) await new Promise(() => {})
      if (failure) throw failure
    },
    halt() {
      halted = true
      return idle
    },
  }
}

function outputError(error: Error): AuditError {
  const code = errnoOf(error) ?? 'write'
  const what: Record<string, string> = {
    EPIPE: 'nobody reads stdout any more',
    ENOSPC: 'no space left where stdout is written to',
  }
  const message = `stdout: ${what[code] ?? error.message}; the rest was not written`
  return new AuditError('output', code, message, error)
}

/**
 * Whether stdout seems to have been closed at the start (`>&-`). Node then opens /dev/null instead, for reading too, and
 * every write succeeds: the lines would be lost, yet remembered as printed. Only Linux shows it; elsewhere it is false.
 */
export function stdoutSeemsClosed(): boolean {
  try {
    if (readlinkSync('/proc/self/fd/1') !== '/dev/null') return false
    const flags = /^flags:\s+(\d+)$/m.exec(readFileSync('/proc/self/fdinfo/1', 'utf8'))?.[1]
    return (Number.parseInt(flags ?? '0', 8) & 0o3) === 0o2
  } catch {
    return false
  }
}
