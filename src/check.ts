import { open, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AuditError, asAuditError, errnoOf, reasonOf } from './errors.ts'
import { readPage } from './log/page.ts'
import type { Settings } from './options.ts'
import { type Account, authenticate } from './slack/auth.ts'
import type { SlackCall } from './slack/client.ts'
import type { Retrier } from './slack/retry.ts'
import type { Token } from './slack/token.ts'
import { foreignOwners } from './state/folder.ts'
import type { Owner, Saved } from './state/format.ts'
import { readerOf, stateFor } from './state/reader.ts'
import { loadState, statePath } from './state/store.ts'
import { cleanLine, showCount, showDuration, showTime } from './text.ts'

export interface CheckOptions {
  readonly settings: Settings
  readonly retrier: Retrier
  /** Since the epoch. */
  readonly nowMs: () => number
  /** Reads the token and gives the way to call Slack. */
  readonly connect: () => Promise<{ call: SlackCall; token: Token }>
  /** Called with each finding as soon as it is known. */
  readonly onFinding: (finding: Finding) => Promise<void>
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
 * used. It changes nothing at Slack, and on disk it writes and removes one small file. What it finds is in the result.
 * @throws only what `onFinding` throws.
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  const { settings, retrier, nowMs, connect } = options
  const { logs, teamId: requestedTeamId, stateDir, reader } = settings
  const findings: Finding[] = []
  let exitCode: CheckResult['exitCode'] = 0
  const find = async (name: string, ok: boolean, text: string) => {
    const finding = { name, ok, message: cleanLine(text, 600) }
    findings.push(finding)
    if (!ok) exitCode ||= 1
    await options.onFinding(finding)
  }
  /** What `work` gives, and a finding that says it. Undefined where it failed. */
  const attempt = async <T>(name: string, work: () => Promise<T>, say: (result: T) => string) => {
    const tried = await work().then((result) => ({ result }), asAuditError)
    const failed = tried instanceof AuditError
    if (failed && tried.class === 'config') exitCode = 2
    await find(name, !failed, failed ? tried.message : say(tried.result))
    return failed ? undefined : tried
  }
  const done = () => ({ findings, exitCode })

  const connected = await attempt('token', connect, ({ token }) => `from ${token.source}`)
  if (!connected) return done()
  const { call, token } = connected.result
  if (token.warning) await find('rotation', false, token.warning)
  const accepted = await attempt('slack', () => authenticate(call, retrier, requestedTeamId), greet)
  if (!accepted) return done()
  const { team, tokenTeamId, scopes } = accepted.result
  if (scopes?.includes('admin')) await find('scope', true, 'admin')
  else if (scopes) await find('scope', false, noAdmin(scopes))

  for (const log of logs) {
    const args = {
      ...(requestedTeamId !== undefined && { team_id: requestedTeamId }),
      ...(log.cursorPageSize === undefined ? { count: '1', page: '1' } : { limit: '1' }),
    }
    const readRow = async () =>
      readPage(log, await call(log.method, args), team.id, { above: undefined, lastResort: 0 })
    await attempt(
      log.name,
      () => retrier.call(readRow),
      () => `${log.method} can be read`,
    )
  }

  if (stateDir === undefined) return done()
  const fault = await folderFault(stateDir)
  if (fault) {
    await find('state', false, `${stateDir} ${fault}`)
    return done()
  }
  const others = await foreignOwners(stateDir, tokenTeamId, requestedTeamId)
  const note = others ? `, but holds only the state of ${others}: is this the right token?` : ''
  await find('state', true, `${stateDir} can be written${note}`)
  for (const log of logs) {
    const owner: Owner = { tokenTeamId, requestedTeamId, log }
    const load = () => loadState(statePath(stateDir, owner), owner)
    await attempt(`state of ${log.name}`, load, (saved) => describe(saved, reader, nowMs()))
  }
  return done()
}

function greet({ team, user }: Account): string {
  return `token accepted: ${team.name ?? 'workspace'} (${team.id}), user ${user}`
}

function noAdmin(scopes: readonly string[]): string {
  return `the token lacks the scope "admin" (it has: ${scopes.join(', ') || 'none'}): add the user scope "admin" to the app and have an admin or owner install it again`
}

/** Why the folder cannot be used. It is not created: a missing folder is fine if it could be. */
async function folderFault(folder: string): Promise<string | undefined> {
  try {
    for (let at = resolve(folder); ; at = dirname(at)) {
      const found = await stat(at).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw error
      })
      if (!found) continue
      if (!found.isDirectory()) return 'is not a directory'
      await writeAndRemove(join(at, `.slack-auditor-check-${process.pid}`))
      return undefined
    }
  } catch (error) {
    return `cannot be written: ${reasonOf(error)}`
  }
}

/** On a full disk an empty file can often still be made, so some bytes are written. */
async function writeAndRemove(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(Buffer.alloc(16_384))
  } finally {
    await file.close()
    await rm(path)
  }
}

function describe(saved: Saved | undefined, readerPid: number | undefined, nowMs: number): string {
  if (!saved) return 'no saved state: the next run reads everything'
  const { state, lost } = stateFor(saved, readerPid === undefined ? undefined : readerOf(readerPid))
  const { watermark, gaps } = state
  const ageSeconds = (nowMs - Date.parse(saved.at)) / 1000
  const when = Number.isFinite(ageSeconds)
    ? `last run ${showDuration(Math.max(0, ageSeconds))} ago`
    : 'age unknown'
  const upTo = watermark === null ? 'no entry seen yet' : `read up to ${showTime(watermark)}`
  const rest = gaps.length === 0 ? 'no gaps' : `${showCount(gaps.length, 'gap')} that later runs will read`
  const repeats = lost ? '; another process read that run, so its lines will be printed again' : ''
  return `${when}, ${upTo}, ${rest}${repeats}`
}

const NAME_WIDTH = 'state of integration'.length

/** A finding as a line for people. */
export function findingLine({ name, ok, message }: Finding, colour: boolean): string {
  const mark = ok ? 'ok ' : 'fix'
  const shown = colour ? `\u001b[${ok ? 32 : 31}m${mark}\u001b[0m` : mark
  return `${shown}  ${name.padEnd(NAME_WIDTH)}  ${message}\n`
}

/** All findings as one line of JSON. */
export function findingsJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ ok: findings.every(({ ok }) => ok), checks: findings })}\n`
}
