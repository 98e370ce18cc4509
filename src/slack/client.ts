import { addAppMetadata, LogLevel, WebClient } from '@slack/web-api'
import { badAnswer, errnoOf, SlackCallError } from '../errors.ts'
import { asObject, parseJson } from '../json.ts'
import { cleanLine } from '../text.ts'
import { slackAnswerError } from './errors.ts'
import { useProxy } from './proxy.ts'

/** Calls one method once. Gives the answer, unchecked. @throws SlackCallError. */
export type SlackCall = (method: string, args: Record<string, string>) => Promise<unknown>

export interface Connection {
  readonly token: string
  /** The API root, such as `https://slack.com/api/`. */
  readonly apiUrl: string
  readonly version: string
  /** Where the proxy is named. */
  readonly env: NodeJS.ProcessEnv
  /** Calls back when a request that starts now has taken as long as it may. Returns what calls that off. */
  readonly startTimer: (onTimeout: () => void) => () => void
  /** Aborted once no answer is wanted any more, not even by a request under way. */
  readonly stop: AbortSignal
}

/** A full page is below 1 MiB. */
const LARGEST_BODY_BYTES = 64 * 1024 * 1024

/** Used when Retry-After is missing or unreadable. */
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
 * The only file that uses the Slack SDK. It sends the requests; we read the responses ourselves, because the SDK formats
 * every one for a debug log and throws errors it does not document.
 * @throws AuditError of class `config` if the environment names a proxy that is not an address.
 */
export function connect({ token, apiUrl, version, env, ...limits }: Connection): SlackCall {
  addAppMetadata({ name: 'slack-auditor', version })
  const { host, protocol } = new URL(apiUrl)
  const proxyAdvice = useProxy(env, protocol)
  return async (method, args) => {
    let answer: Promise<unknown> | undefined
    const client = new WebClient(token, {
      slackApiUrl: apiUrl,
      allowAbsoluteUrls: false,
      logger: SILENT,
      // It would repeat calls for half an hour without a word; retry.ts does that instead.
      retryConfig: { retries: 0 },
      fetch: async (url, init) => {
        answer = withinLimits(limits, async (signal) =>
          readAnswer(method, await fetch(url, { ...init, signal } as RequestInit), signal),
        )
        await answer.catch(() => {})
        return Response.json({ ok: true })
      },
    })
    await client.apiCall(method, args)
    return answer?.catch((error: unknown) => {
      throw error instanceof SlackCallError ? error : connectionError(method, host, error, proxyAdvice())
    })
  }
}

/**
 * Runs `work` until a limit ends it. The timer keeps its controller alive: the signal of AbortSignal.timeout is
 * garbage-collected inside AbortSignal.any on Node 20 and 22, and then never fires. Nor is `work` relied on to end.
 */
async function withinLimits<T>(
  { startTimer, stop }: Pick<Connection, 'startTimer' | 'stop'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  stop.throwIfAborted()
  const controller = new AbortController()
  const { signal } = controller
  const end = () => controller.abort(stop.reason)
  const stopTimer = startTimer(() => controller.abort(new DOMException('too slow', 'TimeoutError')))
  stop.addEventListener('abort', end)
  try {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
    return await Promise.race([work(signal), aborted])
  } finally {
    stopTimer()
    stop.removeEventListener('abort', end)
  }
}

/** The body of an answer that says `ok: true`, with the scopes of the token, which come in a header. */
async function readAnswer(method: string, response: Response, signal: AbortSignal): Promise<unknown> {
  const { status, headers } = response
  const wait = Number.parseInt(headers.get('retry-after') ?? '', 10)
  const rateLimit = { retryAfterSeconds: wait >= 0 ? Math.max(1, wait) : DEFAULT_RETRY_AFTER_SECONDS }
  if (status !== 200) {
    response.body?.cancel().catch(() => {})
    if (status === 429) throw slackAnswerError(method, 'ratelimited', rateLimit)
    throw statusError(method, status, wait > 0 ? wait : undefined)
  }
  const body = parse(method, await readText(method, response, signal))
  const answer = asObject(body) ?? {}
  const { ok, error, needed, provided, response_metadata } = answer
  if (ok !== true) {
    if (typeof error !== 'string' || !/^[a-z][a-z0-9_.:-]{0,79}$/.test(error)) {
      throw badAnswer(method, typeof body === 'object' && body !== null ? 'no "ok"' : 'not a JSON object')
    }
    throw slackAnswerError(method, error, error === 'ratelimited' ? rateLimit : { needed, provided })
  }
  const scopes = headers
    .get('x-oauth-scopes')
    ?.split(',')
    .map((scope) => scope.trim())
  return scopes ? { ...answer, response_metadata: { ...asObject(response_metadata), scopes } } : answer
}

/** Counts what comes out of the decompression: a few KB can unpack to gigabytes. */
async function readText(method: string, { body }: Response, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    signal.throwIfAborted()
    bytes += chunk.byteLength
    if (bytes > LARGEST_BODY_BYTES) throw tooLarge(method, 'body is larger than 64 MiB')
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function parse(method: string, text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    const what = text.trim() === '' ? 'an empty body' : /^\s*</.test(text) ? 'HTML' : 'not JSON'
    throw badAnswer(method, what, error)
  }
}

function statusError(method: string, status: number, retryAfterSeconds: number | undefined): SlackCallError {
  const message = `${method}: HTTP ${status}`
  const detail = { retry: status >= 500 || status === 408, retryAfterSeconds }
  if (detail.retry) {
    return new SlackCallError('outage', `http_${status}`, `${message}: Slack or a proxy is down`, detail)
  }
  const advice = 'which Slack does not send: check --api-url and the proxy'
  return new SlackCallError('contract', `http_${status}`, `${message}, ${advice}`, detail)
}

function tooLarge(method: string, what: string, cause?: unknown): SlackCallError {
  const message = `${method}: not a Slack response: its ${what}: check --api-url and the proxy`
  return new SlackCallError('contract', 'too_large', message, { retry: false, cause })
}

/** What to do about a connection that failed, by what its errors say. */
const ADVICE: readonly [said: RegExp, advice: string][] = [
  [/redirect/, 'it redirects elsewhere, check --api-url'],
  [/bad port/, 'check --api-url'],
  [/EXPIRED|NOT_YET_VALID/, 'its certificate is out of date: check the clock here, then --api-url'],
  [/ALTNAME/, 'its certificate is for another host: check --api-url'],
  [
    /CERT|SIGNATURE|ISSUER/,
    'its certificate is not trusted: name the CA of your proxy in NODE_EXTRA_CA_CERTS',
  ],
  [/(?:)/, 'check the network, DNS and proxy of this machine'],
]

/** The reason may be two causes down: "fetch failed" says nothing, ENOTFOUND does. */
function connectionError(method: string, host: string, error: unknown, proxyAdvice: string): SlackCallError {
  const chain: Error[] = []
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at)
  const network = (name: string, what: string, retry = true) =>
    new SlackCallError('network', cleanLine(name, 60), `${method}: ${what}`, { retry, cause: error })

  if (chain.some(({ name }) => name === 'TimeoutError')) {
    return network('timeout', `${host} did not answer in time`)
  }
  const code = chain.map(errnoOf).findLast((code) => typeof code === 'string')
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return tooLarge(method, 'headers are too large', error)
  const reason = code ?? cleanLine(chain.at(-1)?.message ?? String(error))
  // fetch gives no reason at all for a 407 that comes from the host itself.
  const refusal = reason === '' ? '407' : /Proxy response \((\d+)\)/.exec(String(chain))?.[1]
  if (refusal) {
    const login = 'name a user and a password, as in http://user:password@proxy:3128'
    const remedy = refusal === '407' ? login : 'have its administrator allow that'
    const what = `the proxy refused to connect to ${host} (HTTP ${refusal}): ${remedy}`
    return network(`proxy_${refusal}`, what, refusal >= '500')
  }
  const advice = ADVICE.find(([said]) => said.test(`${code} ${chain}`))?.[1]
  return network(code ?? 'connection', `cannot reach ${host} (${reason}): ${advice}${proxyAdvice}`)
}
