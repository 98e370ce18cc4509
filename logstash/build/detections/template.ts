import { readFileSync } from 'node:fs'

export interface Mapping {
  type?: string
  properties?: Record<string, Mapping>
  fields?: Record<string, Mapping>
}

const TEMPLATE = new URL('../../elasticsearch/index-template.json', import.meta.url)
const { template } = JSON.parse(readFileSync(TEMPLATE, 'utf8')) as { template: { mappings: Mapping } }

/** The type that the index template gives a field, such as `source.ip`; undefined for one that it does not name. */
export function typeOfField(field: string): string | undefined {
  return typeOf(template.mappings, field.split('.'))
}

function typeOf({ type, properties = {}, fields = {} }: Mapping, path: string[]): string | undefined {
  const [name, ...rest] = path
  if (name === undefined) return type
  const inner = properties[name] ?? fields[name]
  return inner && typeOf(inner, rest)
}
