import { type ErrorClass, SlackCallError } from '../errors.ts'
import { cleanLine } from '../text.ts'

const REINSTALL = 'install the app again, as an active admin or owner of the workspace'

/**
 * Slack's error codes by class, and what the operator should do about each. Source: the error lists of
 * team.accessLogs, team.integrationLogs and auth.test on docs.slack.dev. Any other code is reported as it is.
 */
const SENTENCES: Partial<Record<ErrorClass, Record<string, string>>> = {
  plan: {
    paid_only: 'this log needs a paid Slack plan: upgrade the workspace',
  },
  auth: {
    missing_scope:
      'the token lacks a scope: add the user scope "admin" to the app and have an admin or owner install it again',
    not_allowed_token_type:
      'this kind of token is not allowed: use the User OAuth Token, which begins with xoxp-, not a bot or app token',
    not_authed:
      'no token reached Slack: set SLACK_TOKEN or --token-file, and check that no gateway strips the Authorization header',
    invalid_auth:
      'Slack does not accept the token: check that it is copied whole, then that the IP allow-list of the app holds the address of this machine, then that --team-id is a workspace of the token',
    token_expired:
      'the token has expired: the app rotates its tokens, which live 12 hours; use an app without token rotation',
    'token_revoked account_inactive': `the token was revoked, the app removed, or the user who installed it deactivated: ${REINSTALL}`,
    'no_permission user_is_bot is_bot': `the user of this token is a bot, or not an admin or owner: ${REINSTALL}`,
    'access_denied accesslimited ekm_access_denied':
      'a policy of the workspace, its allowed networks or its key management blocks this: ask the owner of the workspace',
    enterprise_is_restricted:
      'this log cannot be read with a token of an Enterprise organisation: use a token of one workspace',
    'team_access_not_granted invalid_team_id missing_argument':
      'the app is not added to that workspace, or --team-id is wrong or missing: add the app there, or correct --team-id',
    two_factor_setup_required: 'the user of this token must set up two-factor authentication first',
    'org_login_required team_added_to_org upgrade_required':
      'the workspace is being migrated or must be upgraded: wait until that is done; later runs then continue by themselves',
  },
  contract: {
    over_pagination_limit: 'Slack gives no page beyond this one',
    invalid_cursor: 'Slack no longer accepts its own cursor',
    'invalid_limit invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type missing_post_type invalid_json json_not_object':
      'Slack refused the form of the request: check the options given, else report it as a bug',
    'method_deprecated deprecated_endpoint unknown_method':
      'this Slack does not know the method: check --api-url, else update this program',
  },
  rate_limit: {
    ratelimited: 'Slack allows no more calls for now',
  },
  outage: {
    'internal_error fatal_error service_unavailable request_timeout': 'Slack has a problem',
  },
}

const KNOWN = new Map(
  Object.entries(SENTENCES).flatMap(([errorClass, sentences]) =>
    Object.entries(sentences).flatMap(([codes, say]) =>
      codes.split(' ').map((code) => [code, { class: errorClass as ErrorClass, say }] as const),
    ),
  ),
)

/** Every Slack error code that has its own sentence. */
export const KNOWN_SLACK_ERRORS: readonly string[] = [...KNOWN.keys()]

/** What Slack's `ok: false` means for the operator. `detail` is what Slack added, such as the scope it needs. */
export function slackAnswerError(
  method: string,
  code: string,
  detail: { needed?: unknown; provided?: unknown; retryAfterSeconds?: number | undefined } = {},
): SlackCallError {
  const { class: errorClass, say } = KNOWN.get(code) ?? {
    class: 'contract',
    say: 'an error this program does not know: see the page of the method on docs.slack.dev',
  }
  const scope = (value: unknown, most: number) => (typeof value === 'string' ? cleanLine(value, most) : '')
  const needed = scope(detail.needed, 80)
  const scopes = needed ? ` (needed: ${needed}; the token has: ${scope(detail.provided, 120) || 'none'})` : ''
  const name = cleanLine(code, 60)
  return new SlackCallError(errorClass, name, `${method}: ${name}: ${say}${scopes}`, {
    retry: errorClass === 'rate_limit' || errorClass === 'outage',
    retryAfterSeconds: detail.retryAfterSeconds,
  })
}
