import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AuditError, SlackCallError } from '../../src/errors.ts'
import { KNOWN_SLACK_ERRORS, slackAnswerError } from '../../src/slack/errors.ts'

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
    ['contract', /no page beyond/, 'over_pagination_limit'],
    ['contract', /cursor/, 'invalid_cursor'],
    ['contract', /bug/, 'invalid_limit invalid_arguments invalid_arg_name invalid_array_arg invalid_charset'],
    ['contract', /bug/, 'invalid_form_data invalid_post_type missing_post_type invalid_json json_not_object'],
    ['contract', /--api-url/, 'method_deprecated deprecated_endpoint unknown_method'],
    ['rate_limit', /no more calls/, 'ratelimited'],
    ['outage', /Slack has a problem/, 'internal_error fatal_error service_unavailable request_timeout'],
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

  test('that is long or dirty is cut and cleaned, in the message and in the code', () => {
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
