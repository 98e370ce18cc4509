import { readFileSync } from 'node:fs'
import type { State } from './state.ts'

/**
 * The process that reads stdout. That stdout was taken does not mean that Logstash has the lines: its exec input decodes
 * them after the program ended, and starts the next run only when all of them are in the queue. So the next run's reader
 * shows whether they were delivered.
 */
export interface Reader {
  readonly pid: number
  /** When the process started, and in which boot, as /proc says. Null on systems without it. */
  readonly started: string | null
  readonly boot: string | null
}

/** What its reader may have lost: who read the last run, and the state that run began with. */
export interface Undelivered {
  readonly reader: Reader
  readonly state: State
}

/** `pid`: --reader. */
export function readerOf(pid: number): Reader {
  return { pid, started: startTime(pid), boot: readProc('sys/kernel/random/boot_id') }
}

/** In clock ticks after boot. Fields are counted after the process name, which may hold blanks and brackets (proc(5)). */
function startTime(pid: number): string | null {
  const stat = readProc(`${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'utf8').trim()
  } catch {
    return null
  }
}

/**
 * The state to continue from: the newer one, unless another reader may have lost the lines of the last run. `lost` says
 * that it is the older one, and the lines of the last run are printed again.
 */
export function stateFor(
  { state, undelivered }: { readonly state: State; readonly undelivered?: Undelivered | undefined },
  reader: Reader | undefined,
): { readonly state: State; readonly lost: boolean } {
  const lost = reader !== undefined && undelivered !== undefined && !isSame(reader, undelivered.reader)
  return { state: lost ? undelivered.state : state, lost }
}

function isSame(one: Reader, other: Reader): boolean {
  return one.pid === other.pid && one.started === other.started && one.boot === other.boot
}
