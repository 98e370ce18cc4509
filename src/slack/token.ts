import { readFileSync } from 'node:fs'
import { AuditError, reasonOf } from '../errors.ts'

/** Where a token may come from. */
export interface TokenSources {
  /** SLACK_TOKEN. */
  readonly fromEnvironment: string | undefined
  readonly file: string | undefined
  /** Whether the file was named on the command line; then it comes before SLACK_TOKEN. */
  readonly fileFirst: boolean
  /** Whether the token goes to Slack itself. A gateway may have tokens of its own. */
  readonly isForSlack: boolean
}

export interface Token {
  readonly token: string
  /** For people: where it came from. */
  readonly source: string
  /** Why the feed will stop soon, if it will. */
  readonly warning: string | undefined
}

const USER_TOKEN = 'the User OAuth Token, which begins with xoxp-'

/** What people have used by mistake instead of a token. */
const MISTAKES: readonly [pattern: RegExp, what: string][] = [
  [/^$/, `is empty: it must be ${USER_TOKEN}`],
  [/^["'\u2018-\u201f]|["'\u2018-\u201f]$/, 'is in quotation marks: leave them out'],
  [/^(export\s+)?[A-Z_]+=/, 'holds the name of a variable too: put the token alone there'],
  [/^[{[]/, 'holds JSON: put the token alone there'],
  [/[^\x21-\x7e]/, 'holds more than a token: it must be one line without blanks'],
  [/^xoxp-[.…]*$/, `holds the placeholder of the manual: it must be ${USER_TOKEN}`],
  [/^xoxb-/, `holds a bot token: use ${USER_TOKEN}`],
  [/^xapp-/, `holds an app-level token: use ${USER_TOKEN}`],
  [/^xwfp-/, `holds a workflow token: use ${USER_TOKEN}`],
  [/^xoxe-/, `holds a refresh token: use ${USER_TOKEN}`],
  [/^xox[cds]-/, `holds a browser session's token: use ${USER_TOKEN}`],
]

/**
 * The token, from --token-file, else SLACK_TOKEN, else the file that SLACK_TOKEN_FILE names. Never from an argument:
 * arguments show in `ps` and, under Logstash, in every event.
 * @throws AuditError of class `config`. The message never holds what was found, but for the kind of token.
 */
export function readToken(sources: TokenSources): Token {
  const { fromEnvironment, file, fileFirst } = sources
  const named = file !== undefined && (fileFirst || !fromEnvironment) ? file : undefined
  const source = named === undefined ? 'SLACK_TOKEN' : `token file ${named}`
  const found = named === undefined ? fromEnvironment : readTokenFile(named)
  if (found === undefined) {
    const message = 'no token: set SLACK_TOKEN, or name a file with --token-file or SLACK_TOKEN_FILE'
    throw new AuditError('config', 'no_token', message)
  }
  const token = found.trim()
  const mistake = mistakeIn(token, sources.isForSlack)
  if (mistake) throw new AuditError('config', 'bad_token', `${source} ${mistake}`)
  const warning = token.startsWith('xoxe.')
    ? `${source} holds a token that rotates: it expires within 12 hours; use an app without token rotation`
    : undefined
  return { token, source, warning }
}

function readTokenFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const message = `token file ${path} cannot be read: ${reasonOf(error)}`
    throw new AuditError('config', 'token_file', message, error)
  }
}

/** An invalid header character would make fetch quote the token in its error message. */
function mistakeIn(token: string, isForSlack: boolean): string | undefined {
  const mistake = MISTAKES.find(([pattern]) => pattern.test(token))?.[1]
  if (mistake) return mistake
  const isUserToken = /^(xoxe\.)?xoxp-[\w-]{3,}$/.test(token)
  return isForSlack && !isUserToken ? `does not look like a Slack token: use ${USER_TOKEN}` : undefined
}
