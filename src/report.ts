import type { AuditError } from './errors.ts'
import type { Log } from './logs.ts'
import type { Order } from './order.ts'

/**
 * How the run of one log went: the field `run` of a report line. No field ever changes its JSON type, since a store
 * fixes it at the first value; null is no value.
 */
export interface Run {
  readonly log: Log['name']
  readonly outcome: 'success' | 'failure'
  /** Was all that was asked for read, and is that sure? */
  readonly complete: boolean
  /** ISO 8601, UTC. */
  readonly started: string
  readonly duration_ms: number
  readonly requests: number
  readonly pages: number
  readonly rows_read: number
  readonly rows_printed: number
  readonly retries: number
  readonly rate_limited_ms: number
  /** Per time field: may the log be sorted by it? False once an answer has shown that it is not. */
  readonly order: Readonly<Record<string, boolean>>
  /** Epoch seconds. */
  readonly watermark: number | null
  /** Stretches left unread for later runs. */
  readonly gaps: number
  readonly version: string
  readonly error?: { readonly class: string; readonly code: string; readonly message: string }
}

/** What a report has to say; all of it is optional, since a run may fail before it begins. */
export interface RunFacts {
  readonly log: Log
  readonly startedMs: number
  readonly endedMs: number
  readonly version: string
  readonly complete: boolean
  readonly error: AuditError | undefined
  readonly requests?: number
  readonly pages?: number
  readonly rowsRead?: number
  readonly rowsPrinted?: number
  readonly retries?: number
  readonly rateLimitedMs?: number
  readonly order?: Order
  readonly watermark?: number | null
  readonly gaps?: number
}

/** The report of a run. */
export function report(facts: RunFacts): Run {
  const { log, error } = facts
  return {
    log: log.name,
    outcome: error ? 'failure' : 'success',
    complete: facts.complete,
    started: new Date(facts.startedMs).toISOString(),
    duration_ms: Math.round(facts.endedMs - facts.startedMs),
    requests: facts.requests ?? 0,
    pages: facts.pages ?? 0,
    rows_read: facts.rowsRead ?? 0,
    rows_printed: facts.rowsPrinted ?? 0,
    retries: facts.retries ?? 0,
    rate_limited_ms: Math.round(facts.rateLimitedMs ?? 0),
    order: Object.fromEntries(
      log.timeFields.map((field, index) => [field, facts.order?.refuted[index] !== true]),
    ),
    watermark: facts.watermark ?? null,
    gaps: facts.gaps ?? 0,
    version: facts.version,
    ...(error && { error: { class: error.class, code: error.code, message: error.message } }),
  }
}

/** The same for a person, in one line. `remembered`: is what was not read left to a later run? */
export function summary(run: Run, limit: string | undefined, remembered: boolean): string {
  const pages = `${number(run.pages)} ${run.pages === 1 ? 'page' : 'pages'}`
  const counts = `${number(run.rows_printed)} printed of ${number(run.rows_read)} rows read in ${pages}`
  if (run.complete) return `${run.log}: ${counts}, complete`
  const why = run.error ? run.error.message : limit ? `stopped at ${limit}` : 'perhaps not complete'
  const rest = run.gaps > 0 && remembered ? '; later runs read the rest' : ''
  return `${run.log}: ${counts}; ${why}${rest}`
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
