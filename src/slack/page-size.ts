import { SlackCallError } from '../errors.ts'
import { asObject } from '../json.ts'
import type { SlackCall } from './client.ts'

/** Rows per page after one time-out, two, and more. */
const SMALLER = [500, 200, 100]

/**
 * Calls of one log that ask for smaller pages once one took longer than a request may. The size changes behind a cursor
 * and at the start of a listing; the numbered pages of one listing keep the size of its first page.
 */
export function withSmallerPages(call: SlackCall): SlackCall {
  let most = Number.POSITIVE_INFINITY
  let firstPage = { asked: 0, sent: 0 }
  return async (method, args) => {
    const name = args['limit'] === undefined ? 'count' : 'limit'
    const asked = Number(args[name])
    const isFirst = (args['page'] ?? '1') === '1'
    if (isFirst) firstPage = { asked, sent: Math.min(asked, most) }
    const sent = asked === firstPage.asked ? firstPage.sent : asked
    try {
      const answer = await call(method, sent < asked ? { ...args, [name]: String(sent) } : args)
      // If Slack gives no number of pages, the caller recognises a full page by its size.
      const body = sent < asked && asObject(answer)
      return body ? { ...body, paging: { count: sent, ...asObject(body['paging']) } } : answer
    } catch (error) {
      const isTimeout = error instanceof SlackCallError && error.code === 'timeout'
      if (isTimeout && isFirst) most = SMALLER.find((size) => size < sent) ?? sent
      throw error
    }
  }
}
