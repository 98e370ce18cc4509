import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError, asAuditError, badAnswer, OutOfTimeError, stateError } from '../src/errors.ts'

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
