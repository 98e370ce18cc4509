import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readFile } from '../../logstash/build/build.ts'
import { searchOf, withoutMacros } from '../../logstash/build/detections/splunk.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { LISTS } from '../../logstash/detections/lists.ts'
import { KNOWN_APPS, SPLUNK_SEARCHES } from '../../logstash/detections/splunk.ts'

const read = (name: string) => readFile(`splunk/slack_auditor/default/${name}`)
const saved = stanzasOf(read('savedsearches.conf'))
const macros = stanzasOf(read('macros.conf'))

describe('The searches of the Splunk app', () => {
  test('are one per detection, and two that keep lookups', () => {
    assert.deepEqual(
      [...saved.keys()],
      [KNOWN_APPS.name, 'Slack: forget old alarms', ...DETECTIONS.map(({ name }) => name)],
    )
    for (const slug of Object.keys(SPLUNK_SEARCHES))
      assert.ok(
        DETECTIONS.some((detection) => detection.slug === slug),
        `there is no detection ${slug}`,
      )
  })

  for (const { name, attack } of DETECTIONS) {
    test(`${name}: off, durable, and silent for longer than it looks back`, () => {
      const stanza = saved.get(name) ?? assert.fail()
      assert.equal(stanza.get('disabled'), '1')
      assert.equal(stanza.get('realtime_schedule'), '0')
      assert.match(stanza.get('cron_schedule') ?? '', /^\d+,\d+ \* \* \* \*$/)
      assert.ok(Number(stanza.get('schedule_window')) < 30)
      assert.match(stanza.get('dispatch.earliest_time') ?? '', /^-\d+[hd]$/)
      assert.equal(stanza.get('alert.suppress.period'), '1d')
      // By a setting, or by a condition of the search.
      const looksBack = stanza.get('dispatch.index_earliest') ?? stanza.get('search') ?? ''
      assert.match(looksBack, /^-\d|now\(\)-\d/)
      const annotations = stanza.get('action.correlationsearch.annotations')
      assert.deepEqual(
        annotations && JSON.parse(annotations),
        attack.length > 0 ? { mitre_attack: attack } : undefined,
      )
    })
  }

  test('name the sourcetype, use only macros and lookups that are shipped, and have their quotes and brackets in pairs', () => {
    const lookups = new Set(stanzasOf(read('transforms.conf')).keys())
    for (const detection of DETECTIONS) {
      const { search } = searchOf(detection)
      assert.match(search, /^(`slack_auditor_index` .*sourcetype=slack\.|\| inputlookup )/)
      for (const [, macro = ''] of search.matchAll(/`(\w+)`/g)) assert.ok(macros.has(macro), macro)
      for (const [, lookup = ''] of search.matchAll(/lookup (?:append=true )?(?:key_field=_key )?(\w+)/g))
        assert.ok(lookups.has(lookup), lookup)
      const expanded = withoutMacros(search)
      assert.doesNotMatch(expanded.replaceAll('{}', ''), /[`{}]/, detection.slug)
      assert.equal((expanded.match(/"/g) ?? []).length % 2, 0, detection.slug)
      let depth = 0
      for (const letter of expanded.replace(/"[^"]*"/g, '')) {
        if (letter === '(') depth++
        if (letter === ')') depth--
        assert.ok(depth >= 0, detection.slug)
      }
      assert.equal(depth, 0, detection.slug)
    }
  })

  test('keep for others only what the lookup has fields for', () => {
    const fields = stanzasOf(read('transforms.conf'))
      .get('slack_auditor_alarms')
      ?.get('fields_list')
      ?.split(', ')
    const kept = DETECTIONS.map((detection) => searchOf(detection).search).filter((search) =>
      search.includes('outputlookup'),
    )
    assert.ok(fields && kept.length > 5)
    for (const search of kept) {
      const [, names = ''] = /^\| eval (rule=.*)$/m.exec(search) ?? []
      for (const name of names.split(', ').map((part) => part.split('=')[0] ?? ''))
        assert.ok(fields.includes(name), name)
    }
  })

  test('end with the fields by which they are silenced', () => {
    for (const detection of DETECTIONS) {
      const { search, names } = searchOf(detection)
      const last =
        search
          .split('\n')
          .filter((line) => /^\| (table|stats) /.test(line))
          .at(-1) ?? assert.fail(detection.slug)
      for (const field of names) assert.ok(last.includes(field), `${detection.slug}: ${field}`)
    }
  })

  test('have the words of the queries', () => {
    const of = (slug: string) => {
      const detection = DETECTIONS.find((other) => other.slug === slug)
      assert.ok(detection)
      return searchOf(detection).search.split('\n').slice(0, 2)
    }
    assert.deepEqual(of('access-hosting-provider'), [
      '`slack_auditor_index` sourcetype=slack.access NOT access.user_id=0 NOT app.id=* NOT `slack_auditor_offices`',
      '| where `slack_auditor_hosting_providers` AND NOT `slack_auditor_corporate_proxies`',
    ])
    assert.equal(
      of('collector-incomplete')[0],
      '`slack_auditor_index` sourcetype=slack.auditor run.complete=false run.gaps>0 NOT run.rows_printed>=1000',
    )
    assert.match(
      of('integration-high-scopes')[0] ?? '',
      /integration\.change_type="\*resource_grant_created" .*integration\.scope\{\}="\*:history" OR /,
    )
  })

  test('have the lists as macros', () => {
    assert.deepEqual(
      [...macros.keys()],
      ['slack_auditor_index', ...Object.keys(LISTS).map((name) => `slack_auditor_${name}`)],
    )
    assert.equal(
      macros.get('slack_auditor_offices')?.get('definition'),
      '(access.ip="203.0.113.0/24" OR access.ip="2001:db8::/48")',
    )
    assert.equal(
      macros.get('slack_auditor_app_clouds')?.get('definition'),
      `(match(coalesce('access.isp', ""), "(?i)(^|[^a-z0-9])(amazon[a-z0-9]*|aws|cloudflare[a-z0-9]*|fastly[a-z0-9]*|google[a-z0-9]*|heroku|microsoft[a-z0-9]*|oracle[a-z0-9]*|salesforce[a-z0-9]*|slack|vercel)([^a-z0-9]|$)"))`,
    )
  })
})

/** The stanzas of a file of Splunk's, each a map of its settings. A backslash at the end joins lines. */
function stanzasOf(text: string): Map<string, Map<string, string>> {
  const stanzas = new Map<string, Map<string, string>>()
  let stanza = new Map<string, string>()
  for (const line of text.replaceAll('\\\n', '\n').split(/\n(?!\|)/)) {
    const [, name] = /^\[(.+)\]$/.exec(line) ?? []
    if (name) {
      stanza = new Map()
      assert.ok(!stanzas.has(name), `${name} is there twice`)
      stanzas.set(name, stanza)
    } else if (line !== '' && !line.startsWith('#')) {
      const [, key = '', value = ''] = /^([\w.]+) = (.*)$/s.exec(line) ?? assert.fail(`no setting: ${line}`)
      stanza.set(key, value)
    }
  }
  return stanzas
}
