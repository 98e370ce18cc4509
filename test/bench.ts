/**
 * Measures start-up, speed, memory and requests of the built file against their goals and prints a Markdown table.
 * Contestants take turns, so that whatever else the machine does affects all of them. Medians are compared.
 */
import assert from 'node:assert/strict'
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type FakeServer, serve } from './fake-slack/server.ts'
import { Slack } from './fake-slack/slack.ts'
import { Workspace } from './fake-slack/workspace.ts'
import { cleanEnvironment, PROGRAM, TOKEN } from './program.ts'

const START_PAIRS = 21
const ROUNDS = 5
/** Of the loop of curl and jq, which takes so long that chance weighs little. */
const SLOW_ROUNDS = 3
const MEMORY_ROUNDS = 3

const ROWS = 200_000
const MORE_ROWS = 600_000
const BACKFILL_ROWS = 500_000
const BACKFILL_DAYS = 3 * 365
const BACKFILL_STEP = 50_000
/** Rows of a page. */
const PAGE = 999
const OVERLAP_SECONDS = 2 * 3600

/** Pages an access log as one would by hand. */
const CURL_AND_JQ = `
set -e
page=$(mktemp)
trap 'rm "$page"' EXIT
cursor=
while :; do
  curl -sS -H "Authorization: Bearer $SLACK_TOKEN" -d limit=${PAGE} --data-urlencode "cursor=$cursor" \\
    "\${SLACK_API_URL}team.accessLogs" >"$page"
  jq -c '.logins[]' "$page"
  cursor=$(jq -r '.response_metadata.next_cursor // ""' "$page")
  [ -n "$cursor" ] || break
done`

/** The least that Node can do: fetch, parse, print each row, one awaited write a page. */
const BARE_LOOP = `
const headers = { authorization: 'Bearer ' + process.env.SLACK_TOKEN }
let cursor = ''
do {
  const body = new URLSearchParams({ limit: '${PAGE}', cursor })
  const response = await fetch(process.env.SLACK_API_URL + 'team.accessLogs', { method: 'POST', headers, body })
  const page = JSON.parse(await response.text())
  const chunk = page.logins.map((row) => JSON.stringify(row) + '\\n').join('')
  await new Promise((taken) => process.stdout.write(chunk, taken))
  cursor = page.response_metadata.next_cursor
} while (cursor)`

/**
 * Writes to fd 3, at the very end, the most memory the process ever had, in KiB. Not resourceUsage().maxRSS where there
 * is a better source: on Linux that begins with what the parent had when it forked.
 */
const WRITE_PEAK = `
import { readFileSync, writeSync } from 'node:fs'
process.on('exit', () => {
  let peak = process.resourceUsage().maxRSS
  try { peak = /^VmHWM:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1] } catch {}
  writeSync(3, String(peak))
})`

/** A row of the table. `ok` is undefined where nothing could be measured. */
interface Result {
  what: string
  measured: string
  goal: string
  ok: boolean | undefined
}

const results: Result[] = []

function note(what: string, measured: string, goal: string, ok: boolean | undefined): void {
  results.push({ what, measured, goal, ok })
}

function progress(what: string): void {
  process.stderr.write(`${what} …\n`)
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}

const number = (value: number): string => value.toLocaleString('en-US')
const times = (ratio: number): string => `${ratio.toFixed(2)} ×`
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

interface Run {
  ms: number
  /** Lines on stdout. */
  lines: number
  lastLine: string
  /** What came on fd 3. */
  peak: string
}

/** Runs a command to its end and reads its stdout through a pipe, as fast as it comes. */
async function timed(command: string, args: readonly string[], url: string): Promise<Run> {
  const begun = performance.now()
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: cleanEnvironment({ SLACK_TOKEN: TOKEN, SLACK_API_URL: url }),
  })
  let lines = 0
  let tail = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1
    tail = (tail + chunk.toString('latin1')).slice(-10_000)
  })
  const heard = Promise.all([text(child.stderr as Readable), text(child.stdio[3] as Readable)])
  const [code] = (await once(child, 'close')) as [number | null]
  const ms = performance.now() - begun
  const [stderr, peak] = await heard
  assert.equal(code, 0, `${command} ${args[0]}: ${stderr}`)
  return { ms, lines, lastLine: tail.trimEnd().split('\n').at(-1) ?? '', peak }
}

const ours = (url: string, ...args: string[]): Promise<Run> =>
  timed(process.execPath, [PROGRAM, '--quiet', ...args], url)

/** Starts a process that serves the access log of a workspace of this size, ready-made. */
async function servePages(rows: number): Promise<{ url: string; stop: () => void }> {
  const server = fork(fileURLToPath(new URL('bench/page-server.ts', import.meta.url)), [String(rows)])
  const [url] = (await once(server, 'message')) as [string]
  return { url, stop: () => server.disconnect() }
}

function startUp(): void {
  progress('start-up')
  const start = (...args: string[]): number => {
    const begun = performance.now()
    assert.equal(spawnSync(process.execPath, args, { env: cleanEnvironment() }).status, 0)
    return performance.now() - begun
  }
  const pairs = Array.from({ length: START_PAIRS }, () => {
    const bare = start('-e', '0')
    return { bare, built: start(PROGRAM, '--version') }
  })
  const built = Math.round(median(pairs.map((pair) => pair.built)))
  const bare = Math.round(median(pairs.map((pair) => pair.bare)))
  const ratio = median(pairs.map((pair) => pair.built / pair.bare))
  note(
    `Start-up: \`--version\` (${built} ms) against \`node -e 0\` (${bare} ms)`,
    times(ratio),
    'at most 1.35 ×',
    ratio <= 1.35,
  )
}

function missing(): string | undefined {
  return ['bash', 'curl', 'jq'].find((tool) => spawnSync(tool, ['--version']).status !== 0)
}

async function speed(url: string): Promise<void> {
  const lacking = missing()
  const spent = { ours: [] as number[], bare: [] as number[], curl: [] as number[] }
  const compete = async (name: keyof typeof spent, run: Promise<Run>): Promise<void> => {
    const { ms, lines } = await run
    assert.equal(lines, ROWS, `lines of ${name}`)
    spent[name].push(ms)
  }
  // So that all answers are made.
  await ours(url, 'access')
  await timed('bash', ['-c', CURL_AND_JQ], url)
  for (let round = 0; round < ROUNDS; round += 1) {
    progress(`speed, round ${round + 1} of ${ROUNDS}`)
    await compete('ours', ours(url, 'access'))
    await compete('bare', timed(process.execPath, ['--input-type=module', '-e', BARE_LOOP], url))
    if (!lacking && round < SLOW_ROUNDS) await compete('curl', timed('bash', ['-c', CURL_AND_JQ], url))
  }
  const own = median(spent.ours)
  const bare = median(spent.bare)
  note(
    `${number(ROWS)} rows (${seconds(own)}) against fetch, parse and print in Node (${seconds(bare)})`,
    `${times(own / bare)} its time`,
    'at most 1.75 ×',
    own / bare <= 1.75,
  )
  const contest = `${number(ROWS)} rows against a loop of curl and jq`
  if (lacking) {
    note(contest, `skipped: no ${lacking} here`, 'at least 5 × as fast', undefined)
  } else {
    const curl = median(spent.curl)
    note(
      `${contest} (${seconds(curl)})`,
      `${times(curl / own)} as fast`,
      'at least 5 × as fast',
      curl / own >= 5,
    )
  }
}

/** V8 collects garbage as late as it may. A small old generation shows what the program really holds. */
const SMALL_HEAP = '--max-old-space-size=64'

async function memory(url: string): Promise<void> {
  const peakMiB = async (from: string, rows: number, ...flags: string[]): Promise<number> => {
    const preload = `data:text/javascript,${encodeURIComponent(WRITE_PEAK)}`
    const args = [...flags, '--import', preload, PROGRAM, '--quiet', 'access']
    const { peak, lines } = await timed(process.execPath, args, from)
    assert.equal(lines, rows)
    return Number(peak) / 1024
  }
  const more = await servePages(MORE_ROWS)
  const peaks = {
    some: [] as number[],
    more: [] as number[],
    small: [] as number[],
    smallMore: [] as number[],
  }
  for (let round = 0; round < MEMORY_ROUNDS; round += 1) {
    progress(`memory, round ${round + 1} of ${MEMORY_ROUNDS}`)
    peaks.some.push(await peakMiB(url, ROWS))
    peaks.more.push(await peakMiB(more.url, MORE_ROWS))
    peaks.small.push(await peakMiB(url, ROWS, SMALL_HEAP))
    peaks.smallMore.push(await peakMiB(more.url, MORE_ROWS, SMALL_HEAP))
  }
  more.stop()
  const mib = (values: readonly number[]): string => `${Math.round(median(values))} MiB`
  note(
    `Peak memory at ${number(ROWS)} and ${number(MORE_ROWS)} rows`,
    `${mib(peaks.some)}, ${mib(peaks.more)}`,
    '-',
    undefined,
  )
  const ratio = median(peaks.smallMore) / median(peaks.small)
  note(
    `The same with \`NODE_OPTIONS=${SMALL_HEAP}\` (${mib(peaks.small)}, ${mib(peaks.smallMore)})`,
    times(ratio),
    'at most 1.2 ×',
    ratio <= 1.2,
  )
}

type Sorted = 'date_last' | 'date_first'

/** A fake Slack that sorts by this field and compares `before` with the same, and a folder to remember in. */
async function withSlack(
  options: { accessRows: number; days: number },
  order: Sorted,
  use: (server: FakeServer, workspace: Workspace, state: string) => Promise<void>,
): Promise<void> {
  progress(`requests, ${number(options.accessRows)} rows sorted by ${order}`)
  const workspace = new Workspace({ seed: 2, now: Math.floor(Date.now() / 1000), ...options })
  const server = await serve(new Slack({ workspace, order, filter: order }))
  const folder = await mkdtemp(join(tmpdir(), 'slack-auditor-bench-'))
  try {
    await use(server, workspace, folder)
  } finally {
    await server.close()
    await rm(folder, { recursive: true })
  }
}

async function requestsWithNothingNew(order: Sorted, rowsPerDay: number): Promise<void> {
  const days = 40
  await withSlack({ accessRows: rowsPerDay * days, days }, order, async (server, workspace, state) => {
    const run = () => ours(server.url, '--state-dir', state, '--report', 'access')
    await run()
    server.requests.length = 0
    const { lines, lastLine } = await run()
    assert.equal(lines, 1, 'nothing was new')
    const { lookback_s } = (JSON.parse(lastLine) as { run: { lookback_s: number } }).run
    const oldest = workspace.now - OVERLAP_SECONDS - lookback_s
    const pages = Math.ceil(workspace.accessRows().filter((row) => row[order] >= oldest).length / PAGE)
    const requests = server.requests.filter(({ method }) => method === 'team.accessLogs').length
    note(
      `Requests of a run with nothing new: ${number(rowsPerDay)} rows a day sorted by \`${order}\`, ` +
        `a look-back of ${(lookback_s / 86_400).toFixed(1)} days on ${pages} pages`,
      String(requests),
      `at most ${pages + 2}`,
      requests <= pages + 2,
    )
  })
}

async function backfill(order: Sorted): Promise<void> {
  await withSlack({ accessRows: BACKFILL_ROWS, days: BACKFILL_DAYS }, order, async (server, _, state) => {
    const begun = performance.now()
    let printed = 0
    let runs = 0
    for (let gaps = 1; gaps > 0; runs += 1) {
      const args = ['--state-dir', state, '--max-rows', String(BACKFILL_STEP), '--report', 'access']
      const { lines, lastLine } = await ours(server.url, ...args)
      gaps = (JSON.parse(lastLine) as { run: { gaps: number } }).run.gaps
      printed += lines - 1
    }
    assert.equal(printed, BACKFILL_ROWS)
    const pages = Math.ceil(BACKFILL_ROWS / PAGE)
    const read = server.requests.filter(({ method }) => method === 'team.accessLogs').length
    const took = seconds(performance.now() - begun)
    note(
      `${number(BACKFILL_ROWS)} rows of three years sorted by \`${order}\` in ${runs} runs of ` +
        `\`--max-rows ${BACKFILL_STEP}\` (${took}): pages read of ${pages}`,
      `${read}: ${times(read / pages)}`,
      'at most 1.08 ×',
      read / pages <= 1.08,
    )
  })
}

function table(): string {
  const verdict = (ok: boolean | undefined): string => (ok === undefined ? '-' : ok ? 'ok' : 'missed')
  const rows = results.map(({ what, measured, goal, ok }) => [what, measured, goal, verdict(ok)])
  return [['What', 'Measured', 'Goal', ''], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

startUp()
const pages = await servePages(ROWS)
await speed(pages.url)
await memory(pages.url)
pages.stop()
for (const rowsPerDay of [1000, 5000]) {
  for (const order of ['date_last', 'date_first'] as const) await requestsWithNothingNew(order, rowsPerDay)
}
for (const order of ['date_last', 'date_first'] as const) await backfill(order)

console.log(`Node ${process.versions.node}, ${availableParallelism()} cores\n\n${table()}`)
if (results.some(({ ok }) => ok === false)) process.exitCode = 1
