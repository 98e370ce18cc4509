import { badAnswer } from '../errors.ts'
import { asObject } from '../json.ts'
import type { Team } from '../log/team.ts'
import type { SlackCall } from './client.ts'
import type { Retrier } from './retry.ts'

/** The account that a token belongs to. */
export interface Account {
  /** The team that auth.test names. The state file is named after it. */
  readonly tokenTeamId: string
  /** The team printed on every line: --team-id if given, else the token's own. */
  readonly team: Team & { readonly id: string }
  readonly user: string
  /** The scopes of the token, if Slack lists them. */
  readonly scopes: readonly string[] | undefined
}

/** Asks auth.test, which needs no scope. @throws SlackCallError. */
export async function authenticate(
  call: SlackCall,
  retrier: Retrier,
  requestedTeamId: string | undefined,
): Promise<Account> {
  return retrier.call(async () => {
    const answer = asObject(await call('auth.test', {})) ?? {}
    // A token of a whole organisation may come without a team.
    const tokenTeamId = answer['team_id'] || answer['enterprise_id']
    if (typeof tokenTeamId !== 'string' || !/^[A-Za-z0-9]{1,40}$/.test(tokenTeamId)) {
      throw badAnswer('auth.test', 'no team_id')
    }
    const id = requestedTeamId ?? tokenTeamId
    const name = answer['team']
    const scopes = asObject(answer['response_metadata'])?.['scopes']
    return {
      tokenTeamId,
      team: { id, name: id === tokenTeamId && typeof name === 'string' ? name : null },
      user: String(answer['user'] ?? answer['user_id'] ?? ''),
      scopes: Array.isArray(scopes) ? scopes.map(String) : undefined,
    }
  })
}
