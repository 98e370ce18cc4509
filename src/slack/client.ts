import {
  addAppMetadata,
  LogLevel,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebClient,
} from '@slack/web-api'
import { badAnswer, cleanLine, SlackCallError } from '../errors.ts'
import { asObject } from '../json.ts'
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

/** The SDK's default logger writes to stdout, among the data; debug would dump every row. */
const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
}

/** The only place that knows the Slack SDK. It opens no connection before the first call. */
export function connect({ token, apiUrl, version, signal }: Connection): SlackCall {
  addAppMetadata({ name: 'slack-auditor', version })
  return async (method, args) => {
    let answer: Record<string, unknown> | undefined
    const client = new WebClient(token, {
      slackApiUrl: apiUrl,
      allowAbsoluteUrls: false,
      logger: SILENT,
      // The SDK's own retry repeats 4xx for half an hour without a word; retry.ts does it instead.
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      fetch: async (url, init) => {
        const response = await fetch(url, { ...init, signal: signal() } as RequestInit)
        if (response.status !== 200) return response
        const text = await response.text()
        answer = goodAnswer(text)
        return replaceBody(response, answer ? '{"ok":true}' : text)
      },
    })
    try {
      const result = await client.apiCall(method, args)
      const scopes = result.response_metadata?.scopes
      return scopes
        ? { ...answer, response_metadata: { ...asObject(answer?.['response_metadata']), scopes } }
        : answer
    } catch (error) {
      throw explain(method, error, new URL(apiUrl).host)
    }
  }
}

/** The answer if it says `ok: true`. */
function goodAnswer(text: string): Record<string, unknown> | undefined {
  try {
    const answer = asObject(JSON.parse(text) as unknown)
    return answer?.['ok'] === true ? answer : undefined
  } catch {
    return undefined
  }
}

/**
 * The response with another body. The SDK writes each answer, all rows of it, into a line for a debug log that nobody
 * reads, which takes a third of the time of a full page. So it is shown a short one, and the rows go past it.
 */
function replaceBody(response: Response, body: string): Response {
  const { status, statusText, headers } = response
  const copy = new Response(body, { status, statusText, headers })
  return Object.defineProperty(copy, 'url', { value: response.url })
}

/** What the SDK threw, as one of our errors. What it throws when is listed by case, because it is not documented. */
function explain(method: string, error: unknown, host: string): SlackCallError {
  if (error instanceof WebAPIRateLimitedError) return rateLimited(method, error.retryAfter, error)
  if (error instanceof WebAPIPlatformError) return explainAnswer(method, error)
  if (error instanceof WebAPIHTTPError) return explainStatus(method, error)
  const message = error instanceof Error ? error.message : String(error)
  // A 429 whose Retry-After is missing or a date comes as a plain Error.
  if (message.startsWith('Retry header did not contain')) return rateLimited(method, undefined, error)
  const { name, code, reason } = deepestCause(error)
  if (name === 'TimeoutError') return network(method, 'timeout', `${host} did not answer in time`, error)
  // The SDK stumbles over an answer of `null`.
  if (error instanceof TypeError && code === undefined && !/fetch failed|terminated/.test(message)) {
    return badAnswer(method, 'no JSON object', error)
  }
  return network(
    method,
    code ?? 'connection',
    `cannot reach ${host} (${code ?? reason})${adviceFor(code, error)}`,
    error,
  )
}

function network(method: string, code: string, what: string, cause: unknown): SlackCallError {
  return new SlackCallError('network', cleanLine(code, 60), `${method}: ${what}`, { retry: true, cause })
}

function adviceFor(code: string | undefined, error: unknown): string {
  if (/redirect/.test(String(causeChain(error).map(String))))
    return ': it redirects elsewhere, check --api-url'
  if (/CERT|SIGNATURE|ISSUER/.test(code ?? '')) {
    return ': its certificate is not trusted here; if a proxy inspects TLS, name its CA in NODE_EXTRA_CA_CERTS'
  }
  return ': check the network, DNS and proxy of this machine'
}

function rateLimited(method: string, seconds: number | undefined, cause: unknown): SlackCallError {
  const usable = seconds !== undefined && Number.isFinite(seconds) && seconds >= 0
  return slackAnswerError(method, 'ratelimited', {
    retryAfterSeconds: usable ? Math.max(1, seconds) : DEFAULT_RETRY_AFTER_SECONDS,
    cause,
  })
}

function explainAnswer(method: string, error: WebAPIPlatformError): SlackCallError {
  const data = asObject(error.data) ?? {}
  const code = data['error']
  // Where the body is no JSON, the SDK puts all of it here.
  if (typeof code !== 'string' || !/^[a-z][a-z0-9_.:-]{0,79}$/.test(code)) {
    return badAnswer(method, describeBody(code), error)
  }
  const metadata = asObject(data['response_metadata'])
  if (code === 'ratelimited') return rateLimited(method, asNumber(metadata?.['retryAfter']), error)
  const needed = data['needed']
  const provided = data['provided']
  return slackAnswerError(method, code, {
    ...(typeof needed === 'string' && { needed: cleanLine(needed, 80) }),
    ...(typeof provided === 'string' && { provided: cleanLine(provided, 120) }),
    cause: error,
  })
}

function explainStatus(method: string, error: WebAPIHTTPError): SlackCallError {
  const status = error.statusCode
  if (status >= 500 || status === 408) {
    const seconds = asNumber(Number(error.headers['retry-after']))
    return new SlackCallError(
      'outage',
      `http_${status}`,
      `${method}: HTTP ${status}: Slack or a proxy is out of order; it was tried again, and the next run tries again`,
      {
        retry: true,
        ...(seconds !== undefined && seconds > 0 && { retryAfterSeconds: seconds }),
        cause: error,
      },
    )
  }
  return new SlackCallError(
    'contract',
    `http_${status}`,
    `${method}: HTTP ${status}, which Slack does not send: check --api-url and the proxy`,
    {
      retry: false,
      cause: error,
    },
  )
}

function describeBody(body: unknown): string {
  if (typeof body !== 'string') return 'no "ok"'
  if (body.trim() === '') return 'an empty body'
  return /^\s*</.test(body) ? 'HTML' : 'no JSON'
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function causeChain(error: unknown): unknown[] {
  const chain: unknown[] = []
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at)
  return chain
}

/** The reason may lie two causes down: "fetch failed" says nothing, ENOTFOUND does. */
function deepestCause(error: unknown): { name: string; code: string | undefined; reason: string } {
  const chain = causeChain(error)
  const codes = chain.map((at) => (at as { code?: unknown }).code).filter((code) => typeof code === 'string')
  const names = chain.map((at) => (at as Error).name)
  return {
    name: names.includes('TimeoutError') ? 'TimeoutError' : (names.at(-1) ?? ''),
    code: codes.findLast((code) => !code.startsWith('slack_webapi')),
    reason: cleanLine(String((chain.at(-1) as Error | undefined)?.message ?? error)),
  }
}
