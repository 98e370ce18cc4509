import { cleanLine } from './text.ts'

/** What went wrong, coarsely: the values of `run.error.class`, on which alerts are built. */
export type ErrorClass =
  | 'auth'
  | 'plan'
  | 'rate_limit'
  | 'outage'
  | 'network'
  | 'contract'
  | 'output'
  | 'state'
  | 'config'

/**
 * The one error of this program: a class and a code for machines, a message for the operator that says what failed
 * and what to do. The message is one clean line: no token, no control character, no page of HTML.
 */
export class AuditError extends Error {
  override readonly name = 'AuditError'
  readonly class: ErrorClass
  readonly code: string

  constructor(errorClass: ErrorClass, code: string, message: string, cause?: unknown) {
    super(cleanLine(message, 400), { cause })
    this.class = errorClass
    this.code = code
  }
}

/** `--max-time` came before the answer. What was read until then stands. */
export class OutOfTimeError extends AuditError {}

/** A call that failed. */
export class SlackCallError extends AuditError {
  /** Whether the same call may succeed a little later. */
  readonly retry: boolean
  /** How long Slack wants us to wait, where it says so. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    errorClass: ErrorClass,
    code: string,
    message: string,
    detail: { retry: boolean; retryAfterSeconds?: number | undefined; cause?: unknown },
  ) {
    super(errorClass, code, message, detail.cause)
    this.retry = detail.retry
    this.retryAfterSeconds = detail.retryAfterSeconds
  }
}

/** What could not be done with a file of the state, why, and what follows from it. */
export function stateError(
  code: string,
  path: string,
  what: string,
  cause: unknown,
  consequence = '',
): AuditError {
  return new AuditError('state', code, `state ${path} ${what}: ${reasonOf(cause)}${consequence}`, cause)
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not do that',
  EROFS: 'the disk is read-only',
  ENOSPC: 'no space is left on the disk',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of its path is a file',
  EEXIST: 'there is a file of this name',
}

/** Why the system refused something, in words where they are known, with its code. */
export function reasonOf(error: unknown): string {
  const code = errnoOf(error)
  if (code === undefined) return String(error)
  return REASONS[code] === undefined ? code : `${REASONS[code]} (${code})`
}

/** The code that the system gives an error, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

/** The error as ours, whatever was thrown. Something unforeseen is a fault of this program and says so. */
export function asAuditError(error: unknown): AuditError {
  if (error instanceof AuditError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new AuditError('contract', 'unexpected', `unexpected error, please report it: ${text}`, error)
}

/** An answer other than the API promises. A proxy that is about to recover may have sent it, so it is retried. */
export function badAnswer(method: string, what: string, cause?: unknown): SlackCallError {
  return new SlackCallError(
    'contract',
    'bad_answer',
    `${method}: the answer is not Slack's (${what}): a proxy or gateway may stand in between, check --api-url`,
    { retry: true, cause },
  )
}
