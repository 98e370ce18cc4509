import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { TOKEN } from '../program.ts'
import { type Answer, type Arguments, LOG_METHODS, type Slack } from './slack.ts'

/** What goes wrong with one request. */
export type Fault =
  /** Not Slack's answer but an HTTP one: 429 with or without Retry-After, 5xx, a proxy's page. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** HTTP 200 with any body. */
  | { kind: 'body'; body: string; contentType?: string }
  /** ok:false. */
  | { kind: 'error'; error: string; extra?: Record<string, unknown> }
  /** Slack's answer, tampered with. */
  | { kind: 'answer'; change: (body: Answer) => unknown }
  /** The connection ends before the headers. */
  | { kind: 'reset' }
  /** The connection ends in the middle of the body. */
  | { kind: 'cut' }
  /** No answer until `close()`. */
  | { kind: 'hang' }
  | { kind: 'redirect'; location: string }

export interface ServerOptions {
  /** The token it knows. Any xoxb- token passes as a bot's. Default TOKEN. */
  token?: string
  /** Asked for every request, `nth` counting those to this method from 1. */
  fault?: (method: string, nth: number, args: Arguments) => Fault | undefined
  /** Runs before every answer: a workspace that lives between two requests. */
  beforeAnswer?: (method: string, nth: number) => void | Promise<void>
  /** Tier 2: a bucket of `burst` calls per method, filled at `perMinute`; empty, it answers 429. Default: none. */
  rateLimit?: { perMinute: number; burst: number; retryAfter: number } | undefined
  /** Default: a free one. */
  port?: number
}

export interface SeenRequest {
  method: string
  args: Arguments
  headers: IncomingHttpHeaders
  /** performance.now() at its arrival. */
  at: number
}

export interface FakeServer {
  /** With the slash at the end. */
  url: string
  requests: SeenRequest[]
  slack: Slack
  /** Ends all connections, hanging ones too. Rejects if a hook of the options threw meanwhile. */
  close(): Promise<void>
}

/** Serves `slack` over HTTP on 127.0.0.1. */
export async function serve(slack: Slack, options: ServerOptions = {}): Promise<FakeServer> {
  const requests: SeenRequest[] = []
  const failures: unknown[] = []
  const overRate = options.rateLimit ? tokenBuckets(options.rateLimit) : () => undefined

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now()
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (!url.pathname.startsWith('/api/'))
      return send(response, 404, { 'content-type': 'text/html' }, '<h1>Not Found</h1>')
    const method = url.pathname.slice('/api/'.length)
    const args = Object.fromEntries([...url.searchParams, ...new URLSearchParams(await text(request))])
    requests.push({ method, args, headers: request.headers, at })
    const nth = requests.filter((other) => other.method === method).length

    await options.beforeAnswer?.(method, nth)
    const fault = options.fault?.(method, nth, args) ?? overRate(method)
    const answer = (): Answer =>
      refusedToken(request, method, args, options.token ?? TOKEN) ?? slack.answer(method, args)
    const json = (body: unknown): void =>
      send(response, 200, slackHeaders(slack, method), JSON.stringify(body) ?? '')

    switch (fault?.kind) {
      case undefined:
        return json(answer())
      case 'status':
        return send(response, fault.status, fault.headers ?? {}, fault.body ?? '')
      case 'body':
        return send(response, 200, { 'content-type': fault.contentType ?? 'application/json' }, fault.body)
      case 'error':
        return json({ ok: false, error: fault.error, ...fault.extra })
      case 'answer':
        return json(fault.change(answer()))
      case 'reset':
        request.socket.destroy()
        return
      case 'cut': {
        const body = Buffer.from(JSON.stringify(answer()))
        response.writeHead(200, { ...slackHeaders(slack, method), 'content-length': body.length })
        response.write(body.subarray(0, body.length / 2), () => request.socket.destroy())
        return
      }
      case 'hang':
        return
      case 'redirect':
        return send(response, 302, { location: fault.location }, '')
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A client that was killed in the middle of its request is no fault of the test's.
      if (request.complete) failures.push(error)
      response.destroy()
    })
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    requests,
    slack,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      // Else a hook with a bug would look like a network failure, which a test may even be waiting for.
      if (failures.length > 0) throw failures[0]
    },
  }
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, headers).end(body)
}

function slackHeaders(slack: Slack, method: string): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'x-oauth-scopes': slack.scopes.join(','),
    ...(LOG_METHODS.includes(method) && { 'x-accepted-oauth-scopes': 'admin' }),
  }
}

function refusedToken(
  request: IncomingMessage,
  method: string,
  args: Arguments,
  known: string,
): Answer | undefined {
  // Slack refuses a token outside the header for newer apps, also a good one.
  if (args['token'] !== undefined) return { ok: false, error: 'invalid_auth' }
  const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined) return { ok: false, error: 'not_authed' }
  if (token.startsWith('xoxb-'))
    return LOG_METHODS.includes(method) ? { ok: false, error: 'not_allowed_token_type' } : undefined
  return token === known ? undefined : { ok: false, error: 'invalid_auth' }
}

/** Gives the 429 for a call that comes too soon. Every method has a bucket of its own. */
function tokenBuckets(limit: NonNullable<ServerOptions['rateLimit']>): (method: string) => Fault | undefined {
  const buckets = new Map<string, { left: number; at: number }>()
  return (method) => {
    const now = performance.now()
    const { left, at } = buckets.get(method) ?? { left: limit.burst, at: now }
    const filled = Math.min(limit.burst, left + ((now - at) / 60_000) * limit.perMinute)
    buckets.set(method, { left: filled >= 1 ? filled - 1 : filled, at: now })
    if (filled >= 1) return undefined
    const headers = { 'content-type': 'application/json', 'retry-after': String(limit.retryAfter) }
    return { kind: 'status', status: 429, headers, body: '{"ok":false,"error":"ratelimited"}' }
  }
}
