import { addAppMetadata, LogLevel, WebClient } from '@slack/web-api'
import { badAnswer, errnoOf, SlackCallError } from '../errors.ts'
import { asObject } from '../json.ts'
import { cleanLine } from '../text.ts'
import { slackAnswerError } from './errors.ts'

/** Calls one method once. Gives the answer, unchecked. @throws SlackCallError. */
export type SlackCall = (method: string, args: Record<string, string>) => Promise<unknown>

export interface Connection {
  readonly token: string
  /** The API root, such as `https://slack.com/api/`. */
  readonly apiUrl: string
  readonly version: string
  /** Ends the request that starts now, its body included, when it has taken too long. */
  readonly signal: () => AbortSignal
}

/** How long Slack wants us to wait where it does not say so in a way one can use. */
const DEFAULT_RETRY_AFTER_SECONDS = 30

/** The SDK's default logger writes to stdout, among the data. */
const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
}

/**
 * The only place that knows the Slack SDK, which makes the requests. The answers go past it: it writes each one, all
 * rows of it, into a line for a debug log, and it throws in ways that its documentation does not list.
 */
export function connect({ token, apiUrl, version, signal }: Connection): SlackCall {
  addAppMetadata({ name: 'slack-auditor', version })
  const { host } = new URL(apiUrl)
  return async (method, args) => {
    let answer: Promise<unknown> | undefined
    const client = new WebClient(token, {
      slackApiUrl: apiUrl,
      allowAbsoluteUrls: false,
      logger: SILENT,
      // It would repeat calls for half an hour without a word; retry.ts does that instead.
      retryConfig: { retries: 0 },
      fetch: async (url, init) => {
        answer = request(method, host, url, { ...init, signal: signal() } as RequestInit)
        await answer.catch(() => {})
        return Response.json({ ok: true })
      },
    })
    await client.apiCall(method, args)
    return answer
  }
}

async function request(
  method: string,
  host: string,
  url: string | URL | Request,
  init: RequestInit,
): Promise<Record<string, unknown>> {
  try {
    return await readAnswer(method, await fetch(url, init))
  } catch (error) {
    throw error instanceof SlackCallError ? error : connectionError(method, host, error)
  }
}

/** The body of an answer that says `ok: true`, with the scopes of the token, which stand in a header. */
async function readAnswer(method: string, response: Response): Promise<Record<string, unknown>> {
  const { status, headers } = response
  const wait = Number.parseInt(headers.get('retry-after') ?? '', 10)
  const rateLimit = { retryAfterSeconds: wait >= 0 ? Math.max(1, wait) : DEFAULT_RETRY_AFTER_SECONDS }
  if (status === 429) throw slackAnswerError(method, 'ratelimited', rateLimit)
  const text = await response.text()
  if (status !== 200) throw statusError(method, status, wait > 0 ? wait : undefined)
  const body = parse(method, text)
  const answer = asObject(body) ?? {}
  const { ok, error, needed, provided, response_metadata } = answer
  if (ok !== true) {
    if (typeof error !== 'string' || !/^[a-z][a-z0-9_.:-]{0,79}$/.test(error)) {
      throw badAnswer(method, typeof body === 'object' && body !== null ? 'no "ok"' : 'no JSON object')
    }
    throw slackAnswerError(method, error, error === 'ratelimited' ? rateLimit : { needed, provided })
  }
  const scopes = headers
    .get('x-oauth-scopes')
    ?.trim()
    .split(/\s*,\s*/)
  return scopes ? { ...answer, response_metadata: { ...asObject(response_metadata), scopes } } : answer
}

function parse(method: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const what = text.trim() === '' ? 'an empty body' : /^\s*</.test(text) ? 'HTML' : 'no JSON'
    throw badAnswer(method, what, error)
  }
}

function statusError(method: string, status: number, retryAfterSeconds: number | undefined): SlackCallError {
  const retry = status >= 500 || status === 408
  const what = retry
    ? 'Slack or a proxy is out of order; it was tried again, and the next run tries again'
    : 'which Slack does not send: check --api-url and the proxy'
  return new SlackCallError(
    retry ? 'outage' : 'contract',
    `http_${status}`,
    `${method}: HTTP ${status}${retry ? ':' : ','} ${what}`,
    { retry, retryAfterSeconds },
  )
}

/** The reason may lie two causes down: "fetch failed" says nothing, ENOTFOUND does. */
function connectionError(method: string, host: string, error: unknown): SlackCallError {
  const chain: Error[] = []
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at)
  const detail = { retry: true, cause: error }
  if (chain.some(({ name }) => name === 'TimeoutError')) {
    return new SlackCallError('network', 'timeout', `${method}: ${host} did not answer in time`, detail)
  }
  const code = chain.map(errnoOf).findLast((code) => typeof code === 'string')
  const reason = code ?? cleanLine(chain.at(-1)?.message ?? String(error))
  const message = `${method}: cannot reach ${host} (${reason})${adviceFor(code, String(chain))}`
  return new SlackCallError('network', cleanLine(code ?? 'connection', 60), message, detail)
}

function adviceFor(code: string | undefined, causes: string): string {
  if (/redirect/.test(causes)) return ': it redirects elsewhere, check --api-url'
  if (/bad port/.test(causes)) return ': check --api-url'
  if (/CERT|SIGNATURE|ISSUER/.test(code ?? '')) {
    return ': its certificate is not trusted here; if a proxy inspects TLS, name its CA in NODE_EXTRA_CA_CERTS'
  }
  return ': check the network, DNS and proxy of this machine'
}
