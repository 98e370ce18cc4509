// npm run test:logstash: the bundled pipeline on a real Logstash, with the built program and a fake Slack.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type FakeServer, serve } from '../fake-slack/server.ts'
import { Slack } from '../fake-slack/slack.ts'
import { PROGRAM, run, TOKEN } from '../program.ts'
import { parseConfig, pluginsOf } from './config.ts'
import { oddLines } from './odd-lines.ts'
import { eventsOf } from './pipeline.ts'
import { findLogstash, LogstashProcess, runLogstash } from './process.ts'
import { type LogstashEvent, parseLines, SAMPLE_LINES, sampleEvents, sampleWorkspace } from './samples.ts'

const CONFIG_FOLDER = fileURLToPath(new URL('../../logstash', import.meta.url))
const INTERVAL_SECONDS = 5

/** A JVM on a busy machine takes its time to start. */
const START_SECONDS = 240
/** For a few runs of the program once all is up. */
const RUN_SECONDS = 120

const logstash = findLogstash()
if (logstash === undefined) {
  console.log(`SKIPPED: there is no Logstash here, so its side was not tested.
  Set LOGSTASH_HOME, or put the command logstash on the PATH. An archive needs no installation:
    https://www.elastic.co/downloads/past-releases?product=logstash
    tar xzf logstash-*.tar.gz && LOGSTASH_HOME="$(echo "$PWD"/logstash-*/)" npm run test:logstash`)
} else {
  console.log(`Logstash: ${logstash}. This takes some minutes.`)
  if (process.getuid?.() === 0) console.log('Logstash 9 does not start as root: use another user there.')
  testWith(logstash)
}

function testWith(logstash: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'slack-auditor-logstash-'))
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }))
  const folder = (name: string): string => {
    const path = join(scratch, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  test('Logstash accepts every combination of the configuration files', async (t) => {
    const environment = { SLACK_AUDIT_PATH: PROGRAM, ELASTICSEARCH_PASSWORD: 'x', SPLUNK_HEC_TOKEN: 'x' }
    for (const output of [undefined, ...readdirSync(join(CONFIG_FOLDER, 'outputs'))]) {
      const start = { logstash, folder: folder('check'), config: configWith(output), environment }
      await t.test(output ?? 'logstash.conf', async () => {
        const { code, output: said } = await runLogstash({ ...start, args: ['-t'] })
        assert.ok(code === 0 && said.includes('Configuration OK'), `exit code ${code}:\n${said}`)
      })
    }
    await t.test('and not without SLACK_AUDIT_PATH, which it names', async () => {
      const start = { logstash, folder: folder('check'), config: configWith(undefined), environment: {} }
      const { code, output: said } = await runLogstash({ ...start, args: ['-t'] })
      assert.ok(code !== 0 && said.includes('SLACK_AUDIT_PATH'), `exit code ${code}:\n${said}`)
    })
  })

  test('The sample lines become the sample events', async (t) => {
    const lines = join(folder('samples'), 'lines.ndjson')
    copyFileSync(SAMPLE_LINES, lines)
    const pipeline = new Pipeline(t, {
      logstash,
      folder: folder('samples'),
      config: configWith('file.conf', `cat "${lines}"; echo`),
      environment: { SLACK_AUDIT_PATH: PROGRAM, SLACK_AUDIT_INTERVAL: '3600' },
    })
    const expected = sampleEvents()
    await pipeline.step('as many events as lines', async () => {
      await pipeline.until(
        `${expected.length} events`,
        () => pipeline.events().length >= expected.length,
        START_SECONDS,
      )
    })
    await pipeline.stop()
    await pipeline.step('each with the same fields', () => assertSameEvents(pipeline.events(), expected))
  })

  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
  test(`Odd lines become events all the same (SEED=${seed})`, async (t) => {
    const lines = oddLines(seed, 500)
    const file = join(folder('odd'), 'lines.ndjson')
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
    const pipeline = new Pipeline(t, {
      logstash,
      folder: folder('odd'),
      config: configWith('file.conf', `cat "${file}"; echo`),
      environment: { SLACK_AUDIT_PATH: PROGRAM, SLACK_AUDIT_INTERVAL: '3600' },
    })
    const expected = eventsOf(lines.join('\n'))
    await pipeline.step('one event a line', async () => {
      await pipeline.until(
        `${lines.length} events`,
        () => pipeline.events().length >= lines.length,
        START_SECONDS,
      )
    })
    await pipeline.stop()
    await pipeline.step('no filter fails, and each event is as in the stand-in', () => {
      const events = pipeline.events()
      assert.equal(events.length, lines.length)
      const withId = (event: LogstashEvent): boolean => idOf(event) !== undefined
      assertSameEvents(events.filter(withId).map(comparable), expected.filter(withId).map(comparable))
    })
  })

  test('The pipeline delivers a living workspace', async (t) => {
    const home = folder('pipeline')
    const program = join(home, 'the program.cjs')
    const tokenFile = join(home, 'the token')
    const workspace = sampleWorkspace()
    const hold = new Hold()
    const slack = await serve(new Slack({ workspace }), {
      fault: (method, _nth, args) => hold.fault(method, args),
    })
    t.after(() => slack.close())
    copyFileSync(PROGRAM, program)
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 })

    const pipeline = new Pipeline(t, {
      logstash,
      folder: home,
      config: configWith('file.conf'),
      environment: {
        SLACK_API_URL: slack.url,
        SLACK_TOKEN_FILE: tokenFile,
        SLACK_AUDIT_PATH: program,
        SLACK_AUDIT_STATE: join(home, 'the state'),
        SLACK_AUDIT_INTERVAL: String(INTERVAL_SECONDS),
      },
    })
    const expected = sampleEvents()
    const expectedEntries = expected.filter((event) => !isReport(event) && idOf(event) !== undefined)

    await pipeline.step('the first run gives the sample events', async () => {
      await pipeline.untilRuns(1, START_SECONDS)
      assertSameEvents(pipeline.entries(), expectedEntries)
    })

    await pipeline.step('each run ends with two reports, with the fields of the sample report', () => {
      const sample = expected.find((event) => isReport(event) && outcomeOf(event) === 'success')
      for (const report of pipeline.reports()) {
        assert.equal(outcomeOf(report), 'success', show(report))
        assert.deepEqual(typesOf(report), typesOf(sample), show(report))
      }
    })

    await pipeline.step('two more runs, with nothing new, add reports only', async () => {
      await pipeline.untilRuns(3)
      assert.deepEqual(idsOf(pipeline.entries()), idsOf(expectedEntries))
    })

    await pipeline.step('a new row and a changed one are all that a later run adds', async () => {
      const [row] = workspace.accessRows()
      assert.ok(row)
      workspace.touch(row, workspace.now + 60)
      workspace.addAccess({ date_last: workspace.now + 120 })
      await pipeline.until('two more events', () => pipeline.entries().length >= expectedEntries.length + 2)
      await pipeline.untilRuns(2)
      const known = new Set(idsOf(expectedEntries))
      const added = pipeline.entries().filter((event) => !known.has(idOf(event) ?? ''))
      assert.equal(pipeline.entries().length, expectedEntries.length + 2)
      assert.equal(new Set(idsOf(added)).size, 2)
      const actions = added.map((event) => (event['event'] as LogstashEvent)['action'])
      assert.deepEqual(actions, ['user_access', 'user_access'])
    })

    await pipeline.step(
      'a program that prints nothing gives no event, and runs on the interval',
      async () => {
        const starts = join(home, 'starts')
        writeFileSync(starts, '')
        swap(program, recorder(starts))
        const recorded = (): number[] => readFileSync(starts, 'utf8').split('\n').filter(Boolean).map(Number)
        await pipeline.until('three runs', () => recorded().length > 0)
        // The last run of the real program may have ended after the swap; from here on all is silent.
        const before = pipeline.events().length
        await pipeline.until('three runs', () => recorded().length > 3)
        assert.equal(pipeline.events().length, before)
        for (const [index, time] of recorded().slice(1).entries()) {
          const seconds = (time - (recorded()[index] ?? 0)) / 1000
          assert.ok(seconds > INTERVAL_SECONDS - 2, `the command ran again after ${seconds} s: ${recorded()}`)
        }
        swap(program, readFileSync(PROGRAM))
        await pipeline.untilRuns(1)
      },
    )

    await pipeline.step('a token that fails shows as a failure event of each log', async () => {
      swap(tokenFile, 'xoxp-refused\n')
      const failures = (): LogstashEvent[] =>
        pipeline.reports().filter((event) => outcomeOf(event) === 'failure')
      await pipeline.until('two failures', () => failures().length >= 2)
      swap(tokenFile, `${TOKEN}\n`)
      const actions = failures().map((event) => (event['event'] as LogstashEvent)['action'])
      assert.deepEqual([...new Set(actions)].sort(), ['collect_access', 'collect_integration'])
      for (const event of failures()) {
        const { type, code, message } = event['error'] as LogstashEvent
        assert.deepEqual([type, code], ['auth', 'invalid_auth'], show(event))
        assert.equal(event['organization'], undefined, show(event))
        assert.equal((event['slack'] as LogstashEvent)['team'], undefined, show(event))
        assert.ok(typeof message === 'string' && message !== '', show(event))
      }
      await pipeline.until('a success again', () => outcomeOf(pipeline.reports().at(-1)) === 'success')
    })

    await pipeline.step(
      'a restart in the middle of a run loses nothing, and repeats have equal ids',
      async () => {
        const asked = hold.nextCursor()
        for (let row = 0; row < 2500; row++) workspace.addAccess({ date_last: workspace.now + 200 + row })
        await pipeline.until('the second page to be asked for', () => asked.done)
        await pipeline.stop()
        hold.release()
        pipeline.restart()
        await pipeline.untilAllOf(await idsInSlack(slack))
        assertRepeatsAreEqual(pipeline.entries())
      },
    )

    await pipeline.step('a Logstash that is killed when the program has ended loses nothing', async () => {
      const saved = (): string => readFileSync(accessState(join(home, 'the state')), 'utf8')
      const before = saved()
      for (let row = 0; row < 2500; row++) workspace.addAccess({ date_last: workspace.now + 5000 + row })
      await pipeline.until('the program to remember the rows', () => saved() !== before)
      await pipeline.kill()
      pipeline.restart()
      await pipeline.untilAllOf(await idsInSlack(slack))
    })
    await pipeline.stop()
  })
}

/** Logstash with the file output, and what it has written so far. */
class Pipeline {
  readonly #t: TestContext
  readonly #start: ConstructorParameters<typeof LogstashProcess>[0]
  readonly #events: string
  #process: LogstashProcess

  constructor(t: TestContext, start: ConstructorParameters<typeof LogstashProcess>[0]) {
    this.#t = t
    this.#events = join(start.folder, 'events')
    mkdirSync(this.#events)
    this.#start = { ...start, environment: { ...start.environment, SLACK_AUDIT_OUTPUT_DIR: this.#events } }
    this.#process = new LogstashProcess(this.#start)
    t.after(() => this.#process.kill())
  }

  restart(): void {
    this.#process = new LogstashProcess(this.#start)
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }

  async kill(): Promise<void> {
    this.#process.kill()
    await this.#process.ended
  }

  /** A subtest without which those after it make no sense. What Logstash said is shown when it fails. */
  async step(name: string, run: () => void | Promise<void>): Promise<void> {
    let failed = false
    await this.#t.test(name, async () => {
      try {
        await run()
      } catch (error) {
        failed = true
        const said = `--- the end of what Logstash said ---\n${this.#process.tail()}\n---`
        throw error instanceof Error ? Object.assign(error, { message: `${error.message}\n${said}` }) : error
      }
    })
    if (failed) throw new Error(`stopped after "${name}"`)
  }

  async until(
    what: string,
    condition: () => boolean,
    seconds = RUN_SECONDS,
    found: () => string = () => `${this.entries().length} entries and ${this.reports().length} reports`,
  ): Promise<void> {
    const end = performance.now() + seconds * 1000
    while (!condition()) {
      if (this.#process.exited) throw new Error(`Logstash ended while this test waited for ${what}`)
      if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}; there are ${found()}`)
      await sleep(200)
    }
  }

  /** Waits for the reports of that many more runs. */
  async untilRuns(runs: number, seconds = RUN_SECONDS): Promise<void> {
    const reports = this.reports().length + 2 * runs
    await this.until(`${runs} runs`, () => this.reports().length >= reports, seconds)
  }

  /** Waits for an event with each of these ids, also over a restart. */
  async untilAllOf(ids: string[]): Promise<void> {
    const missing = (): string[] => {
      const delivered = new Set(idsOf(this.entries()))
      return ids.filter((id) => !delivered.has(id))
    }
    await this.until(
      'every row of the workspace',
      () => missing().length === 0,
      START_SECONDS,
      () => `${missing().length} of ${ids.length} ids are missing, such as ${missing().slice(0, 3)}`,
    )
  }

  /** All events, each file's in order. */
  events(): LogstashEvent[] {
    return readdirSync(this.#events).flatMap((file) => {
      const text = readFileSync(join(this.#events, file), 'utf8')
      // The last line may be half written.
      return parseLines<LogstashEvent>(text.slice(0, text.lastIndexOf('\n') + 1))
    })
  }

  entries(): LogstashEvent[] {
    return this.events().filter((event) => !isReport(event))
  }

  reports(): LogstashEvent[] {
    return this.events().filter(isReport)
  }
}

/** Lets the answers to calls with a cursor wait. */
class Hold {
  #asked: { done: boolean } | undefined

  nextCursor(): { done: boolean } {
    this.#asked = { done: false }
    return this.#asked
  }

  release(): void {
    this.#asked = undefined
  }

  fault(method: string, args: Record<string, string | undefined>): { kind: 'hang' } | undefined {
    if (!this.#asked || method !== 'team.accessLogs' || !args['cursor']) return undefined
    this.#asked.done = true
    return { kind: 'hang' }
  }
}

/** logstash.conf as it is, or with an output in its place as the README says, or with another command too. */
function configWith(output?: string, command?: string): string {
  const text =
    output === undefined
      ? readFileSync(join(CONFIG_FOLDER, 'logstash.conf'), 'utf8')
      : execFileSync('/bin/sh', ['-c', `sed '/^output/,$d' logstash.conf | cat - outputs/${output}`], {
          cwd: CONFIG_FOLDER,
          encoding: 'utf8',
        })
  if (command === undefined) return text
  const exec = pluginsOf(parseConfig(text)).find(({ plugin }) => plugin.name === 'exec')
  const value = exec?.plugin.options.find(([name]) => name === 'command')?.[1]
  assert.ok(value?.kind === 'string')
  return text.replace(value.text, () => command)
}

/** Replaces a file in one step: at any moment it is the old one or the new one. */
function swap(file: string, content: string | Buffer): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** A program that notes when it started, and prints nothing. */
function recorder(file: string): string {
  return `require('node:fs').appendFileSync(${JSON.stringify(file)}, Date.now() + '\\n')\n`
}

/** The state file of the access log. */
function accessState(folder: string): string {
  const file = readdirSync(folder).find((name) => name.endsWith('-access.json'))
  assert.ok(file, `no state in ${folder}`)
  return join(folder, file)
}

/** The ids of everything that Slack would give now, by a run of the program that remembers nothing. */
async function idsInSlack(slack: FakeServer): Promise<string[]> {
  const { code, stderr, lines } = await run([], { SLACK_API_URL: slack.url })
  assert.equal(code, 0, stderr)
  return lines().map(({ id }) => id)
}

/**
 * An odd event without what the patterns of the useragent filter say, of which the stand-in knows only a few, and without
 * the moment of collection.
 */
function comparable({ user_agent: _, ...event }: LogstashEvent): LogstashEvent {
  const { client, ...line } = event['slack'] as { client?: { type: unknown } }
  const { created } = event['event'] as LogstashEvent
  const time = event['@timestamp'] === created ? 'collected' : event['@timestamp']
  return { ...event, '@timestamp': time, slack: { ...line, client: client?.type } }
}

/** Both sides in the order of their ids, without what depends on the moment; all differences in one message. */
function assertSameEvents(actual: LogstashEvent[], expected: LogstashEvent[]): void {
  const expectedById = byId(expected)
  const actualById = byId(actual)
  const differences = [...new Set([...expectedById.keys(), ...actualById.keys()])].flatMap((id) =>
    differencesOf(actualById.get(id), expectedById.get(id), `event ${id} `),
  )
  assert.ok(differences.length === 0, `${differences.length} differences:\n${differences.join('\n')}`)
  assert.equal(actual.length, expected.length, 'an event came twice')
}

function byId(events: LogstashEvent[]): Map<string, LogstashEvent> {
  return new Map(events.map(atSampleTime).map((event) => [idOf(event) ?? 'no id', event]))
}

/** The event as in `events.ndjson`: collected at the moment given there. */
function atSampleTime(event: LogstashEvent): LogstashEvent {
  const collected = '2024-11-05T09:30:00.000Z'
  const inner = event['event'] as LogstashEvent
  return {
    ...event,
    ...(inner['kind'] === 'pipeline_error' && { '@timestamp': collected }),
    event: { ...inner, ...('created' in inner && { created: collected }) },
  }
}

function differencesOf(actual: unknown, expected: unknown, path: string): string[] {
  if (isObject(actual) && isObject(expected)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])]
    return keys.flatMap((key) => differencesOf(actual[key], expected[key], `${path}[${key}]`))
  }
  if (show(actual) === show(expected)) return []
  return [`  ${path}\n    expected ${show(expected)}\n    but got  ${show(actual)}`]
}

/** Field by field the type, such as `[event][duration] number`, sorted. */
function typesOf(value: unknown, path = ''): string[] {
  if (!isObject(value)) return [`${path} ${Array.isArray(value) ? 'list' : typeof value}`]
  return Object.entries(value)
    .flatMap(([key, inner]) => typesOf(inner, `${path}[${key}]`))
    .sort()
}

function assertRepeatsAreEqual(events: LogstashEvent[]): void {
  const seen = new Map<string, LogstashEvent>()
  for (const event of events.map(atSampleTime)) {
    const first = seen.get(idOf(event) ?? '')
    if (first) assert.deepEqual(event, first)
    seen.set(idOf(event) ?? '', event)
  }
}

function idsOf(events: LogstashEvent[]): string[] {
  return events.flatMap((event) => idOf(event) ?? []).sort()
}

function idOf(event: LogstashEvent): string | undefined {
  return (event['event'] as { id?: string }).id
}

function isReport(event: LogstashEvent): boolean {
  return (event['event'] as LogstashEvent)['kind'] === 'state'
}

function outcomeOf(event: LogstashEvent | undefined): unknown {
  return (event?.['event'] as LogstashEvent | undefined)?.['outcome']
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}
