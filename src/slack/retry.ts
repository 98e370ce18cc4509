import { OutOfTimeError, SlackCallError } from '../errors.ts'
import { showDuration } from '../text.ts'

/** Time and chance, passed in so that tests can play both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  sleep(ms: number): Promise<void>
  /** At least 0, below 1. */
  random(): number
}

/** Told when a call has to wait: for how long and why, such as `rate limit` or `HTTP 503`. 0 seconds: the wait is over. */
export type OnWait = (seconds: number, why: string) => void

/** Tries after the first one, for a call that failed in a way that may pass. */
const RETRIES = 4
const FIRST_PAUSE_MS = 1000
/** Rate-limit waits per call. Generous, because each lasts only as long as Slack asked. */
const RATE_LIMIT_WAITS = 10
const LONGEST_WAIT_SECONDS = 600
/** Both logs are tier 2, "20+ per minute" (docs.slack.dev, rate limits). */
const APART_AFTER_RATE_LIMIT_MS = 3000

/**
 * Repeats calls of one method where that can help, never past `deadlineMs` (since the epoch), and counts what it cost.
 * After the first rate limit it keeps calls three seconds apart.
 */
export class Retrier {
  requests = 0
  retries = 0
  rateLimitedMs = 0
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #onWait: OnWait
  #apartMs = 0
  #lastCallMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, deadlineMs: number, onWait: OnWait = () => {}) {
    this.#clock = clock
    this.#deadlineMs = deadlineMs
    this.#onWait = onWait
  }

  /**
   * The result of `attempt`, which throws a SlackCallError with `retry` where a later try may succeed.
   * @throws the last SlackCallError, with how often it was tried; OutOfTimeError if only the deadline was in the way.
   */
  async call<T>(attempt: () => Promise<T>): Promise<T> {
    const failures = { transient: 0, rateLimit: 0 }
    let last: SlackCallError | undefined
    const outOfTime = (what: string) =>
      last ? gaveUp(last, NO_TIME) : new OutOfTimeError('network', 'max_time', `${OUT_OF_TIME}: ${what}`)
    for (;;) {
      const restMs = this.#lastCallMs + this.#apartMs - this.#clock.nowMs()
      if (restMs > 0) await this.#sleepForRateLimit(restMs, 'the pause between calls')
      if (this.#clock.nowMs() >= this.#deadlineMs) throw outOfTime('no time was left to ask')
      this.#lastCallMs = this.#clock.nowMs()
      this.requests += 1
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof SlackCallError) || !error.retry) throw error
        // The deadline ended this try, so the real fault is that of the try before, if there was one.
        if (error.code === 'timeout' && this.#clock.nowMs() >= this.#deadlineMs) {
          throw outOfTime('its answer did not come in time')
        }
        if (error.class === 'rate_limit') {
          await this.#waitForRateLimit(error, ++failures.rateLimit)
        } else {
          last = error
          await this.#waitToRetry(error, ++failures.transient)
        }
        this.retries += 1
      }
    }
  }

  async #waitForRateLimit(error: SlackCallError, times: number): Promise<void> {
    const seconds = error.retryAfterSeconds ?? 0
    this.#apartMs = APART_AFTER_RATE_LIMIT_MS
    if (times > RATE_LIMIT_WAITS) throw gaveUp(error, `waited ${RATE_LIMIT_WAITS} times`)
    if (seconds > LONGEST_WAIT_SECONDS) throw gaveUp(error, tooLong(seconds))
    this.#onWait(seconds, 'rate limit')
    const beganMs = this.#clock.nowMs()
    await this.#sleepForRateLimit(seconds * 1000, 'the wait for its rate limit')
    this.rateLimitedMs += this.#clock.nowMs() - beganMs
    this.#onWait(0, 'rate limit')
  }

  async #waitToRetry(error: SlackCallError, times: number): Promise<void> {
    const seconds = error.retryAfterSeconds ?? 0
    if (times > RETRIES) throw gaveUp(error, `tried ${times} times, the next run tries again`)
    if (seconds > LONGEST_WAIT_SECONDS) throw gaveUp(error, tooLong(seconds))
    const pauseMs = FIRST_PAUSE_MS * 2 ** (times - 1) * (0.5 + this.#clock.random() / 2)
    const waitMs = Math.max(pauseMs, seconds * 1000)
    if (this.#clock.nowMs() + waitMs >= this.#deadlineMs) throw gaveUp(error, NO_TIME)
    const why = error.code.replace(/^http_/, 'HTTP ')
    this.#onWait(waitMs / 1000, why)
    await this.#clock.sleep(waitMs)
    this.#onWait(0, why)
  }

  async #sleepForRateLimit(ms: number, what: string): Promise<void> {
    if (this.#clock.nowMs() + ms >= this.#deadlineMs) {
      throw new OutOfTimeError('rate_limit', 'ratelimited', `${OUT_OF_TIME}: ${what} would take too long`)
    }
    await this.#clock.sleep(ms)
  }
}

const OUT_OF_TIME = '--max-time ran out before Slack answered'
const NO_TIME = '--max-time leaves no time for another try'

function tooLong(seconds: number): string {
  return `it asks for a wait of ${showDuration(seconds)}, which is left to a later run`
}

/** The same error, with why it was not tried again. */
function gaveUp(error: SlackCallError, why: string): SlackCallError {
  const detail = { retry: false, retryAfterSeconds: error.retryAfterSeconds, cause: error }
  return new SlackCallError(error.class, error.code, `${error.message}; ${why}`, detail)
}
