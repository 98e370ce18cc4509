import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
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
    for (const [, script = ''] of MANUAL.matchAll(/npm run ([\w:-]+)/g)) {
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
      [
        ...['SLACK_TOKEN', 'SLACK_TOKEN_FILE', 'SLACK_API_URL', 'SLACK_TEAM_ID'],
        ...['HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS', 'LS_JAVA_OPTS'],
      ],
    )
    for (const file of CONFIGS.slice(1))
      assert.ok(section('## Files and others').includes(`\`${file.split('/')[1]}\``), file)
  })

  test('names only options that the program has', async () => {
    const { stdout } = await run(['--help'])
    const commands = MANUAL.split('\n').filter((line) =>
      /--report|--state-dir|slack-auditor access/.test(line),
    )
    const options = commands.flatMap((line) => line.match(/(?<=[\s[,`|])--[a-z-]+/g) ?? [])
    assert.ok(options.includes('--report') && options.includes('--lookback'))
    for (const option of options) assert.ok(stdout.includes(` ${option}`), option)
  })

  test('has the sizes that follow from what it says they rest on', () => {
    const figure = (value: number): string => value.toLocaleString('en-US')
    const text = section('## Sizing')
    const given = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN)
    const rowsPerMember = given(/an assumed (\d+) per member/)
    const eventsPerRow = given(/an assumed (\d+) per row/)
    const pageRows = given(/(\d+) to a page/)
    const lookBackDays = given(/here (\d+) days/)
    const runRows = Number(/in runs of ([\d,]+) rows/.exec(text)?.[1]?.replace(',', ''))
    const perMinute = given(/(\d+) requests a minute/)
    const bytes = given(/([\d.]+) kB of JSON per event/) * 1000
    const rows = [...text.matchAll(/^\| ([\d,]+) \| (.*) \|$/gm)]
    assert.equal(rows.length, 4)
    for (const [, members = '', cells = ''] of rows) {
      const perDay = Number(members.replace(',', '')) * rowsPerMember
      const overlap = 1 / 12
      const headPages = Math.ceil((perDay * (lookBackDays + overlap)) / pageRows) + 1
      const gapPages = Math.ceil((perDay * lookBackDays) / pageRows)
      const runs = Math.ceil((perDay * 365) / runRows)
      const minutes = (runs * (Math.ceil(runRows / pageRows) + headPages + gapPages)) / perMinute
      const gigabytes = (perDay * eventsPerRow * 365 * bytes) / 1e9
      assert.deepEqual(cells.split(' | '), [
        figure(perDay),
        figure(perDay * eventsPerRow),
        figure(headPages + 2),
        `${runs / 2} h`,
        minutes < 100 ? `${Math.round(minutes)} min` : `${Math.round(minutes / 60)} h`,
        `${gigabytes < 10 ? gigabytes.toFixed(1) : Math.round(gigabytes)} GB`,
      ])
    }
    const lengths = readFileSync(new URL('events.ndjson', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"user_access"'))
      .map((line) => line.length)
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length
    assert.ok(
      Math.abs(mean / bytes - 1) < 0.15,
      `the sample events have ${Math.round(mean)} bytes on average`,
    )
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

/** What the shell blocks of the manual see of a host: its root is a folder, and nobody needs sudo. */
class Host {
  readonly root: string
  readonly #bin: string

  constructor(t: TestContext) {
    this.root = folderOf(t)
    this.#bin = join(this.root, 'usr/local/bin')
    // What the system and the package of Logstash bring.
    for (const folder of [
      'usr/local/bin',
      'etc/logstash',
      'etc/systemd/system',
      'var/lib/logstash',
      'var/log',
    ])
      mkdirSync(this.path(folder), { recursive: true })
    this.program('sudo', '[ "$1" = -u ] && shift 2\nexec "$@"')
    // The service of Logstash finds Node on its PATH.
    this.program('node', `exec '${process.execPath}' "$@"`)
  }

  path(path: string): string {
    return join(this.root, path)
  }

  /** Puts a script of sh into /usr/local/bin. */
  program(name: string, script: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }

  /** The folders of the system are those of this host, and its users are ours. */
  moved(script: string): string {
    return script
      .replaceAll(/(?<![\w.])\/(?=(?:opt|etc|var|usr\/local)\/)/g, `${this.root}/`)
      .replaceAll(/ -o [\w-]+ -g [\w-]+/g, '')
  }

  /** Runs a block in the root of the repository; what is typed comes through a pipe. */
  async run(script: string, { typed = '', env = {}, shell = 'bash' } = {}): Promise<Finished> {
    const child = spawn(shell, ['-c', `printf '%s\n' "$TYPED" | { set -e\n${this.moved(script)}\n}`], {
      cwd: ROOT,
      env: cleanEnvironment({ ...env, TYPED: typed, PATH: `${this.#bin}:/usr/bin:/bin` }),
    })
    const result = await finished(child)
    assert.equal(result.code, 0, result.stderr)
    return result
  }

  /** The variables of the service, by a shell that reads the file. */
  async settings(): Promise<Record<string, string>> {
    const { stdout } = await this.run('env -i bash -c "set -a; . /etc/logstash/slack-auditor.env; env"')
    return Object.fromEntries(
      stdout.split('\n').flatMap((line) => {
        const [, name, value] = /^([A-Z_]{4,})=(.*)$/.exec(line) ?? []
        return name === undefined || value === undefined ? [] : [[name, value]]
      }),
    )
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

const PACKAGED = {
  indented: ' - pipeline.id: main\n   path.config: "/etc/logstash/conf.d/*.conf"\n',
  flush: '',
}

for (const [how, packaged] of Object.entries(PACKAGED)) {
  test(`The steps of the service and of a second workspace lead to two pipelines that read their own workspaces (${how})`, async (t) => {
    const host = new Host(t)
    const pipelines = host.path('etc/logstash/pipelines.yml')
    writeFileSync(pipelines, `# pipelines\n${packaged || PACKAGED.indented.replaceAll(/^ /gm, '')}`)
    await host.run(block('### 2. The program', 'sh'))
    await host.run(block('### 3. The token', 'sh'), { typed: TOKENS.first })
    await host.run(block('### 4. The settings', 'sh'))
    for (const nth of [0, 1]) await host.run(block('### 5. The pipeline', 'sh', nth))
    await host.run(block('## Several workspaces', 'sh'), { typed: TOKENS.acme })

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
    const entries = readFileSync(pipelines, 'utf8').split('\n').slice(1, -1)
    const indent = how === 'indented' ? ' ' : ''
    assert.deepEqual(
      entries.filter((line) => line.includes('pipeline.id')),
      ['main', 'slack-auditor', 'slack-auditor-acme'].map((id) => `${indent}- pipeline.id: ${id}`),
    )
    assert.deepEqual(
      entries.filter((line) => line.includes('path.config')).slice(1),
      [config, second].map((path) => `${indent}  path.config: ${path}`),
    )
    assert.equal(entries.filter((line) => line === `${indent}  queue.type: persisted`).length, 2)

    const tokenFile = host.path('etc/logstash/slack.token')
    assert.equal(readFileSync(tokenFile, 'utf8').trim(), TOKENS.first)
    assert.equal(statSync(tokenFile).mode & 0o777, 0o400)
    const settingsFile = host.path('etc/logstash/slack-auditor.env')
    assert.equal(statSync(settingsFile).mode & 0o777, 0o600)
    const dropIn = host.path('etc/systemd/system/logstash.service.d/slack-auditor.conf')
    assert.equal(readFileSync(dropIn, 'utf8'), `[Service]\nEnvironmentFile=${settingsFile}\n`)

    const first = await slackOf(t, 1, TOKENS.first)
    const acme = await slackOf(t, 2, TOKENS.acme)
    const check = await host.run(block('### 3. The token', 'sh', 1), {
      env: { SLACK_API_URL: first.server.url },
    })
    assert.match(check.stdout + check.stderr, /accept.*\(T000000001\)/)

    const settings = await host.settings()
    for (const [file, { server, team }] of [
      [config, first],
      [second, acme],
    ] as const) {
      const env = { ...settings, SLACK_API_URL: server.url }
      const lines = linesOf(await host.run(commandIn(file, settings), { env, shell: 'sh' }))
      assert.deepEqual(teamsOf(lines), [team])
      assert.ok(lines.length > 30)
    }
    const remembered = readdirSync(host.path('var/lib/logstash/slack-auditor'))
    assert.equal(remembered.filter((file) => file.endsWith('.json')).length, 4)

    // The paths without an end are those of the system.
    await host.run(block('### Uninstall', 'sh').replaceAll(/^sudo systemctl .*$/gm, ''))
    assert.ok(!existsSync(settingsFile) && !existsSync(dropIn) && !existsSync(tokenFile))
  })
}

interface Recorded {
  method: string
  url: string
  authorization: string | undefined
  body: string
}

/** A server that says yes to everything. */
async function recorder(t: TestContext, answer: object): Promise<{ url: string; requests: Recorded[] }> {
  const requests: Recorded[] = []
  const server = createServer((request, response) => {
    text(request).then((body) => {
      const { method = '', url = '', headers } = request
      requests.push({ method, url, authorization: headers.authorization, body })
      response.end(JSON.stringify(answer))
    }, assert.ifError)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const hasCurl = spawnSync('curl', ['--version']).status === 0
const needsCurl = { skip: hasCurl ? false : 'curl is not installed here' }

describe('The steps of the store', needsCurl, () => {
  test('give Elasticsearch template, role and user, and the service the same password', async (t) => {
    const host = new Host(t)
    const store = await recorder(t, { acknowledged: true })
    const steps = [0, 1, 2].map((nth) => block('## Elasticsearch', 'sh', nth)).join('\n')
    await host.run(steps, { typed: `${store.url}\nthe password` })
    for (const { authorization } of store.requests)
      assert.equal(authorization, `Basic ${Buffer.from('elastic:the password').toString('base64')}`)
    const bodies = new Map(
      store.requests.map(({ method, url, body }) => [`${method} ${url}`, body && JSON.parse(body)]),
    )
    const file = (name: string): unknown =>
      JSON.parse(readFileSync(join(FOLDER, 'elasticsearch', name), 'utf8'))
    assert.deepEqual(bodies.get('PUT /_ilm/policy/slack-auditor'), file('ilm-policy.json'))
    assert.deepEqual(bodies.get('PUT /_index_template/slack-auditor'), file('index-template.json'))
    const { indices } = bodies.get('PUT /_security/role/slack_auditor') as { indices: object[] }
    assert.deepEqual(indices, [{ names: ['logs-slack.*-*'], privileges: ['create_doc', 'auto_configure'] }])
    const user = bodies.get('PUT /_security/user/slack_auditor') as { password: string; roles: string[] }
    assert.deepEqual(user.roles, ['slack_auditor'])
    assert.ok(user.password.length > 30)
    const settings = await host.settings()
    assert.equal(settings['ELASTICSEARCH_URL'], store.url)
    assert.equal(settings['ELASTICSEARCH_USER'], 'slack_auditor')
    assert.equal(settings['ELASTICSEARCH_PASSWORD'], user.password)
  })

  test('check the token of HEC before it is used', async (t) => {
    const host = new Host(t)
    const splunk = await recorder(t, { text: 'Success', code: 0 })
    const url = `${splunk.url}/services/collector/event`
    const steps = [0, 1].map((nth) => block('## Splunk', 'sh', nth)).join('\n')
    const { stdout } = await host.run(steps, { typed: `${url}\nhec-token` })
    assert.match(stdout, /"text":"Success"/)
    assert.deepEqual(
      splunk.requests.map(({ method, authorization }) => [method, authorization]),
      [['POST', 'Splunk hec-token']],
    )
    assert.ok('event' in (JSON.parse(splunk.requests[0]?.body ?? '') as object))
    const settings = await host.settings()
    assert.deepEqual([settings['SPLUNK_HEC_URL'], settings['SPLUNK_HEC_TOKEN']], [url, 'hec-token'])
  })

  test('replace user and password with an API key', async (t) => {
    const host = new Host(t)
    await host.run(block('### 5. The pipeline', 'sh'))
    await host.run(block('## Elastic Cloud', 'sh', 1))
    const text = readFileSync(host.path('etc/logstash/slack-auditor/logstash.conf'), 'utf8')
    const output = pluginsOf(parseConfig(text)).find(
      ({ type, plugin }) => `${type} ${plugin.name}` === 'output elasticsearch',
    )
    const options = Object.fromEntries(output?.plugin.options ?? [])
    assert.deepEqual(options['api_key'], { kind: 'string', text: `$\{ELASTICSEARCH_API_KEY}` })
    assert.ok(!('user' in options) && !('password' in options) && 'hosts' in options)
  })
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
    assert.match(DOCKERFILE, /install -d -m 0770 -o 1000 -g 0 \/var\/lib\/slack-auditor/)
    assert.match(env, /NODE_USE_ENV_PROXY=1/)
    for (const [name] of [...DOCKERFILE.matchAll(/^ARG (\w+)=/gm)].map(([, arg = '']) => [arg]))
      assert.ok(
        section('## In Docker').includes(`\`${name}\``) || manual.includes(`--build-arg ${name}=`),
        name,
      )
  })
})

describe('Without Logstash', () => {
  test('cron writes whole lines to a file, also after a run that left half a line', async (t) => {
    const host = new Host(t)
    const { server } = await slackOf(t, 1, TOKENS.first)
    await host.run(block('### 2. The program', 'sh'))
    const steps = block('### cron and a file', 'sh')
    await host.run(steps.replace(/^sudo useradd .*$/m, ''), { typed: TOKENS.first })
    assert.equal(statSync(host.path('etc/slack-auditor.token')).mode & 0o777, 0o400)

    const crontab = block('### cron and a file', 'crontab')
    assert.match(crontab, /^PATH=\/usr\/local\/bin:/)
    const [, command = ''] = /^\*(?:\S+ ){5}slack-auditor (\{.*)$/m.exec(crontab) ?? []
    // cron takes a bare % for a line end.
    assert.doesNotMatch(crontab, /(?<!\\)%/)
    const script = command.replaceAll('\\%', '%')
    const log = host.path(`var/log/slack-auditor/${new Date().toISOString().slice(0, 10)}.ndjson`)
    const options = { env: { SLACK_API_URL: server.url, TZ: 'UTC' }, shell: 'sh' }
    await host.run(script, options)
    writeFileSync(log, '{"dataset":"slack.access","id":"0', { flag: 'a' })
    const { stderr } = await host.run(script, options)
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

  test('the command that deletes old files deletes those and no others', async (t) => {
    const host = new Host(t)
    const folder = host.path('var/log/slack-auditor')
    mkdirSync(folder)
    for (const name of ['old.ndjson', 'new.ndjson', 'old.txt']) writeFileSync(join(folder, name), '')
    const old = Date.now() / 1000 - 402 * 86_400
    for (const name of ['old.ndjson', 'old.txt']) utimesSync(join(folder, name), old, old)
    const [, command = ''] = /slack-auditor (find .*)$/m.exec(block('### cron and a file', 'crontab')) ?? []
    await host.run(command)
    assert.deepEqual(readdirSync(folder).sort(), ['new.ndjson', 'old.txt'])
  })

  test("Splunk's script runs without its library path, and its settings find the time of a line", async (t) => {
    const host = new Host(t)
    const { server } = await slackOf(t, 1, TOKENS.first)
    host.program('slack-auditor', `echo "$\{LD_LIBRARY_PATH-undefined}"`)
    const script = block('### Splunk scripted input', 'sh')
    const env = { SLACK_API_URL: server.url, LD_LIBRARY_PATH: '/no/such/folder' }
    assert.equal((await host.run(script, { env, shell: 'sh' })).stdout, '\nundefined\n')

    await host.run(block('### 2. The program', 'sh'))
    writeFileSync(host.path('etc/slack-auditor.token'), TOKENS.first)
    const { stdout } = await host.run(script, { env, shell: 'sh' })
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
