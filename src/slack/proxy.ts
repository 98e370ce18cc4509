import * as http from 'node:http'
import { AuditError } from '../errors.ts'

/**
 * Makes `fetch` use the proxy that the environment names for this protocol, if this Node can do that (24.14 and later).
 * @returns what to add to the message of a failed connection: why that proxy is not used, if it is not.
 * @throws AuditError of class `config` if the proxy is not an address.
 */
export function useProxy(env: NodeJS.ProcessEnv, protocol: string): () => string {
  const name = protocol.replace(':', '_proxy')
  const variable = [name, name.toUpperCase()].find((each) => env[each])
  if (variable === undefined) return () => ''
  // The types are those of the oldest Node that is supported.
  const { setGlobalProxyFromEnv } = http as { setGlobalProxyFromEnv?: (env: NodeJS.ProcessEnv) => unknown }
  try {
    setGlobalProxyFromEnv?.(env)
  } catch (error) {
    throw new AuditError('config', 'proxy', `${variable} is not an address such as http://proxy:3128`, error)
  }
  return () => {
    const hasSwitch = process.allowedNodeEnvironmentFlags.has('--use-env-proxy')
    if (setGlobalProxyFromEnv || (hasSwitch && env['NODE_USE_ENV_PROXY'] === '1')) return ''
    const remedy = hasSwitch ? 'set NODE_USE_ENV_PROXY=1, or use' : 'use'
    return `; this Node (${process.version}) ignores ${variable}: ${remedy} Node 24.14 or later`
  }
}
