import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { documentsOf } from '../logstash/pipeline.ts'
import { SAMPLE_LINES } from '../logstash/samples.ts'
import { DATASETS, readJson, type Template } from './server.ts'

const FOLDER = fileURLToPath(new URL('../../logstash/elasticsearch', import.meta.url))
const PROGRAM = fileURLToPath(new URL('all.ts', import.meta.url))

type Field = { type?: string; ignore_above?: number; properties?: Record<string, Field>; enabled?: boolean }

const template = readJson<Template>('index-template.json')
const samples = documentsOf(readFileSync(SAMPLE_LINES, 'utf8'))

test('Every field of the sample events is in the template, but for those that Slack may add', () => {
  const known = new Set(fieldsOf(template.template.mappings as Field).keys())
  const unknown = new Set(samples.flatMap(({ event }) => pathsOf(event)).filter((path) => !known.has(path)))
  assert.deepEqual(
    [...unknown].filter((path) => !ADDED.test(path)),
    [],
  )
  assert.ok(unknown.size > 0)
})

/** Fields that only the samples have. */
const ADDED =
  /^slack\.(access|integration)\.(@timestamp|@version|tags|host|session_risk|new_field|nested|risk_level|risk_factor|_|_a_|%\{_user__id_\})$/

test('No value is too long for the store: every keyword leaves out what has more than 1024 letters', () => {
  let keywords = 0
  for (const [path, field] of fieldsOf(template.template.mappings as Field)) {
    if (field.type !== 'keyword') continue
    keywords++
    // Lucene takes at most 32,766 bytes, and a letter has up to four.
    assert.equal(field.ignore_above, 1024, path)
  }
  assert.ok(keywords > 50)
})

test('A time, an address or a number that does not fit costs no event', () => {
  for (const [path, field] of fieldsOf(template.template.mappings as Field)) {
    if (path === '@timestamp' || !/^(date|ip|long)$/.test(field.type ?? '')) continue
    assert.equal((field as { ignore_malformed?: boolean }).ignore_malformed, true, path)
  }
})

test('The template is for the data streams of the pipeline, with any namespace, and for no other', () => {
  const patterns = template.index_patterns.map((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`))
  const isMeant = (name: string): boolean => patterns.some((pattern) => pattern.test(name))
  for (const { dataStream } of samples) assert.ok(isMeant(dataStream), dataStream)
  for (const dataset of DATASETS) assert.ok(isMeant(`logs-${dataset}-production`))
  assert.ok(!isMeant('logs-slack.audit-default'))
  // 100 is the default template's.
  assert.ok(template.priority > 100)
})

test('Without the line on lifecycles, as on a server that has none, the template is whole', () => {
  const command = `sed '/"index.lifecycle.name"/d' index-template.json`
  const text = execFileSync('/bin/sh', ['-c', command], { cwd: FOLDER, encoding: 'utf8' })
  const { 'index.lifecycle.name': name, ...others } = template.template.settings
  assert.equal(name, 'slack-auditor')
  assert.deepEqual(JSON.parse(text), { ...template, template: { ...template.template, settings: others } })
})

test('The template names the pipeline that ships beside it, which says when the store took an event', () => {
  assert.equal(template.template.settings['index.final_pipeline'], 'slack-auditor')
  const { processors } = readJson<{ processors: { set: Record<string, unknown> }[] }>('ingest-pipeline.json')
  assert.deepEqual(processors, [
    { set: { field: 'event.ingested', value: '{{{_ingest.timestamp}}}', ignore_failure: true } },
  ])
  assert.equal(fieldsOf(template.template.mappings as Field).get('event.ingested')?.type, 'date')
})

test('A lifecycle rolls over, and deletes nothing before the detections have looked back 90 days', () => {
  const policies = readdirSync(FOLDER).filter((file) => file.startsWith('ilm-policy'))
  assert.deepEqual(policies.sort(), ['ilm-policy-delete-after-400-days.json', 'ilm-policy.json'])
  for (const file of policies) {
    const { policy } = readJson<{ policy: { phases: Record<string, { min_age?: string }> } }>(file)
    const { hot, delete: deletion, ...others } = policy.phases
    assert.ok(JSON.stringify(hot).includes('rollover'))
    assert.deepEqual(others, {})
    if (file === 'ilm-policy.json') assert.equal(deletion, undefined)
    else assert.ok(Number.parseInt(deletion?.min_age ?? '', 10) >= 90)
  }
})

test('npm run test:elasticsearch says so when there is no server, and ends well', () => {
  const { ELASTICSEARCH_URL: _, ...env } = process.env
  const said = execFileSync(process.execPath, ['--import', 'tsx', PROGRAM], { encoding: 'utf8', env })
  assert.match(said, /^SKIPPED: .*\n.*ELASTICSEARCH_URL/)
})

/** Each field that has a type, by its path. */
function fieldsOf(field: Field, path = ''): Map<string, Field> {
  const fields = new Map<string, Field>(path && field.type ? [[path, field]] : [])
  for (const [name, inner] of Object.entries(field.properties ?? {}))
    for (const found of fieldsOf(inner, path === '' ? name : `${path}.${name}`)) fields.set(...found)
  return fields
}

function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path]
  return Object.entries(value).flatMap(([name, inner]) =>
    pathsOf(inner, path === '' ? name : `${path}.${name}`),
  )
}
