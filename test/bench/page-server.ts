/**
 * A local Slack that is not the bottleneck. It makes up a workspace with as many rows as its argument says, and makes
 * each answer once; from then on it only sends bytes. It sends its parent the API root.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Slack } from '../fake-slack/slack.ts'
import { Workspace } from '../fake-slack/workspace.ts'

const accessRows = Number(process.argv[2])
const workspace = new Workspace({ seed: 1, now: Math.floor(Date.now() / 1000), accessRows })
const slack = new Slack({ workspace, pageCap: Infinity })

/** The answers given so far, by path and arguments. */
const answers = new Map<string, Buffer>()

const server = createServer(async (request, response) => {
  const args = await text(request)
  const asked = `${request.url} ${args}`
  const answer = () =>
    slack.answer(String(request.url).slice('/api/'.length), Object.fromEntries(new URLSearchParams(args)))
  const body = answers.get(asked) ?? Buffer.from(JSON.stringify(answer()))
  answers.set(asked, body)
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(body)
})
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`)
})
process.on('disconnect', () => process.exit())
