import { cleanLine, showCount, showDuration, showTime } from '../text.ts'

/** How much is said on stderr. Errors always are. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** A walk shorter than this shows no progress. */
const SHORT_WALK_MS = 1000
const REDRAW_MS = 200

/** What people read: lines on stderr and, on a terminal, one line that shows how far a long walk has come. */
export class Stderr {
  verbosity: Verbosity = 'normal'
  readonly #stream: NodeJS.WriteStream
  readonly #canErase: boolean
  /** How far each log has come, the one that moved last at the end. */
  readonly #progress = new Map<string, string>()
  /** Why a log waits, and until when by `performance.now()`. */
  readonly #waits = new Map<string, { why: string; untilMs: number }>()
  #timer: NodeJS.Timeout | undefined
  #isDrawn = false

  /** `canErase`: whether the stream is a terminal that understands cursor codes. */
  constructor(stream: NodeJS.WriteStream, canErase: boolean) {
    this.#stream = stream
    this.#canErase = canErase
    // Without a listener, a reader of stderr that goes away would crash the run.
    stream.on('error', () => {})
  }

  /** Written at every verbosity. */
  error(message: string): void {
    this.#line(message)
  }

  /** Written unless --quiet is given. */
  say(message: string): void {
    if (this.verbosity !== 'quiet') this.#line(message)
  }

  /** Written on a terminal, unless --quiet is given, and with --verbose. */
  hint(message: string): void {
    if (this.#stream.isTTY) this.say(message)
    else this.detail(message)
  }

  /** Written with --verbose. */
  detail(message: string): void {
    if (this.verbosity === 'verbose') this.#line(message)
  }

  /** Shows progress from now on, if stderr is a terminal. */
  startProgress(): void {
    if (!this.#canErase || this.verbosity === 'quiet') return
    const begunMs = performance.now()
    this.#timer = setInterval(() => {
      if (performance.now() - begunMs >= SHORT_WALK_MS) this.#draw()
    }, REDRAW_MS)
    this.#timer.unref()
  }

  /** The walk of this log read a page. `oldestSeconds`: how far back in time it is, since the epoch. */
  progress(log: string, pages: number, rows: number, oldestSeconds: number): void {
    const done = `${showCount(pages, 'page')}, ${showCount(rows, 'row')}, back to ${showTime(oldestSeconds)}`
    this.#progress.delete(log)
    this.#progress.set(log, `${log}: ${done}`)
  }

  /** A call about `what`, such as a log, has to wait so long; 0 seconds: no longer. */
  waiting(what: string, seconds: number, why: string): void {
    this.#waits.delete(what)
    if (seconds === 0) return
    this.#waits.set(what, { why, untilMs: performance.now() + seconds * 1000 })
    const message = `${what}: ${showWait(seconds, why)}`
    if (this.#timer) this.detail(message)
    else this.hint(message)
  }

  /** Removes the progress line and shows it no more. */
  stopProgress(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#clear()
  }

  #line(message: string): void {
    this.#clear()
    this.#stream.write(`slack-auditor: ${cleanLine(message, 600)}\n`)
  }

  /** What moves comes first, and is cut where there is no room; waits are not. */
  #draw(): void {
    const columns = (this.#stream.columns || 80) - 1
    const waits = [...this.#waits].map(
      ([what, { why, untilMs }]) => ` | ${what}: ${showWait((untilMs - performance.now()) / 1000, why)}`,
    )
    const moving = [...this.#progress].filter(([log]) => !this.#waits.has(log)).reverse()
    const room = Math.max(0, columns - waits.join('').length)
    const first = moving.map(([, done]) => done).join(' | ')
    const text = `${first.slice(0, room)}${waits.join('')}`.replace(/^ \| /, '')
    if (text === '') return
    const fitting = text.length > columns ? text.replaceAll('trying again', 'again') : text
    this.#stream.write(`\r\u001b[K${fitting.slice(0, columns)}`)
    this.#isDrawn = true
  }

  #clear(): void {
    if (this.#isDrawn) this.#stream.write('\r\u001b[K')
    this.#isDrawn = false
  }
}

function showWait(seconds: number, why: string): string {
  return `trying again in ${showDuration(Math.max(0, seconds))} (${why})`
}
