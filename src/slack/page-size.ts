import { SlackCallError } from '../errors.ts'
import type { SlackCall } from './client.ts'

/** Rows per page, largest first: what is requested after a page that took too long. */
const SMALLER = [500, 200, 100]

/**
 * Calls of one log that ask for smaller pages once one took longer than a request may. Only pages with cursors: numbered
 * pages would shift, and Slack serves no more than 100 of them.
 */
export function withSmallerPages(call: SlackCall): SlackCall {
  let most = Number.POSITIVE_INFINITY
  return async (method, args) => {
    const { limit } = args
    if (limit === undefined) return call(method, args)
    const rows = Math.min(Number(limit), most)
    try {
      return await call(method, { ...args, limit: String(rows) })
    } catch (error) {
      if (error instanceof SlackCallError && error.code === 'timeout') {
        most = SMALLER.find((size) => size < rows) ?? rows
      }
      throw error
    }
  }
}
