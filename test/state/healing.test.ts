import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Fault } from '../fake-slack/server.ts'
import type { AccessRow } from '../fake-slack/workspace.ts'
import { reportOf, texts } from '../program.ts'
import { ACCESS, addNewRows, NOW, printedBy, setScene, shownIn, without } from '../scene.ts'

/** Slack's answer with other rows. */
const withRows = (change: (rows: AccessRow[]) => unknown[]): Fault => ({
  kind: 'answer',
  change: (body) => ({ ...body, logins: change(body['logins'] as AccessRow[]) }),
})

/** An answer that Slack has given in the middle of a log. */
const EMPTY: Fault = { kind: 'answer', change: () => ({ ok: true, logins: [] }) }

describe('one odd answer', () => {
  test('without entries ends no gap; a log that seems to be empty is an error and changes nothing', async (t) => {
    const scene = await setScene(t, { accessRows: 400, maxPageRows: 25, days: 60 })
    const first = await scene.run('access', '--max-rows', '200')
    let empties = 0
    scene.server.fault = (_, __, { before }) => {
      if (before === undefined || empties === 1) return undefined
      empties += 1
      return EMPTY
    }
    const second = await scene.run('access', '--max-rows', '50')
    assert.deepEqual([second.code, reportOf(second).gaps, empties], [0, 1, 1])

    const state = readFileSync(scene.fileOf(), 'utf8')
    scene.server.fault = (method) => (method === ACCESS ? EMPTY : undefined)
    const failed = await scene.run('access')
    const { complete, gaps, error } = reportOf(failed)
    assert.deepEqual([failed.code, complete, gaps, error?.code], [1, false, 1, 'no_entries'])
    assert.equal(readFileSync(scene.fileOf(), 'utf8'), state)

    delete scene.server.fault
    const rest = await scene.run('access')
    assert.deepEqual([rest.code, reportOf(rest).complete], [0, true])
    assert.deepEqual([first, second, rest].flatMap((result) => printedBy(result)).sort(), shownIn(scene))
  })

  test('with an entry that is not an object is exit 1 and said, and all others are printed once', async (t) => {
    const scene = await setScene(t, { maxPageRows: 50 })
    scene.server.fault = (method, nth) =>
      method === ACCESS && nth === 2 ? withRows((rows) => [null, ...rows]) : undefined
    const result = await scene.run('access', '--quiet')
    const { outcome, complete, gaps } = reportOf(result)
    assert.deepEqual([result.code, outcome, complete, gaps], [1, 'success', false, 0])
    assert.match(result.stderr, /access: 1 entry left out, because Slack sent something other than an object/)
    assert.match(result.stderr, /possibly incomplete/)
    assert.deepEqual(printedBy(result), shownIn(scene))
    const next = await scene.run('access')
    assert.deepEqual([next.code, printedBy(next)], [0, []])
  })

  test('with a time that cannot be read is printed once, also below the overlap', async (t) => {
    const scene = await setScene(t, { days: 1 })
    // Below the overlap, and met again in every run.
    const at = NOW - 5 * 3600
    const undated = { ...scene.workspace.addAccess({ date_last: at }), date_last: 'yesterday' }
    const spoil = withRows((rows) => rows.map((row) => (row.date_last === at ? undated : row)))
    scene.server.fault = (method) => (method === ACCESS ? spoil : undefined)
    const first = await scene.run('access')
    assert.ok(printedBy(first).includes(JSON.stringify(undated)))
    assert.match(first.stderr, /1 entry without a readable time, printed anyway/)
    const added = addNewRows(scene, 3)
    assert.deepEqual(printedBy(await scene.run('access')), texts(added))
  })

  test('without entries does not make undated ones on the next page look newer than --since', async (t) => {
    const scene = await setScene(t, { accessRows: 30, maxPageRows: 10 })
    const times = scene.workspace.accessRows().map(({ date_last }) => date_last)
    const since = (times.toSorted((a, b) => b - a)[9] ?? 0) + 1
    scene.server.fault = (method, nth) => {
      if (method !== ACCESS || nth === 1) return undefined
      return withRows((rows) => (nth === 2 ? [] : rows.map((row) => ({ ...row, date_last: 'yesterday' }))))
    }
    const result = await scene.run('access', '--since', String(since))
    assert.equal(reportOf(result).pages, 3)
    assert.equal(printedBy(result).length, times.filter((time) => time >= since).length)
  })

  test('without any readable time, before an error, leaves a state that the next run can use', async (t) => {
    const scene = await setScene(t, { maxPageRows: 50 })
    const undated = withRows((rows) => rows.map((row) => ({ ...row, date_last: 'yesterday' })))
    scene.server.fault = (method, nth) => {
      if (method !== ACCESS) return undefined
      return nth === 1 ? undated : { kind: 'error', error: 'no_permission' }
    }
    const failed = await scene.run('access')
    assert.deepEqual([failed.code, printedBy(failed).length, reportOf(failed).gaps], [1, 50, 1])
    delete scene.server.fault
    const next = await scene.run('access')
    assert.deepEqual([next.code, printedBy(next)], [0, shownIn(scene)])
  })
})

for (const order of ['date_last', 'date_first'] as const) {
  test(`a limit below what arrives leaves one gap and costs few requests, in a log sorted by ${order}`, async (t) => {
    const scene = await setScene(t, { order, filter: order, accessRows: 200, maxPageRows: 20 })
    const { workspace } = scene
    const all = printedBy(await scene.run('access'))
    for (let run = 1; run <= 25; run += 1) {
      for (let row = 1; row <= 30; row += 1) workspace.addAccess({ date_last: workspace.now + row * 60 })
      workspace.advanceTo(workspace.now + 1800, { perHour: 0 })
      const before = scene.pages()
      const result = await scene.run('access', '--max-rows', '5')
      all.push(...printedBy(result))
      assert.deepEqual([result.code, reportOf(result).gaps, reportOf(result).complete], [0, 1, false])
      assert.ok(scene.pages() - before <= 3, `${scene.pages() - before} pages in run ${run}`)
    }
    const rest = await scene.run('access')
    assert.deepEqual([rest.code, reportOf(rest).complete], [0, true])
    all.push(...printedBy(rest))
    assert.equal(new Set(all).size, all.length, 'nothing twice')
    assert.deepEqual(without(shownIn(scene), all), [])
  })
}
