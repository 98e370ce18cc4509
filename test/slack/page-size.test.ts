import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlackCallError } from '../../src/errors.ts'
import { withSmallerPages } from '../../src/slack/page-size.ts'

const timeout = new SlackCallError('network', 'timeout', 'too slow', { retry: true })

/** What reaches Slack of these calls; `slow` is the size from which a page takes too long. */
async function sent(slow: number, calls: Record<string, string>[]) {
  const sizes: string[] = []
  const answers: unknown[] = []
  const call = withSmallerPages(async (_, args) => {
    sizes.push(args['limit'] ?? args['count'] ?? '')
    if (Number(sizes.at(-1)) >= slow) throw timeout
    return { ok: true }
  })
  for (const args of calls) answers.push(await call('team.accessLogs', args).catch((error) => error))
  return { sizes, answers }
}

const page = (number: number) => ({ count: '1000', page: String(number) })

test('after a time-out this and every later page is requested smaller, down to 100 rows', async () => {
  const { sizes } = await sent(1, Array(5).fill({ limit: '999' }))
  assert.deepEqual(sizes, ['999', '500', '200', '100', '100'])
  const later = await sent(300, Array(4).fill({ limit: '999', cursor: 'c' }))
  assert.deepEqual(later.sizes, ['999', '500', '200', '200'])
  assert.deepEqual(later.answers.at(-1), { ok: true, paging: { count: 200 } })
})

test('numbered pages keep the size of the first page of their listing', async () => {
  const first = await sent(1000, [page(1), page(1), page(2), page(3), page(1)])
  assert.deepEqual(first.sizes, ['1000', '500', '500', '500', '500'])
  const sizes: string[] = []
  const call = withSmallerPages(async (_, { count = '', page }) => {
    sizes.push(count)
    if (page === '2') throw timeout
    return { ok: true, paging: { pages: 2 } }
  })
  for (const number of [1, 2, 2, 1]) await call('team.integrationLogs', page(number)).catch(() => {})
  assert.deepEqual(sizes, ['1000', '1000', '1000', '1000'], 'a later page would shift')
})

test('a page of the requested size is passed on unchanged, and so is any other fault', async () => {
  const { sizes, answers } = await sent(1001, [page(1), { cursor: 'c', limit: '1' }, {}])
  assert.deepEqual(sizes, ['1000', '1', ''])
  assert.deepEqual(answers, [{ ok: true }, { ok: true }, { ok: true }])
  const call = withSmallerPages(async (_, { limit = '' }) => {
    throw new SlackCallError('outage', 'http_503', limit, { retry: true })
  })
  for (let nth = 0; nth < 2; nth += 1) await assert.rejects(call('m', { limit: '999' }), { message: '999' })
})
