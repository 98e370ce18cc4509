import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  AuditError,
  asAuditError,
  badAnswer,
  errnoOf,
  OutOfTimeError,
  reasonOf,
  stateError,
} from '../src/errors.ts'

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

  test('of a network file system that libuv does not name is named', () => {
    const reasons = [-122, -116].map((errno) => {
      const error = Object.assign(new Error(), { errno, code: `Unknown system error ${errno}` })
      return [errnoOf(error), reasonOf(error)]
    })
    assert.deepEqual(reasons, [
      ['EDQUOT', 'the disk quota is used up (EDQUOT)'],
      ['ESTALE', 'the network file system lost it (stale file handle) (ESTALE)'],
    ])
  })

  test('of a path that belongs to another user says so, and what to do', (t) => {
    const owner = statSync('/').uid
    t.mock.method(process as { geteuid(): number }, 'geteuid', () => owner + 1)
    for (const path of ['/', '/no/such/folder']) {
      const denied = Object.assign(new Error(), { code: 'EACCES', path })
      const advice = `; / belongs to user ${owner} and this is user ${owner + 1}: run as the same user, or chown it`
      assert.equal(reasonOf(denied), `permission denied (EACCES)${advice}`)
    }
    t.mock.method(process as { geteuid(): number }, 'geteuid', () => owner)
    assert.equal(
      reasonOf(Object.assign(new Error(), { code: 'EPERM', path: '/' })),
      'permission denied (EPERM)',
    )
  })

  test('for an answer that is not Slack’s names the method and is worth another try', () => {
    const error = badAnswer('team.accessLogs', 'HTML')
    assert.deepEqual([error.class, error.code, error.retry], ['contract', 'bad_answer', true])
    assert.match(error.message, /^team\.accessLogs: not a Slack response \(HTML\)/)
  })
})
