import { OutOfTimeError, SlackCallError } from '../errors.ts'
import { showDuration } from '../text.ts'

/** Time and chance, passed in so that tests can play both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  sleep(ms: number): Promise<void>
  /** At least 0, below 1. */
  random(): number
}

/** Tries after the first one, for a call that failed in a way that may pass. */
const RETRIES = 4
const FIRST_PAUSE_MS = 1000
/** Waits for the rate limit, per call: more than a handful, since each is as long as Slack asked for. */
const RATE_LIMIT_WAITS = 10
const LONGEST_WAIT_SECONDS = 600
/** Both logs are tier 2, "20+ per minute" (docs.slack.dev, rate limits). */
const APART_AFTER_RATE_LIMIT_MS = 3000

/**
 * Repeats calls of one method where that can help, never past `deadline` (epoch milliseconds), and counts what it cost.
 * After the first rate limit it keeps calls three seconds apart.
 */
export class Retrier {
  requests = 0
  retries = 0
  rateLimitedMs = 0
  readonly #clock: Clock
  readonly #deadline: number
  readonly #onWait: (seconds: number) => void
  #apartMs = 0
  #lastCall = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, deadline: number, onWait: (seconds: number) => void = () => {}) {
    this.#clock = clock
    this.#deadline = deadline
    this.#onWait = onWait
  }

  /**
   * The result of `attempt`, which throws a SlackCallError with `retry` where a later try may succeed.
   * @throws the last SlackCallError; OutOfTimeError if nothing was wrong but the deadline.
   */
  async call<T>(attempt: () => Promise<T>): Promise<T> {
    let failures = 0
    let limits = 0
    let last: SlackCallError | undefined
    for (;;) {
      await this.#pause(
        this.#lastCall + this.#apartMs - this.#clock.now(),
        'the pause it asks for between calls',
      )
      if (this.#clock.now() >= this.#deadline) throw last ?? outOfTime('network', 'it was not asked any more')
      this.#lastCall = this.#clock.now()
      this.requests += 1
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof SlackCallError) || !error.retry) throw error
        // The deadline ended this try, so what is known to be wrong is what ended the one before, if anything.
        if (error.code === 'timeout' && this.#clock.now() >= this.#deadline) {
          throw last ?? outOfTime('network', 'its answer did not come in time')
        }
        if (error.class === 'rate_limit') {
          limits += 1
          if (limits > RATE_LIMIT_WAITS) throw error
          await this.#waitForRateLimit(error)
        } else {
          failures += 1
          last = error
          if (failures > RETRIES) throw error
          const pause = FIRST_PAUSE_MS * 2 ** (failures - 1) * (0.5 + this.#clock.random() / 2)
          const wait = Math.max(pause, (error.retryAfterSeconds ?? 0) * 1000)
          if (wait > LONGEST_WAIT_SECONDS * 1000 || this.#clock.now() + wait >= this.#deadline) throw error
          await this.#clock.sleep(wait)
        }
        this.retries += 1
      }
    }
  }

  async #waitForRateLimit(error: SlackCallError): Promise<void> {
    const seconds = error.retryAfterSeconds ?? 0
    this.#apartMs = APART_AFTER_RATE_LIMIT_MS
    if (seconds > LONGEST_WAIT_SECONDS) {
      throw new SlackCallError(
        'rate_limit',
        'ratelimited',
        `${error.message}; it asks for a wait of ${showDuration(seconds)}, which is left to a later run`,
        { retry: false, retryAfterSeconds: seconds, cause: error },
      )
    }
    this.#onWait(seconds)
    const before = this.#clock.now()
    await this.#pause(seconds * 1000, 'the wait for its rate limit')
    this.rateLimitedMs += this.#clock.now() - before
    this.#onWait(0)
  }

  async #pause(ms: number, what: string): Promise<void> {
    if (ms <= 0) return
    if (this.#clock.now() + ms >= this.#deadline) throw outOfTime('rate_limit', `${what} would last too long`)
    await this.#clock.sleep(ms)
  }
}

function outOfTime(errorClass: 'network' | 'rate_limit', what: string): OutOfTimeError {
  const code = errorClass === 'rate_limit' ? 'ratelimited' : 'max_time'
  return new OutOfTimeError(errorClass, code, `--max-time came before the answer of Slack: ${what}`)
}
