import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError } from '../src/errors.ts'
import { LOGS } from '../src/log/logs.ts'
import { parseOptions, type Settings } from '../src/options.ts'

const NOW = 1_793_869_200
const DAY = 86_400

/** Reads a command line of words between blanks, in an environment of its own. */
function read(line: string, env: Record<string, string> = {}): Settings | string {
  return parseOptions(line.split(' ').filter(Boolean), env, '1.2.3', { nowSeconds: NOW })
}

const DEFAULTS: Settings = {
  command: 'collect',
  logs: [LOGS.access, LOGS.integration],
  tokenFileFirst: false,
  apiUrl: 'https://slack.com/api/',
  filters: {},
  verbosity: 'normal',
}

describe('a command line', () => {
  const good: [line: string, settings: Partial<Settings>, env?: Record<string, string>][] = [
    ['', {}],
    ['collect', {}],
    ['check', { command: 'check' }],
    ['access', { logs: [LOGS.access] }],
    ['collect integration', { logs: [LOGS.integration] }],
    ['integration access integration', { logs: [LOGS.integration, LOGS.access] }],
    ['check access', { command: 'check', logs: [LOGS.access] }],
    ['--report check --json', { command: 'check', report: true, json: true }],
    ['--since 24h', { since: NOW - DAY }],
    ['--since 2026-11-05', { since: NOW - 9 * 3600 }],
    ['--since=1793869200 --until=1793869200', { since: NOW, until: NOW }],
    [`--since ${NOW + DAY}`, { since: NOW + DAY }],
    ['--until 2099-12-31', { until: 4_102_358_400 }],
    ['--lookback 2607w', { lookback: 2607 * 7 * DAY }],
    ['--state-dir d --since 7d', { stateDir: 'd', since: NOW - 7 * DAY }],
    ['--lookback 90d', { lookback: 90 * DAY }],
    ['--max-rows 1 --max-time 55s', { maxRows: 1, maxTime: 55 }],
    ['--max-rows 007', { maxRows: 7 }],
    ['--reader 4711', { reader: 4711 }],
    ['--team-id T0EXAMPLE1', { teamId: 'T0EXAMPLE1' }],
    ['--token-file f', { tokenFile: 'f', tokenFileFirst: true }],
    ['-q', { verbosity: 'quiet' }],
    ['--verbose', { verbosity: 'verbose' }],
    ['-q -v', { verbosity: 'quiet' }],
    [
      '--app-id A1 --service-id 12 --user U1 --change-type added',
      { filters: { app_id: 'A1', service_id: '12', user: 'U1', change_type: 'added' } },
    ],
    [
      'integration --user U1 --until 1h',
      { logs: [LOGS.integration], filters: { user: 'U1' }, until: NOW - 3600 },
    ],
    ['check --state-dir d --until 1h', { command: 'check', stateDir: 'd', until: NOW - 3600 }],
    ['-- access', { logs: [LOGS.access] }],
    ['--api-url https://gateway.example/slack/api', { apiUrl: 'https://gateway.example/slack/api/' }],
    ['--api-url http://127.0.0.1:8080/api/', { apiUrl: 'http://127.0.0.1:8080/api/' }],
    ['--api-url http://[::1]/', { apiUrl: 'http://[::1]/' }],
    ['--api-url http://localhost', { apiUrl: 'http://localhost/' }],
    ['', { stateDir: 'e', stateVariable: 'SLACK_AUDIT_STATE' }, { SLACK_AUDIT_STATE: 'e' }],
    ['', { teamId: 'T2' }, { SLACK_TEAM_ID: 'T2' }],
    ['', { tokenFile: 'e', tokenFileFirst: false }, { SLACK_TOKEN_FILE: 'e' }],
    ['', { apiUrl: 'https://e.example/' }, { SLACK_API_URL: 'https://e.example' }],
    ['--state-dir d', { stateDir: 'd' }, { SLACK_AUDIT_STATE: 'e' }],
    ['--team-id T1', { teamId: 'T1' }, { SLACK_TEAM_ID: 'T2' }],
    ['--token-file f', { tokenFile: 'f', tokenFileFirst: true }, { SLACK_TOKEN_FILE: 'e' }],
    ['--api-url https://a.example', { apiUrl: 'https://a.example/' }, { SLACK_API_URL: 'https://e.example' }],
    ['', {}, { SLACK_TOKEN: 'xoxp-1', SLACK_SINCE: '1h', SLACK_AUDIT_REPORT: '1' }],
  ]
  for (const [line, settings, env = {}] of good) {
    const where = Object.entries(env).map(([name, value]) => `${name}=${value} `)
    test(`may be: ${where.join('')}slack-auditor ${line}`, () => {
      assert.deepEqual(read(line, env), { ...DEFAULTS, ...settings })
    })
  }

  const bad: [line: string, says: RegExp, env?: Record<string, string>][] = [
    ['collect check', /unknown log "check": name/],
    ['toString', /unknown log "toString": name/],
    ['Access', /unknown log "Access" \(did you mean access\?\)/],
    ['access,integration', /unknown log "access,integration"/],
    ['acces', /unknown log "acces" \(did you mean access\?\): name access, integration/],
    ['chek', /did you mean check\?/],
    ['check verison', /did you mean version\?/],
    ['logs', /unknown log "logs": name/],
    ['--since 1793869200000', /'1793869200000' is invalid/],
    ['--until 2026-11-05T09:00+25:00', /\+25:00' is invalid/],
    ['--since 1h --until 2h', /--since is later than --until/],
    ['--state-dir d --until 1h', /--state-dir cannot be combined with --until/],
    ['--until 1h', /^SLACK_AUDIT_STATE cannot be combined with --until/, { SLACK_AUDIT_STATE: 'e' }],
    ['--user U1', /^SLACK_AUDIT_STATE cannot be combined with a filter/, { SLACK_AUDIT_STATE: 'e' }],
    [
      '--state-dir d --until 1h',
      /^--state-dir cannot be combined with --until/,
      { SLACK_AUDIT_STATE: 'e', SLACK_TEAM_ID: 'T2' },
    ],
    ['--state-dir d --user U1', /^--state-dir cannot be combined with a filter/],
    ['--since 9999-01-01', /'9999-01-01' is invalid.*between 1970 and 2099/],
    ['--since 999999w', /'999999w' is invalid/],
    ['--until 1969-12-31', /'1969-12-31' is invalid/],
    ['--lookback 999999w', /'999999w' is invalid.*at most 50 years/],
    ['--max-time 2608w', /'2608w' is invalid.*at most 50 years/],
    ['--since 2027-01-01', /--since is in the future/],
    [`--since ${NOW + DAY + 1}`, /--since is in the future/],
    ['access --app-id A1', /only apply to the integration log, which you did not request/],
    ['--lookback 0d', /'0d' is invalid/],
    ['--lookback 2026-11-05', /'2026-11-05' is invalid/],
    ['--max-time 1.5h', /'1\.5h' is invalid/],
    ['--max-rows -1', /'-1' is invalid/],
    ['--max-rows 0x10', /'0x10' is invalid/],
    ['--reader 0', /'0' is invalid/],
    ['--reader logstash', /'logstash' is invalid/],
    ['--max-rows ten', /It must be a positive whole number/],
    ['--service-id 1,2', /'1,2' is invalid/],
    ['--user bruno', /'bruno' is invalid\. It must be a Slack ID such as U0123ABCD/],
    ['--user A1', /'A1' is invalid/],
    ['--app-id U1', /'U1' is invalid.*A0123ABCD/],
    ['--team-id U1', /'U1' is invalid.*T0123ABCD/],
    [`--user U${'1'.repeat(41)}`, /is invalid/],
    ['--json', /--json is for check only/],
    ['--report=yes', /--report/],
    ['-x', /unknown option '-x'/],
    ['--api-url ftp://slack.example/', /https:\/\//],
    ['--api-url https://user@slack.example/', /without user, query or fragment/],
    ['--api-url https://slack.example/?a=1', /without user, query or fragment/],
    ['--api-url https://slack.example/#a', /without user, query or fragment/],
    ['--api-url http://127.0.0.1.evil.example/', /in the clear/],
    ['--api-url http://localhost.evil.example/', /in the clear/],
    ['', /It is empty/, { SLACK_AUDIT_STATE: ' ' }],
    ['', /It is empty/, { SLACK_TOKEN_FILE: '' }],
    ['', /^SLACK_TEAM_ID '' is invalid/, { SLACK_TEAM_ID: '' }],
    ['', /^SLACK_TEAM_ID 'T 1' is invalid/, { SLACK_TEAM_ID: 'T 1' }],
  ]
  for (const [line, says, env = {}] of bad) {
    const where = Object.entries(env).map(([name, value]) => `${name}="${value}" `)
    test(`may not be: ${where.join('')}slack-auditor ${line}`, () => {
      assert.throws(
        () => read(line, env),
        (error) => {
          assert.ok(error instanceof AuditError)
          assert.deepEqual([error.class, error.code], ['config', 'usage'])
          assert.match(error.message, says)
          assert.match(error.message, /\(see --help\)$/)
          return true
        },
      )
    })
  }

  test('that asks for help or the version is answered in text, and nothing is to be done', () => {
    for (const line of ['--help', '-h', 'check --help', 'help']) {
      assert.match(String(read(line)), /^Usage: slack-auditor \[collect\]/)
    }
    for (const line of ['--version', '-V', 'version']) assert.equal(read(line), '1.2.3\n')
  })
})
