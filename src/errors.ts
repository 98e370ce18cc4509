import { statSync } from 'node:fs'
import { dirname } from 'node:path'
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

/** `--max-time` ran out before the answer. What was read until then counts. */
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

/** What could not be done with a state file, why, and what follows from it. */
export function stateError(code: string, path: string, what: string, cause: unknown, then = ''): AuditError {
  return new AuditError('state', code, `state ${path} ${what}: ${reasonOf(cause)}${then}`, cause)
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  ESTALE: 'the network file system lost it (stale file handle)',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of its path is a file',
  EEXIST: 'there is a file of this name',
}

/** Codes that libuv does not name: it says "Unknown system error -122". Linux. */
const UNNAMED: Record<number, string> = { [-122]: 'EDQUOT', [-116]: 'ESTALE' }

/**
 * Why the system refused something, in words where they are known, with its code. Where it denied access to a path of
 * another user, that user is named and what to do.
 */
export function reasonOf(error: unknown): string {
  const code = errnoOf(error)
  if (code === undefined) return String(error)
  const reason = REASONS[code] === undefined ? code : `${REASONS[code]} (${code})`
  const { path } = error as NodeJS.ErrnoException
  return path !== undefined && /^(EACCES|EPERM)$/.test(code) ? `${reason}${ownerAdvice(path)}` : reason
}

/** Names the owner of a path, or of the nearest folder above it that can be seen, if it is not the user of this process. */
function ownerAdvice(path: string): string {
  const user = process.geteuid?.()
  try {
    const owner = statSync(path).uid
    if (user === undefined || owner === user) return ''
    return `; ${path} belongs to user ${owner} and this is user ${user}: run as the same user, or chown it`
  } catch {
    return dirname(path) === path ? '' : ownerAdvice(dirname(path))
  }
}

/** The code that the system gives an error, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  const { code, errno } = error as NodeJS.ErrnoException
  return UNNAMED[errno ?? 0] ?? code
}

/** Wraps whatever was thrown as an AuditError; anything unexpected is reported as a bug. */
export function asAuditError(error: unknown): AuditError {
  if (error instanceof AuditError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new AuditError('contract', 'unexpected', `unexpected error, please report it: ${text}`, error)
}

/** A response that breaks the API's contract. Retried, because a recovering proxy may answer with garbage first. */
export function badAnswer(method: string, what: string, cause?: unknown): SlackCallError {
  return new SlackCallError(
    'contract',
    'bad_answer',
    `${method}: not a Slack response (${what}): a proxy or gateway may have answered, check --api-url`,
    { retry: true, cause },
  )
}
