import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, test } from 'node:test'
import { inventCompany } from './company.ts'

const DAY = 86_400
const NOW = 1_764_000_000
const SEED = 1

const { accessRows, integrationRows, collector } = inventCompany({ seed: SEED, now: NOW })
const isApp = ({ user_agent }: { user_agent: string }) => user_agent.startsWith('ApiApp/')

function share<Row>(rows: readonly Row[], has: (row: Row) => boolean): number {
  return rows.filter(has).length / rows.length
}

describe(`the company of seed ${SEED}`, () => {
  test('is the same for the same seed and another one for another seed', () => {
    const small = (seed: number) => inventCompany({ seed, members: 20, now: NOW })
    assert.deepEqual(small(3), small(3))
    assert.notDeepEqual(small(4).accessRows, small(3).accessRows)
  })

  test('has rows that Slack could hold: times in order, and nothing in the future', () => {
    for (const { date_first, date_last, count } of accessRows)
      assert.ok(date_first <= date_last && date_last <= NOW && count >= 1)
    for (const { date } of integrationRows) assert.ok(Number(date) <= NOW)
  })

  test('has no address that could be real', () => {
    for (const { ip } of accessRows) {
      assert.ok(isIP(String(ip)), String(ip))
      assert.match(String(ip), /^(2001:db8:|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|198\.1[89]\.)/)
    }
  })

  test('has its 500 members, who mostly come on weekdays and stay in their country', () => {
    const people = accessRows.filter((row) => !isApp(row))
    const members = new Set(people.map(({ user_id }) => user_id)).size
    assert.ok(members > 480 && members < 560, String(members))
    const onWeekend = share(people, ({ date_first }) =>
      [0, 6].includes(new Date(date_first * 1000).getUTCDay()),
    )
    assert.ok(onWeekend > 0.01 && onWeekend < 0.12, String(onWeekend))
    const abroad = share(people, ({ isp }) => String(isp).startsWith('Example Hotel'))
    assert.ok(abroad > 0.005 && abroad < 0.1, String(abroad))
  })

  test('has apps that call only after somebody added them, and the collector', () => {
    const added = new Map<unknown, number>()
    for (const { app_id, date, change_type } of integrationRows.toReversed())
      if (change_type === 'added') added.set(app_id, Number(date))
    const calls = accessRows.filter(isApp)
    assert.ok(calls.length > 100)
    for (const { user_agent, date_first } of calls) {
      const id = user_agent.slice('ApiApp/'.length).split(' ')[0]
      assert.ok((added.get(id) ?? Number.POSITIVE_INFINITY) <= date_first, user_agent)
    }
    assert.ok(calls.some(({ user_id }) => user_id === collector.user_id))
  })

  test('has the entries of a month that a company of its size has', () => {
    const month = integrationRows.filter(({ date }) => Number(date) > NOW - 30 * DAY)
    assert.ok(month.length > 80 && month.length < 300, String(month.length))
    const added = share(month, ({ change_type }) => change_type === 'added')
    assert.ok(added > 0.25 && added < 0.55, String(added))
  })
})
