import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError, asAuditError, badAnswer, cleanLine, OutOfTimeError, stateError } from '../src/errors.ts'

describe('a clean line', () => {
  const cases: [what: string, text: string, line: string][] = [
    ['keeps plain text', 'état of 山田 🦊', 'état of 山田 🦊'],
    ['is one line', ' a\r\n\tb \n\n', 'a b'],
    ['has no escape sequence', 'red \u001b[31m\u0007 \u009b31m', 'red [31m 31m'],
    ['has no NUL and no DEL', 'a\u0000b\u007fc', 'a b c'],
    ['has nothing that turns the direction of text', '\u202egpj.exe\u202c \u2066x\u2069', 'gpj.exe x'],
    ['has nothing that cannot be seen', 'a\u200bb\ufeffc\u00add', 'a b c d'],
    ['has no line break of Unicode', 'a\u2028b\u2029c\u0085d', 'a b c d'],
    ['has no half of a letter', 'a\ud83eb\udd8ac', 'a b c'],
    ['has no token', 'Bearer xoxp-12-34-ab_CD.ef "is" bad', 'Bearer xox… "is" bad'],
    ['has no token that rotates', '(xoxe.xoxp-1-Mi0yLTEyMzQ)', '(xox…)'],
    ['has no token of any kind', 'xoxb-123456 xapp-1-A xoxs-abcdef XOXP-ABCDEF', 'xox… xapp-1-A xox… xox…'],
    [
      'keeps the bare prefix, which is advice',
      'begins with xoxp-, not xoxb-',
      'begins with xoxp-, not xoxb-',
    ],
  ]
  for (const [what, text, line] of cases) test(what, () => assert.equal(cleanLine(text), line))

  test('is cut where it is too long, and shows that', () => {
    assert.equal(cleanLine('x'.repeat(200)), 'x'.repeat(200))
    assert.equal(cleanLine('x'.repeat(201)), `${'x'.repeat(199)}…`)
    assert.equal(cleanLine('abcdef', 4), 'abc…')
  })

  test('is cut only after tokens are removed, so that no half of one is left', () => {
    assert.equal(cleanLine(`${'x '.repeat(95)}xoxp-${'1234567890'.repeat(5)}`, 200), `${'x '.repeat(95)}xox…`)
  })
})

describe('an error', () => {
  test('has a clean message of one line, and keeps its cause', () => {
    const cause = new Error('deep')
    const error = new AuditError('state', 'read', `file\n${'xoxp-1234567'} ${'y'.repeat(500)}`, cause)
    assert.match(error.message, /^file xox… y+…$/)
    assert.equal(error.message.length, 400)
    assert.equal(error.cause, cause)
    assert.deepEqual([error.class, error.code], ['state', 'read'])
  })

  test('of ours passes as it is; anything else that is thrown is a fault to be reported', () => {
    const ours = new OutOfTimeError('network', 'max_time', 'late')
    assert.equal(asAuditError(ours), ours)
    for (const thrown of [new TypeError('x is no function'), 'x is no function']) {
      const error = asAuditError(thrown)
      assert.deepEqual([error.class, error.code, error.cause], ['contract', 'unexpected', thrown])
      assert.equal(error.message, 'unexpected error, please report it: x is no function')
    }
  })

  test('of the state names the file, what could not be done and the reason of the system', () => {
    const cause = Object.assign(new Error('full'), { code: 'ENOSPC' })
    const error = stateError('save', '/s/T1-access.json', 'cannot be saved', cause)
    assert.deepEqual([error.class, error.code, error.cause], ['state', 'save', cause])
    assert.equal(
      error.message,
      'state /s/T1-access.json cannot be saved: no space is left on the disk (ENOSPC)',
    )
    assert.match(stateError('save', 'f', 'cannot be saved', 'odd').message, /: odd$/)
  })

  test('for an answer that is not Slack’s names the method and is worth another try', () => {
    const error = badAnswer('team.accessLogs', 'HTML')
    assert.deepEqual([error.class, error.code, error.retry], ['contract', 'bad_answer', true])
    assert.match(error.message, /^team\.accessLogs: the answer is not Slack's \(HTML\)/)
  })
})
