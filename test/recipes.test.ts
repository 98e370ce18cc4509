/** Runs the recipes of the README as they stand there, and compares with what the fake workspace holds. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { serve } from './fake-slack/server.ts'
import { Slack } from './fake-slack/slack.ts'
import { type AccessRow, type IntegrationRow, Workspace } from './fake-slack/workspace.ts'
import { cleanEnvironment, closedAfter, finished, folderOf, PROGRAM, TOKEN } from './program.ts'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const [, recipes = ''] = /^## Use by hand\n(.*?)^## /ms.exec(README) ?? []
const COMMANDS = [...recipes.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, command = '']) => command)

const HOUR = 3600
const hasJq = spawnSync('jq', ['--version']).status === 0
const needsJq = { skip: hasJq ? false : 'jq is not installed here' }

const iso = (seconds: unknown): string => new Date(Number(seconds) * 1000).toISOString().replace('.000', '')
const tsv = (cells: unknown[]): string =>
  cells.map((cell) => String(cell ?? '').replaceAll('\\', '\\\\')).join('\t')

function groups<Row>(rows: readonly Row[], key: (row: Row) => unknown): Row[][] {
  const found = new Map<string, Row[]>()
  for (const row of rows) found.set(String(key(row)), [...(found.get(String(key(row))) ?? []), row])
  return [...found.values()]
}

const newest = <Row>(rows: readonly Row[], time: (row: Row) => unknown): Row =>
  rows.reduce((a, b) => (Number(time(b)) > Number(time(a)) ? b : a))

/** A shell with the program under its name, in front of a fake Slack. */
async function deskOf(t: TestContext) {
  const now = Math.floor(Date.now() / 1000)
  const workspace = new Workspace({ seed: 6, now, accessRows: 300, integrationRows: 200, days: 80 })
  const server = await closedAfter(t, serve(new Slack({ workspace })))
  const folder = folderOf(t)
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'slack-auditor'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`, {
    mode: 0o755,
  })
  return {
    now,
    workspace,
    async lines(command: string): Promise<string[]> {
      const path = `${bin}:${dirname(process.execPath)}:${process.env['PATH']}`
      const env = { PATH: path, HOME: folder, LC_ALL: 'C', SLACK_API_URL: server.url, SLACK_TOKEN: TOKEN }
      const result = await finished(spawn('sh', ['-c', command], { env: cleanEnvironment(env) }))
      assert.equal(result.code, 0, result.stderr)
      assert.doesNotMatch(result.stderr, /^jq: /m)
      return result.stdout.split('\n').filter(Boolean)
    },
  }
}

const APP = /^ApiApp\//

test('the README has four recipes', () => assert.equal(COMMANDS.length, 4))

test('the recipe for the last time each member was seen gives a line per member', needsJq, async (t) => {
  const { workspace, lines } = await deskOf(t)
  const people = workspace.accessRows().filter(({ user_agent }) => !APP.test(user_agent))
  const expected = groups(people, (row) => row.user_id).map((rows) => {
    const { date_last, username, country, ip } = newest(rows, (row) => row.date_last)
    return tsv([iso(date_last), username, country, ip])
  })
  assert.ok(expected.length > 5 && people.length < workspace.accessRows().length)
  const printed = await lines(COMMANDS[0] ?? '')
  assert.deepEqual(printed.toSorted(), expected.toSorted())
  const times = printed.map((line) => line.split('\t')[0])
  assert.deepEqual(times, times.toSorted())
})

test(
  'the recipe for an address gives who was there, from when to when, and how often',
  needsJq,
  async (t) => {
    const { now, workspace, lines } = await deskOf(t)
    const ip = /--arg ip (\S+)/.exec(COMMANDS[1] ?? '')?.[1] ?? ''
    const at = (user_id: string, hours: number, count: number): AccessRow =>
      workspace.addAccess({
        ...{ user_id, username: `name of ${user_id}`, ip, count },
        ...{ date_first: now - hours * HOUR, date_last: now - hours * HOUR + 60 },
      })
    at('U1', 10, 3)
    at('U2', 8, 1)
    at('U1', 5, 4)
    const others = workspace.accessRows().filter((row) => row.ip === ip && !/^U[12]$/.test(row.user_id))
    assert.deepEqual(others, [], 'the made-up past does not use it')
    assert.deepEqual(await lines(COMMANDS[1] ?? ''), [
      tsv(['name of U1', iso(now - 10 * HOUR), iso(now - 5 * HOUR + 60), 7]),
      tsv(['name of U2', iso(now - 8 * HOUR), iso(now - 8 * HOUR + 60), 1]),
    ])
  },
)

test(
  'the recipe for installations lists what is there and leaves out what was removed',
  needsJq,
  async (t) => {
    const { now, workspace, lines } = await deskOf(t)
    const who = { user_id: 'U7', user_name: 'zoe' }
    const add = (hours: number, row: Partial<IntegrationRow>): IntegrationRow =>
      workspace.addIntegration({ ...who, date: now - hours * HOUR, ...row })
    const app = (name: string) => ({ app_id: `A0${name}`, app_type: name })
    const hook = { ...app('Hooks'), service_type: 'Hooks', channel: 'C1' }
    add(9, { ...app('Kept') })
    add(9, { ...app('Gone') })
    add(3, { ...app('Gone'), change_type: 'removed' })
    add(9, { ...app('Back') })
    add(5, { ...app('Back'), change_type: 'removed' })
    const back = add(2, { ...app('Back') })
    add(9, { ...hook, service_id: 1 })
    // The same service, as a number here and as a string there.
    add(4, { ...hook, service_id: 2 })
    add(3, { ...hook, service_id: '2', change_type: 'removed' })
    const feed = { ...app('RSS'), change_type: 'updated', rss_feed: true }
    add(8, { ...feed, rss_feed_change_type: 'added', rss_feed_url: 'https://feed.example/a' })
    add(8, { ...feed, rss_feed_change_type: 'added', rss_feed_url: 'https://feed.example/b' })
    add(7, { ...feed, rss_feed_change_type: 'removed', rss_feed_url: 'https://feed.example/b' })
    const printed = await lines(COMMANDS[2] ?? '')
    assert.deepEqual(
      printed.filter((line) => line.startsWith('zoe\t')),
      [
        tsv(['zoe', 'Back', '', iso(back.date)]),
        tsv(['zoe', 'Hooks', 'C1', iso(now - 9 * HOUR)]),
        tsv(['zoe', 'Kept', '', iso(now - 9 * HOUR)]),
        tsv(['zoe', 'RSS', '', iso(now - 8 * HOUR)]),
      ],
    )
    assert.ok(printed.length > 20, 'the others are there too')
  },
)

test(
  'the recipe for what changed gives everything at first, and then only what is new',
  needsJq,
  async (t) => {
    const { now, workspace, lines } = await deskOf(t)
    const accessLine = (row: AccessRow): string =>
      tsv([iso(row.date_last), 'access', row.username, row.country, row.ip, row.user_agent])
    const all = await lines(COMMANDS[3] ?? '')
    const entries = new Set(workspace.integrationRows().map((row) => JSON.stringify(row)))
    assert.equal(all.length, workspace.accessRows().length + entries.size)
    for (const row of workspace.accessRows()) assert.ok(all.includes(accessLine(row)))

    const [old] = workspace.accessRows()
    const changed = [
      workspace.touch(old as AccessRow, now - 5),
      workspace.addAccess({ date_last: now - 20, username: 'new' }),
    ]
    const added = workspace.addIntegration({ date: now - 10, scope: 'MAX' })
    const { change_type, user_name, app_type, scope } = added as Record<string, unknown>
    assert.deepEqual(await lines(COMMANDS[3] ?? ''), [
      ...[changed[1] as AccessRow].map(accessLine),
      tsv([iso(added.date), change_type, user_name, app_type, '', scope]),
      ...[changed[0] as AccessRow].map(accessLine),
    ])
  },
)
