import { cleanLine } from './errors.ts'
import type { Settings } from './options.ts'
import { showDuration, showTime } from './time.ts'

/** A walk shorter than this shows nothing. */
const QUIET_MS = 1000
const REDRAW_MS = 200

/** What a person sees: lines on stderr and, on a terminal, one line that shows how far a long walk is. */
export class Voice {
  readonly #stream: NodeJS.WriteStream
  readonly #level: Settings['voice']
  readonly #walks = new Map<string, { counts: string; waitUntil: number }>()
  #timer: NodeJS.Timeout | undefined
  #drawn = false

  constructor(stream: NodeJS.WriteStream, level: Settings['voice']) {
    this.#stream = stream
    this.#level = level
    // Without a listener, a reader of stderr that goes away would end the run in the middle.
    stream.on('error', () => {})
  }

  /** Said whatever was asked for. */
  error(message: string): void {
    this.#line(message)
  }

  say(message: string): void {
    if (this.#level !== 'quiet') this.#line(message)
  }

  detail(message: string): void {
    if (this.#level === 'verbose') this.#line(message)
  }

  /** Shows progress from now on, if stderr is a terminal. */
  start(): void {
    if (!this.#stream.isTTY || this.#level === 'quiet') return
    const begun = performance.now()
    this.#timer = setInterval(() => {
      if (performance.now() - begun >= QUIET_MS) this.#draw()
    }, REDRAW_MS)
    this.#timer.unref()
  }

  progress(log: string, pages: number, rows: number, oldest: number): void {
    const read = `${pages.toLocaleString('en-US')} ${pages === 1 ? 'page' : 'pages'}, ${rows.toLocaleString('en-US')} rows`
    const counts = `${read}, back to ${showTime(oldest)}`
    this.#walks.set(log, { counts, waitUntil: 0 })
  }

  /** Slack's rate limit makes a walk wait; 0: no longer. */
  waiting(log: string, seconds: number): void {
    const counts = this.#walks.get(log)?.counts ?? ''
    this.#walks.set(log, { counts, waitUntil: seconds > 0 ? performance.now() + seconds * 1000 : 0 })
    if (seconds > 0) this.detail(`${log}: waits ${showDuration(seconds)} for Slack's rate limit`)
  }

  /** Removes the progress line and shows it no more. */
  stop(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  #line(message: string): void {
    this.#clear()
    this.#stream.write(`slack-auditor: ${cleanLine(message, 600)}\n`)
  }

  #draw(): void {
    const parts = [...this.#walks].map(([log, { counts, waitUntil }]) => {
      const left = (waitUntil - performance.now()) / 1000
      return `${log}: ${[counts, left > 0 ? `waiting ${showDuration(left)} for Slack's rate limit` : ''].filter(Boolean).join(', ')}`
    })
    if (parts.length === 0) return
    const text = parts.join(' | ').slice(0, (this.#stream.columns || 80) - 1)
    this.#stream.write(`\r\u001b[K${text}`)
    this.#drawn = true
  }

  #clear(): void {
    if (this.#drawn) this.#stream.write('\r\u001b[K')
    this.#drawn = false
  }
}
