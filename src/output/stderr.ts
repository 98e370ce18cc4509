import { cleanLine, showCount, showDuration, showTime } from '../text.ts'

/** How much is said on stderr. Errors always are. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** A walk shorter than this shows no progress. */
const SHORT_WALK_MS = 1000
const REDRAW_MS = 200

interface Progress {
  pages: number
  rows: number
  /** How far back in time the walk is, epoch seconds. */
  oldest: number | undefined
  /** Slack's rate limit makes the walk wait until then; `performance.now()`. */
  waitUntil: number
}

/** What people read: lines on stderr and, on a terminal, one line that shows how far a long walk has come. */
export class Stderr {
  readonly #stream: NodeJS.WriteStream
  readonly #verbosity: Verbosity
  readonly #walks = new Map<string, Progress>()
  #timer: NodeJS.Timeout | undefined
  #drawn = false

  constructor(stream: NodeJS.WriteStream, verbosity: Verbosity) {
    this.#stream = stream
    this.#verbosity = verbosity
    // Without a listener, a reader of stderr that goes away would end the run in the middle.
    stream.on('error', () => {})
  }

  /** Written at every verbosity. */
  error(message: string): void {
    this.#line(message)
  }

  /** Written unless --quiet is given. */
  say(message: string): void {
    if (this.#verbosity !== 'quiet') this.#line(message)
  }

  /** Written with --verbose. */
  detail(message: string): void {
    if (this.#verbosity === 'verbose') this.#line(message)
  }

  /** Shows progress from now on, if stderr is a terminal. */
  startProgress(): void {
    if (!this.#stream.isTTY || this.#verbosity === 'quiet') return
    const begun = performance.now()
    this.#timer = setInterval(() => {
      if (performance.now() - begun >= SHORT_WALK_MS) this.#draw()
    }, REDRAW_MS)
    this.#timer.unref()
  }

  progress(log: string, pages: number, rows: number, oldest: number): void {
    this.#walks.set(log, { pages, rows, oldest, waitUntil: 0 })
  }

  /** Slack's rate limit makes the walk of this log wait; 0 seconds: no longer. */
  waiting(log: string, seconds: number): void {
    const walk = this.#walks.get(log) ?? { pages: 0, rows: 0, oldest: undefined, waitUntil: 0 }
    this.#walks.set(log, { ...walk, waitUntil: seconds > 0 ? performance.now() + seconds * 1000 : 0 })
    if (seconds > 0) this.detail(`${log}: waits ${showDuration(seconds)} for Slack's rate limit`)
  }

  /** Removes the progress line and shows it no more. */
  stopProgress(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  #line(message: string): void {
    this.#clear()
    this.#stream.write(`slack-auditor: ${cleanLine(message, 600)}\n`)
  }

  #draw(): void {
    if (this.#walks.size === 0) return
    const text = [...this.#walks].map(([log, walk]) => `${log}: ${showWalk(walk)}`).join(' | ')
    this.#stream.write(`\r\u001b[K${text.slice(0, (this.#stream.columns || 80) - 1)}`)
    this.#drawn = true
  }

  #clear(): void {
    if (this.#drawn) this.#stream.write('\r\u001b[K')
    this.#drawn = false
  }
}

function showWalk({ pages, rows, oldest, waitUntil }: Progress): string {
  const waitSeconds = (waitUntil - performance.now()) / 1000
  const done = [showCount(pages, 'page'), showCount(rows, 'row'), `back to ${showTime(oldest ?? 0)}`]
  const waiting = `waiting ${showDuration(waitSeconds)} for Slack's rate limit`
  return [...(oldest === undefined ? [] : done), ...(waitSeconds > 0 ? [waiting] : [])].join(', ')
}
