import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type FakeServer, type ServerOptions, serve } from '../fake-slack/server.ts'
import { Slack } from '../fake-slack/slack.ts'
import { Workspace } from '../fake-slack/workspace.ts'
import { cleanEnvironment, finished, type Line, PROGRAM, TOKEN } from '../program.ts'
import {
  type Condition,
  expandVariables,
  operandsOf,
  parseConfig,
  pluginsOf,
  type Section,
  stringsOf,
  variablesOf,
} from './config.ts'
import { PLUGINS } from './plugins.ts'
import { sampleEntries, sampleEvents, sampleWorkspace } from './samples.ts'

const FOLDER = fileURLToPath(new URL('../../logstash', import.meta.url))
const MAIN = join(FOLDER, 'logstash.conf')
const OUTPUTS = readdirSync(join(FOLDER, 'outputs'))

/** Blanks in it, as in some home folders. */
const scratch = mkdtempSync(join(tmpdir(), 'slack auditor '))
after(() => rmSync(scratch, { recursive: true, force: true }))

/** `if "slack-auditor" in [tags]` */
const OURS: Condition = {
  kind: 'compare',
  operator: 'in',
  left: { kind: 'string', text: 'slack-auditor' },
  right: { kind: 'field', text: '[tags]' },
}

/** Every configuration a user may run: as it is, and with each output in place as the comments and the README say. */
const CONFIGS: Record<string, string> = { 'logstash.conf': readFileSync(MAIN, 'utf8') }
for (const output of OUTPUTS) {
  const command = `sed '/^output/,$d' logstash.conf | cat - outputs/${output}`
  CONFIGS[`logstash.conf with outputs/${output}`] = execFileSync('/bin/sh', ['-c', command], {
    cwd: FOLDER,
    encoding: 'utf8',
  })
}

const sections = parseConfig(readFileSync(MAIN, 'utf8'))
const COMMAND = optionOf(sections, 'input exec', 'command')

test('The parser refuses what Logstash 7.17 cannot read, or reads as something else', async (t) => {
  const refused: [why: string, config: string][] = [
    ['a section of another name', 'inputs { }'],
    ['a plugin outside a section', 'exec { }'],
    ['a section without an end', 'filter { mutate { }'],
    ['one bracket too many', 'filter { } }'],
    ['a comma between options', 'filter { date { match => ["a", "UNIX"], target => "b" } }'],
    ['an option without an arrow', 'filter { date { target "b" } }'],
    ['an option without a value', 'filter { date { target => } }'],
    ['no white space between options', 'filter { date { target => "a"match => ["b", "UNIX"] } }'],
    ['an option given twice', 'filter { date { target => "a" target => "b" } }'],
    ['a trailing comma in an array', 'filter { date { match => ["a", "UNIX",] } }'],
    ['an array without commas', 'filter { date { match => ["a" "UNIX"] } }'],
    ['a comma in a hash', 'filter { mutate { copy => { "a" => "b", "c" => "d" } } }'],
    ['a key given twice', 'filter { mutate { copy => { "a" => "b" "a" => "c" } } }'],
    ['a comment between entries', 'filter { mutate { copy => { "a" => "b"\n# why\n"c" => "d" } } }'],
    ['a comment beside an entry', 'filter { mutate { copy => { "a" => "b" # why\n"c" => "d" } } }'],
    ['a comment after the end', 'filter { }\n# the end\n'],
    ['a comment without a line feed', 'filter { } # the end'],
    ['a variable in a comment', `# set $\{TOKEN}\nfilter { }`],
    ['an escaped quote', 'filter { ruby { code => "puts \\"x\\"" } }'],
    ['an escape', "filter { ruby { code => 'a =~ /\\d/' } }"],
    ['a string without an end', 'filter { ruby { code => "puts } }'],
    ['a bareword of one letter', 'filter { ruby { code => x } }'],
    ['a bareword with a hyphen', 'filter { ruby { code => not-a-word } }'],
    ['`in` a list of one', 'filter { if [a] in ["one"] { } }'],
    ['`in` an empty list', 'filter { if [a] in [] { } }'],
    ['`not` before a condition', 'filter { if not [a] { } }'],
    ['`=` as a comparison', 'filter { if [a] = "b" { } }'],
    ['`&&`', 'filter { if [a] && [b] { } }'],
    ['`and` and `or` without brackets', 'filter { if [a] and [b] or [c] { } }'],
    ['a match against a field', 'filter { if [a] =~ [b] { } }'],
    ['a regular expression without an end', 'filter { if [a] =~ /b { } }'],
    ['a condition without one', 'filter { if { } }'],
    ['`elseif`', 'filter { if [a] { } elseif [b] { } }'],
    ['`else` without an if', 'filter { else { } }'],
    ['a field with a comma', 'filter { if [a,b] { } }'],
  ]
  for (const [why, config] of refused)
    await t.test(why, () => assert.throws(() => parseConfig(config), /^Error: line \d+: /))
})

test('The parser reads all else of the language', () => {
  const [filter] = parseConfig(`# a head
    filter { # beside a bracket
      if "x" in [tags] and ([a][b] == 1 and [c] not in ["d", "e"]) { mutate { } }
      else if !([a] =~ /^(b|c)$/ or [d] !~ "e") { date { match => ["f", "UNIX"] # beside an option
        target => g1 } }
      else if ![@metadata][h] { } else { ruby { code => 'if x then "y" end' } "quoted" { } }
      mutate { copy => { # beside a bracket
        "a" => 'b' 1 => -2.5 word => [] # after the last entry
      } remove_field => [ "a", "b" ] }
    }`)
  assert.deepEqual(
    pluginsOf([filter as Section]).map(({ plugin }) => plugin.name),
    ['mutate', 'date', 'ruby', 'quoted', 'mutate'],
  )
  assert.deepEqual(
    operandsOf([filter as Section]).flatMap((operand) => (operand.kind === 'field' ? operand.text : [])),
    ['[tags]', '[a][b]', '[c]', '[a]', '[d]', '[@metadata][h]'],
  )
})

for (const [name, text] of Object.entries(CONFIGS)) {
  test(`${name} is in the oldest grammar: an input, a filter, an output`, () => {
    assert.deepEqual(
      parseConfig(text).map(({ type }) => type),
      ['input', 'filter', 'output'],
    )
  })

  test(`${name} uses only plugins and options that Logstash 7.17, 8 and 9 know`, () => {
    for (const { type, plugin } of pluginsOf(parseConfig(text))) {
      const known = PLUGINS[`${type} ${plugin.name}`]
      assert.ok(known, `the ${type} ${plugin.name} is not in the list`)
      for (const [option] of plugin.options)
        assert.ok(known.includes(option), `the ${type} ${plugin.name} has no option ${option} everywhere`)
    }
  })

  test(`${name} touches only the events of this pipeline`, () => {
    for (const { body } of parseConfig(text).slice(1)) {
      for (const node of body) {
        assert.ok('cases' in node, 'a plugin is outside the condition')
        assert.deepEqual(
          node.cases.map(({ condition }) => condition),
          [OURS],
        )
      }
    }
  })
}

for (const file of ['logstash.conf', ...OUTPUTS.map((output) => join('outputs', output))]) {
  const text = readFileSync(join(FOLDER, file), 'utf8')
  const head = text.slice(0, text.search(/^[^#]/m))
  const strings = pluginsOf(parseConfig(text)).flatMap(({ plugin }) =>
    plugin.options.flatMap(([, value]) => stringsOf(value)),
  )

  test(`Every variable of ${file} is explained at its head, with its default, or as required`, () => {
    const variables = strings.flatMap(variablesOf)
    assert.ok(variables.length > 0)
    for (const { name, fallback } of variables) {
      const explained = head.split('\n').find((line) => line.startsWith(`#   ${name} `))
      assert.ok(explained, `${name} is not explained`)
      assert.ok(explained.includes(` ${fallback ?? 'required'}`), explained)
    }
  })

  test(`No value of ${file} with a variable in it has quotes or enclosing brackets`, () => {
    for (const value of strings.filter((string) => string.includes('${') && string !== COMMAND)) {
      // Some versions strip or delete quotes where they put in a variable, and make a list of [...].
      assert.doesNotMatch(value, /["']/)
      assert.doesNotMatch(value, /^\[.*\]$/s)
    }
  })
}

test('The output of logstash.conf begins a line, once, and is last, so that it can be cut off', () => {
  const text = readFileSync(MAIN, 'utf8')
  assert.equal(text.match(/^output/gm)?.length, 1)
  assert.equal(text.match(/^output \{$/gm)?.length, 1)
  assert.match(text, /^output \{\n(?: .*\n)+\}\n$/m)
})

test('The path of the program has no default, so Logstash refuses to start without it and names it', () => {
  assert.throws(() => expandVariables(COMMAND, {}), /SLACK_AUDIT_PATH/)
})

test('By default a run is shorter than the interval', () => {
  const [, maxMinutes] = /--max-time "(\d+)m"/.exec(expandVariables(COMMAND, { SLACK_AUDIT_PATH: 'x' })) ?? []
  const interval = expandVariables(optionOf(sections, 'input exec', 'interval'), {})
  assert.ok(Number(maxMinutes) * 60 < Number(interval))
})

test('The command prints what the program prints, and a line feed after it', async () => {
  const slack = await fakeSlack(new Workspace({ seed: 2, now: now(), accessRows: 300 }))
  const { code, stdout, stderr } = await finished(exec(slack, newFolder('whole run')))
  await slack.close()
  assert.equal(code, 0, stderr)
  assert.ok(stdout.endsWith('}\n\n'))
  const events = whole(stdout)
  assert.equal(eventsOf(events, 'slack.access').length, 300)
  assert.ok(eventsOf(events, 'slack.integration').length > 0)
  assert.deepEqual(
    eventsOf(events, 'slack.auditor').map((line) => runOf(line)['outcome']),
    ['success', 'success'],
  )
})

test('The command prints ASCII, so that no cut can fall into a letter, and names arrive whole', async () => {
  const workspace = new Workspace({ seed: 3, now: now(), accessRows: 0, integrationRows: 1 })
  workspace.addAccess({ date_last: now() - 60, username: 'bjørn 🦊 \u2028' })
  const slack = await fakeSlack(workspace)
  const { stdout } = await finished(exec(slack, newFolder('letters'), { LC_ALL: 'C', LANG: '' }))
  await slack.close()
  assert.match(stdout, /^[\x20-\x7e\n]+$/)
  assert.deepEqual(
    eventsOf(whole(stdout), 'slack.access').map((line) => (line['access'] as Line)['username']),
    ['bjørn 🦊 \u2028'],
  )
})

test('A second run with nothing new gives reports and no other event', async () => {
  const slack = await fakeSlack(new Workspace({ seed: 4, now: now(), accessRows: 50 }))
  const folder = newFolder('twice')
  const codec = new LineCodec()
  codec.decode((await finished(exec(slack, folder))).stdout)
  const { stdout } = await finished(exec(slack, folder))
  await slack.close()
  assert.deepEqual(
    linesOf(codec.decode(stdout)).map(({ dataset }) => dataset),
    ['slack.auditor', 'slack.auditor'],
  )
})

test('The default state folder is made in the working folder', async () => {
  const slack = await fakeSlack(new Workspace({ seed: 5, now: now(), accessRows: 1 }))
  const folder = newFolder('default state')
  await finished(exec(slack, folder))
  await slack.close()
  assert.ok(existsSync(join(folder, 'data/slack-auditor')))
})

test('The program, the state folder and the token file may have blanks in their paths', async () => {
  const slack = await fakeSlack(new Workspace({ seed: 6, now: now(), accessRows: 1 }))
  const folder = newFolder('with blanks')
  const program = join(folder, 'slack auditor.cjs')
  const tokenFile = join(folder, 'the token')
  const state = join(folder, 'the state')
  writeFileSync(program, readFileSync(PROGRAM))
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 })
  const variables = { SLACK_AUDIT_PATH: program, SLACK_AUDIT_STATE: state }
  const { stdout, stderr } = await finished(
    exec(slack, folder, { ...variables, SLACK_TOKEN: undefined, SLACK_TOKEN_FILE: tokenFile }),
  )
  await slack.close()
  assert.equal(eventsOf(whole(stdout), 'slack.access').length, 1, stderr)
  assert.ok(readdirSync(state).length > 0)
})

test('A first run goes back as far as SLACK_AUDIT_SINCE says', async () => {
  const workspace = new Workspace({ seed: 7, now: now(), accessRows: 0, integrationRows: 1 })
  for (const days of [1, 10, 100]) workspace.addAccess({ date_last: now() - days * 86_400 })
  const slack = await fakeSlack(workspace)
  const { stdout } = await finished(exec(slack, newFolder('since'), { SLACK_AUDIT_SINCE: '30d' }))
  await slack.close()
  assert.equal(eventsOf(whole(stdout), 'slack.access').length, 2)
})

test('A long backfill is done over several runs, none of them printing much more than SLACK_AUDIT_MAX_ROWS', async () => {
  const slack = await fakeSlack(new Workspace({ seed: 8, now: now(), accessRows: 3500, integrationRows: 1 }))
  const folder = newFolder('backfill')
  const printed: string[][] = []
  for (let run = 0; run < 5; run++) {
    const { stdout } = await finished(exec(slack, folder, { SLACK_AUDIT_MAX_ROWS: '1000' }))
    printed.push(eventsOf(whole(stdout), 'slack.access').map(({ id }) => id))
  }
  await slack.close()
  for (const ids of printed) assert.ok(ids.length < 2100, `${ids.length} rows in one run`)
  assert.equal(printed.flat().length, 3500)
  assert.equal(new Set(printed.flat()).size, 3500)
})

test('A program that prints nothing gives a blank line and no event', async () => {
  const { code, stdout } = await finished(execProgram('silent.cjs', 'process.exitCode = 1'))
  assert.equal(code, 0)
  assert.equal(stdout, '\n')
  assert.deepEqual(whole(stdout), [])
})

test('SLACK_AUDIT_PATH set to nothing gives a blank line, and nothing reads stdin', async () => {
  const child = exec(undefined, scratch, { SLACK_AUDIT_PATH: '' })
  child.stdin?.on('error', () => {}).end('console.log("a program from stdin")')
  const { code, stdout } = await finished(child)
  assert.equal(code, 0)
  assert.equal(stdout, '\n')
})

test('The command lets Node use a proxy, and names the process that reads it: the parent of the shell', async () => {
  const source = 'console.log(process.env.NODE_USE_ENV_PROXY, ...process.argv.slice(2, 5))'
  const { stdout } = await finished(execProgram('arguments.cjs', source))
  assert.equal(stdout, `1 --report --reader ${process.pid}\n\n`)
})

test('A program that is missing gives a blank line, and Node says on stderr what it did not find', async () => {
  const missing = join(scratch, 'missing.cjs')
  const { code, stdout, stderr } = await finished(exec(undefined, scratch, { SLACK_AUDIT_PATH: missing }))
  assert.equal(code, 0)
  assert.equal(stdout, '\n')
  assert.match(stderr, /missing\.cjs/)
})

test('A token that Slack refuses gives a failure of each log and nothing else', async () => {
  const slack = await fakeSlack(new Workspace({ seed: 9, now: now(), accessRows: 5 }))
  const { stdout, stderr } = await finished(
    exec(slack, newFolder('refused'), { SLACK_TOKEN: 'xoxp-not-this-one' }),
  )
  await slack.close()
  const runs = linesOf(whole(stdout)).map(runOf)
  assert.deepEqual(runs.map(({ log, outcome }) => `${log} ${outcome}`).sort(), [
    'access failure',
    'integration failure',
  ])
  for (const run of runs) assert.equal((run['error'] as Line)['class'], 'auth')
  assert.ok(!`${stdout}${stderr}`.includes('not-this-one'))
})

/** The next run would take over the locks of a killed one after 15 seconds. */
function removeLocks(folder: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.lock'),
  )
  assert.ok(files.length > 0, 'a killed run leaves its locks')
  for (const file of files) rmSync(join(folder, file))
}

test('A program that is killed between two pages leaves whole lines, and the next run prints them again', async () => {
  const { promise: asked, resolve: secondPageAsked } = withResolver()
  let hang = true
  const slack = await fakeSlack(
    new Workspace({ seed: 10, now: now(), accessRows: 1500, integrationRows: 1 }),
    {
      fault: (method, nth) => {
        if (method !== 'team.accessLogs' || nth < 2 || !hang) return undefined
        secondPageAsked()
        return { kind: 'hang' }
      },
    },
  )
  const folder = newFolder('killed')
  const codec = new LineCodec()
  const child = exec(slack, folder)
  const ended = finished(child)
  await Promise.race([asked, ended])
  process.kill(nodeUnder(child), 'SIGKILL')
  const first = codec.decode((await ended).stdout)
  hang = false
  removeLocks(folder)
  const second = codec.decode((await finished(exec(slack, folder))).stdout)
  await slack.close()

  assert.equal(linesOf(first).length, first.length, 'a line was cut off')
  assert.equal(eventsOf(first, 'slack.access').length, 999)
  const ids = new Set(eventsOf(second, 'slack.access').map(({ id }) => id))
  assert.equal(ids.size, 1500)
  for (const { id } of eventsOf(first, 'slack.access')) assert.ok(ids.has(id))
})

test('A line that a kill tears is one event of its own, and the next run is whole', async () => {
  const slack = await fakeSlack(new Workspace({ seed: 11, now: now(), accessRows: 900, integrationRows: 1 }))
  const folder = newFolder('torn')
  const codec = new LineCodec()
  const child = exec(slack, folder)
  // A page is larger than what the pipe takes: while this reads no more, the program is in the middle of its write.
  const killInPage = (chunk: Buffer): void => {
    if (!chunk.includes('slack.access')) return
    child.stdout?.off('data', killInPage)
    process.kill(nodeUnder(child), 'SIGKILL')
  }
  child.stdout?.on('data', killInPage)
  const { stdout } = await finished(child)
  const first = codec.decode(stdout)
  removeLocks(folder)
  const second = codec.decode((await finished(exec(slack, folder))).stdout)
  await slack.close()

  assert.ok(stdout.endsWith('\n'))
  const [torn, ...others] = first.filter((text) => !text.endsWith('}'))
  assert.equal(others.length, 0)
  // Now and then the kill comes just between two lines.
  assert.match(torn ?? '', /^(\{"|$)/)
  assert.equal(linesOf(second).length, second.length)
  assert.equal(eventsOf(second, 'slack.access').length, 900)
})

test('Without the last line feed a torn line would spoil the next run: the reader of these tests shows it', () => {
  const codec = new LineCodec()
  assert.deepEqual(codec.decode('{"a":1}\n{"b"'), ['{"a":1}'])
  assert.deepEqual(codec.decode('{"c":2}\n'), ['{"b"{"c":2}'])
})

test('The lines of the program have every field the configuration refers to, and it refers to no other', async () => {
  const workspace = new Workspace({ seed: 12, now: now(), accessRows: 400, integrationRows: 100 })
  const slack = await fakeSlack(workspace)
  const folder = newFolder('fields')
  const good = await finished(exec(slack, folder))
  const failed = await finished(exec(slack, folder, { SLACK_TOKEN: 'xoxp-not-this-one' }))
  await slack.close()
  const fields = new Set(
    linesOf(whole(good.stdout + failed.stdout)).flatMap((line) => fieldsOf('[slack]', line)),
  )

  const texts = [
    ...pluginsOf(sections).flatMap(({ plugin }) => plugin.options.flatMap(([, value]) => stringsOf(value))),
    ...operandsOf(sections).flatMap((operand) => (operand.kind === 'field' ? operand.text : [])),
  ]
  const references = new Set(
    texts
      .flatMap((text) => text.match(/\[slack\](?:\[\w+\])+/g) ?? [])
      .filter((field) => !MADE_HERE.test(field)),
  )
  assert.ok(references.size > 30)
  assert.deepEqual(
    [...references].filter((reference) => !fields.has(reference)),
    [],
  )
})

/** What the configuration itself puts under [slack]. */
const MADE_HERE = /^\[slack\]\[(?:line|app|client)\]/

test('The sample lines are what the program prints of these entries', async () => {
  const slack = await fakeSlack(sampleWorkspace())
  const { stdout } = await finished(exec(slack, newFolder('samples')))
  await slack.close()
  const byId = (a: Line, b: Line): number => (a.id < b.id ? -1 : 1)
  const entries = linesOf(whole(stdout)).filter(({ dataset }) => dataset !== 'slack.auditor')
  assert.deepEqual(entries.sort(byId), sampleEntries().sort(byId))
})

test('There is a sample event for every sample line, under its id', () => {
  const ids = sampleEvents().flatMap((event) => (event['event'] as { id?: string }).id ?? [])
  for (const { id } of sampleEntries()) assert.ok(ids.includes(id), id)
})

function now(): number {
  return Math.floor(Date.now() / 1000)
}

function newFolder(name: string): string {
  const folder = join(scratch, name)
  mkdirSync(folder)
  return folder
}

async function fakeSlack(workspace: Workspace, options: ServerOptions = {}): Promise<FakeServer> {
  return serve(new Slack({ workspace }), options)
}

/**
 * Starts the command of logstash.conf as the exec input does: through a shell, with stdin open and empty. `variables`
 * are the environment of Logstash, which fills the command from it and hands it on.
 */
function exec(
  slack: FakeServer | undefined,
  folder: string,
  variables: Record<string, string | undefined> = {},
): ChildProcess {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`
  const environment = {
    ...cleanEnvironment({ PATH: path, SLACK_TOKEN: TOKEN, SLACK_AUDIT_PATH: PROGRAM }),
    SLACK_API_URL: slack?.url,
    ...variables,
  }
  return spawn('/bin/sh', ['-c', expandVariables(COMMAND, environment)], { cwd: folder, env: environment })
}

/** The same with another program. */
function execProgram(name: string, source: string): ChildProcess {
  const program = join(scratch, name)
  writeFileSync(program, source)
  return exec(undefined, scratch, { SLACK_AUDIT_PATH: program })
}

/** The process that the shell of the command waits for. */
function nodeUnder(shell: ChildProcess): number {
  return Number(execFileSync('pgrep', ['-P', String(shell.pid)], { encoding: 'utf8' }))
}

/** Logstash's line codec, without the blank lines, which the filter drops. */
class LineCodec {
  #held = ''

  /**
   * The lines of one run's stdout. What follows the last line feed is held back, and put before the first line of the
   * next run: the exec input never tells its codec that a run has ended.
   */
  decode(stdout: string): string[] {
    const lines = (this.#held + stdout).split('\n')
    this.#held = lines.pop() ?? ''
    return lines.filter((line) => line.trim() !== '')
  }
}

function whole(stdout: string): string[] {
  return new LineCodec().decode(stdout)
}

/** The lines that are not torn. */
function linesOf(texts: string[]): Line[] {
  return texts.filter((text) => text.endsWith('}')).map((text) => JSON.parse(text) as Line)
}

function eventsOf(texts: string[], dataset: string): Line[] {
  return linesOf(texts).filter((line) => line.dataset === dataset)
}

function runOf(line: Line): Record<string, unknown> {
  return line['run'] as Record<string, unknown>
}

/** All fields of a line, as Logstash refers to them. */
function fieldsOf(path: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const field = `${path}[${key}]`
    return [field, ...fieldsOf(field, inner)]
  })
}

function optionOf(config: Section[], plugin: string, option: string): string {
  const found = pluginsOf(config).find((candidate) => `${candidate.type} ${candidate.plugin.name}` === plugin)
  const value = found?.plugin.options.find(([name]) => name === option)?.[1]
  assert.ok(value?.kind === 'string', `${plugin} has no text for ${option}`)
  return value.text
}

/** A promise and its resolver: Promise.withResolvers, which Node 20 lacks. */
function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
