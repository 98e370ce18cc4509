import { readFile } from 'node:fs/promises'
import { AuditError, reasonOf } from '../errors.ts'

/** Where a token may come from. */
export interface TokenSources {
  /** SLACK_TOKEN. */
  readonly fromEnvironment: string | undefined
  readonly file: string | undefined
  /** Whether the file was named on the command line; then it comes before SLACK_TOKEN. */
  readonly fileFirst: boolean
}

/**
 * The token, from --token-file, else SLACK_TOKEN, else the file that SLACK_TOKEN_FILE names. Never from an argument:
 * arguments show in `ps` and, under Logstash, in every event.
 * @throws AuditError of class `config`. The message never holds what was found.
 */
export async function readToken({
  fromEnvironment,
  file,
  fileFirst,
}: TokenSources): Promise<{ token: string; source: string }> {
  const named = file !== undefined && (fileFirst || !fromEnvironment) ? file : undefined
  const source = named === undefined ? 'SLACK_TOKEN' : `token file ${named}`
  const found = named === undefined ? fromEnvironment : await readTokenFile(named)
  if (found === undefined) {
    const message = 'no token: set SLACK_TOKEN, or name a file with --token-file or SLACK_TOKEN_FILE'
    throw new AuditError('config', 'no_token', message)
  }
  return { token: checkToken(found, source), source }
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const message = `token file ${path} cannot be read: ${reasonOf(error)}`
    throw new AuditError('config', 'token_file', message, error)
  }
}

/** A character that no header may hold would bring the token back in the text of an error. */
function checkToken(found: string, where: string): string {
  const token = found.trim()
  const fault = (what: string) => new AuditError('config', 'bad_token', `${where} ${what}`)
  if (token === '') throw fault('is empty: put the User OAuth Token there, which begins with xoxp-')
  if (!/^[\x21-\x7e]+$/.test(token))
    throw fault('holds more than a token: it must be one line without blanks')
  if (/^(xoxb|xapp|xwfp|xoxe)-/.test(token)) {
    throw fault(
      `holds a token of the wrong kind (${token.slice(0, 5)}…): use the User OAuth Token, which begins with xoxp-`,
    )
  }
  return token
}
