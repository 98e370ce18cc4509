import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlackCallError } from '../../src/errors.ts'
import { withSmallerPages } from '../../src/slack/page-size.ts'

/** What reaches Slack of these calls; `slow` is the size from which a page takes too long. */
async function sent(slow: number, calls: Record<string, string>[]) {
  const sizes: string[] = []
  const call = withSmallerPages(async (_, args) => {
    sizes.push(args['limit'] ?? args['count'] ?? '')
    if (Number(sizes.at(-1)) < slow) return { ok: true }
    throw new SlackCallError('network', 'timeout', 'too slow', { retry: true })
  })
  for (const args of calls) await call('team.accessLogs', args).catch(() => {})
  return sizes
}

test('after a time-out this and every later page is requested smaller, down to 100 rows', async () => {
  assert.deepEqual(await sent(1, Array(5).fill({ limit: '999' })), ['999', '500', '200', '100', '100'])
  assert.deepEqual(await sent(300, Array(4).fill({ limit: '999', cursor: 'c' })), [
    '999',
    '500',
    '200',
    '200',
  ])
})

test('numbered pages keep their size: others would shift, and there are only a hundred of them', async () => {
  const page = (number: number) => ({ count: '1000', page: String(number) })
  assert.deepEqual(await sent(1, [page(1), page(1), page(2)]), ['1000', '1000', '1000'])
})

test('a small page stays small, and another fault makes none smaller', async () => {
  assert.deepEqual(await sent(1001, [{ limit: '1' }, {}]), ['1', ''])
  const call = withSmallerPages(async (_, { limit = '' }) => {
    throw new SlackCallError('outage', 'http_503', limit, { retry: true })
  })
  for (let nth = 0; nth < 2; nth += 1) await assert.rejects(call('m', { limit: '999' }), { message: '999' })
})
