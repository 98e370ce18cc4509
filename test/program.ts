import assert from 'node:assert/strict'
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AuditError } from '../src/errors.ts'
import type { Report } from '../src/output/report.ts'

/** The built file, as a user runs it. */
export const PROGRAM = fileURLToPath(new URL('../dist/slack-auditor.cjs', import.meta.url))

/** A token of the right shape; the fake Slack takes it. */
export const TOKEN = 'xoxp-1234567890-fake-token'

/** One parsed line of stdout. */
export type Line = Record<string, unknown> & { dataset: string; id: string }

export interface Finished {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** stdout, parsed line by line. Throws where a line is not JSON. */
  lines(): Line[]
}

/** The environment of a child: ours, less proxies and every SLACK_ variable, so that nothing outside changes a test. */
export function cleanEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^SLACK_|_proxy$|^NODE_/i.test(entry[0]),
  )
  return { ...Object.fromEntries(kept), ...extra }
}

/** Starts the built file. The token is set unless `env` says otherwise (`SLACK_TOKEN: ''` is an empty one). */
export function start(
  args: string[],
  env: Record<string, string> = {},
  options: SpawnOptions = {},
): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], {
    env: cleanEnvironment({ SLACK_TOKEN: TOKEN, ...env }),
    ...options,
  })
}

/** Waits for the end of a child and collects its streams, where they are pipes. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal]))
  })
  const stdout = Buffer.concat(out).toString()
  return {
    code,
    signal,
    stdout,
    stderr: Buffer.concat(err).toString(),
    lines: () =>
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line),
  }
}

/** Runs the built file to its end. */
export async function run(
  args: string[],
  env: Record<string, string> = {},
  options: SpawnOptions = {},
): Promise<Finished> {
  return finished(start(args, env, options))
}

/** A run that has not ended by then is killed, and its test fails. */
export const PATIENCE_MS = 300_000

/** Runs the built file to its end, and looks at what holds for every run, however it ends. */
export async function audit(
  args: string[],
  env: Record<string, string> = {},
  options: SpawnOptions = {},
): Promise<Finished> {
  return assertSound(await run(args, env, { timeout: PATIENCE_MS, killSignal: 'SIGKILL', ...options }))
}

/** Runs a script of sh, in which "$@" is the program with these arguments. */
export function shell(
  script: string,
  args: string[],
  command: readonly string[] = ['sh'],
): Promise<Finished> {
  const [name = '', ...before] = command
  const child = spawn(name, [...before, '-c', script, 'sh', process.execPath, PROGRAM, ...args], {
    env: cleanEnvironment({ SLACK_TOKEN: TOKEN }),
    timeout: PATIENCE_MS,
  })
  return finished(child)
}

/** Whole lines of ASCII on stdout, nothing odd on stderr, the token nowhere. */
export function assertSound(result: Finished): Finished {
  const { stdout, stderr } = result
  assert.ok(
    !/[^\x20-\x7e\n]|\n\n/.test(stdout),
    'stdout is ASCII, without control characters and empty lines',
  )
  assert.ok(stdout === '' || stdout.endsWith('\n'), 'the last line of stdout is whole')
  assert.doesNotMatch(stderr, /[^\P{Cc}\n]/u, 'no control characters on stderr')
  assert.doesNotMatch(stderr, /^\s+at /m, 'no stack trace')
  assert.ok(!`${stdout}${stderr}`.includes(TOKEN), 'the token is not shown')
  return result
}

/** The lines of a run that may have been killed: without what follows the last newline. */
export function wholeLines({ stdout }: Finished): Line[] {
  const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1).split('\n')
  return whole.filter(Boolean).map((line) => JSON.parse(line) as Line)
}

/** The entries of a log that were printed, as Slack's. */
export function printed(result: Finished, log: Report['log'] = 'access'): unknown[] {
  const lines = wholeLines(result).filter((line) => line.dataset === `slack.${log}`)
  return lines.map((line) => line[log])
}

/** Entries as text, fields in the order in which they came, sorted. */
export function texts(entries: readonly unknown[]): string[] {
  return entries.map((entry) => JSON.stringify(entry)).sort()
}

/** What --report says of a log. */
export function reportOf(result: Finished, log: Report['log'] = 'access'): Report {
  const runs = wholeLines(result).map((line) => line['run'] as Report | undefined)
  const found = runs.find((report) => report?.log === log)
  assert.ok(found, `a report on ${log}`)
  return found
}

/** A promise and the function that fulfils it. */
export function gate(): { passed: Promise<void>; open: () => void } {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

/** Opens something that `t` closes at its end. */
export async function closedAfter<T extends { close(): Promise<void> }>(
  t: TestContext,
  opening: Promise<T>,
): Promise<T> {
  const opened = await opening
  t.after(() => opened.close())
  return opened
}

/** A new folder that `t` removes at its end. */
export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'slack-auditor-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The error, which has to be of class `state` and to name the path. */
export async function stateFailure(work: Promise<unknown>, path: string): Promise<AuditError> {
  const error: unknown = await work.then(
    () => assert.fail('it should have failed'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof AuditError, String(error))
  assert.equal(error.class, 'state')
  assert.ok(error.message.includes(path), error.message)
  return error
}
