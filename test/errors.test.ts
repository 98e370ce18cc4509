import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AuditError,
  asAuditError,
  cleanLine,
  contractError,
  KNOWN_SLACK_ERRORS,
  OutOfTimeError,
  SlackCallError,
  slackAnswerError,
} from '../src/errors.ts'

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

  test('for an answer that is not Slack’s names the method and is worth another try', () => {
    const error = contractError('team.accessLogs', 'HTML')
    assert.deepEqual([error.class, error.code, error.retry], ['contract', 'bad_answer', true])
    assert.match(error.message, /^team\.accessLogs: the answer is not Slack's \(HTML\)/)
  })
})

describe('an error code of Slack', () => {
  const codes: [AuditError['class'], RegExp, string][] = [
    ['plan', /upgrade/, 'paid_only'],
    ['auth', /scope "admin"/, 'missing_scope'],
    ['auth', /User OAuth Token.*xoxp-/, 'not_allowed_token_type'],
    ['auth', /SLACK_TOKEN/, 'not_authed'],
    ['auth', /copied whole.*allow-list.*--team-id/, 'invalid_auth'],
    ['auth', /rotation/, 'token_expired'],
    ['auth', /install the app again/, 'token_revoked account_inactive no_permission user_is_bot is_bot'],
    ['auth', /owner/, 'access_denied accesslimited ekm_access_denied'],
    ['auth', /token of one workspace/, 'enterprise_is_restricted'],
    ['auth', /--team-id/, 'team_access_not_granted invalid_team_id missing_argument'],
    ['auth', /two-factor/, 'two_factor_setup_required'],
    ['auth', /migrated/, 'org_login_required team_added_to_org upgrade_required'],
    ['contract', /no page further down/, 'over_pagination_limit'],
    ['contract', /cursor/, 'invalid_cursor'],
    ['contract', /bug/, 'invalid_limit invalid_arguments invalid_arg_name invalid_array_arg invalid_charset'],
    ['contract', /bug/, 'invalid_form_data invalid_post_type missing_post_type invalid_json json_not_object'],
    ['contract', /--api-url/, 'method_deprecated deprecated_endpoint unknown_method'],
    ['rate_limit', /no more calls/, 'ratelimited'],
    ['outage', /tried again/, 'internal_error fatal_error service_unavailable request_timeout'],
  ]
  const flat = codes.flatMap(([errorClass, words, names]) =>
    names.split(' ').map((code) => ({ errorClass, words, code })),
  )
  for (const { errorClass, words, code } of flat) {
    const retry = errorClass === 'rate_limit' || errorClass === 'outage'
    test(`${code} is of class ${errorClass}, ${retry ? 'passes' : 'is final'}, and says ${words.source}`, () => {
      const error = slackAnswerError('team.accessLogs', code)
      assert.ok(error instanceof SlackCallError)
      assert.deepEqual([error.class, error.code, error.retry], [errorClass, code, retry])
      assert.ok(error.message.startsWith(`team.accessLogs: ${code}: `))
      assert.match(error.message, words)
      assert.ok(!error.message.endsWith('…'), 'the sentence fits')
    })
  }

  test('has a sentence only if it is in the table above', () => {
    assert.deepEqual([...KNOWN_SLACK_ERRORS].sort(), flat.map(({ code }) => code).sort())
  })

  for (const code of ['brand_new_error', 'toString', '__proto__']) {
    test(`${code} is unknown and passes by name`, () => {
      const error = slackAnswerError('auth.test', code)
      assert.deepEqual([error.class, error.code, error.retry], ['contract', code, false])
      assert.match(error.message, new RegExp(`^auth\\.test: ${code}: .*docs\\.slack\\.dev`))
    })
  }

  test('that is long or dirty is cut and cleaned, in the code, too', () => {
    const { code, message } = slackAnswerError('auth.test', `\u001b[2J${'z'.repeat(100)}`)
    assert.equal(code, `[2J${'z'.repeat(56)}…`)
    assert.ok(message.startsWith(`auth.test: ${code}: `))
  })

  test('says which scopes are needed and which the token has, where Slack says so', () => {
    const say = (detail: object) => slackAnswerError('auth.test', 'missing_scope', detail).message
    assert.match(
      say({ needed: 'admin', provided: 'identify' }),
      /\(needed: admin; the token has: identify\)$/,
    )
    assert.match(say({ needed: 'admin', provided: '' }), /\(needed: admin; the token has: none\)$/)
    assert.doesNotMatch(say({}), /needed/)
  })
  test('keeps how long Slack wants one to wait', () => {
    const wait = (detail: object) => slackAnswerError('auth.test', 'ratelimited', detail).retryAfterSeconds
    assert.deepEqual([wait({ retryAfterSeconds: 30 }), wait({})], [30, undefined])
  })
})
