import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { SlackCallError } from '../../src/errors.ts'
import { type Connection, connect } from '../../src/slack/client.ts'
import { gate } from '../program.ts'

const never: Connection['startTimer'] = () => () => {}

/** A connection to a server that answers like this. */
async function connectionTo(t: TestContext, listener: http.RequestListener, more: Partial<Connection> = {}) {
  const server = http.createServer(listener).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`
  const stop = new AbortController().signal
  return connect({ token: 'xoxp-1', apiUrl, version: '1', env: {}, startTimer: never, stop, ...more })
}

/** A connection whose `fetch` fails like this. */
function failingConnection(t: TestContext, error: unknown, env: NodeJS.ProcessEnv = {}) {
  t.mock.method(globalThis, 'fetch', () => Promise.reject(error))
  const stop = new AbortController().signal
  const apiUrl = 'https://slack.example/api/'
  return connect({ token: 'xoxp-1', apiUrl, version: '1', env, startTimer: never, stop })
}

async function failure(call: Promise<unknown>): Promise<SlackCallError> {
  const error: unknown = await call.then(
    () => assert.fail('it should have failed'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof SlackCallError, String(error))
  return error
}

const fetchFailed = (cause: unknown) => new TypeError('fetch failed', { cause })
const coded = (code: string, message = code) => Object.assign(new Error(message), { code })

describe('an answer', () => {
  const bodies: [what: string, headers: Record<string, string>, body: Buffer][] = [
    ['as it is', {}, Buffer.alloc(65 * 1024 * 1024, ' ')],
    [
      'of a few KB that unpack to that',
      { 'content-encoding': 'gzip' },
      gzipSync(Buffer.alloc(65 * 1024 * 1024)),
    ],
  ]
  for (const [what, headers, body] of bodies) {
    test(`of more than 64 MiB, ${what}, is a contract error that is not tried again`, async (t) => {
      const call = await connectionTo(t, (_, response) => response.writeHead(200, headers).end(body))
      const error = await failure(call('auth.test', {}))
      assert.deepEqual([error.class, error.code, error.retry], ['contract', 'too_large', false])
      assert.match(error.message, /^auth\.test: not a Slack response: its body is larger than 64 MiB/)
    })
  }

  test('whose headers are too large is a contract error', async (t) => {
    const call = await connectionTo(t, (_, response) =>
      response.writeHead(200, { x: 'x'.repeat(20_000) }).end(),
    )
    const error = await failure(call('auth.test', {}))
    assert.deepEqual([error.class, error.code, error.retry], ['contract', 'too_large', false])
  })

  test('in pieces that cut a letter is put together', async (t) => {
    const body = Buffer.from('{"ok":true,"team":"Zürich"}')
    const call = await connectionTo(t, (_, response) => {
      response.write(body.subarray(0, 21), () => setImmediate(() => response.end(body.subarray(21))))
    })
    assert.deepEqual(await call('auth.test', {}), { ok: true, team: 'Zürich' })
  })

  const numbers: [sent: string, printed: unknown][] = [
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['1e400', '1e400'],
    ['1'.repeat(400), '1'.repeat(400)],
    ['9007199254740992', 9007199254740992],
    ['1234567890123456', 1234567890123456],
    ['1.5e3', 1500],
    ['[1,9007199254740993]', [1, '9007199254740993']],
    ['"a \\",:9007199254740993"', 'a ",:9007199254740993'],
  ]
  for (const [sent, printed] of numbers) {
    test(`with ${sent} keeps its value, as a string where a number cannot hold it`, async (t) => {
      const call = await connectionTo(t, (_, response) => response.end(`{"ok":true,"n": ${sent}}`))
      assert.deepEqual(await call('team.integrationLogs', {}), { ok: true, n: printed })
    })
  }
})

describe('a request', () => {
  for (const [what, answer] of [
    ['without an answer', () => {}],
    ['in the middle of its answer', (response) => response.write('{"ok":')],
  ] as [string, (response: Parameters<http.RequestListener>[1]) => void][]) {
    test(`${what} ends when its time is over`, async (t) => {
      let ring = (): void => {}
      let cancelled = 0
      const startTimer = (onTimeout: () => void) => {
        ring = onTimeout
        return () => {
          cancelled += 1
        }
      }
      const reached = gate()
      const call = await connectionTo(
        t,
        (_, response) => {
          answer(response)
          reached.open()
        },
        { startTimer },
      )
      const calling = failure(call('auth.test', {}))
      await reached.passed
      ring()
      const error = await calling
      assert.deepEqual([error.class, error.code, error.retry], ['network', 'timeout', true])
      assert.match(error.message, /^auth\.test: 127\.0\.0\.1:\d+ did not answer in time$/)
      assert.equal(cancelled, 1)
    })
  }

  test('ends when its time is over, even if fetch does not', async (t) => {
    t.mock.method(globalThis, 'fetch', () => new Promise(() => {}))
    const startTimer = (onTimeout: () => void) => {
      setImmediate(onTimeout)
      return () => {}
    }
    const call = await connectionTo(t, () => {}, { startTimer })
    assert.equal((await failure(call('auth.test', {}))).code, 'timeout')
  })

  test('ends when nobody wants its answer any more', async (t) => {
    const stop = new AbortController()
    const call = await connectionTo(t, () => stop.abort(), { stop: stop.signal })
    assert.equal((await failure(call('auth.test', {}))).class, 'network')
    await assert.rejects(call('auth.test', {}), 'nor does another one begin')
  })
})

describe('a connection that fails', () => {
  const faults: [what: string, cause: Error, says: RegExp, code: string, retry: boolean][] = [
    [
      'for want of DNS',
      coded('ENOTFOUND'),
      /cannot reach slack\.example \(ENOTFOUND\): check the network, DNS and/,
      'ENOTFOUND',
      true,
    ],
    [
      'by an expired certificate',
      coded('CERT_HAS_EXPIRED'),
      /out of date: check the clock/,
      'CERT_HAS_EXPIRED',
      true,
    ],
    [
      'by a certificate of tomorrow',
      coded('CERT_NOT_YET_VALID'),
      /check the clock/,
      'CERT_NOT_YET_VALID',
      true,
    ],
    [
      'by a certificate of another host',
      coded('ERR_TLS_CERT_ALTNAME_INVALID'),
      /for another host: check --api-url/,
      'ERR_TLS_CERT_ALTNAME_INVALID',
      true,
    ],
    [
      'by a certificate of a CA nobody knows',
      coded('SELF_SIGNED_CERT_IN_CHAIN'),
      /NODE_EXTRA_CA_CERTS/,
      'SELF_SIGNED_CERT_IN_CHAIN',
      true,
    ],
    [
      'at a proxy that wants a password',
      coded('UND_ERR_ABORTED', 'Proxy response (407) !== 200 when HTTP Tunneling'),
      /the proxy refused to connect to slack\.example \(HTTP 407\): name a user and a password/,
      'proxy_407',
      false,
    ],
    [
      'at a proxy that forbids it',
      coded('UND_ERR_ABORTED', 'Proxy response (403) !== 200 when HTTP Tunneling'),
      /slack\.example \(HTTP 403\): have its administrator allow that/,
      'proxy_403',
      false,
    ],
    [
      'at a proxy that is down',
      coded('UND_ERR_ABORTED', 'Proxy response (503) !== 200 when HTTP Tunneling'),
      /\(HTTP 503\)/,
      'proxy_503',
      true,
    ],
  ]
  for (const [what, cause, says, code, retry] of faults) {
    test(`${what} says what to do`, async (t) => {
      const error = await failure(failingConnection(t, fetchFailed(cause))('auth.test', {}))
      assert.deepEqual([error.class, error.code, error.retry], ['network', code, retry])
      assert.match(error.message, says)
    })
  }

  test('at a gateway that answers 407 is named, though fetch does not say so', async (t) => {
    const call = await connectionTo(t, (_, response) => response.writeHead(407).end('who are you?'))
    const error = await failure(call('auth.test', {}))
    assert.deepEqual([error.code, error.retry], ['proxy_407', false])
  })
})

describe('a proxy in the environment', () => {
  const canBeTold = 'setGlobalProxyFromEnv' in http
  const HTTPS_PROXY = 'http://127.0.0.1:9'

  test('that this Node cannot use is named when a connection fails', { skip: canBeTold }, async (t) => {
    const call = failingConnection(t, fetchFailed(coded('ENOTFOUND')), { HTTPS_PROXY })
    const { message } = await failure(call('auth.test', {}))
    assert.match(message, /; this Node \(v[\d.]+\) ignores HTTPS_PROXY: .*use Node 24\.14 or later$/)
  })

  test('that is not an address is a wrong environment', { skip: !canBeTold }, (t) => {
    assert.throws(() => failingConnection(t, undefined, { HTTPS_PROXY: 'proxy:3128:x' }), {
      class: 'config',
      message: 'HTTPS_PROXY is not an address such as http://proxy:3128',
    })
  })
})
