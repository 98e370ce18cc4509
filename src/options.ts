import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { AuditError } from './errors.ts'
import { LOGS, type Log } from './log/logs.ts'
import type { Verbosity } from './output/stderr.ts'
import { parseDuration, parseTime } from './time.ts'

/** What the command line and the environment request, validated. Times are epoch seconds, durations seconds. */
export interface Settings {
  readonly command: 'collect' | 'check'
  readonly logs: readonly Log[]
  readonly since?: number
  readonly until?: number
  readonly stateDir?: string
  /** The variable that names the state folder, if it was not the command line. */
  readonly stateVariable?: string
  /** How long after it began a row may still change. Undefined: taken from the log. */
  readonly lookback?: number
  readonly maxRows?: number
  readonly maxTime?: number
  /** The process that reads stdout. */
  readonly reader?: number
  readonly report?: boolean
  readonly teamId?: string
  readonly tokenFile?: string
  /** Whether the token file was named on the command line; then it comes before SLACK_TOKEN. */
  readonly tokenFileFirst: boolean
  readonly apiUrl: string
  /** Filters of team.integrationLogs, under Slack's names. */
  readonly filters: Readonly<Record<string, string>>
  readonly json?: boolean
  readonly verbosity: Verbosity
}

/** The options under commander's names. Unset ones are absent. */
type Given = Partial<Settings> &
  Partial<Record<'appId' | 'serviceId' | 'user' | 'changeType', string>> & { quiet?: true; verbose?: true }

/** Also shown by --help. */
export const DEFAULT_API_URL = 'https://slack.com/api/'

const DESCRIPTION =
  'Prints the access log and the integration log of a Slack workspace as lines of JSON. log = access | integration; both when none is named. "check" tests the token and says what to fix.'
const LOOKBACK =
  'how long after it began a row may still change (default: as long as rows last here, 1d to 30d)'
const READER =
  'the process that reads stdout; a run counts as delivered once the same process starts the next one'
const API_URL = `another Slack API root: tests, gateways (env: SLACK_API_URL) (default: "${DEFAULT_API_URL}")`
const CHANGES = ['added', 'removed', 'enabled', 'disabled', 'updated']

/** No line is longer than 60 characters. */
const AFTER_HELP = `
Examples:
  $ export SLACK_TOKEN=xoxp-...        the User OAuth Token
  $ slack-auditor check                test it
  $ slack-auditor access --since 24h   the last day
  $ slack-auditor integration | jq .   all, pretty-printed
  $ slack-auditor --state-dir state    what is new

A <time> is ISO 8601 (no zone: UTC), epoch seconds, or a
<duration> before now: 90s, 30m, 24h, 7d, 2w.

The token comes from SLACK_TOKEN or a token file, never from
an argument. It needs the user scope "admin".

Exit codes:
  0  everything requested was read, or a limit you set
     stopped the run
  1  a log could not be read or written in full, or
     --max-time ran out before Slack answered at all
  2  the command line or the environment is wrong

Manual: README.md in the repository. What Slack says:
https://docs.slack.dev/reference/methods/team.accessLogs
`

/** The options that may also come from the environment, keyed by commander's name. The command line wins. */
const ENVIRONMENT: Record<string, string> = {
  stateDir: 'SLACK_AUDIT_STATE',
  teamId: 'SLACK_TEAM_ID',
  tokenFile: 'SLACK_TOKEN_FILE',
  apiUrl: 'SLACK_API_URL',
}

/** Words that mean an option if they come first. */
const WORDS = new Map([
  ['help', '--help'],
  ['version', '--version'],
])

/**
 * Reads the command line, without the program's name, and the environment. `columns`: the width of the terminal.
 * @returns a text if help or the version was requested.
 * @throws AuditError of class `config`.
 */
export function parseOptions(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  version: string,
  { nowSeconds, columns = 80 }: { nowSeconds: number; columns?: number | undefined },
): Settings | string {
  const command = describeCommand(version, nowSeconds, Math.min(columns, 80))
  let text = ''
  command.configureOutput({ writeOut: (more) => (text += more), writeErr: () => {} })
  try {
    const words = args.map((word, nth) => (nth === 0 ? (WORDS.get(word) ?? word) : word))
    command.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return text
    throw usage(error.message.replace(/^error: /, ''), error)
  }
  readEnvironment(command, env)
  return settle(command, nowSeconds)
}

function readEnvironment(command: Command, env: NodeJS.ProcessEnv): void {
  for (const option of command.options) {
    const variable = ENVIRONMENT[option.attributeName()]
    const value = variable === undefined ? undefined : env[variable]
    if (value === undefined || command.getOptionValueSource(option.attributeName()) === 'cli') continue
    try {
      command.setOptionValueWithSource(option.attributeName(), option.parseArg?.(value, undefined), 'env')
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
      throw usage(`${variable} '${value}' is invalid. ${error.message}`, error)
    }
  }
}

function describeCommand(version: string, nowSeconds: number, helpWidth: number): Command {
  const time = (value: string) =>
    parseTime(value, nowSeconds) ??
    refuse('A time is like 2026-11-05T09:00Z, 1793869200 or 24h, between 1970 and 2099.')
  return new Command('slack-auditor')
    .description(DESCRIPTION)
    .usage('[collect] [options] [log...]\n       slack-auditor check [options]')
    .argument('[words...]')
    .optionsGroup('What to read:')
    .option('--since <time>', 'start here (default: everything); with --state-dir, first run only', time)
    .option('--until <time>', 'skip entries newer than this', time)
    .option('--team-id <id>', 'one workspace of an org-wide token (env: SLACK_TEAM_ID)', idLike('T0123ABCD'))
    .option('--app-id <id>', 'only integration entries of this app', idLike('A0123ABCD'))
    .option('--service-id <id>', 'only integration entries of this service', idLike('1234567890123'))
    .option('--user <id>', 'only integration entries by this user', idLike('U0123ABCD'))
    .addOption(new Option('--change-type <type>', 'only integration entries of this kind').choices(CHANGES))
    .optionsGroup('What to remember:')
    .option('--state-dir <dir>', 'print only what is new or changed (env: SLACK_AUDIT_STATE)', filled)
    .option('--lookback <duration>', LOOKBACK, duration)
    .option('--reader <pid>', READER, count)
    .optionsGroup('When to stop (with --state-dir the next run resumes):')
    .option('--max-rows <n>', 'after about n rows per log; must exceed the new rows of a run', count)
    .option('--max-time <duration>', 'after this long', duration)
    .optionsGroup('Connection:')
    .option('--token-file <file>', 'read the token from a file (env: SLACK_TOKEN_FILE)', filled)
    .option('--api-url <url>', API_URL, apiUrl)
    .optionsGroup('Output:')
    .option('--report', 'end with one line per log that says how the run went')
    .option('--json', 'check: print JSON')
    .option('-q, --quiet', 'nothing on stderr but errors')
    .option('-v, --verbose', 'say more on stderr')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ visibleArguments: () => [], helpWidth, minWidthToWrap: 20 })
    .addHelpText('after', AFTER_HELP)
    .exitOverride()
}

/** Validates combinations of options and builds the Settings. */
function settle(command: Command, nowSeconds: number): Settings {
  const { appId, serviceId, user, changeType, quiet, verbose, ...given } = command.opts<Given>()
  const words = [...command.args]
  const verb = words[0] === 'check' || words[0] === 'collect' ? words.shift() : 'collect'
  const logs = [...new Set(words)].map((word) => {
    if (word === 'access' || word === 'integration') return LOGS[word]
    throw usage(`unknown log "${word}"${suggestionFor(word)}: name access, integration, or none for both`)
  })
  const filters = { app_id: appId, service_id: serviceId, user, change_type: changeType }
  const stateFromEnvironment = command.getOptionValueSource('stateDir') === 'env'
  const settings: Settings = {
    apiUrl: DEFAULT_API_URL,
    ...given,
    ...(stateFromEnvironment && { stateVariable: ENVIRONMENT['stateDir'] ?? '' }),
    command: verb === 'check' ? 'check' : 'collect',
    logs: logs.length > 0 ? logs : [LOGS.access, LOGS.integration],
    tokenFileFirst: command.getOptionValueSource('tokenFile') === 'cli',
    filters: Object.fromEntries(Object.entries(filters).flatMap(([name, id]) => (id ? [[name, id]] : []))),
    verbosity: quiet ? 'quiet' : verbose ? 'verbose' : 'normal',
  }
  assertTogether(settings, nowSeconds)
  return settings
}

/** The first two letters identify each known word. */
function suggestionFor(word: string): string {
  const begins = word.slice(0, 2).toLowerCase()
  const similar = [...Object.keys(LOGS), 'check', 'collect', ...WORDS.keys()].find((known) =>
    known.startsWith(begins),
  )
  return similar && similar !== word ? ` (did you mean ${similar}?)` : ''
}

function assertTogether(settings: Settings, nowSeconds: number): void {
  const { command, filters, logs, since, until, stateDir, stateVariable, json } = settings
  const filtered = Object.keys(filters).length > 0
  if (command === 'collect') {
    if (json) throw usage('--json is for check only; collect always prints JSON lines')
    if (stateDir !== undefined && (until !== undefined || filtered)) {
      const what = until !== undefined ? '--until' : 'a filter'
      throw usage(
        `${stateVariable ?? '--state-dir'} cannot be combined with ${what}: the entries it leaves out would never be read`,
      )
    }
  }
  if (filtered && !logs.includes(LOGS.integration)) {
    throw usage(
      '--app-id, --service-id, --user and --change-type only apply to the integration log, which you did not request',
    )
  }
  if (since !== undefined && until !== undefined && since > until) {
    throw usage('--since is later than --until: there is nothing between them')
  }
  if (since !== undefined && since > nowSeconds + 86_400) {
    throw usage('--since is in the future: nothing would be printed until then')
  }
}

function usage(message: string, cause?: unknown): AuditError {
  return new AuditError('config', 'usage', `${message} (see --help)`, cause)
}

function refuse(what: string): never {
  throw new InvalidArgumentError(what)
}

function filled(value: string): string {
  return value.trim() === '' ? refuse('It is empty.') : value
}

function duration(value: string): number {
  return parseDuration(value) || refuse('A duration is 90s, 30m, 24h, 7d or 2w, and at most 50 years.')
}

function count(value: string): number {
  return /^\d*[1-9]\d*$/.test(value) ? Number(value) : refuse('It must be a positive whole number.')
}

/** A Slack ID of the same kind: a name that Slack does not know as an ID would just match nothing. */
function idLike(example: string): (value: string) => string {
  const kinds: Record<string, string> = { T: '[TE]', A: 'A', U: '[UW]' }
  const pattern = new RegExp(`^${kinds[example.charAt(0)] ?? ''}[A-Z0-9]{1,40}$`)
  return (value) => (pattern.test(value) ? value : refuse(`It must be a Slack ID such as ${example}.`))
}

/** Plain http would send the token in the clear, so it is for loopback alone. */
function apiUrl(value: string): string {
  filled(value)
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return refuse('It must be an https:// address.')
  if (url.username || url.password || url.search || url.hash) {
    refuse('It must be an address without user, query or fragment.')
  }
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    refuse('Plain http would send the token in the clear: use https, or loopback.')
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`
}
