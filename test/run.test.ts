import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { start } from '../src/cli.ts'
import { begin, keeper } from './in-process.ts'
import { assertSound, type Finished, gate, reportOf, shell, TOKEN } from './program.ts'
import { ACCESS, addNewRows, idsOf, type LogName, printedBy, type Scene, setScene, shownIn } from './scene.ts'

/** What the report of a run says of its end. */
function endOf(result: Finished, log: LogName = 'access') {
  const { outcome, complete, watermark, gaps, error } = reportOf(result, log)
  return { outcome, complete, watermark, gaps, class: error?.class, code: error?.code }
}

const failure = { outcome: 'failure', complete: false, watermark: null, gaps: 0, class: 'state' } as const

/** The names in the state folder, less the team. */
const filesIn = ({ folder }: Pick<Scene, 'folder'>) =>
  readdirSync(folder)
    .map((name) => name.replace(/^T\w+-/, ''))
    .sort()

/** A workspace, and what an earlier run left: the watermark and a gap. */
async function withPast(t: TestContext) {
  const scene = await setScene(t, { maxPageRows: 40 })
  const { watermark, gaps } = reportOf(await scene.run('--max-rows', '30'))
  assert.deepEqual([typeof watermark, gaps], ['number', 1])
  return { scene, old: readFileSync(scene.fileOf(), 'utf8'), watermark, gaps }
}

describe('a state that cannot be saved', () => {
  test('is a failure in the report of a first run, with no watermark; the other log is saved', async (t) => {
    const scene = await setScene(t)
    // A folder cannot be removed as a file is.
    mkdirSync(`${scene.fileOf()}.tmp`)
    const result = await scene.run()
    assert.equal(result.code, 1)
    assert.deepEqual(endOf(result), { ...failure, code: 'save' })
    assert.match(result.stderr, /state \S+-access\.json cannot be saved: .* printed again, with the same ids/)
    assert.equal(printedBy(result).length, 120)
    const { outcome, watermark } = endOf(result, 'integration')
    const saved = JSON.parse(readFileSync(scene.fileOf('integration'), 'utf8')) as Record<string, unknown>
    assert.deepEqual([outcome, watermark], ['success', saved['watermark']])
    assert.deepEqual(filesIn(scene), ['access.json.tmp', 'integration.json'])
  })

  test('does not hide an error of Slack in the same run: stderr has both', async (t) => {
    const scene = await setScene(t, { maxPageRows: 30 })
    mkdirSync(`${scene.fileOf()}.tmp`)
    scene.server.fault = (method, nth) =>
      method === ACCESS && nth === 2 ? { kind: 'error', error: 'no_permission' } : undefined
    const { code, stderr } = await scene.run('access')
    assert.equal(code, 1)
    assert.match(stderr, /access: team\.accessLogs: no_permission: .*\n.*cannot be saved/)
  })

  for (const [what, blocks, code] of [
    ['for the state', 1, 'save'],
    ['not even for the lock', 0, 'lock'],
  ] as const) {
    test(`because there is no room, ${what}, is a failure of the built program that leaves the old state alone`, async (t) => {
      const { scene, old, watermark, gaps } = await withPast(t)
      const added = addNewRows(scene, 100)
      const script = `ulimit -f ${blocks}; exec "$@"`
      const failed = assertSound(await shell(script, [...scene.args, 'access', '--max-rows', '200']))
      assert.equal(failed.code, 1)
      const known = code === 'save' ? { watermark, gaps } : {}
      assert.deepEqual(endOf(failed), { ...failure, ...known, code })
      assert.match(failed.stderr, /EFBIG/)
      assert.doesNotMatch(failed.stderr, /later runs read the rest/)
      assert.equal(readFileSync(scene.fileOf(), 'utf8'), old)
      assert.deepEqual(filesIn(scene), ['access.json', 'integration.json'])

      const healed = await scene.run('access')
      assert.equal(healed.code, 0)
      assert.equal(printedBy(healed).length, added.length + 80)
      const again = new Set(idsOf(healed))
      assert.ok(idsOf(failed).every((id) => again.has(id)))
      assert.equal(idsOf(failed).length > 0, code === 'save')
    })
  }

  test('in its place, after the report, is exit 1; the report of the next run says so, and that run heals it', async (t) => {
    const scene = await setScene(t)
    scene.server.beforeAnswer = (method) => {
      if (method === ACCESS) mkdirSync(scene.fileOf())
    }
    const failed = await scene.run()
    assert.deepEqual([failed.code, endOf(failed).outcome], [1, 'success'])
    assert.match(failed.stderr, /access\.json cannot be saved: it is a folder \(EISDIR\)/)
    assert.deepEqual(filesIn(scene), ['access.json', 'access.json.tmp', 'integration.json'])
    rmdirSync(scene.fileOf())
    delete scene.server.beforeAnswer

    const { watermark } = endOf(failed)
    const told = await scene.run()
    assert.equal(told.code, 1)
    assert.deepEqual(endOf(told), { ...failure, watermark, code: 'last_save' })
    assert.match(told.stderr, /the last run printed its lines but did not save state \S+-access\.json/)
    assert.equal(endOf(told, 'integration').outcome, 'success')
    assert.deepEqual(idsOf(told), idsOf(failed))
    assert.deepEqual(filesIn(scene), ['access.json', 'integration.json'])

    const healed = await scene.run()
    assert.deepEqual([healed.code, endOf(healed).outcome, printedBy(healed)], [0, 'success', []])
  })
})

test('a report that cannot be printed leaves the old state, and nothing beside it', async (t) => {
  const { scene, old } = await withPast(t)
  addNewRows(scene, 5)
  const stdout = keeper({ failingAt: 'slack.auditor' })
  const { exitCode, err } = begin([...scene.args], { SLACK_TOKEN: TOKEN }, scene.time(), stdout)
  assert.equal(await exitCode, 1)
  assert.ok(stdout.text().includes('slack.access'), 'the entries were printed')
  assert.match(err.text(), /nobody reads stdout any more/)
  assert.equal(readFileSync(scene.fileOf(), 'utf8'), old)
  assert.deepEqual(filesIn(scene), ['access.json', 'integration.json'])
  const next = await scene.run('access')
  assert.deepEqual([next.code, endOf(next).outcome], [0, 'success'])
})

test('a log lets go of its lock as soon as its state is saved, for a signal says that nothing was', async (t) => {
  const scene = await setScene(t)
  let atTheEnd: string[] = []
  const stderr = keeper({ onChunk: () => (atTheEnd = filesIn(scene)) })
  const streams = { stdout: keeper().stream, stderr: stderr.stream }
  assert.equal(await start(scene.args, { SLACK_TOKEN: TOKEN }, streams, scene.time()).exitCode, 0)
  assert.match(stderr.chunks.at(-1) ?? '', /^slack-auditor: integration: .* complete\n$/)
  assert.deepEqual(atTheEnd, ['access.json', 'integration.json.lock', 'integration.json.tmp'])
})

describe('a run whose lock', () => {
  const OTHER = '0123456789abcdef'
  const take = (lock: string) => writeFileSync(lock, OTHER)
  for (const [what, page, end, rows] of [
    ['another run took asks for no further page', 2, take, 40],
    ['was removed asks for no further page', 2, rmSync, 40],
    ['another run took during the last page', 4, take, 85],
  ] as const) {
    test(`${what}, saves nothing, and leaves the lock and the other log alone`, async (t) => {
      const { scene, old, watermark, gaps } = await withPast(t)
      addNewRows(scene, 5)
      const [before, lock] = [scene.pages(), `${scene.fileOf()}.lock`]
      scene.server.beforeAnswer = (method) => {
        if (method === ACCESS && scene.pages() - before === page) end(lock)
      }
      const result = await scene.run()
      assert.deepEqual([result.code, scene.pages() - before, printedBy(result).length], [1, page, rows])
      assert.deepEqual(endOf(result), { ...failure, watermark, gaps, code: 'lock_lost' })
      const said = result.stderr.match(/access\.json was taken over by another run, or its lock was removed/g)
      assert.equal(said?.length, 1)
      assert.equal(readFileSync(scene.fileOf(), 'utf8'), old)
      assert.equal(endOf(result, 'integration').outcome, 'success')
      const left = end === take ? ['access.json.lock'] : []
      assert.deepEqual(filesIn(scene), ['access.json', ...left, 'integration.json'])
      if (end === take) assert.equal(readFileSync(lock, 'utf8'), OTHER)
    })
  }
})

describe('a second run on the same state', () => {
  /** A first run that hangs at its second page, and a second one that is told of each of its waits. */
  async function together(t: TestContext) {
    const [hanging, goOn] = [gate(), gate()]
    const scene = await setScene(t, { maxPageRows: 50 })
    let pages = 0
    scene.server.beforeAnswer = async (method) => {
      if (method !== ACCESS) return
      pages += 1
      if (pages !== 2) return
      hanging.open()
      await goOn.passed
    }
    t.after(goOn.open)
    const first = scene.run('access')
    await hanging.passed
    const second = (onWait: (nth: number, lock: string) => unknown) => {
      let waits = 0
      const time = scene.time()
      return scene.runAt(
        {
          ...time,
          async sleep(ms, signal) {
            await time.sleep(ms, signal)
            waits += 1
            await onWait(waits, `${scene.fileOf()}.lock`)
          },
        },
        'access',
      )
    }
    return { scene, first, second, goOn: goOn.open }
  }

  test('continues when the first one ends, and prints nothing again', async (t) => {
    const { scene, first, second, goOn } = await together(t)
    const result = await second(async (nth) => {
      if (nth !== 2) return
      goOn()
      await first
    })
    assert.deepEqual(printedBy(await first), shownIn(scene))
    assert.deepEqual([result.code, printedBy(result)], [0, []])
  })

  test('gives up while the first one shows signs of life, which loses nothing', async (t) => {
    const { scene, first, second, goOn } = await together(t)
    const result = await second((nth, lock) => utimesSync(lock, nth, nth))
    assert.deepEqual([result.code, endOf(result)], [1, { ...failure, code: 'locked' }])
    assert.match(result.stderr, /is in use by another run; giving up, the next run will continue/)
    assert.deepEqual(printedBy(result), [])
    goOn()
    assert.deepEqual([(await first).code, printedBy(await first)], [0, shownIn(scene)])
  })

  test('takes over from one that stands still, which then stops and saves nothing', async (t) => {
    const { scene, first, second, goOn } = await together(t)
    const result = await second(() => {})
    assert.deepEqual([result.code, printedBy(result)], [0, shownIn(scene)])
    const saved = readFileSync(scene.fileOf(), 'utf8')
    goOn()
    assert.deepEqual([(await first).code, endOf(await first)], [1, { ...failure, code: 'lock_lost' }])
    assert.equal(readFileSync(scene.fileOf(), 'utf8'), saved)
    assert.deepEqual(filesIn(scene), ['access.json'])
  })
})
