import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { type Reader, readerOf, stateFor } from '../../src/state/reader.ts'
import { emptyState, type State } from '../../src/state/state.ts'
import { cleanEnvironment, type Line, PROGRAM, TOKEN } from '../program.ts'
import { ACCESS, addNewRows, idsOf, NOW, setScene, shownIn } from '../scene.ts'

const ONE: Reader = { pid: 7, started: '100', boot: 'a' }
const BEFORE: State = emptyState(1)
const AFTER: State = emptyState(2)

describe('a run continues from', () => {
  for (const [what, reader, lastReader, expected] of [
    ['the newer state, if the same process reads it', { ...ONE }, ONE, AFTER],
    ['the newer state, if nothing is known of processes but their numbers', ...unknown(7, 7), AFTER],
    ['the newer state, if it is not told its reader', undefined, ONE, AFTER],
    ['the newer state, if the last run was not told its reader', ONE, undefined, AFTER],
    ['the older state, if another process reads it', { ...ONE, pid: 8 }, ONE, BEFORE],
    [
      'the older state, if its reader got the number of an older one',
      { ...ONE, started: '101' },
      ONE,
      BEFORE,
    ],
    ['the older state, if the machine was started again', { ...ONE, boot: 'b' }, ONE, BEFORE],
    ['the older state, if the number differs where nothing else is known', ...unknown(7, 8), BEFORE],
  ] as [string, Reader | undefined, Reader | undefined, State][]) {
    test(what, () => {
      const undelivered = lastReader && { reader: lastReader, state: BEFORE }
      assert.deepEqual(stateFor({ state: AFTER, undelivered }, reader), {
        state: expected,
        lost: expected === BEFORE,
      })
    })
  }

  function unknown(...pids: number[]): Reader[] {
    return pids.map((pid) => ({ pid, started: null, boot: null }))
  }
})

const skip = existsSync('/proc/self/stat') ? false : 'needs /proc'

describe('a process', { skip }, () => {
  test('is known by its number, the time it started and the boot, whatever its name is', async (t) => {
    const own = readerOf(process.pid)
    assert.equal(own.pid, process.pid)
    assert.match(own.boot ?? '', /^[0-9a-f-]{36}$/)
    const script = 'echo started; read go; printf "a) S 1 (b" > /proc/$$/comm; echo renamed; read go'
    const child = spawn('sh', ['-c', script])
    t.after(() => child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await lines.next()
    const started = readerOf(child.pid ?? 0)
    child.stdin.write('go\n')
    await lines.next()
    assert.deepEqual(readerOf(child.pid ?? 0), started)
    assert.ok(Number(started.started) > Number(own.started), `${started.started} after ${own.started}`)
    assert.equal(started.boot, own.boot)
  })

  test('that does not exist has no start time', () => {
    assert.deepEqual(readerOf(2 ** 30), { ...readerOf(process.pid), pid: 2 ** 30, started: null })
  })
})

/** A run whose lines a reader took: its exit code, its lines on stdout, and stderr. */
interface Taken {
  code: number
  text: string[]
  stderr: string
}

/**
 * A process that runs the program as Logstash's exec input does: through a shell whose parent it is. Each line it is sent
 * holds the arguments of a run.
 */
function startReader(t: TestContext) {
  const command = '"$@" --reader "$PPID"; echo "exit $?"'
  const script = `while read -r line; do sh -c '${command}' sh "$@" $line; echo end >&2; done`
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, PROGRAM], {
    env: cleanEnvironment({ SLACK_TOKEN: TOKEN }),
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.once('close', resolve))
  const out = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const err = createInterface({ input: child.stderr })[Symbol.asyncIterator]()
  const until = async (lines: AsyncIterator<string>, end: RegExp): Promise<[string[], string]> => {
    for (const taken: string[] = []; ; ) {
      const { value, done } = await lines.next()
      assert.ok(!done, 'the reader died')
      if (end.test(value)) return [taken, value]
      taken.push(value)
    }
  }
  return {
    async run(...args: string[]): Promise<Taken> {
      child.stdin.write(`${args.join(' ')}\n`)
      const [[text, exit], [errors]] = await Promise.all([until(out, /^exit \d+$/), until(err, /^end$/)])
      return { code: Number(exit.slice('exit '.length)), text, stderr: errors.join('\n') }
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const entryIds = ({ text }: Taken): string[] =>
  text
    .map((line) => JSON.parse(line) as Line)
    .flatMap(({ dataset, id }) => (dataset === 'slack.access' ? [id] : []))

const LOST =
  /another process read the last run and may have lost it, so its lines are printed again, with the same ids/
const LOST_IN_CHECK = /another process read that run, so its lines will be printed again/

test('what a reader may have lost when it died is printed again to the next one, and nothing else', {
  skip,
}, async (t) => {
  const scene = await setScene(t, { accessRows: 60, integrationRows: 0, days: 5 })
  const args = ['access', ...scene.args]
  const since = NOW - 2 * 86_400
  const wanted = scene.workspace.accessRows().filter(({ date_last }) => date_last >= since)

  const first = startReader(t)
  const run1 = await first.run(...args, '--since', String(since))
  assert.equal(run1.code, 0, run1.stderr)
  assert.equal(entryIds(run1).length, wanted.length)
  assert.ok(wanted.length > 5 && wanted.length < shownIn(scene).length)
  const check = ['check', 'access', ...scene.args.slice(0, 4)]
  const good = await first.run(...check)
  assert.deepEqual([good.code, LOST_IN_CHECK.test(good.text.join())], [0, false], good.text.join())
  await first.kill()

  // The first run ever was lost: the next one starts from nothing, with the --since of the first.
  const second = startReader(t)
  const checked = await second.run(...check)
  assert.deepEqual([checked.code, LOST_IN_CHECK.test(checked.text.join())], [0, true], checked.text.join())
  const run2 = await second.run(...args, '--since', String(NOW - 86_400))
  assert.deepEqual(entryIds(run2), entryIds(run1))
  assert.match(run2.stderr, LOST)

  // The same reader starts another run: it has all lines of the one before.
  addNewRows(scene, 3)
  const run3 = await second.run(...args)
  assert.equal(entryIds(run3).length, 3)
  assert.doesNotMatch(run3.stderr, LOST)
  await second.kill()

  // By hand, the newer state counts, and what is saved then counts as delivered.
  const copy = join(scene.folder, 'copy')
  cpSync(scene.fileOf(), join(copy, `${scene.workspace.team.id}-access.json`))
  const byHand = await scene.run('access', '--state-dir', copy)
  assert.deepEqual([byHand.code, idsOf(byHand)], [0, []])
  assert.doesNotMatch(byHand.stderr, LOST)

  const third = startReader(t)
  const afterHand = await third.run(...args, '--state-dir', copy)
  assert.deepEqual([afterHand.code, entryIds(afterHand)], [0, []])
  assert.doesNotMatch(afterHand.stderr, LOST)
  const run4 = await third.run(...args)
  assert.deepEqual(entryIds(run4), entryIds(run3), 'the lines of the last run, and no others')
  assert.match(run4.stderr, LOST)
})

test('a run that read nothing still shows that the lines of the last run were delivered', async (t) => {
  const scene = await setScene(t, { accessRows: 60, integrationRows: 0 })
  const mine = ['access', '--reader', String(process.pid)]
  assert.equal(idsOf(await scene.run(...mine)).length, 60)
  scene.server.fault = (method) => (method === ACCESS ? { kind: 'error', error: 'paid_only' } : undefined)
  assert.equal((await scene.run(...mine)).code, 1)
  scene.server.fault = () => undefined
  const other = await scene.run('access', '--reader', String(process.ppid))
  assert.deepEqual([other.code, idsOf(other)], [0, []])
})
