import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { asAuditError, errnoOf } from './errors.ts'
import { readPage } from './log/page.ts'
import type { Settings } from './options.ts'
import { type Account, authenticate } from './slack/auth.ts'
import type { SlackCall } from './slack/client.ts'
import type { Retrier } from './slack/retry.ts'
import { type Loaded, loadState, type Owner, statePath } from './state/store.ts'
import { cleanLine, showCount, showDuration, showTime } from './text.ts'

export interface CheckOptions {
  readonly settings: Settings
  readonly calls: Retrier
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Reads the token and gives the way to call Slack. `source`: where the token came from. */
  readonly connect: () => Promise<{ call: SlackCall; source: string }>
}

/** One thing that was checked. `message` says that it is good, or what to do. */
export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly message: string
}

export interface CheckResult {
  readonly findings: readonly Finding[]
  /** 2 where the environment is wrong. */
  readonly exitCode: 0 | 1 | 2
}

/**
 * Checks whether Slack takes the token, whether each log can be read (it asks for one row), and whether the state can be
 * used. It changes nothing, at Slack or on disk. What it finds is in the result; it never throws.
 */
export async function check({ settings, calls, now, connect }: CheckOptions): Promise<CheckResult> {
  const findings: Finding[] = []
  let exitCode: CheckResult['exitCode'] = 0
  const fail = (name: string, message: string) => {
    findings.push({ name, ok: false, message })
    exitCode ||= 1
  }
  /** What `work` gives, and a finding that says it. Undefined where it failed. */
  const attempt = async <T>(name: string, work: () => Promise<T>, say: (result: T) => string) => {
    try {
      const result = await work()
      findings.push({ name, ok: true, message: say(result) })
      return { result }
    } catch (thrown) {
      const error = asAuditError(thrown)
      if (error.class === 'config') exitCode = 2
      fail(name, error.message)
      return undefined
    }
  }

  const token = await attempt('token', connect, ({ source }) => `from ${source}`)
  if (!token) return { findings, exitCode }
  const { call } = token.result
  const { logs, teamId: workspace, stateDir } = settings
  const accepted = await attempt('slack', () => authenticate(call, calls, workspace), greet)
  if (!accepted) return { findings, exitCode }
  const { team, teamId, scopes } = accepted.result
  if (scopes?.includes('admin')) findings.push({ name: 'scope', ok: true, message: 'admin' })
  else if (scopes) fail('scope', noAdmin(scopes))

  for (const log of logs) {
    const args = {
      ...(workspace !== undefined && { team_id: workspace }),
      ...(log.limit === undefined ? { count: '1', page: '1' } : { limit: '1' }),
    }
    const readRow = async () =>
      readPage(log, await call(log.method, args), team.id, { above: undefined, lastResort: 0 })
    await attempt(
      log.name,
      () => calls.call(readRow),
      () => `${log.method} can be read`,
    )
  }

  if (stateDir === undefined) return { findings, exitCode }
  const fault = await folderFault(stateDir)
  if (fault) {
    fail('state', `${stateDir} ${fault}`)
    return { findings, exitCode }
  }
  findings.push({ name: 'state', ok: true, message: `${stateDir} can be written` })
  for (const log of logs) {
    const owner: Owner = { teamId, workspace, log }
    const load = () => loadState(statePath(stateDir, owner), owner)
    await attempt(`state of ${log.name}`, load, (loaded) => describe(loaded, now()))
  }
  return { findings, exitCode }
}

function greet({ team, user }: Account): string {
  return `accepts it: ${team.name ?? 'workspace'} (${team.id}), user ${user}`
}

function noAdmin(scopes: readonly string[]): string {
  return `the token has no scope "admin" (it has: ${scopes.join(', ') || 'none'}): add the user scope "admin" to the app and have an admin or owner install it again`
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

function describe(loaded: Loaded | undefined, now: number): string {
  if (!loaded) return 'none yet: the next run is the first'
  const { watermark, gaps } = loaded.state
  const age = (now - Date.parse(loaded.saved)) / 1000
  const when = Number.isFinite(age) ? `last run ${showDuration(Math.max(0, age))} ago` : 'age unknown'
  const upTo = watermark === null ? 'no entry seen yet' : `read up to ${showTime(watermark)}`
  const rest = gaps.length === 0 ? 'no gaps' : `${showCount(gaps.length, 'gap')} that later runs read`
  return `${when}, ${upTo}, ${rest}`
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
