import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { AuditError } from './errors.ts'
import { LOGS, type Log } from './log/logs.ts'
import type { Verbosity } from './output/stderr.ts'
import { parseDuration, parseTime } from './time.ts'

/** What the command line and the environment ask for, checked. Times are epoch seconds, durations seconds. */
export interface Settings {
  readonly command: 'collect' | 'check'
  readonly logs: readonly Log[]
  readonly since?: number
  readonly until?: number
  readonly stateDir?: string
  /** How long after it began a row may still change. Undefined: taken from the log. */
  readonly lookback?: number
  readonly maxRows?: number
  readonly maxTime?: number
  /** The process that reads stdout. */
  readonly reader?: number
  readonly report?: boolean
  readonly teamId?: string
  readonly tokenFile?: string
  /** Whether the token file was named on the command line, where it comes before SLACK_TOKEN. */
  readonly tokenFileFirst: boolean
  readonly apiUrl: string
  /** Filters of team.integrationLogs, under Slack's names. */
  readonly filters: Readonly<Record<string, string>>
  readonly json?: boolean
  readonly verbosity: Verbosity
}

/** The options as commander names and gives them. What was not set is not there. */
type Given = Partial<Omit<Settings, 'command' | 'logs' | 'filters' | 'tokenFileFirst' | 'verbosity'>> & {
  readonly [name in 'appId' | 'serviceId' | 'user' | 'changeType']?: string
} & { readonly quiet?: true; readonly verbose?: true }

/** The help names them too. */
const DEFAULTS = { apiUrl: 'https://slack.com/api/' }

const EXAMPLES = `
Examples:
  $ export SLACK_TOKEN=xoxp-...              a User OAuth Token with scope admin
  $ slack-auditor check                      is the token good for the job?
  $ slack-auditor access --since 24h         the access log of the last day
  $ slack-auditor integration | jq .         all of the integration log, to read
  $ slack-auditor --state-dir /var/lib/slack-auditor --report
                                             what is new since the last run

A <time> is ISO 8601 (no zone: UTC), epoch seconds, or a <duration> before now:
90s, 30m, 24h, 7d, 2w.

The token comes from SLACK_TOKEN or a token file, never from an argument.

Exit codes: 0 all asked for was read, or the run stopped at a limit as asked;
1 a log could not be read or written in full; 2 the command line or the
environment is wrong.
`

/** The options that may also come from the environment, by their names in commander. The command line comes first. */
const ENVIRONMENT: Record<string, string> = {
  stateDir: 'SLACK_AUDIT_STATE',
  teamId: 'SLACK_TEAM_ID',
  tokenFile: 'SLACK_TOKEN_FILE',
  apiUrl: 'SLACK_API_URL',
}

/**
 * Reads the command line, without the program's name, and the environment. `now`: epoch seconds.
 * @returns a text if help or the version was asked for.
 * @throws AuditError of class `config`.
 */
export function parseOptions(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  version: string,
  now: number,
): Settings | string {
  let text = ''
  const command = describeCommand(version, now, (more) => {
    text += more
  })
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return text
    throw usage(error.message.replace(/^error: /, ''), error)
  }
  readEnvironment(command, env)
  return settle(command, now)
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

function describeCommand(version: string, now: number, write: (text: string) => void): Command {
  const time = (value: string) =>
    parseTime(value, now) ??
    refuse('A time is like 2026-11-05T09:00Z, 1793869200 or 24h, and lies between 1970 and 2099.')
  return new Command('slack-auditor')
    .description(
      'Prints the access log and the integration log of a Slack workspace as lines of\n' +
        'JSON. log = access | integration; both when none is named. The command check\n' +
        'tells whether the token is good for the job, and what to fix.',
    )
    .usage('[collect] [options] [log...]\n       slack-auditor check [options]')
    .argument('[words...]')
    .option(
      '--since <time>',
      'how far back: the first run with --state-dir, every run without (default: all of it)',
      time,
    )
    .option('--until <time>', "only entries up to this time (Slack's before)", time)
    .option(
      '--state-dir <dir>',
      'remember what was printed; print only what is new or changed (env: SLACK_AUDIT_STATE)',
      filled,
    )
    .option(
      '--lookback <duration>',
      'how long after it began a row may still change (default: as long as rows last here, 1d to 30d)',
      duration,
    )
    .option(
      '--max-rows <n>',
      'stop after about n printed rows per log. With --state-dir the next run goes on there: newest rows first, gaps after them, so n must exceed what is new in a run',
      count,
    )
    .option(
      '--max-time <duration>',
      'stop after this long. With --state-dir the next run goes on there',
      duration,
    )
    .option(
      '--reader <pid>',
      'the process that reads stdout; a run counts as delivered once the same process starts the next one',
      count,
    )
    .option('--report', 'end with one line per log that says how the run went')
    .option('--team-id <id>', 'one workspace of an org-wide token (env: SLACK_TEAM_ID)', slackId)
    .option('--token-file <file>', 'read the token from a file (env: SLACK_TOKEN_FILE)', filled)
    .option(
      '--api-url <url>',
      `another Slack API root: tests, gateways (env: SLACK_API_URL) (default: "${DEFAULTS.apiUrl}")`,
      apiUrl,
    )
    .option('--app-id <id>', 'only integration entries of this app', slackId)
    .option('--service-id <id>', 'only integration entries of this service', slackId)
    .option('--user <id>', 'only integration entries by this user', slackId)
    .addOption(
      new Option('--change-type <type>', 'only integration entries of this kind').choices([
        'added',
        'removed',
        'enabled',
        'disabled',
        'updated',
      ]),
    )
    .option('--json', 'check: print JSON')
    .option('-q, --quiet', 'nothing on stderr but errors')
    .option('-v, --verbose', 'say more on stderr')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ visibleArguments: () => [], helpWidth: 80 })
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .addHelpText('after', EXAMPLES)
    .exitOverride()
}

/** Checks what only the whole shows, and puts the options into their final form. */
function settle(command: Command, now: number): Settings {
  const { appId, serviceId, user, changeType, quiet, verbose, ...given } = command.opts<Given>()
  const words = [...command.args]
  const verb = words[0] === 'check' || words[0] === 'collect' ? words.shift() : 'collect'
  const logs = [...new Set(words)].map((word) => {
    if (word === 'access' || word === 'integration') return LOGS[word]
    throw usage(`unknown log "${word}": name access, integration, or none for both`)
  })
  const filters = { app_id: appId, service_id: serviceId, user, change_type: changeType }
  const settings: Settings = {
    ...DEFAULTS,
    ...given,
    command: verb === 'check' ? 'check' : 'collect',
    logs: logs.length > 0 ? logs : [LOGS.access, LOGS.integration],
    tokenFileFirst: command.getOptionValueSource('tokenFile') === 'cli',
    filters: Object.fromEntries(Object.entries(filters).flatMap(([name, id]) => (id ? [[name, id]] : []))),
    verbosity: quiet ? 'quiet' : verbose ? 'verbose' : 'normal',
  }
  const stateFrom = command.getOptionValueSource('stateDir') === 'env' ? ENVIRONMENT['stateDir'] : undefined
  assertTogether(settings, stateFrom ?? '--state-dir', now)
  return settings
}

/** `stateOption`: what the operator set to give a state folder. */
function assertTogether(settings: Settings, stateOption: string, now: number): void {
  const { command, filters, logs, since, until, stateDir, json } = settings
  const filtered = Object.keys(filters).length > 0
  if (command === 'collect') {
    if (json) throw usage('--json goes with check; collect prints JSON lines anyway')
    if (stateDir !== undefined && (until !== undefined || filtered)) {
      const what = until !== undefined ? '--until' : 'a filter'
      throw usage(`${stateOption} does not go with ${what}: the watermark would pass over entries never read`)
    }
  }
  if (filtered && !logs.includes(LOGS.integration)) {
    throw usage(
      '--app-id, --service-id, --user and --change-type filter the integration log, which is not asked for',
    )
  }
  if (since !== undefined && until !== undefined && since > until) {
    throw usage('--since is later than --until: nothing lies between')
  }
  if (since !== undefined && since > now + 86_400) {
    throw usage('--since lies in the future: nothing would be printed until then')
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
  return /^\d*[1-9]\d*$/.test(value) ? Number(value) : refuse('It must be a whole number from 1.')
}

function slackId(value: string): string {
  return /^[A-Za-z0-9]{1,40}$/.test(value) ? value : refuse('It must be an id of Slack: letters and digits.')
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
