import type { AuditError } from '../errors.ts'
import type { Log } from '../log/logs.ts'
import { showCount } from '../text.ts'

/** What a report says. The optional parts are missing where a run failed before it began. */
export interface RunFacts {
  readonly log: Log
  readonly startedMs: number
  readonly endedMs: number
  readonly version: string
  readonly complete: boolean
  readonly error: AuditError | undefined
  /** What the calls to Slack cost. */
  readonly calls?:
    | { readonly requests: number; readonly retries: number; readonly rateLimitedMs: number }
    | undefined
  readonly counts?:
    | { readonly pages: number; readonly rowsRead: number; readonly rowsPrinted: number }
    | undefined
  readonly lookbackSeconds?: number | undefined
  readonly longestRowSeconds?: number | undefined
  readonly watermark?: number | null | undefined
  readonly gaps?: number | undefined
}

/**
 * How the run of one log went: the field `run` of a report line. No field ever changes its JSON type, because a store
 * fixes the type at the first value; null is not a value.
 */
export function report({ log, error, calls, counts, ...facts }: RunFacts) {
  return {
    log: log.name,
    outcome: error ? ('failure' as const) : ('success' as const),
    /** Whether everything requested was read. */
    complete: facts.complete,
    /** ISO 8601, UTC. */
    started: new Date(facts.startedMs).toISOString(),
    duration_ms: Math.round(facts.endedMs - facts.startedMs),
    requests: calls?.requests ?? 0,
    pages: counts?.pages ?? 0,
    rows_read: counts?.rowsRead ?? 0,
    rows_printed: counts?.rowsPrinted ?? 0,
    retries: calls?.retries ?? 0,
    rate_limited_ms: Math.round(calls?.rateLimitedMs ?? 0),
    /** How long after it began a row may still change, and the longest row that this is taken from; seconds. */
    lookback_s: facts.lookbackSeconds ?? 0,
    longest_row_s: facts.longestRowSeconds ?? 0,
    /** Epoch seconds. */
    watermark: facts.watermark ?? null,
    /** How many ranges are left unread for later runs. */
    gaps: facts.gaps ?? 0,
    version: facts.version,
    ...(error && { error: { class: error.class, code: error.code, message: error.message } }),
  }
}

export type Report = Readonly<ReturnType<typeof report>>

/** The same in one line for people. `limit`: what stopped the run. `remembers`: a later run resumes. */
export function summary(run: Report, limit: string | undefined, remembers: boolean): string {
  if (run.error && run.pages === 0) return `${run.log}: ${run.error.message}`
  const printed = run.rows_printed.toLocaleString('en-US')
  const counts = `${printed} printed of ${showCount(run.rows_read, 'row')} read in ${showCount(run.pages, 'page')}`
  if (run.complete) return `${run.log}: ${counts}, complete`
  const why = run.error ? run.error.message : limit ? `stopped at ${limit}` : 'possibly incomplete'
  const rest = run.gaps > 0 && remembers ? '; later runs read the rest' : ''
  return `${run.log}: ${counts}; ${why}${rest}`
}
