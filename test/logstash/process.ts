import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cleanEnvironment } from '../program.ts'

/** The start script of LOGSTASH_HOME, or of the PATH; undefined where there is none. */
export function findLogstash(): string | undefined {
  const home = process.env['LOGSTASH_HOME']
  if (home) return join(home, 'bin/logstash')
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, 'logstash')).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Settings of our own, so that those of an installed Logstash play no part. All of them are known from 7.17 on. One
 * worker keeps the events in order. Without its API Logstash needs no port.
 */
const SETTINGS = `pipeline.workers: 1
pipeline.ordered: auto
api.enabled: false
`
const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`

const running = new Set<LogstashProcess>()

// A process group of its own is not reached by a Ctrl-C, and must not outlive us.
process.on('exit', () => {
  for (const logstash of running) logstash.kill()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

export interface Start {
  logstash: string
  /** For its settings, configuration and data. The same folder again is a restart. */
  folder: string
  config: string
  environment: Record<string, string>
  /** More arguments, such as `-t`. */
  args?: string[]
}

export class LogstashProcess {
  readonly ended: Promise<number | null>
  #output = ''
  #exited = false
  readonly #child: ChildProcess

  constructor({ logstash, folder, config, environment, args = [] }: Start) {
    const settings = join(folder, 'settings')
    mkdirSync(settings, { recursive: true })
    writeFileSync(join(settings, 'logstash.yml'), SETTINGS)
    writeFileSync(join(settings, 'log4j2.properties'), LOGGING)
    const file = join(folder, 'pipeline.conf')
    writeFileSync(file, config)
    const own = ['--path.settings', settings, '--path.data', join(folder, 'data')]
    const logs = ['--path.logs', join(folder, 'logs')]
    // The command of the exec input is to find this Node.
    const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`
    this.#child = spawn(logstash, ['-f', file, ...own, ...logs, ...args], {
      cwd: folder,
      env: cleanEnvironment({ PATH, ...environment }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    running.add(this)
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', resolve)
    })
    const gone = (): void => {
      this.#exited = true
      running.delete(this)
    }
    this.ended.then(gone, gone)
  }

  get output(): string {
    return this.#output
  }

  get exited(): boolean {
    return this.#exited
  }

  /** The end of what Logstash and the program said. */
  tail(lines = 60): string {
    return this.#output.trimEnd().split('\n').slice(-lines).join('\n')
  }

  /** Asks the whole group to end, as systemd and Ctrl-C do, and makes it end if it does not. */
  async stop(): Promise<void> {
    if (this.#exited) return
    this.#signal('SIGTERM')
    await Promise.race([this.ended, sleep(90_000, undefined, { ref: false })])
    const willing = this.#exited
    this.kill()
    await this.ended
    if (!willing) throw new Error('Logstash did not end within 90 s of SIGTERM')
  }

  kill(): void {
    if (!this.#exited) this.#signal('SIGKILL')
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
    } catch {
      // The group is gone already.
    }
  }
}

/** Runs Logstash with arguments that make it end by itself. */
export async function runLogstash(start: Start): Promise<{ code: number | null; output: string }> {
  const logstash = new LogstashProcess(start)
  const late = sleep(300_000, 'late' as const, { ref: false })
  const code = await Promise.race([logstash.ended, late])
  if (code === 'late') {
    logstash.kill()
    throw new Error(`Logstash did not end within 300 s:\n${logstash.tail()}`)
  }
  return { code, output: logstash.output }
}
