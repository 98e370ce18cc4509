import { badAnswer } from '../errors.ts'
import { asObject } from '../json.ts'
import type { Team } from '../log/team.ts'
import type { SlackCall } from './client.ts'
import type { Retrier } from './retry.ts'

/** The account that a token belongs to. */
export interface Account {
  /** What auth.test calls the team: it names the state file. */
  readonly teamId: string
  /** What the lines say: --team-id, if given, stands in for the team. */
  readonly team: Team & { readonly id: string }
  readonly user: string
  /** The scopes of the token, where Slack names them. */
  readonly scopes: readonly string[] | undefined
}

/** Asks auth.test, which needs no scope. @throws SlackCallError. */
export async function authenticate(
  call: SlackCall,
  retrier: Retrier,
  workspace: string | undefined,
): Promise<Account> {
  return retrier.call(async () => {
    const answer = asObject(await call('auth.test', {})) ?? {}
    // A token of a whole organisation may come without a team.
    const teamId = answer['team_id'] ?? answer['enterprise_id']
    if (typeof teamId !== 'string' || !/^[A-Za-z0-9]{1,40}$/.test(teamId)) {
      throw badAnswer('auth.test', 'no team_id')
    }
    const id = workspace ?? teamId
    const name = answer['team']
    const scopes = asObject(answer['response_metadata'])?.['scopes']
    return {
      teamId,
      team: { id, name: id === teamId && typeof name === 'string' ? name : null },
      user: String(answer['user'] ?? answer['user_id'] ?? ''),
      scopes: Array.isArray(scopes) ? scopes.map(String) : undefined,
    }
  })
}
