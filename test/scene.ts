import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Report } from '../src/output/report.ts'
import { type ServerOptions, serve } from './fake-slack/server.ts'
import { Slack, type SlackOptions } from './fake-slack/slack.ts'
import { type AccessRow, Workspace, type WorkspaceOptions } from './fake-slack/workspace.ts'
import { auditHere, type PlayedTime, playTime } from './in-process.ts'
import { closedAfter, type Finished, folderOf, printed, texts } from './program.ts'

/** Workspaces begin here, so that there is time to pass before the present. */
export const NOW = Math.floor(Date.now() / 1000) - 3 * 86_400

export type LogName = Report['log']
export type Options = Partial<WorkspaceOptions> & Partial<SlackOptions>
export type Scene = Awaited<ReturnType<typeof setScene>>

/** A workspace behind a fake Slack, and the program with a folder to remember in. */
export async function setScene(t: TestContext, options: Options = {}, server: ServerOptions = {}) {
  const workspace = new Workspace({
    ...{ seed: 1, now: NOW, accessRows: 120, integrationRows: 30, days: 20 },
    ...options,
  })
  const fake = await closedAfter(t, serve(new Slack({ workspace, ...options }), server))
  const folder = folderOf(t)
  const args = ['--api-url', fake.url, '--state-dir', folder, '--report']
  const time = (): PlayedTime => playTime(workspace.now * 1000)
  return {
    workspace,
    fake,
    folder,
    /** What every run is given. */
    args,
    /** Faults and events of Slack, which a test may set at any time. */
    server,
    /** The time of the workspace. */
    time,
    /** Runs the program in this process, by the time of the workspace. */
    run: (...more: string[]) => auditHere([...args, ...more], {}, time()),
    runAt: (timing: PlayedTime, ...more: string[]) => auditHere([...args, ...more], {}, timing),
    fileOf: (log: LogName = 'access') => join(folder, `${workspace.team.id}-${log}.json`),
    /** How many pages of the access log were asked for. */
    pages: () => fake.requests.filter(({ method }) => method === ACCESS).length,
  }
}

export const ACCESS = 'team.accessLogs'
export const INTEGRATION = 'team.integrationLogs'

/** The entries that a run printed, as text that is equal for equal entries. */
export function printedBy(result: Finished, log: LogName = 'access'): string[] {
  return texts(printed(result, log))
}

/** The ids of the entries that a run printed. */
export function idsOf(result: Finished, log: LogName = 'access'): string[] {
  return result.lines().flatMap(({ dataset, id }) => (dataset === `slack.${log}` ? [id] : []))
}

/** The entries that Slack shows now: identical ones are one line. */
export function shownIn({ workspace }: Pick<Scene, 'workspace'>, log: LogName = 'access'): string[] {
  return [...new Set(texts(log === 'access' ? workspace.accessRows() : workspace.integrationRows()))]
}

export function without(all: readonly string[], gone: readonly string[]): string[] {
  const known = new Set(gone)
  return all.filter((each) => !known.has(each))
}

/** Adds access rows, each newer by a second than all others. */
export function addNewRows({ workspace }: Pick<Scene, 'workspace'>, count: number): AccessRow[] {
  const newest = Math.max(workspace.now, ...workspace.accessRows().map(({ date_last }) => date_last))
  const rows = Array.from({ length: count }, (_, index) =>
    workspace.addAccess({ date_last: newest + 1 + index, ip: `192.0.2.${index % 256}` }),
  )
  workspace.advanceTo(newest + count, { perHour: 0 })
  return rows
}
