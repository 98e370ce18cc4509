/** `npm run fake-slack`, as README and manual use it. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment, finished } from '../program.ts'

const SCRIPT = fileURLToPath(new URL('../fake-slack.ts', import.meta.url))

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', SCRIPT, ...args], { env: cleanEnvironment() })
}

/** The variables that it prints, once it listens. */
async function exportsOf(child: ChildProcess): Promise<Record<string, string>> {
  const variables: Record<string, string> = {}
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [, name, value] = /^export (\w+)=(\S+)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) variables[name] = value
    else if (line.startsWith('#')) return variables
  }
  throw new Error('it ended before it listened')
}

test('the fake workspace prints how to reach it, grows while it runs, and ends with Ctrl-C', async (t) => {
  const child = start('--port', '0', '--rows', '50', '--per-hour', '36000')
  t.after(() => child.kill('SIGKILL'))
  const closed = new Promise((resolve) => child.on('close', (code) => resolve(code)))
  const { SLACK_API_URL = '', SLACK_TOKEN = '' } = await exportsOf(child)
  const rows = async (): Promise<number> => {
    const answer = await fetch(`${SLACK_API_URL}team.accessLogs?count=1`, {
      headers: { authorization: `Bearer ${SLACK_TOKEN}` },
    })
    return ((await answer.json()) as { paging: { total: number } }).paging.total
  }
  const first = await rows()
  assert.ok(first >= 50)
  while ((await rows()) === first);
  child.kill('SIGINT')
  assert.equal(await closed, 0)
})

test('an option that it does not know, or a value that does not fit, ends it with one line', async () => {
  for (const args of [
    ['--ports', '1'],
    ['--rows', 'many'],
    ['--order', 'date'],
  ]) {
    const { code, stdout, stderr } = await finished(start(...args))
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /^fake-slack: [^\n]+\n$/)
  }
})
