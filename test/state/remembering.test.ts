import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import type { AccessRow, Workspace } from '../fake-slack/workspace.ts'
import { begin, keeper } from '../in-process.ts'
import {
  type Finished,
  finished,
  folderOf,
  gate,
  reportOf,
  shell,
  start,
  TOKEN,
  wholeLines,
} from '../program.ts'
import {
  ACCESS,
  addNewRows,
  idsOf,
  NOW,
  type Options,
  printedBy,
  setScene,
  shownIn,
  without,
} from '../scene.ts'

const HOUR = 3600
const DAY = 24 * HOUR

const SHAPES: [string, Options][] = [
  ['sorted by date_last, with cursors', {}],
  ['sorted by date_last, with pages', { paging: 'classic' }],
  ['sorted by date_first, with cursors', { order: 'date_first', filter: 'date_first' }],
  ['sorted by date_first, with pages', { order: 'date_first', filter: 'date_first', paging: 'classic' }],
]

describe('a later run', () => {
  for (const [shape, options] of SHAPES) {
    test(`prints what is new or changed, once, from logs ${shape}`, async (t) => {
      const scene = await setScene(t, { ...options, maxPageRows: 50 })
      let [rows, events]: string[][] = [[], []]
      for (const hours of [0, 6]) {
        scene.workspace.advanceTo(NOW + hours * HOUR, { perHour: 40 })
        const result = await scene.run()
        assert.equal(result.code, 0, result.stderr)
        assert.deepEqual(printedBy(result), without(shownIn(scene), rows ?? []))
        assert.deepEqual(
          printedBy(result, 'integration'),
          without(shownIn(scene, 'integration'), events ?? []),
        )
        assert.deepEqual([reportOf(result).complete, reportOf(result).gaps], [true, 0])
        ;[rows, events] = [shownIn(scene), shownIn(scene, 'integration')]
      }
      const idle = await scene.run()
      assert.equal(idle.code, 0)
      assert.deepEqual(new Set(idle.lines().map(({ dataset }) => dataset)), new Set(['slack.auditor']))
    })
  }

  const newest = (workspace: Workspace): AccessRow =>
    workspace.accessRows().reduce((a, b) => (b.date_last > a.date_last ? b : a))
  /** A row that began within the look-back and has not changed lately. */
  const asleep = (workspace: Workspace): AccessRow =>
    workspace
      .accessRows()
      .filter(({ date_first }) => date_first > NOW - DAY)
      .reduce((a, b) => (b.date_last < a.date_last ? b : a))
  const wake = (workspace: Workspace) => workspace.touch(asleep(workspace), NOW + 60)
  const byBegin: Options = { order: 'date_first', filter: 'date_first', maxPageRows: 20 }
  const changes: [what: string, (workspace: Workspace) => AccessRow, options?: Options][] = [
    ['a row that is an hour late', (w) => w.addAccess({ date_last: newest(w).date_last - HOUR })],
    [
      'another program of one user, address and second',
      (w) => w.addAccess({ ...newest(w), user_agent: 'x' }),
    ],
    ['a change of the count alone', (w) => w.touch(newest(w), newest(w).date_last)],
    ['a row that woke up', wake],
    ['a row that woke up, from a log sorted by date_first', wake, byBegin],
    [
      'a late row below known pages',
      (w) => w.addAccess({ date_last: NOW - HOUR }),
      { days: 0.1, maxPageRows: 10 },
    ],
    [
      'the first row of an empty log',
      (w) => w.addAccess({ date_last: NOW, user_id: 'U1' }),
      { accessRows: 0 },
    ],
  ]
  for (const [what, change, options = {}] of changes) {
    test(`prints ${what}`, async (t) => {
      const scene = await setScene(t, options)
      await scene.run('access')
      const before = shownIn(scene)
      change(scene.workspace)
      const expected = without(shownIn(scene), before)
      assert.equal(expected.length, 1)
      assert.deepEqual(printedBy(await scene.run('access')), expected)
      assert.deepEqual(printedBy(await scene.run('access')), [])
    })
  }

  test('prints another integration of a known second, and no twin of a known one', async (t) => {
    const scene = await setScene(t)
    const known = scene.workspace.addIntegration({ date: NOW - 60 })
    await scene.run('integration')
    scene.workspace.addIntegration({ ...known })
    const another = scene.workspace.addIntegration({ ...known, scope: 'another' })
    assert.deepEqual(printedBy(await scene.run('integration'), 'integration'), [JSON.stringify(another)])
  })

  test('prints what arrived at the head while the run before it was reading', async (t) => {
    const scene = await setScene(t, { maxPageRows: 30 })
    scene.server.beforeAnswer = (method, nth) => {
      if (method === ACCESS && nth === 3) addNewRows(scene, 1)
    }
    const first = await scene.run('access')
    assert.equal(printedBy(first).length, 120)
    assert.deepEqual(printedBy(await scene.run('access')), without(shownIn(scene), printedBy(first)))
  })

  test('prints nothing from before the --since of the first run, and says that it ignores its own', async (t) => {
    const scene = await setScene(t)
    // Older than --since, yet within the overlap of the second run.
    for (const minutes of [59, 61, 90]) scene.workspace.addAccess({ date_last: NOW - minutes * 60 })
    const young = scene.workspace.accessRows().filter(({ date_last }) => date_last >= NOW - HOUR)
    const first = await scene.run('access', '--since', String(NOW - HOUR))
    assert.equal(printedBy(first).length, young.length)
    const second = await scene.run('access', '--since', String(NOW - 20 * DAY), '-v')
    assert.deepEqual([second.code, printedBy(second)], [0, []])
    assert.match(second.stderr, /ignoring --since: it applies to the first run only/)
    assert.match(
      second.stderr,
      new RegExp(`resuming from ${scene.fileOf()}, saved \\d{4}-\\d\\d-\\d\\dT\\S+Z\n`),
    )
  })
})

describe('a run that is cut', () => {
  const logs = [
    ...SHAPES.map(([shape, options]) => ['access', `an access log ${shape}`, options] as const),
    ['integration', 'an integration log', {}] as const,
  ]
  for (const [log, shape, options] of logs) {
    test(`by --max-rows is continued until each entry is printed once, from ${shape}`, async (t) => {
      const scene = await setScene(t, {
        ...{ ...options, accessRows: 300, integrationRows: 300, maxPageRows: 25 },
      })
      const all: string[] = []
      let gaps = 1
      let runs = 0
      for (; gaps > 0; runs += 1) {
        assert.ok(runs < 20, 'the gaps do not end')
        if (log === 'access') scene.workspace.advanceTo(NOW + runs * 600, { perHour: 12 })
        const result = await scene.run(log, '--max-rows', '100')
        assert.equal(result.code, 0, result.stderr)
        all.push(...printedBy(result, log))
        gaps = reportOf(result, log).gaps
        assert.ok(
          reportOf(result, log).rows_printed < 100 + 25,
          'the page that reaches the limit is the last',
        )
        assert.equal(reportOf(result, log).complete, gaps === 0)
        if (gaps > 0) assert.match(result.stderr, /stopped at --max-rows; later runs read the rest/)
      }
      assert.ok(runs > 2)
      assert.equal(new Set(all).size, all.length, 'nothing twice')
      assert.deepEqual(without(shownIn(scene, log), all), [])
      assert.deepEqual(printedBy(await scene.run(log), log), [])
    })
  }

  for (const [shape, options] of SHAPES) {
    test(`by nothing, because --max-rows is what the log holds, is complete: a log ${shape}`, async (t) => {
      const scene = await setScene(t, { ...options, accessRows: 60, maxPageRows: 20 })
      const result = await scene.run('access', '--max-rows', '60')
      const { complete, gaps, rows_printed } = reportOf(result)
      assert.deepEqual([result.code, complete, gaps, rows_printed], [0, true, 0, 60])
      assert.match(result.stderr, /3 pages, complete/)
    })
  }

  test('by an error of Slack is a failure, and the next run prints the rest and only that', async (t) => {
    const scene = await setScene(t, { maxPageRows: 30 })
    scene.server.fault = (method, nth) =>
      method === ACCESS && nth > 2 ? { kind: 'error', error: 'no_permission' } : undefined
    const first = await scene.run('access')
    const { outcome, complete, gaps, error } = reportOf(first)
    assert.deepEqual([first.code, outcome, complete, gaps], [1, 'failure', false, 1])
    assert.deepEqual([error?.code, printedBy(first).length], ['no_permission', 60])
    assert.match(first.stderr, /later runs read the rest/)
    delete scene.server.fault
    const second = await scene.run('access')
    assert.deepEqual([second.code, reportOf(second).gaps], [0, 0])
    assert.deepEqual([...printedBy(first), ...printedBy(second)].sort(), shownIn(scene))
  })

  test('by --max-time is no failure, and the next run prints the rest', async (t) => {
    const scene = await setScene(t, { maxPageRows: 30 })
    const time = scene.time()
    scene.server.beforeAnswer = (method) => (method === ACCESS ? time.pass(25_000) : undefined)
    const first = await scene.runAt(time, 'access', '--max-time', '60s')
    assert.deepEqual([first.code, printedBy(first).length, reportOf(first).gaps], [0, 60, 1])
    assert.match(first.stderr, /stopped at --max-time; later runs read the rest/)
    const second = await scene.run('access')
    assert.deepEqual([...printedBy(first), ...printedBy(second)].sort(), shownIn(scene))
  })

  test('before its first page leaves no state and no lock', async (t) => {
    for (const method of ['auth.test', ACCESS]) {
      const scene = await setScene(t)
      scene.server.fault = (asked) =>
        asked === method ? { kind: 'error', error: 'no_permission' } : undefined
      assert.equal((await scene.run('access')).code, 1)
      assert.deepEqual(readdirSync(scene.folder), [])
    }
  })
})

describe('the state folder', () => {
  test('is created for its owner alone, with a file for each log and nothing else', async (t) => {
    const scene = await setScene(t)
    const folder = join(scene.folder, 'a', 'b')
    assert.equal((await scene.run('--state-dir', folder)).code, 0)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    const { id } = scene.workspace.team
    assert.deepEqual(readdirSync(folder).sort(), [`${id}-access.json`, `${id}-integration.json`])
    for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
    const { seen } = JSON.parse(readFileSync(join(folder, `${id}-access.json`), 'utf8')) as { seen: object }
    const times = scene.workspace.accessRows().map(({ date_last }) => date_last)
    const inOverlap = times.filter((time) => time >= Math.max(...times) - 2 * HOUR)
    assert.equal(Object.keys(seen).length, inOverlap.length, 'only the overlap is remembered')
  })

  for (const [what, path] of [
    ['is a file', '/dev/null'],
    ['is below a file', '/dev/null/state'],
    ['cannot be created', '/proc/state'],
  ] as const) {
    test(`that ${what} is named, and nothing is asked or printed`, async (t) => {
      const scene = await setScene(t)
      const result = await scene.run('access', '--state-dir', path)
      assert.equal(result.code, 2)
      assert.ok(result.stderr.includes(path), result.stderr)
      assert.equal(reportOf(result).error?.class, 'config')
      assert.deepEqual([printedBy(result), scene.fake.requests], [[], []])
    })
  }

  test('keeps the states of two teams and of two --team-id apart', async (t) => {
    const [one, other] = [await setScene(t), await setScene(t, { seed: 2 })]
    await one.run('access')
    const there = await other.run('access', '--state-dir', one.folder)
    assert.deepEqual(printedBy(there), shownIn(other))
    assert.match(there.stderr, new RegExp(`holds only the state of ${one.workspace.team.id}`))
    for (const id of ['T0FIRST001', 'T0SECOND01']) {
      assert.deepEqual(printedBy(await one.run('access', '--team-id', id)), shownIn(one))
      assert.deepEqual(printedBy(await one.run('access', '--team-id', id)), [])
    }
    assert.deepEqual(printedBy(await one.run('access')), [])
    assert.equal(readdirSync(one.folder).length, 4)
  })
})

describe('a state file', () => {
  const edited = (change: object) => (state: string) =>
    JSON.stringify({ ...(JSON.parse(state) as object), ...change })
  for (const [what, spoil, code, message] of [
    ['that is cut', (state: string) => state.slice(0, state.length / 2), 'malformed', /is damaged/],
    ['of slack-auditor 1.1', edited({ version: 2, order: 'time' }), 'older', /1\.x: delete it/],
    ['of another team', edited({ team: 'T0OTHER001' }), 'foreign', /another team \(T0OTHER001/],
  ] as const) {
    test(`${what} is named and left as it is, and the other log is read`, async (t) => {
      const scene = await setScene(t)
      await scene.run('access')
      const spoilt = spoil(readFileSync(scene.fileOf(), 'utf8'))
      writeFileSync(scene.fileOf(), spoilt)
      addNewRows(scene, 1)
      const result = await scene.run()
      assert.equal(result.code, 1)
      assert.match(result.stderr, message)
      assert.ok(result.stderr.includes(scene.fileOf()))
      assert.equal(readFileSync(scene.fileOf(), 'utf8'), spoilt)
      assert.deepEqual(printedBy(result), [])
      assert.deepEqual(printedBy(result, 'integration'), shownIn(scene, 'integration'))
      const { error, watermark } = reportOf(result)
      assert.deepEqual([error?.class, error?.code, watermark], ['state', code, null])
      assert.equal(reportOf(result, 'integration').outcome, 'success')
      assert.equal(readdirSync(scene.folder).length, 2, 'no lock is left')
    })
  }

  test('with a watermark from the future, as after a clock that was wrong, does not keep new rows back', async (t) => {
    const scene = await setScene(t)
    await scene.run('access')
    writeFileSync(scene.fileOf(), edited({ watermark: NOW + DAY })(readFileSync(scene.fileOf(), 'utf8')))
    addNewRows(scene, 1)
    const result = await scene.run('access')
    assert.equal(printedBy(result).length, 1)
    assert.match(result.stderr, /is in the future: was the clock set back\?/)
    addNewRows(scene, 1)
    const next = await scene.run('access')
    assert.equal(printedBy(next).length, 1)
    assert.doesNotMatch(next.stderr, /future/)
  })

  test('is not carried into the future by a row that is dated there', async (t) => {
    const scene = await setScene(t)
    const odd = scene.workspace.addAccess({ date_last: NOW + 30 * DAY })
    const first = await scene.run('access')
    assert.ok(printedBy(first).includes(JSON.stringify(odd)))
    assert.equal(reportOf(first).watermark, NOW)
    const late = scene.workspace.addAccess({ date_last: NOW - HOUR })
    assert.deepEqual(printedBy(await scene.run('access')), [JSON.stringify(late)])
  })
})

describe('deliver, then remember:', () => {
  test('a run that dies at any moment leaves a state from which nothing is lost, and repeats have equal ids', async (t) => {
    const scene = await setScene(t, { maxPageRows: 30 })
    await scene.run()
    const old = readFileSync(scene.fileOf(), 'utf8')
    const added = addNewRows(scene, 70)
    // What each moment of the run would leave on the disk, if it were the last.
    const moments: { folder: string; printed: string }[] = []
    const stdout = keeper({
      onChunk: () => {
        const folder = join(folderOf(t), 'state')
        cpSync(scene.folder, folder, { recursive: true })
        moments.push({ folder, printed: stdout.text() })
      },
    })
    assert.equal(await begin(scene.args, { SLACK_TOKEN: TOKEN }, scene.time(), stdout).exitCode, 0)
    const whole = idsIn(stdout.text())
    assert.equal(whole.length, added.length)
    assert.ok(moments.length >= 4, 'three pages and the reports')
    assert.equal(readdirSync(scene.folder).length, 2, 'the two states')
    for (const [index, { folder, printed }] of moments.entries()) {
      const isReported = index === moments.length - 1
      const path = join(folder, basename(scene.fileOf()))
      assert.equal(readFileSync(path, 'utf8'), old, 'nothing is remembered before the last line is taken')
      assert.ok(existsSync(`${path}.lock`))
      assert.equal(existsSync(`${path}.tmp`), isReported, 'the new state is ready when the run is reported')
      if (isReported) assert.equal(readFileSync(`${path}.tmp`, 'utf8'), readFileSync(scene.fileOf(), 'utf8'))
      const again = await scene.run('access', '--state-dir', folder)
      assert.deepEqual(idsOf(again).sort(), whole.toSorted(), `after ${printed.length} characters`)
      assert.equal(reportOf(again).error?.code, isReported ? 'last_save' : undefined)
      assert.deepEqual(idsOf(await scene.run('access', '--state-dir', folder)), [])
    }
  })

  function idsIn(text: string): string[] {
    const result = { stdout: text } as Finished
    return wholeLines(result).flatMap(({ dataset, id }) => (dataset === 'slack.access' ? [id] : []))
  }

  test('the built program leaves the old state if its reader goes away, its disk is full, or a signal ends it', async (t) => {
    const scene = await setScene(t, { accessRows: 40, maxPageRows: 100 })
    // Without a report, whose lines would fail too.
    const args = [...scene.args.filter((arg) => arg !== '--report'), 'access']
    await scene.run('access')
    const old = readFileSync(scene.fileOf(), 'utf8')
    addNewRows(scene, 300)
    let secondPage = gate()
    let hangs = false
    scene.server.fault = (method, _, { cursor }) => {
      if (!hangs || method !== ACCESS || cursor === undefined) return undefined
      secondPage.open()
      return { kind: 'hang' }
    }
    const killed = async (signal: NodeJS.Signals) => {
      hangs = true
      secondPage = gate()
      const child = start(args)
      const ended = finished(child)
      await secondPage.passed
      child.kill(signal)
      hangs = false
      return ended
    }
    const ends: [how: string, end: () => Promise<Finished>, printed: number | undefined][] = [
      ['a reader that goes away', () => shell('"$@" | head -n 1', args), 1],
      ['a full disk behind stdout', () => shell('exec "$@" > /dev/full', args), 0],
      ['SIGTERM', () => killed('SIGTERM'), 100],
      ['SIGKILL', () => killed('SIGKILL'), 100],
    ]
    const printed: string[] = []
    for (const [how, end, count] of ends) {
      const result = await end()
      assert.equal(readFileSync(scene.fileOf(), 'utf8'), old, how)
      const ids = idsIn(result.stdout)
      assert.equal(ids.length, count, how)
      printed.push(...ids)
    }
    // The lock of the killed run is dead; the wait for it takes no time here.
    const again = new Set(idsOf(await scene.run('access')))
    assert.equal(again.size, 300)
    assert.deepEqual(
      printed.filter((id) => !again.has(id)),
      [],
    )
    assert.equal(readdirSync(scene.folder).length, 1)
  })
})

describe('a run with nothing new', () => {
  for (const order of ['date_last', 'date_first'] as const) {
    test(`reads the pages of one look-back and at most two more, of a log sorted by ${order}`, async (t) => {
      const scene = await setScene(t, {
        ...{ order, filter: order, accessRows: 8000, days: 40, odd: false, maxPageRows: 50 },
      })
      const first = await scene.run('access', '--since', String(NOW - 10 * DAY))
      assert.equal(first.code, 0, first.stderr)
      const before = scene.pages()
      const idle = await scene.run('access')
      const { lookback_s, longest_row_s, complete, rows_printed } = reportOf(idle)
      assert.deepEqual([complete, rows_printed], [true, 0])
      assert.equal(lookback_s, Math.max(2 * longest_row_s, longest_row_s + DAY))
      assert.ok(longest_row_s > 0 && longest_row_s <= DAY)
      const floor = NOW - 2 * HOUR - lookback_s
      const above = scene.workspace.accessRows().filter((row) => row[order] >= floor - 60).length
      const pages = scene.pages() - before
      assert.ok(pages <= Math.ceil(above / 50) + 2, `${pages} pages for ${above} rows`)
    })
  }
})

describe('the look-back', () => {
  test('is that of --lookback where it is given', async (t) => {
    const scene = await setScene(t)
    assert.equal(reportOf(await scene.run('access', '--lookback', '5d')).lookback_s, 5 * DAY)
  })

  test('rests on the longest row of two runs; one that is cut never lowers it', async (t) => {
    const scene = await setScene(t, { accessRows: 0, maxPageRows: 20 })
    const { workspace } = scene
    workspace.addAccess({ date_last: NOW - 10 * DAY, date_first: NOW - 10 * DAY - 72_000, user_id: 'U1' })
    for (let row = 0; row < 40; row += 1)
      workspace.addAccess({ date_last: NOW - 5 * DAY + row, user_id: 'U1' })
    for (const [more, longest] of [
      [[], 72_000],
      [['--max-rows', '5'], 72_000],
      [['--max-rows', '5'], 72_000],
      [[], 72_000],
      [[], 0],
    ] as const) {
      addNewRows(scene, 30)
      const { longest_row_s, complete } = reportOf(await scene.run('access', ...more))
      assert.deepEqual([longest_row_s, complete], [longest, more.length === 0])
    }
  })
})
