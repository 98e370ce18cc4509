import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError, OutOfTimeError, SlackCallError } from '../../src/errors.ts'
import { slackAnswerError } from '../../src/slack/errors.ts'
import { Retrier } from '../../src/slack/retry.ts'

/** An attempt that takes `ms` and then gives a value or an error. */
type Attempt = { ms?: number; gives: string | Error }

const START = 1_764_000_000_000

const outage = (retryAfterSeconds?: number) =>
  new SlackCallError('outage', 'http_503', 'down', {
    retry: true,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
const limited = (retryAfterSeconds: number) =>
  slackAnswerError('team.accessLogs', 'ratelimited', { retryAfterSeconds })
const timeout = () => new SlackCallError('network', 'timeout', 'too slow', { retry: true })

/** A retrier on a clock that moves only when somebody sleeps, for `oversleepMs` too long, or an attempt takes time. */
function played({ maxSeconds = Number.POSITIVE_INFINITY, random = 1, oversleepMs = 0 } = {}) {
  let now = START
  const slept: number[] = []
  const waits: [seconds: number, why: string][] = []
  const asked: number[] = []
  const clock = {
    nowMs: () => now,
    sleep: async (ms: number) => {
      slept.push(ms)
      now += ms + oversleepMs
    },
    random: () => random,
  }
  const retrier = new Retrier(clock, START + maxSeconds * 1000, (...wait) => waits.push(wait))
  /** Calls once; the attempts give what the list says, then the last of it again. */
  const call = (...attempts: Attempt[]) => {
    let index = 0
    return retrier.call(async () => {
      asked.push((now - START) / 1000)
      const { ms = 0, gives } = attempts[Math.min(index, attempts.length - 1)] ?? { gives: 'nothing' }
      index += 1
      now += ms
      if (gives instanceof Error) throw gives
      return gives
    })
  }
  const counters = () => {
    const { requests, retries, rateLimitedMs } = retrier
    return { requests, retries, rateLimitedMs }
  }
  return { call, slept, waits, asked, counters, pass: (ms: number) => (now += ms) }
}

const good: Attempt = { gives: 'page' }
const failing = (gives: Error, ms = 0): Attempt => ({ gives, ms })

/** The error a call ends with. */
async function failure(call: Promise<unknown>): Promise<AuditError> {
  const error: unknown = await call.then(
    () => assert.fail('it should have failed'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof AuditError)
  return error
}

describe('a call that fails in a way that may pass', () => {
  test('is tried again, and its result is that of the try that succeeds', async () => {
    const { call, counters } = played()
    assert.equal(await call(failing(outage()), failing(timeout()), good), 'page')
    assert.deepEqual(counters(), { requests: 3, retries: 2, rateLimitedMs: 0 })
  })

  test('is tried five times, after pauses that grow; its last error is thrown', async () => {
    const { call, slept, counters } = played()
    const last = outage()
    const attempts = [...Array<Attempt>(4).fill(failing(timeout())), failing(last)]
    const error = await failure(call(...attempts))
    assert.deepEqual([error.class, error.code, error.cause], ['outage', 'http_503', last])
    assert.equal(error.message, 'down; tried 5 times, the next run tries again')
    assert.deepEqual(slept, [1000, 2000, 4000, 8000])
    assert.deepEqual(counters(), { requests: 5, retries: 4, rateLimitedMs: 0 })
  })

  for (const [random, first] of [
    [0, 500],
    [0.5, 750],
    [0.999, 999.5],
  ] as const) {
    test(`pauses for between half of that and all of it, by chance (${random})`, async () => {
      const { call, slept } = played({ random })
      await call(failing(outage()), failing(outage()), good)
      assert.deepEqual(slept, [first, first * 2])
    })
  }

  test('waits for as long as Slack says, if that is longer', async () => {
    const { call, slept, waits } = played()
    await call(failing(outage(20)), failing(timeout()), good)
    assert.deepEqual(slept, [20_000, 2000])
    const expected = [
      [20, 'HTTP 503'],
      [0, 'HTTP 503'],
      [2, 'timeout'],
      [0, 'timeout'],
    ]
    assert.deepEqual(waits, expected, 'the caller learns of each wait')
  })

  test('waits for ten minutes if Slack says so', async () => {
    const { call, slept } = played()
    assert.equal(await call(failing(outage(600)), good), 'page')
    assert.deepEqual(slept, [600_000])
  })

  test('is given up where Slack says more than ten minutes', async () => {
    const { call, slept } = played()
    const { code, message } = await failure(call(failing(outage(601))))
    assert.deepEqual(
      [code, message],
      ['http_503', 'down; it asks for a wait of 10 min, which is left to a later run'],
    )
    assert.deepEqual(slept, [])
  })

  test('counts its tries from zero at the next call', async () => {
    const { call } = played()
    const often = [...Array<Attempt>(4).fill(failing(outage())), good]
    assert.equal(await call(...often), 'page')
    assert.equal(await call(...often), 'page')
  })
})

describe('anything else that is thrown', () => {
  const errors = [
    slackAnswerError('team.accessLogs', 'missing_scope'),
    new AuditError('output', 'EPIPE', 'nobody reads'),
    new TypeError('a bug'),
  ]
  for (const error of errors) {
    test(`(${error.message.slice(0, 40)}) is thrown at once`, async () => {
      const { call, slept, counters } = played()
      await assert.rejects(call(failing(error as Error)), (thrown) => thrown === error)
      assert.deepEqual([slept, counters()], [[], { requests: 1, retries: 0, rateLimitedMs: 0 }])
    })
  }
})

describe('a rate limit', () => {
  test('is waited for as long as Slack says, and that is reported and counted', async () => {
    const { call, slept, waits, counters } = played()
    assert.equal(await call(failing(limited(30)), good), 'page')
    assert.deepEqual(slept, [30_000])
    assert.deepEqual(waits, [
      [30, 'rate limit'],
      [0, 'rate limit'],
    ])
    assert.deepEqual(counters(), { requests: 2, retries: 1, rateLimitedMs: 30_000 })
  })

  test('counts the time that was waited, where that is longer than Slack asked', async () => {
    const { call, slept, counters } = played({ oversleepMs: 1500 })
    await call(failing(limited(30)), failing(limited(10)), good)
    assert.deepEqual(slept, [30_000, 10_000])
    assert.equal(counters().rateLimitedMs, 43_000)
  })

  test('that asks for more than ten minutes adds nothing to the time that was waited', async () => {
    const { call, counters } = played()
    await failure(call(failing(limited(601))))
    assert.equal(counters().rateLimitedMs, 0)
  })

  test('keeps calls three seconds apart from then on, from start to start', async () => {
    const { call, asked, pass, counters } = played()
    await call(good)
    await call(good)
    await call(failing(limited(1)), good)
    await call({ ...good, ms: 2000 })
    await call(good)
    pass(10_000)
    await call(good)
    assert.deepEqual(asked, [0, 0, 0, 3, 6, 9, 19])
    assert.equal(counters().rateLimitedMs, 1000, 'the pause between calls is not a wait')
  })

  test('may come ten times a call, since each wait is as long as Slack asked', async () => {
    const { call, counters } = played()
    assert.equal(await call(...Array<Attempt>(10).fill(failing(limited(5))), good), 'page')
    assert.match(
      (await failure(call(failing(limited(5))))).message,
      /^team\.accessLogs: ratelimited: .*; waited 10 times$/,
    )
    assert.equal(counters().requests, 11 + 11)
  })

  test('does not use up the tries for failures, nor the other way round', async () => {
    const { call } = played()
    const both = Array.from({ length: 4 }, () => [failing(limited(5)), failing(outage())]).flat()
    assert.equal(await call(...both, good), 'page')
  })

  test('of ten minutes is waited for; of more it is given up at once, with the time it would take', async () => {
    const { call, slept, waits, counters } = played()
    assert.equal(await call(failing(limited(600)), good), 'page')
    slept.length = waits.length = 0
    const error = await failure(call(failing(limited(7200))))
    assert.deepEqual([error.class, error.code], ['rate_limit', 'ratelimited'])
    assert.ok(!(error instanceof OutOfTimeError), 'the user set no limit')
    assert.match(error.message, /a wait of 2 h, which is left to a later run/)
    assert.deepEqual(waits, [])
    assert.equal(counters().requests, 3)
  })
})

describe('the deadline', () => {
  const cases: [
    what: string,
    maxSeconds: number,
    attempts: Attempt[],
    outOfTime: boolean,
    errorClass: string,
    code: string,
    requests: number,
  ][] = [
    ['that has passed asks nothing', 0, [good], true, 'network', 'max_time', 0],
    ['that ends the first try', 10, [failing(timeout(), 10_000)], true, 'network', 'max_time', 1],
    ['that a time-out does not reach', 30, [failing(timeout(), 29_500)], false, 'network', 'timeout', 1],
    ['that ends a try', 10, [failing(outage()), failing(timeout(), 9000)], false, 'outage', 'http_503', 2],
    [
      'that ends a try after a rate limit and',
      30,
      [failing(limited(1)), failing(outage()), failing(timeout(), 24_000)],
      false,
      'outage',
      'http_503',
      3,
    ],
    [
      'that ends a try, after a rate limit alone,',
      30,
      [failing(limited(5)), failing(timeout(), 25_000)],
      true,
      'network',
      'max_time',
      2,
    ],
    ['before which no pause fits', 0.9, [failing(outage())], false, 'outage', 'http_503', 1],
    ['at which a pause would end', 1, [failing(outage())], false, 'outage', 'http_503', 1],
    [
      'before which a rate limit cannot end',
      30,
      [failing(limited(30))],
      true,
      'rate_limit',
      'ratelimited',
      1,
    ],
    [
      'before which no call would be three seconds apart',
      3,
      [failing(limited(1)), good],
      true,
      'rate_limit',
      'ratelimited',
      1,
    ],
  ]
  for (const [what, maxSeconds, attempts, outOfTime, errorClass, code, requests] of cases) {
    test(`${what} gives ${outOfTime ? 'a limit the user set' : 'the failure before it'}: ${code}`, async () => {
      const { call, counters } = played({ maxSeconds })
      const error = await failure(call(...attempts))
      assert.equal(error instanceof OutOfTimeError, outOfTime)
      assert.deepEqual([error.class, error.code], [errorClass, code])
      assert.equal(counters().requests, requests)
      if (errorClass === 'outage')
        assert.match(error.message, /^down; --max-time leaves no time for another try$/)
      if (outOfTime) assert.match(error.message, /^--max-time ran out before Slack answered: /)
    })
  }

  test('is never slept past', async () => {
    const { call, slept, asked } = played({ maxSeconds: 7.5 })
    await failure(call(failing(outage())))
    assert.deepEqual(
      [slept, asked],
      [
        [1000, 2000, 4000],
        [0, 1, 3, 7],
      ],
    )
  })
})
