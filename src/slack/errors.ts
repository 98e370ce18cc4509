import { cleanLine, type ErrorClass, SlackCallError } from '../errors.ts'

interface Sentence {
  class: ErrorClass
  say: string
  retry?: true
}

const OWN_BUG = 'Slack refused the form of the request: check the options given, else report it as a bug'
const REINSTALL = 'install the app again, as an active admin or owner of the workspace'
const SLACK_SIDE = 'a fault on the side of Slack: it was tried again, and the next run tries again'

/**
 * Slack's error codes and what the operator should do about each. Source: the error lists of team.accessLogs,
 * team.integrationLogs and auth.test on docs.slack.dev. The lists are open: any other code is passed on by name.
 */
const SENTENCES: Record<string, Sentence> = {
  ...same(['paid_only'], 'plan', 'this log needs a paid Slack plan: upgrade the workspace'),
  ...same(
    ['missing_scope'],
    'auth',
    'the token lacks a scope: add the user scope "admin" to the app and have an admin or owner install it again',
  ),
  ...same(
    ['not_allowed_token_type'],
    'auth',
    'this kind of token is not allowed: use the User OAuth Token, which begins with xoxp-, not a bot or app token',
  ),
  ...same(
    ['not_authed'],
    'auth',
    'no token reached Slack: set SLACK_TOKEN or --token-file, and check what a gateway removes',
  ),
  ...same(
    ['invalid_auth'],
    'auth',
    'Slack does not accept the token: check that it is copied whole, then that the IP allow-list of the app holds the address of this machine, then that --team-id is a workspace of the token',
  ),
  ...same(
    ['token_expired'],
    'auth',
    'the token has expired: the app rotates its tokens, which live 12 hours; use an app without token rotation',
  ),
  ...same(
    ['token_revoked', 'account_inactive'],
    'auth',
    `the token was revoked, the app removed, or the user who installed it deactivated: ${REINSTALL}`,
  ),
  ...same(
    ['no_permission', 'user_is_bot', 'is_bot'],
    'auth',
    `the user of this token is a bot, or no admin or owner: ${REINSTALL}`,
  ),
  ...same(
    ['access_denied', 'accesslimited', 'ekm_access_denied'],
    'auth',
    'a policy of the workspace, its allowed networks or its key management blocks this: ask the owner of the workspace',
  ),
  ...same(
    ['enterprise_is_restricted'],
    'auth',
    'this log cannot be read with a token of an Enterprise organisation: use a token of one workspace',
  ),
  ...same(
    ['team_access_not_granted', 'invalid_team_id', 'missing_argument'],
    'auth',
    'the app is not added to that workspace, or --team-id is wrong or missing: add the app there, or correct --team-id',
  ),
  ...same(
    ['two_factor_setup_required'],
    'auth',
    'the user of this token must set up two-factor authentication first',
  ),
  ...same(
    ['org_login_required', 'team_added_to_org', 'upgrade_required'],
    'auth',
    'the workspace is being migrated or must be upgraded: wait until that is done; later runs go on by themselves',
  ),
  ...same(['over_pagination_limit'], 'contract', 'Slack gives no page further down than this'),
  ...same(['invalid_cursor'], 'contract', 'Slack no longer accepts its own cursor'),
  ...same(
    [
      'invalid_limit',
      'invalid_arguments',
      'invalid_arg_name',
      'invalid_array_arg',
      'invalid_charset',
      'invalid_form_data',
      'invalid_post_type',
      'missing_post_type',
      'invalid_json',
      'json_not_object',
    ],
    'contract',
    OWN_BUG,
  ),
  ...same(
    ['method_deprecated', 'deprecated_endpoint', 'unknown_method'],
    'contract',
    'this Slack does not know the method: check --api-url, else update this program',
  ),
  ...same(['ratelimited'], 'rate_limit', 'Slack allows no more calls for now', true),
  ...same(
    ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'],
    'outage',
    SLACK_SIDE,
    true,
  ),
}

function same(codes: string[], errorClass: ErrorClass, say: string, retry?: true): Record<string, Sentence> {
  return Object.fromEntries(codes.map((code) => [code, { class: errorClass, say, ...(retry && { retry }) }]))
}

/** Every error code of Slack that has a sentence of its own. */
export const KNOWN_SLACK_ERRORS: readonly string[] = Object.keys(SENTENCES)

/** What an `ok: false` of Slack means for the operator. `detail` is what Slack added, such as the scope it needs. */
export function slackAnswerError(
  method: string,
  code: string,
  detail: { needed?: string; provided?: string; retryAfterSeconds?: number; cause?: unknown } = {},
): SlackCallError {
  const known = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined
  const scopes = detail.needed
    ? ` (needed: ${detail.needed}; the token has: ${detail.provided || 'none'})`
    : ''
  const say =
    known?.say ?? 'an error this program does not know: see the page of the method on docs.slack.dev'
  const name = cleanLine(code, 60)
  return new SlackCallError(known?.class ?? 'contract', name, `${method}: ${name}: ${say}${scopes}`, {
    retry: known?.retry ?? false,
    ...(detail.retryAfterSeconds !== undefined && { retryAfterSeconds: detail.retryAfterSeconds }),
    cause: detail.cause,
  })
}
