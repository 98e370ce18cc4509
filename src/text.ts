/** Words for people: one clean line, counts, times and lengths of time. */

const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu
/** A bare prefix such as `xoxp-` is not a secret, and part of our advice. Characters that cannot be seen hide no token. */
const TOKEN = /xox[a-z][-.][\w.\-\p{Cf}]{6,}/giu

/** Text from outside as one line that is safe on a terminal and in a log, of at most `most` characters. */
export function cleanLine(text: string, most = 200): string {
  const line = text.replace(TOKEN, 'xox…').replace(CONTROL, ' ').replace(/\s+/g, ' ').trim()
  // A cut may leave half of a surrogate pair.
  return line.length > most ? `${line.slice(0, most - 1).replace(/\p{Cs}$/u, '')}…` : line
}

/** `1 page`, `1,204 rows`, `2 entries`. */
export function showCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

/** Epoch seconds as people read them: `2026-11-05 09:01:01Z`. */
export function showTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace('T', ' ').replace('.000', '')
}

/** A length of time as people read it, in its largest fitting unit: `3 h`, `40 min`, `12 s`. */
export function showDuration(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.round(seconds / 86_400)} d`
  if (seconds >= 2 * 3600) return `${Math.round(seconds / 3600)} h`
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds)} s`
}
