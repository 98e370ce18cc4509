/**
 * A local Slack that is no bottleneck. This process makes up a workspace, writes all pages of its access log as JSON once,
 * and from then on only sends bytes. It is started with the number of rows, and tells its parent the API root.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Slack } from '../fake-slack/slack.ts'
import { Workspace } from '../fake-slack/workspace.ts'

const accessRows = Number(process.argv[2])
const workspace = new Workspace({ seed: 1, now: Math.floor(Date.now() / 1000), accessRows })
const slack = new Slack({ workspace, pageCap: Infinity })

const account = Buffer.from(JSON.stringify(slack.answer('auth.test', {})))
/** By the cursor that leads to the page; the first one has none. */
const pages = new Map<string, Buffer>()
for (let cursor: string | undefined = ''; cursor !== undefined; ) {
  const answer = slack.answer('team.accessLogs', { limit: '999', ...(cursor && { cursor }) })
  pages.set(cursor, Buffer.from(JSON.stringify(answer)))
  const { next_cursor } = answer['response_metadata'] as { next_cursor: string }
  cursor = next_cursor || undefined
}

const server = createServer(async (request, response) => {
  const cursor = new URLSearchParams(await text(request)).get('cursor') ?? ''
  const body = request.url === '/api/auth.test' ? account : pages.get(cursor)
  response.writeHead(body ? 200 : 404, { 'content-type': 'application/json; charset=utf-8' }).end(body)
})
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`)
})
process.on('disconnect', () => process.exit())
