import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type FakeServer, serve } from '../fake-slack/server.ts'
import { Slack } from '../fake-slack/slack.ts'
import { Workspace } from '../fake-slack/workspace.ts'
import {
  cleanEnvironment,
  closedAfter,
  type Finished,
  finished,
  folderOf,
  type Line,
  PROGRAM,
  run,
} from '../program.ts'
import { expandVariables, parseConfig, pluginsOf, stringsOf, variablesOf } from './config.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'logstash')
const MANUAL = readFileSync(join(FOLDER, 'README.md'), 'utf8')
const DOCKERFILE = readFileSync(join(FOLDER, 'Dockerfile'), 'utf8')
const CONFIGS = ['logstash.conf', ...readdirSync(join(FOLDER, 'outputs')).map((file) => `outputs/${file}`)]

/** The part of the manual under a heading, down to the next one of its level or above. */
function section(heading: string): string {
  const level = heading.indexOf(' ')
  let found: string[] | undefined
  let inCode = false
  for (const line of MANUAL.split('\n')) {
    if (/^ *```/.test(line)) inCode = !inCode
    const deep = inCode ? 0 : line.search(/(?<=^#+) /)
    if (line === heading) found = []
    else if (found && deep > 0 && deep <= level) break
    found?.push(line)
  }
  assert.ok(found, `there is no section "${heading}"`)
  return `${found.join('\n')}\n`
}

/** The code blocks of a language in a part of the manual, without their indentation. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^( *)```(\w+)\n(.*?)^ *```$/gms)]
    .filter(([, , name]) => name === language)
    .map(([, indent = '', , code = '']) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
}

function block(heading: string, language: string, nth = 0): string {
  const found = blocks(section(heading), language)[nth]
  assert.ok(found, `"${heading}" has no block ${nth} of ${language}`)
  return found
}

describe('The Logstash manual', () => {
  test('names only files and headings that are there', () => {
    const links = [...MANUAL.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link)
    assert.ok(links.length > 10)
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(FOLDER, 'README.md') : join(FOLDER, path)
      assert.ok(existsSync(file), link)
      if (anchor === undefined) continue
      const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      )
      assert.ok(headings.includes(anchor), link)
    }
    const paths = MANUAL.matchAll(
      /(?<![/\w.-])((?:logstash|outputs|elasticsearch|splunk)\/[\w-]+(?:\.\w+)?)/g,
    )
    for (const [, path = ''] of paths)
      assert.ok(existsSync(join(FOLDER, path)) || existsSync(join(ROOT, path)), path)
    for (const [, script = ''] of MANUAL.matchAll(/npm run ([\w:]+)/g)) {
      const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
        scripts: Record<string, string>
      }
      assert.ok(script in scripts, `npm run ${script}`)
    }
  })

  test('lists every variable of the configurations with its default, and no other', () => {
    const known = new Map<string, string>()
    for (const file of CONFIGS)
      for (const { plugin } of pluginsOf(parseConfig(readFileSync(join(FOLDER, file), 'utf8'))))
        for (const { name, fallback } of plugin.options
          .flatMap(([, value]) => stringsOf(value))
          .flatMap(variablesOf))
          known.set(name, fallback ?? 'required')
    const rows = [...section('## Settings').matchAll(/^\| (`[A-Z_`, ]+`) \| ([^|]*) \|/gm)]
    const listed = new Map(
      rows.flatMap(([, names = '', standard = '']) =>
        [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, standard.replaceAll('`', '')] as const),
      ),
    )
    for (const [name, standard] of known) {
      assert.ok(listed.has(name), `${name} is not listed`)
      assert.ok(listed.get(name)?.startsWith(standard), `${name}: ${listed.get(name)}`)
    }
    assert.deepEqual(
      [...listed.keys()].filter((name) => !known.has(name)),
      ['SLACK_TOKEN', 'SLACK_TOKEN_FILE'],
    )
    for (const file of CONFIGS.slice(1))
      assert.ok(section('## Outputs').includes(`\`${file.split('/')[1]}\``), file)
  })

  test('names only options that the program has', async () => {
    const { stdout } = await run(['--help'])
    const commands = MANUAL.split('\n').filter((line) =>
      /slack-auditor\.mjs|--token-file|--report/.test(line),
    )
    const options = commands.flatMap((line) => line.match(/(?<=[\s[,])--(?!name)[a-z-]+/g) ?? [])
    assert.ok(options.includes('--report') && options.includes('--token-file'))
    for (const option of options.filter((name) => !/^--(path|build-arg)/.test(name)))
      assert.ok(stdout.includes(` ${option}`), option)
  })

  test('has a pipeline for each configuration it tells to write, with a name of its own', () => {
    const written = [...MANUAL.matchAll(/tee (\/etc\/logstash\/\S+)/g)].map(([, path]) => path)
    const entries = [
      ...MANUAL.matchAll(/- pipeline\.id: (\S+)\n +path\.config: (\S+)\n +queue\.type: persisted$/gm),
    ]
    assert.deepEqual(
      entries.map(([, , path]) => path),
      written,
    )
    assert.equal(new Set(entries.map(([, id]) => id)).size, 2)
  })
})

const TOKENS = { first: 'xoxp-1-first-workspace', acme: 'xoxp-2-acme' }

/** A fake Slack with a workspace of its own, which takes only this token. */
async function slackOf(
  t: TestContext,
  seed: number,
  token: string,
): Promise<{ server: FakeServer; team: string }> {
  const workspace = new Workspace({
    seed,
    now: Math.floor(Date.now() / 1000),
    accessRows: 20,
    integrationRows: 20,
  })
  const server = await closedAfter(t, serve(new Slack({ workspace }), { token }))
  return { server, team: workspace.team.id }
}

/** A host, as far as the shell blocks of the manual can tell: its root is a folder, and nobody needs sudo. */
class Host {
  readonly root: string
  readonly #bin: string

  constructor(t: TestContext) {
    this.root = folderOf(t)
    this.#bin = join(this.root, 'bin')
    mkdirSync(this.#bin)
    writeFileSync(join(this.#bin, 'sudo'), '#!/bin/sh\n[ "$1" = -u ] && shift 2\nexec "$@"\n', {
      mode: 0o755,
    })
  }

  path(path: string): string {
    return join(this.root, path)
  }

  /** The folders of the system are those of this host, and its users are ours. */
  moved(script: string): string {
    return script
      .replaceAll(/(?<![\w.])\/(?=(?:opt|etc|var)\/)/g, `${this.root}/`)
      .replaceAll(' -o logstash -g logstash', '')
  }

  /** Runs a block in a folder of the repository; what is pasted comes through a pipe. */
  async run(script: string, { cwd = ROOT, pasted = '', env = {} } = {}): Promise<Finished> {
    const child = spawn('/bin/sh', ['-c', `printf '%s\\n' "$PASTED" | { set -e\n${this.moved(script)}\n}`], {
      cwd,
      env: cleanEnvironment({
        ...env,
        PASTED: pasted,
        PATH: `${this.#bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
      }),
    })
    const result = await finished(child)
    assert.equal(result.code, 0, result.stderr)
    return result
  }
}

/** The command of the exec input in a configuration, as Logstash would run it. */
function commandIn(file: string, env: Record<string, string>): string {
  const [exec] = pluginsOf(parseConfig(readFileSync(file, 'utf8')))
  const [command = ''] =
    exec?.plugin.options.filter(([name]) => name === 'command').flatMap(([, value]) => stringsOf(value)) ?? []
  return expandVariables(command, env)
}

const linesOf = ({ stdout }: Finished): Line[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
const teamsOf = (lines: Line[]): unknown[] => [
  ...new Set(lines.map((line) => (line['team'] as { id: string }).id)),
]

test('The steps of the service and of a second workspace lead to two pipelines that read their own workspaces', async (t) => {
  const host = new Host(t)
  // What the package of Logstash brings.
  for (const folder of ['etc/logstash', 'var/lib/logstash']) mkdirSync(host.path(folder), { recursive: true })
  await host.run(block('## As a service', 'sh', 0), { pasted: TOKENS.first })
  await host.run(block('## Several workspaces', 'sh', 0), { pasted: TOKENS.acme })

  const config = host.path('etc/logstash/slack-auditor/logstash.conf')
  const second = host.path('etc/logstash/slack-auditor-acme/logstash.conf')
  for (const file of [config, second]) {
    const text = readFileSync(file, 'utf8')
    assert.deepEqual(
      parseConfig(text).map(({ type }) => type),
      ['input', 'filter', 'output'],
    )
    assert.ok(text.includes('elasticsearch {') && !text.includes('rubydebug'), file)
  }
  const tokenFile = host.path('etc/logstash/slack.token')
  assert.equal(readFileSync(tokenFile, 'utf8').trim(), TOKENS.first)
  assert.equal(statSync(tokenFile).mode & 0o777, 0o400)

  const first = await slackOf(t, 1, TOKENS.first)
  const acme = await slackOf(t, 2, TOKENS.acme)
  const settings = Object.fromEntries(
    [...host.moved(block('## As a service', 'ini')).matchAll(/^Environment=(SLACK_\w+)=(.*)$/gm)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  )
  const check = await host.run(block('## As a service', 'sh', 1), {
    env: { SLACK_API_URL: first.server.url },
  })
  assert.match(check.stdout + check.stderr, /accepts it: .*\(T000000001\)/)

  for (const [file, { server, team }] of [
    [config, first],
    [second, acme],
  ] as const) {
    const env = { ...settings, SLACK_API_URL: server.url }
    const lines = linesOf(await host.run(commandIn(file, settings), { env }))
    assert.deepEqual(teamsOf(lines), [team])
    assert.ok(lines.length > 30)
    const reports = linesOf(await host.run(commandIn(file, settings), { env }))
    assert.deepEqual(
      reports.map(({ dataset }) => dataset),
      ['slack.auditor', 'slack.auditor'],
      'all the rest is remembered',
    )
  }
  assert.equal(
    readdirSync(host.path('var/lib/logstash/slack-auditor')).filter((file) => file.endsWith('.json')).length,
    4,
  )
})

describe('The Dockerfile', () => {
  const instructions = DOCKERFILE.replaceAll(/\\\n/g, '')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
  const argumentsOf = (name: string): string[] =>
    instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))

  test('copies only what is there and what its ignore file lets through', () => {
    const allowed = readFileSync(join(FOLDER, 'Dockerfile.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    const copied = argumentsOf('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1))
    assert.deepEqual(copied.toSorted(), allowed.toSorted())
    for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path)
  })

  test('puts each output into the pipeline, and refuses one that is not there', async (t) => {
    const step = argumentsOf('RUN').find((line) => line.startsWith('sed '))
    assert.ok(step)
    const target = join(folderOf(t), 'pipeline.conf')
    const build = (OUTPUT: string): Promise<Finished> =>
      finished(
        spawn('bash', ['-o', 'pipefail', '-c', step.replace('> pipeline.conf', `> ${target}`)], {
          cwd: ROOT,
          env: { ...cleanEnvironment(), OUTPUT },
        }),
      )
    for (const file of CONFIGS.slice(1)) {
      assert.equal((await build(file.replace(/^outputs\/|\.conf$/g, ''))).code, 0)
      const text = readFileSync(target, 'utf8')
      assert.deepEqual(
        parseConfig(text).map(({ type }) => type),
        ['input', 'filter', 'output'],
      )
      assert.ok(text.endsWith(readFileSync(join(FOLDER, file), 'utf8')))
    }
    assert.notEqual((await build('no-such-output')).code, 0)
  })

  test('ends as a user that is not root, with the program and the state where the manual says', () => {
    assert.equal(argumentsOf('USER').at(-1), '1000')
    const [env = ''] = argumentsOf('ENV')
    const programPath = /SLACK_AUDIT_PATH=(\S+)/.exec(env)?.[1] ?? ''
    assert.ok(argumentsOf('COPY').some((line) => line.endsWith(` ${programPath}`)))
    const volumes = JSON.parse(argumentsOf('VOLUME')[0] ?? '[]') as string[]
    assert.ok(volumes.includes(/SLACK_AUDIT_STATE=(\S+)/.exec(env)?.[1] ?? ''))
    const manual = block('## In Docker', 'sh')
    for (const volume of volumes) assert.ok(manual.includes(`:${volume} `), volume)
    assert.ok(manual.includes(`node ${programPath} check`))
    for (const [name] of [...DOCKERFILE.matchAll(/^ARG (\w+)=/gm)].map(([, arg = '']) => [arg]))
      assert.ok(
        section('## In Docker').includes(`\`${name}\``) || manual.includes(`--build-arg ${name}=`),
        name,
      )
  })
})

describe('Of the other hosts', () => {
  test('cron writes whole lines to a file, also after a run that left half a line', async (t) => {
    const host = new Host(t)
    const { server } = await slackOf(t, 1, TOKENS.first)
    for (const folder of ['opt/slack-auditor', 'etc', 'var/log/slack-auditor', 'var/lib/slack-auditor'])
      mkdirSync(host.path(folder), { recursive: true })
    writeFileSync(host.path('opt/slack-auditor/slack-auditor.mjs'), readFileSync(PROGRAM))
    writeFileSync(host.path('etc/slack-auditor.token'), TOKENS.first)

    const crontab = block('### cron and a file', 'crontab')
    const [, command = ''] = /^(?:\S+ ){5}slack-auditor (.*)\n$/.exec(crontab) ?? []
    // cron takes a bare % for a line end.
    assert.doesNotMatch(command, /(?<!\\)%/)
    const script = command.replaceAll('\\%', '%')
    const log = host.path(`var/log/slack-auditor/${new Date().toISOString().slice(0, 10)}.ndjson`)
    const env = { SLACK_API_URL: server.url, TZ: 'UTC' }
    await host.run(script, { env })
    writeFileSync(log, '{"dataset":"slack.access","id":"0', { flag: 'a' })
    const { stderr } = await host.run(script, { env })
    assert.match(stderr, /^slack-auditor: /, 'for the mail of cron')

    const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
    const torn = lines.filter((line) => !line.endsWith('}'))
    assert.deepEqual(torn, ['{"dataset":"slack.access","id":"0'])
    const datasets = lines
      .filter((line) => !torn.includes(line))
      .map((line) => (JSON.parse(line) as Line).dataset)
    assert.deepEqual(datasets.slice(-2), ['slack.auditor', 'slack.auditor'])
    assert.equal(datasets.filter((dataset) => dataset === 'slack.access').length, 20)
  })

  test("Splunk's script runs without its library path, and its settings find the time of a line", async (t) => {
    const host = new Host(t)
    const { server } = await slackOf(t, 1, TOKENS.first)
    mkdirSync(host.path('opt/slack-auditor'), { recursive: true })
    writeFileSync(
      host.path('opt/slack-auditor/slack-auditor.mjs'),
      'console.log(process.env.LD_LIBRARY_PATH)',
    )
    const script = block('### Splunk scripted input', 'sh')
    const env = { SLACK_API_URL: server.url, LD_LIBRARY_PATH: '/no/such/folder' }
    assert.equal((await host.run(script, { env })).stdout, '\nundefined\n')

    writeFileSync(host.path('opt/slack-auditor/slack-auditor.mjs'), readFileSync(PROGRAM))
    writeFileSync(host.path('opt/slack-auditor/slack.token'), TOKENS.first)
    const { stdout } = await host.run(script, { env })
    const prefix = /^TIME_PREFIX = (.*)$/m.exec(block('### Splunk scripted input', 'ini', 1))?.[1] ?? ''
    for (const text of stdout.split('\n').filter(Boolean)) {
      const line = JSON.parse(text) as Line
      const entry = (line['access'] ?? line['integration'] ?? {}) as Record<string, unknown>
      const found = new RegExp(`${prefix}(\\d+)`).exec(text)?.[1]
      const time = entry['date_last'] ?? entry['date']
      assert.equal(found, time === undefined ? undefined : String(time))
    }
  })
})
