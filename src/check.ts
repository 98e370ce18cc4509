import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type AuditError, asAuditError, cleanLine, errnoOf } from './errors.ts'
import type { Log } from './log/logs.ts'
import { readPage } from './log/page.ts'
import type { Settings } from './options.ts'
import { type Account, authenticate } from './slack/auth.ts'
import type { SlackCall } from './slack/client.ts'
import { type Clock, Retrier } from './slack/retry.ts'
import { loadState, type Owner, statePath } from './state/store.ts'
import { showDuration, showTime } from './time.ts'

/** What a check works with. */
export interface CheckOptions {
  readonly settings: Settings
  readonly clock: Clock
  /** Epoch milliseconds. */
  readonly deadline: number
  /** Reads the token and gives the way to call Slack. `source`: where the token came from. */
  readonly connect: () => Promise<{ call: SlackCall; source: string }>
}

/** One thing that was checked. `message` says that it is good, or what to do. */
export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly message: string
}

/** The findings and the exit code they come to: 0, 1, or 2 where the environment is wrong. */
export interface CheckResult {
  readonly findings: readonly Finding[]
  readonly exitCode: 0 | 1 | 2
}

/**
 * Checks whether Slack takes the token, whether each log can be read (it asks for one row), and whether the state can be
 * used. It changes nothing, at Slack or on disk. What it finds is in the result; it never throws.
 */
export async function check({ settings, clock, deadline, connect }: CheckOptions): Promise<CheckResult> {
  const findings: Finding[] = []
  const note = (name: string, ok: boolean, message: string) => findings.push({ name, ok, message })
  const result = (exitCode: 0 | 1 | 2): CheckResult => ({ findings, exitCode })

  let call: SlackCall
  try {
    const connection = await connect()
    call = connection.call
    note('token', true, `from ${connection.source}`)
  } catch (thrown) {
    const error = asAuditError(thrown)
    note('token', false, error.message)
    return result(error.class === 'config' ? 2 : 1)
  }

  const retrier = new Retrier(clock, deadline)
  let account: Account
  try {
    account = await authenticate(call, retrier, settings.teamId)
    note(
      'slack',
      true,
      `accepts it: ${account.team.name ?? 'workspace'} (${account.team.id}), user ${account.user}`,
    )
  } catch (thrown) {
    note('slack', false, asAuditError(thrown).message)
    return result(1)
  }
  if (account.scopes) noteScopes(account.scopes, note)

  for (const log of settings.logs) {
    const error = await tryLog(log, call, retrier, settings, account)
    note(log.name, !error, error ? error.message : `${log.method} can be read`)
  }
  if (settings.stateDir !== undefined) await noteState(settings.stateDir, settings, account, clock, note)
  return result(findings.every(({ ok }) => ok) ? 0 : 1)
}

type Note = (name: string, ok: boolean, message: string) => void

function noteScopes(scopes: readonly string[], note: Note): void {
  const has = scopes.includes('admin')
  note(
    'scope',
    has,
    has
      ? 'admin'
      : `the token has no scope "admin" (it has: ${scopes.join(', ') || 'none'}): add the user scope "admin" to the app and have an admin or owner install it again`,
  )
}

async function tryLog(
  log: Log,
  call: SlackCall,
  retrier: Retrier,
  settings: Settings,
  account: Account,
): Promise<AuditError | undefined> {
  const args = {
    ...(settings.teamId !== undefined && { team_id: settings.teamId }),
    ...(log.limit === undefined ? { count: '1', page: '1' } : { limit: '1' }),
  }
  try {
    await retrier.call(async () =>
      readPage(log, await call(log.method, args), account.team.id, { above: undefined, lastResort: 0 }),
    )
    return undefined
  } catch (thrown) {
    return asAuditError(thrown)
  }
}

async function noteState(
  folder: string,
  settings: Settings,
  account: Account,
  clock: Clock,
  note: Note,
): Promise<void> {
  const fault = await folderFault(folder)
  if (fault) return void note('state', false, `${folder} ${fault}`)
  note('state', true, `${folder} can be written`)
  for (const log of settings.logs) {
    const owner: Owner = { teamId: account.teamId, workspace: settings.teamId, log }
    try {
      const loaded = await loadState(statePath(folder, owner), owner)
      note(
        `state of ${log.name}`,
        true,
        loaded ? describe(loaded, clock.now()) : 'none yet: the next run is the first',
      )
    } catch (thrown) {
      note(`state of ${log.name}`, false, asAuditError(thrown).message)
    }
  }
}

/** Why the folder cannot be used. It is not made: one that is not there yet is good if it can be made. */
async function folderFault(folder: string): Promise<string | undefined> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) return 'is no folder'
      await access(at, constants.W_OK | constants.X_OK)
      return undefined
    } catch (error) {
      const code = errnoOf(error)
      if (code !== 'ENOENT') return `cannot be written (${code})`
    }
  }
}

function describe({ state, saved }: NonNullable<Awaited<ReturnType<typeof loadState>>>, now: number): string {
  const age = Date.parse(saved)
  const when = Number.isFinite(age)
    ? `last run ${showDuration(Math.max(0, (now - age) / 1000))} ago`
    : 'age unknown'
  const watermark = state.watermark === null ? 'no entry seen yet' : `read up to ${showTime(state.watermark)}`
  const gaps = state.gaps.length
  return `${when}, ${watermark}, ${gaps === 0 ? 'no gaps' : `${gaps} ${gaps === 1 ? 'gap' : 'gaps'} that later runs read`}`
}

/** The findings as text, or as one line of JSON. */
export function showFindings(findings: readonly Finding[], json: boolean, colour: boolean): string {
  if (json) return `${JSON.stringify({ ok: findings.every(({ ok }) => ok), checks: findings })}\n`
  const mark = (ok: boolean) => {
    const text = ok ? 'ok ' : 'fix'
    return colour ? `\u001b[${ok ? 32 : 31}m${text}\u001b[0m` : text
  }
  const width = Math.max(...findings.map(({ name }) => name.length))
  return findings
    .map(({ name, ok, message }) => `${mark(ok)}  ${name.padEnd(width)}  ${cleanLine(message, 600)}\n`)
    .join('')
}
