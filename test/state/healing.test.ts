import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Fault, serve } from '../fake-slack/server.ts'
import { type Answer, Slack, type SlackOptions } from '../fake-slack/slack.ts'
import { type AccessRow, Workspace, type WorkspaceOptions } from '../fake-slack/workspace.ts'
import { audit, closedAfter, type Finished, folderOf, printed, reportOf, texts } from '../program.ts'

const HOUR = 3600
const DAY = 24 * HOUR
/** Workspaces begin here, so that there is time to pass before the present. */
const NOW = Math.floor(Date.now() / 1000) - 3 * DAY

/** What a test does to the answers of the access log: to the rows of a page, and to the nth one. */
interface Tampering {
  change?: (rows: AccessRow[], nth: number) => AccessRow[]
}

/** A workspace behind a fake Slack, and the program with a folder to remember in. */
async function slackWith(t: TestContext, options: Partial<WorkspaceOptions> & Partial<SlackOptions>) {
  const workspace = new Workspace({ seed: 1, now: NOW, accessRows: 0, integrationRows: 0, ...options })
  const tampering: Tampering = {}
  let answers = 0
  const fault = (method: string): Fault | undefined => {
    if (method !== 'team.accessLogs') return undefined
    answers += 1
    const { change } = tampering
    if (!change) return undefined
    const nth = answers
    const alter = (body: Answer) => ({ ...body, logins: change(body['logins'] as AccessRow[], nth) })
    return { kind: 'answer', change: alter }
  }
  const fake = await closedAfter(t, serve(new Slack({ workspace, ...options }), { fault }))
  const folder = folderOf(t)
  const run = async (...more: string[]) => {
    answers = 0
    const args = ['access', '--api-url', fake.url, '--state-dir', folder, '--report', ...more]
    const result = await audit(args)
    return { result, pages: answers, report: reportOf(result) }
  }
  return { workspace, tampering, run, statePath: join(folder, `${workspace.team.id}-access.json`) }
}

const textsOf = (result: Finished) => texts(printed(result))

describe('one odd answer', { concurrency: 2 }, () => {
  test('in which a row stands a few places too high costs nothing in later runs', async (t) => {
    const { workspace, tampering, run } = await slackWith(t, { accessRows: 1500, maxPageRows: 10 })
    await run()
    const cheap = await run()
    assert.ok(cheap.pages <= 4, `${cheap.pages} pages`)
    workspace.advanceTo(workspace.now + 1800)
    tampering.change = (rows, nth) => {
      if (nth !== 2) return rows
      const [last] = rows.splice(-1)
      return last ? [...rows.slice(0, 2), last, ...rows.slice(2)] : rows
    }
    const odd = await run()
    assert.deepEqual([odd.result.code, odd.report.complete], [0, true])
    delete tampering.change
    for (let later = 0; later < 2; later += 1) {
      workspace.advanceTo(workspace.now + 1800)
      const { result, report, pages } = await run()
      assert.deepEqual([result.code, report.complete], [0, true])
      assert.ok(pages <= 12, `${pages} pages`)
    }
  })

  test('in which all rows stand upside down is healed by the next full read', async (t) => {
    const { workspace, tampering, run } = await slackWith(t, { accessRows: 1500, maxPageRows: 10 })
    await run()
    workspace.advanceTo(workspace.now + 1800)
    tampering.change = (rows, nth) => (nth === 1 ? rows.toReversed() : rows)
    await run()
    delete tampering.change
    workspace.advanceTo(workspace.now + 1800)
    await run()
    workspace.advanceTo(workspace.now + 1800)
    const { result, report, pages } = await run()
    assert.deepEqual([result.code, report.complete], [0, true])
    assert.ok(pages <= 12, `${pages} pages`)
  })

  test('that shows rows above `before` is no lasting belief: the next run that goes below is complete', async (t) => {
    const { tampering, run } = await slackWith(t, { accessRows: 3000, maxPageRows: 50, days: 60 })
    await run('--max-rows', '500')
    tampering.change = (rows, nth) =>
      nth === 4
        ? [{ ...rows[0], date_last: NOW } as AccessRow, { ...rows[1], date_last: NOW } as AccessRow, ...rows]
        : rows
    await run('--max-rows', '500')
    delete tampering.change
    let last = await run('--max-rows', '500')
    for (let runs = 0; last.report.gaps > 0 && runs < 9; runs += 1) last = await run('--max-rows', '500')
    assert.deepEqual([last.result.code, last.report.complete], [0, true])
  })
})

describe('one odd time', { concurrency: 2 }, () => {
  for (const [what, oddPage] of [
    ['on the page at which a run is cut', 10],
    ['on a page of a gap, where each page is asked for with a `before` of its own', 30],
  ] as const) {
    test(`${what} loses no other row`, async (t) => {
      const { workspace, tampering, run } = await slackWith(t, {
        accessRows: 3000,
        maxPageRows: 50,
        days: 60,
      })
      let victim: string | undefined
      const identity = (row: AccessRow) =>
        JSON.stringify([row.user_id, row.date_first, row.ip, row.user_agent])
      let pagesSeen = 0
      tampering.change = (rows) => {
        pagesSeen += 1
        const last = rows.at(-1)
        if (pagesSeen === oddPage && last) victim = identity(last)
        return rows.map((row) =>
          identity(row) === victim ? { ...row, date_last: row.date_last - 10 * DAY } : row,
        )
      }
      const all: string[] = []
      for (let gaps = 1, runs = 0; gaps > 0; runs += 1) {
        const { result, report } = await run('--max-rows', '500')
        all.push(...textsOf(result))
        gaps = report.gaps
        assert.ok(runs < 12, 'the gaps do not end')
      }
      assert.ok(victim)
      assert.equal(new Set(all).size, all.length, 'nothing twice')
      const wanted = texts(workspace.accessRows().filter((row) => identity(row) !== victim))
      const got = new Set(all)
      assert.deepEqual(
        wanted.filter((row) => !got.has(row)),
        [],
      )
    })
  }
})

describe('a limit below what is new', { concurrency: 2 }, () => {
  test('that one page exceeds leaves no gap, and no state that grows', async (t) => {
    const { workspace, run, statePath } = await slackWith(t, { accessRows: 1500 })
    await run()
    const sizes: number[] = []
    for (let hour = 1; hour <= 10; hour += 1) {
      for (let row = 0; row < 14; row += 1) workspace.addAccess({ date_last: NOW + hour * HOUR - row * 250 })
      const { report } = await run('--max-rows', '10')
      assert.deepEqual([report.rows_printed, report.gaps, report.complete], [14, 0, true])
      sizes.push(statSync(statePath).size)
    }
    assert.ok(Math.max(...sizes.slice(4)) <= 1.2 * Math.min(...sizes.slice(2, 6)), String(sizes))
  })

  test('that all runs of a day exceed leaves a state in the order of what they print', async (t) => {
    const { workspace, run, statePath } = await slackWith(t, { accessRows: 400, maxPageRows: 40 })
    await run()
    const all: string[] = []
    for (let hour = 1; hour <= 10; hour += 1) {
      for (let row = 0; row < 120; row += 1) workspace.addAccess({ date_last: NOW + hour * HOUR - row * 30 })
      const { result } = await run('--max-rows', '40')
      all.push(...textsOf(result))
    }
    const { seen, gaps } = JSON.parse(readFileSync(statePath, 'utf8')) as {
      seen: Record<string, unknown>
      gaps: unknown[]
    }
    // The overlap is two hours of at most 120 rows; each gap keeps a handful along its top.
    assert.ok(
      Object.keys(seen).length < 120 + 10 * 30,
      `${Object.keys(seen).length} ids in ${gaps.length} gaps`,
    )
    for (let gapsLeft = 1; gapsLeft > 0; ) {
      const { result, report } = await run()
      all.push(...textsOf(result))
      gapsLeft = report.gaps
    }
    assert.equal(new Set(all).size, all.length, 'nothing twice')
    const got = new Set(all)
    const fresh = workspace.accessRows().filter(({ date_last }) => date_last > NOW)
    assert.deepEqual(
      texts(fresh).filter((row) => !got.has(row)),
      [],
    )
  })
})

test('a state that version 1.0 saved, with two gaps, is carried on: the rest is printed, and nothing twice', async (t) => {
  const text = readFileSync(new URL('version-1.json', import.meta.url), 'utf8')
  const {
    rows,
    printed: ids,
    state,
  } = JSON.parse(text) as {
    rows: AccessRow[]
    printed: string[]
    state: Record<string, unknown>
  }
  const { workspace, run, statePath } = await slackWith(t, { maxPageRows: 6 })
  for (const row of rows) workspace.addAccess(row)
  writeFileSync(statePath, JSON.stringify({ ...state, team: workspace.team.id }))
  const { result, report } = await run()
  assert.deepEqual([result.code, report.complete, report.gaps], [0, true, 0])
  const now = result.lines().flatMap(({ dataset, id }) => (dataset === 'slack.access' ? [id] : []))
  assert.equal(now.length, rows.length - ids.length)
  assert.equal(new Set([...ids, ...now]).size, rows.length)
})
