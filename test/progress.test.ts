import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { Voice } from '../src/progress.ts'

const T = Date.UTC(2026, 10, 5, 9) / 1000

/** A voice on a stream that keeps what it got. */
function voiceOn(level: 'quiet' | 'normal' | 'verbose', terminal: object = {}) {
  const through = new PassThrough()
  const stream = Object.assign(through, terminal) as unknown as NodeJS.WriteStream
  const text = () => {
    let all = ''
    for (let chunk = through.read(); chunk !== null; chunk = through.read()) all += String(chunk)
    return all
  }
  return { voice: new Voice(stream, level), stream, text }
}

describe('on stderr', () => {
  for (const [level, heard] of [
    ['quiet', ['error']],
    ['normal', ['error', 'say']],
    ['verbose', ['error', 'say', 'detail']],
  ] as const) {
    test(`one hears, being ${level}: ${heard.join(', ')}`, () => {
      const { voice, text } = voiceOn(level)
      voice.error('error')
      voice.say('say')
      voice.detail('detail')
      assert.equal(text(), heard.map((word) => `slack-auditor: ${word}\n`).join(''))
    })
  }

  test('every message is one clean line', () => {
    const { voice, text } = voiceOn('normal')
    voice.say('a\nb\u001b[2J xoxp-1234567890')
    assert.equal(text(), 'slack-auditor: a b [2J xox…\n')
  })

  test('a reader that goes away is no error', () => {
    const { voice, stream } = voiceOn('normal')
    stream.emit('error', new Error('EPIPE'))
    voice.say('still here')
  })

  test('the wait for a rate limit is said where more is asked for', () => {
    for (const [level, line] of [
      ['normal', ''],
      ['verbose', "slack-auditor: access: waits 30 s for Slack's rate limit\n"],
    ] as const) {
      const { voice, text } = voiceOn(level)
      voice.waiting('access', 30)
      voice.waiting('access', 0)
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
    const { voice, text } = voiceOn('normal', TERMINAL)
    voice.start()
    voice.progress('access', 1, 999, T)
    voice.progress('integration', 1234, 5_000_000, T)
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
    voice.stop()
    assert.equal(text(), ERASE)
    pass(5000)
    assert.equal(text(), '')
  })

  test('makes way for a line', (t) => {
    const pass = mockTime(t)
    const { voice, text } = voiceOn('normal', TERMINAL)
    voice.start()
    voice.progress('access', 2, 999, T)
    pass(1000)
    text()
    voice.say('a line')
    voice.say('another')
    assert.equal(text(), `${ERASE}slack-auditor: a line\nslack-auditor: another\n`)
    voice.stop()
  })

  test('says how long it still waits for the rate limit', (t) => {
    const pass = mockTime(t)
    const { voice, text } = voiceOn('normal', TERMINAL)
    voice.start()
    voice.progress('access', 2, 999, T)
    voice.waiting('access', 30)
    pass(1000)
    assert.match(text(), /09:00:00Z, waiting 29 s for Slack's rate limit$/)
    voice.waiting('access', 0)
    pass(200)
    assert.match(text(), /09:00:00Z$/)
    voice.stop()
  })

  test('fits a line of the terminal', (t) => {
    const pass = mockTime(t)
    const { voice, text } = voiceOn('normal', { isTTY: true, columns: 20 })
    voice.start()
    voice.progress('access', 2, 999, T)
    pass(1000)
    assert.equal(text(), `${ERASE}access: 2 pages, 99`)
    voice.stop()
  })

  for (const [what, level, terminal] of [
    ['in a pipe', 'normal', {}],
    ['where quiet is asked for', 'quiet', TERMINAL],
  ] as const) {
    test(`is not drawn ${what}`, (t) => {
      const pass = mockTime(t)
      const { voice, text } = voiceOn(level, terminal)
      voice.start()
      voice.progress('access', 2, 999, T)
      pass(5000)
      voice.stop()
      assert.equal(text(), '')
    })
  }
})
