/** An object of JSON, neither an array nor null; else undefined. */
export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

/** Whether lists and objects are nested in this value more than `levels` deep; the value itself is the first level. */
export function nestsDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((part) => nestsDeeperThan(levels - 1, part))
}

/**
 * Parses JSON so that JSON.stringify gives the same values, but for two that JavaScript or the readers of our lines cannot
 * hold: such a number becomes a string of the same digits, and half of a surrogate pair becomes U+FFFD. Logstash cuts a
 * text there. No id changes by the former, because an id takes a number as its decimal string.
 * @throws SyntaxError
 */
export function parseJson(json: string): unknown {
  return JSON.parse(mendHalfPairs(quoteHugeNumbers(json)))
}

function quoteHugeNumbers(json: string): string {
  // A quick look, since Slack sends no such number. It may mistake digits within a string.
  if (!/(?:"\s*:|[[,])\s*-?\d(?:\d{15}|[\d.]*[eE])/.test(json)) return json
  return json.replace(/"(?:[^"\\]+|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g, (token) => {
    if (token.startsWith('"')) return token
    const value = Number(token)
    const isExact = Number.isFinite(value) && (/\D/.test(token.slice(1)) || BigInt(token) === BigInt(value))
    return isExact ? token : `"${token}"`
  })
}

/** Only an escape can be half of a pair: text that was read as UTF-8 holds none. */
function mendHalfPairs(json: string): string {
  if (!/\\u[dD][89a-fA-F]/.test(json)) return json
  // Other escapes, whole pairs, halves.
  const escapes =
    /\\(?:[^u]|u(?![dD][89a-fA-F]))|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F][\da-fA-F]{2}/g
  return json.replace(escapes, (found) => (found.length === 6 ? '\\ufffd' : found))
}
