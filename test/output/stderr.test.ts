import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { Stderr, type Verbosity } from '../../src/output/stderr.ts'

const T = Date.UTC(2026, 10, 5, 9) / 1000

/** Stderr on a stream that keeps what it got. */
function stderrOn(
  verbosity: Verbosity,
  terminal: { isTTY?: boolean; columns?: number } = {},
  canErase = terminal.isTTY === true,
) {
  const through = new PassThrough()
  const stream = Object.assign(through, terminal) as unknown as NodeJS.WriteStream
  const text = () => {
    let all = ''
    for (let chunk = through.read(); chunk !== null; chunk = through.read()) all += String(chunk)
    return all
  }
  const stderr = new Stderr(stream, canErase)
  stderr.verbosity = verbosity
  return { stderr, stream, text }
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

  test('a reader that goes away is not an error', () => {
    const { stderr, stream } = stderrOn('normal')
    stream.emit('error', new Error('EPIPE'))
    stderr.say('still here')
  })

  for (const [what, level, terminal, heard] of [
    ['in a pipe', 'normal', {}, []],
    ['in a pipe with --verbose', 'verbose', {}, ['hint', 'access: trying again in 4 s (HTTP 503)']],
    ['on a terminal', 'normal', { isTTY: true }, ['hint', 'access: trying again in 4 s (HTTP 503)']],
    ['on a terminal with --quiet', 'quiet', { isTTY: true }, []],
  ] as const) {
    test(`hints, and waits before there is progress, ${what}: ${heard.length === 0 ? 'nothing' : 'said'}`, () => {
      const { stderr, text } = stderrOn(level, terminal)
      stderr.hint('hint')
      stderr.waiting('access', 4, 'HTTP 503')
      stderr.waiting('access', 0, 'HTTP 503')
      assert.equal(text(), heard.map((line) => `slack-auditor: ${line}\n`).join(''))
    })
  }
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
    const [access, integration] = ['access: 1 page, 999 rows', 'integration: 1,234 pages, 5,000,000 rows']
    const back = 'back to 2026-11-05 09:00:00Z'
    assert.equal(text(), `${ERASE}${`${integration}, ${back} | ${access}, ${back}`.slice(0, 119)}`)
    stderr.progress('access', 2, 1998, T)
    pass(200)
    assert.ok(text().startsWith(`${ERASE}access: 2 pages, 1,998 rows`), 'what moves comes first')
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

  test('shows a wait, whatever else there is to show', (t) => {
    const pass = mockTime(t)
    const { stderr, text } = stderrOn('normal', { isTTY: true, columns: 80 })
    stderr.startProgress()
    stderr.progress('access', 2, 999, T)
    stderr.waiting('access', 30, 'rate limit')
    stderr.progress('integration', 12, 12_000, T)
    pass(1000)
    assert.equal(
      text(),
      `${ERASE}integration: 12 pages, 12,000 rows, | access: trying again in 29 s (rate limit)`,
    )
    stderr.waiting('integration', 120, 'rate limit')
    pass(200)
    const both = 'access: again in 29 s (rate limit) | integration: again in 120 s (rate limit)'
    assert.equal(text(), `${ERASE}${both}`)
    stderr.waiting('access', 0, 'rate limit')
    stderr.waiting('integration', 0, 'rate limit')
    pass(200)
    assert.match(text(), /K(integration|access): .*09:00:00Z \| /)
    stderr.stopProgress()
  })

  for (const [what, level, terminal, canErase] of [
    ['in a pipe', 'normal', {}],
    ['with --quiet', 'quiet', TERMINAL],
    ['on a terminal that knows no cursor codes', 'normal', TERMINAL, false],
  ] as const) {
    test(`is not drawn ${what}`, (t) => {
      const pass = mockTime(t)
      const { stderr, text } = stderrOn(level, terminal, canErase)
      stderr.startProgress()
      stderr.progress('access', 2, 999, T)
      pass(5000)
      stderr.stopProgress()
      assert.equal(text(), '')
    })
  }
})
