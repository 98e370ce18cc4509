import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf, matcherOf, parseQuery, timeOf, withLists } from '../../logstash/build/detections/lucene.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')

const EVENT = {
  user: { id: '0', name: 'Anna B.' },
  source: { ip: '192.0.2.77', as: { organization: { name: 'DigitalOcean, LLC (amazon.com)' } } },
  event: { ingested: '2026-11-24T11:00:00.000Z', reason: null, type: [] },
  slack: {
    integration: { scope: ['users:read', 'im:history'] },
    run: { complete: false, gaps: 3, order: { date: true } },
  },
}

test('The evaluator reads a query the way Elasticsearch does', async (t) => {
  const found: [query: string, expected: boolean][] = [
    ['user.id:0', true],
    ['user.id:1', false],
    ['user.id:*', true],
    ['user.email:*', false],
    ['event.reason:*', false],
    ['event.type:*', false],
    ['user.name:"Anna B."', true],
    ['user.name:"anna b."', false],
    ['user.name:Anna', false],
    ['user.name:Anna*', true],
    ['user.name:?nna*B.', true],
    ['slack.integration.scope:(admin OR *\\:history)', true],
    ['slack.integration.scope:(admin OR *\\:write)', false],
    ['slack.integration.scope:users\\:read', true],
    ['slack.integration.scope:users', false],
    ['slack.run.complete:false', true],
    ['slack.run.gaps:>2', true],
    ['slack.run.gaps:>3', false],
    ['slack.run.gaps:>=3', true],
    ['slack.run.gaps:[1 TO 3]', true],
    ['slack.run.gaps:[* TO 2]', false],
    ['event.ingested:[* TO now-59m]', true],
    ['event.ingested:[* TO now-61m]', false],
    ['event.ingested:[now-2h TO now]', true],
    ['source.ip:192.0.2.77', true],
    ['source.ip:"192.0.2.0/26"', false],
    ['source.ip:"192.0.2.0/25"', true],
    ['source.ip:"2001:db8::/32"', false],
    ['source.as.organization.name.text:digitalocean', true],
    ['source.as.organization.name.text:"digitalocean llc"', true],
    ['source.as.organization.name.text:"llc digitalocean"', false],
    ['source.as.organization.name.text:ocean', false],
    ['source.as.organization.name.text:amazon', false],
    ['source.as.organization.name.text:amazon*', true],
    ['NOT user.id:1', true],
    ['user.id:0 AND NOT slack.run.complete:true', true],
    ['user.id:0 AND (user.name:x OR slack.run.gaps:>0)', true],
    ['user.id:1 OR (user.id:0 AND NOT user.name:*)', false],
  ]
  for (const [query, expected] of found) {
    await t.test(`${query} is ${expected}`, () =>
      assert.equal(matcherOf(parseQuery(query))(EVENT, NOW), expected),
    )
  }
})

test('The parser refuses what is no query, or one that Lucene would read in an unexpected way', async (t) => {
  const refused = [
    '',
    'user.id',
    'user.id:',
    'user.id:0 AND',
    'user.id:0 user.id:1',
    'user.id:0 AND user.id:1 OR user.id:2',
    'user.id:0 OR NOT user.id:1',
    '(user.id:0',
    'user.id:(0 OR 1',
    'user.id:(0 AND 1 OR 2)',
    'user.id:a:b',
    'user.id:"a',
    'user.id:[1 TO 2',
    'user.id:AND',
    'event.action:integration_added)',
  ]
  for (const query of refused)
    await t.test(JSON.stringify(query), () => assert.throws(() => parseQuery(query)))
})

test('A query that still names a list is not evaluated, and a list that does not exist is named', () => {
  assert.throws(() => matcherOf(parseQuery('NOT {offices}')), /\{offices\} is not filled in/)
  assert.throws(() => withLists('NOT {offices}', {}), /\{offices\}/)
})

test('Lists are put in the place of their names, with quotes where they are needed', () => {
  const list = {
    field: 'a.b',
    values: ['plain', 'two words', '192.0.2.0/24', '2001:db8::/48', 'x.y*', 'a-b:c*'],
  }
  assert.equal(
    withLists('user.id:0 AND NOT {list}', { list }),
    'user.id:0 AND NOT a.b:(plain OR "two words" OR "192.0.2.0/24" OR "2001:db8::/48" OR x.y* OR a-b\\:c*)',
  )
})

test('Times count back from now', () => {
  assert.equal(timeOf('now', NOW), NOW)
  assert.equal(timeOf('now-90m', NOW), NOW - 5_400_000)
  assert.equal(timeOf('2026-11-24T12:00:00Z', 0), NOW)
})

test('The fields of a query are each named once', () => {
  assert.deepEqual(fieldsOf(parseQuery('a:1 AND NOT b:2 AND (a:3 OR c.d:*)')), ['a', 'b', 'c.d'])
})
