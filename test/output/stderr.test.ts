import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { Stderr, type Verbosity } from '../../src/output/stderr.ts'

const T = Date.UTC(2026, 10, 5, 9) / 1000

/** Stderr on a stream that keeps what it got. */
function stderrOn(verbosity: Verbosity, terminal: object = {}) {
  const through = new PassThrough()
  const stream = Object.assign(through, terminal) as unknown as NodeJS.WriteStream
  const text = () => {
    let all = ''
    for (let chunk = through.read(); chunk !== null; chunk = through.read()) all += String(chunk)
    return all
  }
  return { stderr: new Stderr(stream, verbosity), stream, text }
}

describe('on stderr', () => {
  for (const [level, heard] of [
    ['quiet', ['error']],
    ['normal', ['error', 'say']],
    ['verbose', ['error', 'say', 'detail']],
  ] as const) {
    test(`the verbosity ${level} shows: ${heard.join(', ')}`, () => {
      const { stderr, text } = stderrOn(level)
      stderr.error('error')
      stderr.say('say')
      stderr.detail('detail')
      assert.equal(text(), heard.map((word) => `slack-auditor: ${word}\n`).join(''))
    })
  }

  test('every message is one clean line', () => {
    const { stderr, text } = stderrOn('normal')
    stderr.say('a\nb\u001b[2J xoxp-1234567890')
    assert.equal(text(), 'slack-auditor: a b [2J xox…\n')
  })

  test('a reader that goes away is no error', () => {
    const { stderr, stream } = stderrOn('normal')
    stream.emit('error', new Error('EPIPE'))
    stderr.say('still here')
  })

  test('the wait for a rate limit is said where more is asked for', () => {
    for (const [level, line] of [
      ['normal', ''],
      ['verbose', "slack-auditor: access: waits 30 s for Slack's rate limit\n"],
    ] as const) {
      const { stderr, text } = stderrOn(level)
      stderr.waiting('access', 30)
      stderr.waiting('access', 0)
      assert.equal(text(), line)
    }
  })
})

describe('progress', () => {
  const TERMINAL = { isTTY: true, columns: 120 }
  const ERASE = '\r\u001b[K'

  /** Mocked intervals and a mocked performance.now, moved together. */
  function mockTime(t: TestContext) {
    let now = 0
    t.mock.timers.enable({ apis: ['setInterval'] })
    t.mock.method(performance, 'now', () => now)
    return (ms: number) => {
      for (const end = now + ms; now < end; ) {
        now += 100
        t.mock.timers.tick(100)
      }
    }
  }

  test('is drawn on a terminal after a second, and erased in the end', (t) => {
    const pass = mockTime(t)
    const { stderr, text } = stderrOn('normal', TERMINAL)
    stderr.startProgress()
    stderr.progress('access', 1, 999, T)
    stderr.progress('integration', 1234, 5_000_000, T)
    pass(800)
    assert.equal(text(), '')
    pass(200)
    assert.equal(
      text(),
      `${ERASE}access: 1 page, 999 rows, back to 2026-11-05 09:00:00Z | integration: 1,234 pages, 5,000,000 rows, back to 2026-11-05 09:00:00Z`.slice(
        0,
        ERASE.length + 119,
      ),
    )
    stderr.stopProgress()
    assert.equal(text(), ERASE)
    pass(5000)
    assert.equal(text(), '')
  })

  test('makes way for a line', (t) => {
    const pass = mockTime(t)
    const { stderr, text } = stderrOn('normal', TERMINAL)
    stderr.startProgress()
    stderr.progress('access', 2, 999, T)
    pass(1000)
    text()
    stderr.say('a line')
    stderr.say('another')
    assert.equal(text(), `${ERASE}slack-auditor: a line\nslack-auditor: another\n`)
    stderr.stopProgress()
  })

  test('says how long it still waits for the rate limit', (t) => {
    const pass = mockTime(t)
    const { stderr, text } = stderrOn('normal', TERMINAL)
    stderr.startProgress()
    stderr.progress('access', 2, 999, T)
    stderr.waiting('access', 30)
    pass(1000)
    assert.match(text(), /09:00:00Z, waiting 29 s for Slack's rate limit$/)
    stderr.waiting('access', 0)
    pass(200)
    assert.match(text(), /09:00:00Z$/)
    stderr.stopProgress()
  })

  test('fits a line of the terminal', (t) => {
    const pass = mockTime(t)
    const { stderr, text } = stderrOn('normal', { isTTY: true, columns: 20 })
    stderr.startProgress()
    stderr.progress('access', 2, 999, T)
    pass(1000)
    assert.equal(text(), `${ERASE}access: 2 pages, 99`)
    stderr.stopProgress()
  })

  for (const [what, level, terminal] of [
    ['in a pipe', 'normal', {}],
    ['where quiet is asked for', 'quiet', TERMINAL],
  ] as const) {
    test(`is not drawn ${what}`, (t) => {
      const pass = mockTime(t)
      const { stderr, text } = stderrOn(level, terminal)
      stderr.startProgress()
      stderr.progress('access', 2, 999, T)
      pass(5000)
      stderr.stopProgress()
      assert.equal(text(), '')
    })
  }
})
