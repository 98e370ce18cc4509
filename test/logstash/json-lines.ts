/** An event as it leaves the exec input of logstash.conf: a line under [slack], or the text of what is no such line. */
export type InputEvent = { slack: Record<string, unknown> } | { message: string; tags: ['_jsonparsefailure'] }

/** Logstash's json_lines codec with `target => "[slack]"`. */
export class JsonLines {
  #held = ''

  /**
   * The events of one run's stdout. What follows the last line feed is held back, and put before the first line of the
   * next run: the exec input never tells its codec that a run has ended.
   */
  decode(stdout: string): InputEvent[] {
    const lines = (this.#held + stdout).split('\n')
    this.#held = lines.pop() ?? ''
    return lines.filter((line) => line.trim() !== '').flatMap(decodeLine)
  }
}

function decodeLine(line: string): InputEvent[] {
  const failure: InputEvent = { message: line, tags: ['_jsonparsefailure'] }
  try {
    const value: unknown = JSON.parse(line)
    const entries: unknown[] = Array.isArray(value) ? value : [value]
    return entries.map((entry) => (isObject(entry) ? { slack: entry } : failure))
  } catch {
    return [failure]
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
