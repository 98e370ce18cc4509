import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { accessIds } from '../../src/log/ids.ts'
import { LOGS } from '../../src/log/logs.ts'
import { entryLines, reportLine } from '../../src/output/lines.ts'

const TEAM = { id: 'T0EXAMPLE1', name: 'Beispiel GmbH – Zürich' }

/** The recipe of the README, as one would follow it by hand. */
const recipe = (json: string) => createHash('sha256').update(json).digest('hex').slice(0, 32)

const row = {
  user_id: 'U1',
  username: 'ada',
  date_first: 1_764_000_000,
  date_last: 1_764_000_600,
  count: 3,
  ip: '192.0.2.1',
  user_agent: 'Firefox, "the" fox',
  isp: null,
}

describe('a line', () => {
  const access = entryLines(LOGS.access, TEAM)

  test('is the envelope in JSON, the entry as Slack sent it, and a line break', () => {
    const named = { ...accessIds(TEAM.id, row), raw: row }
    const text = access([named])
    assert.ok(text.endsWith('}\n'))
    const { id, row: name } = named
    const expected = { dataset: 'slack.access', id, row: name, team: TEAM, access: row }
    assert.deepEqual(JSON.parse(text), expected)
    assert.deepEqual(Object.keys(JSON.parse(text) as object), Object.keys(expected))
    assert.ok(text.includes(JSON.stringify(row)), 'fields in the order in which they came')
  })

  test('of the integration log has no row', () => {
    const text = entryLines(LOGS.integration, { id: 'T1', name: null })([
      { id: 'i', row: undefined, raw: { date: '1' } },
    ])
    assert.equal(
      text,
      '{"dataset":"slack.integration","id":"i","team":{"id":"T1","name":null},"integration":{"date":"1"}}\n',
    )
  })

  const texts: [string, string][] = [
    ['letters', 'jörg ольга 山田'],
    ['an emoji', 'foxy 🦊'],
    ['line breaks of Unicode', 'a\u2028b\u2029c\u0085d'],
    ['control characters', 'a\u0000\u001b[31m\u007f\r\n\tb'],
    ['halves of letters', 'a\ud83eb\udd8ac'],
    ['a byte order mark', '\ufeffx\uffff'],
    ['quotes and backslashes', '"\\"\\u0041'],
  ]
  for (const [what, text] of texts) {
    test(`holds ${what} in ASCII, and they come back the same`, () => {
      const raw = { [text]: text, list: [text] }
      const line = access([{ id: 'i', row: 'r', raw }])
      assert.match(line, /^[\x20-\x7e]+\n$/)
      assert.deepEqual((JSON.parse(line) as Record<string, unknown>)['access'], raw)
    })
  }

  test('holds an entry that was nested too deep as one string', () => {
    const raw = '{"name":"Jörg"}'
    const line = access([{ id: 'i', row: 'r', raw }])
    assert.match(line, /"access":"{\\"name\\":\\"J\\u00f6rg\\"}"}\n$/)
    assert.equal(JSON.parse(line).access, raw)
  })

  test('passes values of every kind on as they are', () => {
    const raw = { n: null, f: 1.5, t: true, e: '', o: { '': {} }, l: [[], null], big: 9_007_199_254_740_991 }
    assert.deepEqual(JSON.parse(access([{ id: 'i', row: 'r', raw }])).access, raw)
  })
})

describe('a report line', () => {
  test('is JSON in ASCII, with an id over the team and the whole report', () => {
    const line = reportLine(TEAM, { log: 'access', pages: 3, error: { code: 'é' } })
    assert.match(line, /^[\x20-\x7e]+\n$/)
    assert.deepEqual(JSON.parse(line), {
      dataset: 'slack.auditor',
      id: recipe(`["${TEAM.id}",{"error":{"code":"é"},"log":"access","pages":"3"}]`),
      team: TEAM,
      run: { log: 'access', pages: 3, error: { code: 'é' } },
    })
  })

  test('has another id for another run, even where no team is known', () => {
    const nobody = { id: null, name: null }
    const ids = [1, 2].map((pages) => JSON.parse(reportLine(nobody, { pages })).id as string)
    assert.notEqual(ids[0], ids[1])
    assert.equal(ids[0], recipe('[null,{"pages":"1"}]'))
  })
})
