// Odd lines: entries that Slack should never send, as the program would print them, and text that is not a line of the program.
// Also a script, for use by hand: node --import tsx test/logstash/odd-lines.ts [seed] [number of lines]

import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { seeded } from '../fake-slack/random.ts'

const NOW = 1_730_797_300

const ACCESS = [
  'user_id',
  'username',
  'date_first',
  'date_last',
  'count',
  'ip',
  'user_agent',
  'isp',
  'country',
  'region',
]
const INTEGRATION = [
  'app_id',
  'app_type',
  'service_id',
  'service_type',
  'user_id',
  'user_name',
  'date',
  'change_type',
  'scope',
  'channel',
  'reason',
  'resolution',
  'admin_app_id',
  'rss_feed',
  'rss_feed_change_type',
  'rss_feed_title',
  'rss_feed_url',
]

/** Fields that Slack may add, some of them under names that other programs give a meaning. */
const UNKNOWN = [
  'new_field',
  'a',
  'a.b',
  'a.b.c',
  '.',
  '..',
  'a.',
  '.a',
  '',
  ' ',
  '_',
  'a_b',
  'a_b_c',
  '[a]',
  '[a][b]',
  'a]',
  '[',
  'user.id',
  'user_id.x',
  'ip.address',
  'count.total',
  'name with blanks',
  'nøgle 🦊',
  '%{[user][id]}',
  `$\{HOME}`,
  '@timestamp',
  '@version',
  '@metadata',
  'tags',
  'host',
  'type',
  '_id',
  'toString',
  'x'.repeat(200),
]

const VALUES: unknown[] = [
  null,
  '',
  ' ',
  '\n',
  true,
  false,
  0,
  -1,
  1.5,
  -0.25,
  1e20,
  2 ** 53,
  NOW,
  NOW * 1000,
  -62_135_596_801_000,
  99_999_999_999_999,
  String(NOW),
  `${NOW}.123456`,
  '99999999999999999999999999',
  '-5',
  '1e9',
  '0x10',
  'true',
  'null',
  '0',
  [],
  [1, 'a', null, [true], { b: 1 }],
  {},
  { a: { b: [1, { c: null }] }, 'd.e': 'f' },
  'x'.repeat(5000),
  'ø'.repeat(5000),
  `${'word '.repeat(8000)}end`,
  'bjørn 🦊 \u2028 \u0000 \u007f',
  '\ufffd',
  'a,b,,c,',
  ',',
  'line\nbreak',
  '"quoted" \\ back',
  `%{[user][id]} %{+yyyy} $\{HOME}`,
  '<script>',
  '2024-11-05T09:01:01Z',
  '192.0.2.1',
  '192.0.2.1/24',
  '192.0.2.256',
  '01.2.3.4',
  '2001:db8::1',
  'fe80::1%eth0',
  '::ffff:192.0.2.1',
  '1:2:3:4:5:6:7:8:9',
  'ApiApp/A0EXAMPLE1 Python/3.8.5',
  'ApiApp/',
  'ApiApp',
  'SlackWeb/0 ',
  'US',
  'us',
  'added',
  'removed',
]

/** None of these is a line of the program. */
const NO_LINES = [
  'null',
  '123',
  '"text"',
  '{}',
  '{"a":1}',
  '{"a":{"b":2}}',
  '{"dataset":"slack.other","id":"x"}',
  '{"dataset":"slack.access","id":"x","access":[1,2]}',
  '{"dataset":"slack.access","id":"x","access":"row"}',
  '{"dataset":"slack.access","id":"x"}',
  '{"dataset":"slack.integration","id":"x","integration":null}',
  '{"dataset":"slack.auditor","id":"x","run":7}',
  '{"dataset":{"slack":"access"},"access":{}}',
  '{"dataset":"slack.access","id":"x","acc',
  'Error: something else on stdout',
]

/** Lines, each without its line feed. The same seed gives the same lines. */
export function oddLines(seed: number, count: number): string[] {
  const random = seeded(seed)
  const odd = (): unknown => random.pick(VALUES)
  const entry = (usual: Record<string, unknown>, names: readonly string[]): Record<string, unknown> => {
    const made = { ...usual }
    // One field at a time as well as many, so that no oddity hides another.
    const oddities = random.pick([1, 1, 2, 3, names.length])
    for (let n = 0; n < oddities; n++) made[random.pick(names)] = odd()
    for (let n = random.pick([0, 0, 1, 1, 4]); n > 0; n--) made[random.pick(UNKNOWN)] = odd()
    if (random.chance(0.3)) delete made[random.pick(names)]
    return made
  }
  return Array.from({ length: count }, (_, index) => {
    const id = createHash('sha256').update(`${seed} ${index}`).digest('hex').slice(0, 32)
    const team = random.pick<unknown>([TEAM, TEAM, TEAM, { ...TEAM, name: odd() }, odd()])
    const kind = random.pick(['access', 'access', 'access', 'integration', 'integration', 'none'])
    if (kind === 'access') {
      const access = entry(usualRow(index), ACCESS)
      return ascii({ dataset: 'slack.access', id, row: id, team, access })
    }
    if (kind === 'integration') {
      const integration = entry(usualEntry(index), INTEGRATION)
      return ascii({ dataset: 'slack.integration', id, team, integration })
    }
    return random.pick(NO_LINES)
  })
}

const TEAM = { id: 'T0EXAMPLE1', name: 'Beispiel GmbH' }

function usualRow(index: number): Record<string, unknown> {
  return {
    user_id: `U0ODD${index}`,
    username: `odd${index}`,
    date_first: NOW - 3600 - index,
    date_last: NOW - index,
    count: index,
    ip: `192.0.2.${index % 256}`,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
    isp: 'Example Broadband',
    country: 'US',
    region: 'CA',
  }
}

function usualEntry(index: number): Record<string, unknown> {
  return {
    app_id: `A0ODD${index}`,
    app_type: 'Example App',
    user_id: `U0ODD${index}`,
    user_name: `odd${index}`,
    date: NOW - index,
    change_type: 'added',
    scope: 'identify,channels:read',
  }
}

/** As the program prints it. */
function ascii(line: object): string {
  return JSON.stringify(line).replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [seed = 1, count = 500] = process.argv.slice(2).map(Number)
  console.error(`${count} odd lines with the seed ${seed}`)
  for (const line of oddLines(seed, count)) console.log(line)
}
