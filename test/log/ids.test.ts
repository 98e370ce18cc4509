import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { accessIds, integrationIds, reportId } from '../../src/log/ids.ts'

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

const idOf = (entry: Record<string, unknown>) => integrationIds('T1', entry).id

describe('the ids of an access-log row', () => {
  const parts = '["T1","U1","192.0.2.1","Firefox, \\"the\\" fox","1764000000"'

  test('are hashes of the JSON of team, user, address, agent and first time; the id adds last time and count', () => {
    assert.deepEqual(accessIds('T1', row), {
      row: recipe(`${parts}]`),
      id: recipe(`${parts},"1764000600","3"]`),
    })
  })

  test('count a missing field as null', () => {
    const nothing = {
      row: recipe('["T1",null,null,null,null]'),
      id: recipe('["T1",null,null,null,null,null,null]'),
    }
    assert.deepEqual(accessIds('T1', {}), nothing)
    assert.deepEqual(accessIds('T1', { ip: null, count: null }), nothing)
  })

  const fields = ['user_id', 'ip', 'user_agent', 'date_first', 'date_last', 'count'] as const
  test('differ from team to team', () => {
    const [here, there] = [accessIds('T1', row), accessIds('T2', row)]
    assert.ok(here.id !== there.id && here.row !== there.row)
  })
  for (const field of fields) {
    test(`change with ${field}${fields.indexOf(field) > 3 ? ', but not the row' : ''}`, () => {
      const before = accessIds('T1', row)
      for (const value of ['x', '', null, 0]) {
        const after = accessIds('T1', { ...row, [field]: value })
        assert.notEqual(after.id, before.id)
        assert.equal(after.row === before.row, fields.indexOf(field) > 3)
      }
    })
  }

  test('do not change with anything else', () => {
    const other = { ...row, username: 'eva', isp: 'Example', country: 'CH', region: 'ZH', new: { a: 1 } }
    assert.deepEqual(accessIds('T1', other), accessIds('T1', row))
  })

  test('cannot collide by moving text from one part into the next', () => {
    const apart: Record<string, unknown>[] = [
      { user_id: 'a', ip: 'b' },
      { user_id: 'a","b' },
      { user_id: 'a,b' },
      { user_id: 'ab' },
      { user_id: 'a', ip: 'b', user_agent: '' },
      { user_id: ['a', 'b'] },
      { user_id: ['a'], ip: ['b'] },
      { user_id: null, ip: 'a' },
      { user_id: 'null', ip: 'a' },
      { ip: 'a","b' },
    ]
    assert.equal(new Set(apart.map((entry) => accessIds('T1', entry).row)).size, apart.length)
    assert.equal(new Set(apart.map((entry) => accessIds('T1', entry).id)).size, apart.length)
  })
})

describe('the id of an integration-log entry', () => {
  test('is a hash over the JSON of the team and the whole entry, its keys sorted', () => {
    const entry = {
      date: '1764000000',
      app_id: 'A1',
      rss_feed: true,
      scope: null,
      nested: { b: [1, null, 'x'], a: {} },
    }
    const json = '{"app_id":"A1","date":"1764000000","nested":{"a":{},"b":["1",null,"x"]},"rss_feed":true}'
    assert.deepEqual(integrationIds('T1', entry), { id: recipe(`["T1",${json}]`), row: undefined })
  })

  const equal: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['the order of keys', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ['a number that becomes a string', { date: 1_764_000_000 }, { date: '1764000000' }],
    ['a large one', { service_id: 9_007_199_254_740_991 }, { service_id: '9007199254740991' }],
    ['one beyond 1e21, which JavaScript would write as 1e+21', { n: 1e21 }, { n: '1000000000000000000000' }],
    ['a fraction', { n: 1.5 }, { n: '1.5' }],
    ['zero', { user_id: 0 }, { user_id: '0' }],
    ['a field that is null instead of missing', { a: 1, scope: null }, { a: 1 }],
    ['one deep inside', { a: { b: null } }, { a: {} }],
    ['a twin', { date: 1, app_id: 'A1' }, { date: 1, app_id: 'A1' }],
  ]
  for (const [what, one, other] of equal) {
    test(`does not change with ${what}`, () => assert.equal(idOf(one), idOf(other)))
  }

  const different: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['a new field', { a: 1 }, { a: 1, b: 1 }],
    ['an empty text for null', { scope: '' }, { scope: null }],
    ['a boolean for its name', { rss_feed: true }, { rss_feed: 'true' }],
    ['false for null', { rss_feed: false }, {}],
    ['the order of a list', { l: [1, 2] }, { l: [2, 1] }],
    ['null in a list', { l: [null] }, { l: [] }],
    ['text that looks like a key', { a: '1","b":"2' }, { a: '1', b: '2' }],
    ['a leading zero', { n: '01' }, { n: 1 }],
    ['large neighbours', { n: 9_007_199_254_740_990 }, { n: 9_007_199_254_740_991 }],
  ]
  for (const [what, one, other] of different) {
    test(`changes with ${what}`, () => assert.notEqual(idOf(one), idOf(other)))
  }

  test('has no row', () => assert.equal(integrationIds('T1', {}).row, undefined))
})

describe('the id of a report', () => {
  test('is a hash over the JSON of the team and the whole report, its keys sorted', () => {
    const run = { log: 'access', pages: 3, watermark: null, error: { code: 'é' } }
    assert.equal(reportId('T1', run), recipe('["T1",{"error":{"code":"é"},"log":"access","pages":"3"}]'))
  })

  test('counts a team that is not known as null', () => {
    assert.equal(reportId(null, { pages: 1 }), recipe('[null,{"pages":"1"}]'))
  })
})
