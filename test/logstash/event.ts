/** A time as Logstash keeps it: to the millisecond here, printed as ISO 8601. */
export class Timestamp {
  readonly ms: number

  constructor(time: number | string) {
    this.ms = typeof time === 'number' ? time : Date.parse(time)
  }

  toJSON(): string {
    return new Date(this.ms).toISOString()
  }
}

export type Hash = Record<string, unknown>

export function isHash(value: unknown): value is Hash {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Timestamp)
}

/** A value in a text, as Logstash puts it there. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  if (value instanceof Timestamp) return value.toJSON()
  return isHash(value) ? JSON.stringify(value) : String(value)
}

/** An event of Logstash: fields by references such as `[a][b]` or `a`. */
export class Event {
  /** A cancelled event reaches no output. */
  cancelled = false
  readonly #root: Hash

  constructor(fields: Hash) {
    this.#root = fields
  }

  get(reference: string): unknown {
    const { parent, key } = this.#find(reference)
    return parent && Object.hasOwn(parent, key) ? parent[key] : undefined
  }

  has(reference: string): boolean {
    return this.get(reference) !== undefined
  }

  set(reference: string, value: unknown): void {
    const { parent, key } = this.#find(reference, true)
    if (!parent) throw new Error(`${reference} cannot be set: its parent is not an object`)
    parent[key] = value
  }

  remove(reference: string): unknown {
    const { parent, key } = this.#find(reference)
    const value = this.get(reference)
    if (parent) delete parent[key]
    return value
  }

  tag(tag: string): void {
    const tags = this.get('tags')
    if (!Array.isArray(tags)) this.set('tags', [tag])
    else if (!tags.includes(tag)) tags.push(tag)
  }

  toJSON(): Hash {
    return JSON.parse(JSON.stringify(this.#root)) as Hash
  }

  #find(reference: string, make = false): { parent: Hash | undefined; key: string } {
    const path = reference.startsWith('[') ? reference.slice(1, -1).split('][') : [reference]
    const key = path.pop() ?? ''
    let parent: Hash | undefined = this.#root
    for (const step of path) {
      if (make && !Object.hasOwn(parent, step)) parent[step] = {}
      const next: unknown = Object.hasOwn(parent, step) ? parent[step] : undefined
      if (!isHash(next)) return { parent: undefined, key }
      parent = next
    }
    return { parent, key }
  }
}
