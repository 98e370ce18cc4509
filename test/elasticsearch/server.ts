// The Elasticsearch (or OpenSearch) server of ELASTICSEARCH_URL. All that a test puts there has a namespace of its own,
// new for each run, and is removed at the end.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Document } from '../logstash/pipeline.ts'
import type { LogstashEvent } from '../logstash/samples.ts'

const FOLDER = new URL('../../logstash/elasticsearch/', import.meta.url)

/** Undefined where there is no server to test on. */
export const ELASTICSEARCH_URL = process.env['ELASTICSEARCH_URL']?.replace(/\/$/, '')

/** The last part of the names of this run's data streams. */
export const NAMESPACE = `slackauditortest${randomBytes(4).toString('hex')}`

export const DATASETS = ['slack.access', 'slack.integration', 'slack.auditor'] as const

export function dataStream(dataset: string): string {
  return `logs-${dataset}-${NAMESPACE}`
}

export interface Answer<Body> {
  status: number
  body: Body
}

/**
 * Sends a request; `body` is JSON, or text that is sent as it is. User and password are taken from the URL. Statuses
 * other than those of success are for the caller to look at.
 */
export async function request<Body = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer<Body>> {
  assert.ok(ELASTICSEARCH_URL, 'ELASTICSEARCH_URL is not set')
  const url = new URL(`${ELASTICSEARCH_URL}${path}`)
  const headers: Record<string, string> = {
    'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json',
  }
  if (url.username) {
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    headers['authorization'] = `Basic ${Buffer.from(login).toString('base64')}`
    url.username = ''
    url.password = ''
  }
  const response = await fetch(url, {
    method,
    headers,
    signal: AbortSignal.timeout(60_000),
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return { status: response.status, body: (isJson ? JSON.parse(text) : text) as Body }
}

/** The same, where only success will do. */
export async function succeed<Body = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
): Promise<Body> {
  const answer = await request<Body>(method, path, body)
  const said = JSON.stringify(answer.body).slice(0, 2000)
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${said}`)
  return answer.body
}

export interface Server {
  /** Such as "Elasticsearch 8.19.8". */
  name: string
  /** The default distribution of Elasticsearch has all of these; its core alone, and OpenSearch, lack some. */
  hasLifecycles: boolean
  /** Whether what is sent to a data stream gets there. */
  hasDataStreams: boolean
  /** Whether a data stream can be removed again. */
  canRemove: boolean
  /** Whether it takes the ingest pipeline. */
  hasPipelines: boolean
}

export async function describeServer(): Promise<Server> {
  const { version } = await succeed<{ version: { number: string; distribution?: string } }>('GET', '/')
  const lifecycles = await request('GET', '/_ilm/policy')
  const pipeline = await request('PUT', `/_ingest/pipeline/${NAMESPACE}`, readJson('ingest-pipeline.json'))
  // Not every server with data streams lists them: so one is made.
  const probe = `logs-probe-${NAMESPACE}`
  await request('PUT', `/_index_template/${probe}`, {
    index_patterns: [probe],
    priority: 10_000,
    data_stream: {},
  })
  const { body } = await request<{ _index?: string }>('PUT', `/${probe}/_create/1`, { '@timestamp': 0 })
  const removal = await request('DELETE', `/_data_stream/${probe}`)
  await request('DELETE', `/_index_template/${probe}`)
  return {
    name: `${version.distribution === 'opensearch' ? 'OpenSearch' : 'Elasticsearch'} ${version.number}`,
    hasLifecycles: lifecycles.status === 200,
    hasDataStreams: body._index?.startsWith('.ds-') === true,
    canRemove: removal.status === 200,
    hasPipelines: pipeline.status === 200,
  }
}

/**
 * Installs what logstash/elasticsearch/ holds, for this run's data streams only: under names of their own, and before
 * an installed template. What the server lacks is left out, and so is the ingest pipeline unless it is asked for: it would
 * overwrite `event.ingested`, which most tests set.
 */
export async function installTemplates(server: Server, { pipeline = false } = {}): Promise<void> {
  if (server.hasLifecycles) await succeed('PUT', `/_ilm/policy/${NAMESPACE}`, readJson('ilm-policy.json'))
  const text = readFileSync(new URL('index-template.json', FOLDER), 'utf8')
  // For servers without lifecycles the manual says to take this line out.
  const kept = server.hasLifecycles ? text : text.replace(/^.*"index\.lifecycle\.name".*\n/m, '')
  const { data_stream, ...template } = JSON.parse(kept) as Template
  const { settings } = template.template
  if (server.hasLifecycles) settings['index.lifecycle.name'] = NAMESPACE
  if (pipeline && server.hasPipelines) settings['index.final_pipeline'] = NAMESPACE
  else delete settings['index.final_pipeline']
  await succeed('PUT', `/_index_template/${NAMESPACE}`, {
    ...template,
    index_patterns: template.index_patterns.map((pattern) => pattern.replace(/\*$/, NAMESPACE)),
    priority: template.priority + 1000,
    ...(server.hasDataStreams && { data_stream }),
  })
}

export interface Template {
  index_patterns: string[]
  priority: number
  data_stream: object
  template: { settings: Record<string, unknown>; mappings: object }
}

export function readJson<Json = Record<string, unknown>>(file: string): Json {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Json
}

export interface Stored {
  id: string
  status: number
  /** Why it was refused. */
  error?: unknown
}

/** Stores events as the Elasticsearch output of Logstash does: `create`, with their ids, in data streams. */
export async function sendAsOutput(documents: readonly Document[]): Promise<Stored[]> {
  const stored: Stored[] = []
  for (let start = 0; start < documents.length; start += 200) {
    const lines = documents.slice(start, start + 200).flatMap(({ id, event }) => {
      const { dataset } = event['data_stream'] as { dataset: string }
      const data_stream = { ...(event['data_stream'] as object), namespace: NAMESPACE }
      return [{ create: { _index: dataStream(dataset), _id: id } }, { ...event, data_stream }]
    })
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    const { items } = await succeed<{ items: { create: Stored & { _id: string } }[] }>('POST', '/_bulk', body)
    for (const { create } of items)
      stored.push({ id: create._id, status: create.status, ...(create.error ? { error: create.error } : {}) })
  }
  await succeed('POST', `/${DATASETS.map(dataStream).join(',')}/_refresh?ignore_unavailable=true`)
  return stored
}

export interface Hit {
  _id: string
  _source: LogstashEvent
}

/** All hits of a query, at most 10,000, in this run's data streams of the datasets. */
export async function search(query: object, datasets: readonly string[] = DATASETS): Promise<Hit[]> {
  const { hits } = await succeed<{ hits: { hits: Hit[] } }>(
    'POST',
    `/${datasets.map(dataStream).join(',')}/_search?ignore_unavailable=true`,
    { query, size: 10_000 },
  )
  return hits.hits
}

/** Hits of a query in Lucene's syntax, as Kibana's rules send it. */
export function searchLucene(query: string, datasets?: readonly string[]): Promise<Hit[]> {
  return search({ query_string: { query, analyze_wildcard: true, time_zone: 'UTC' } }, datasets)
}

/** Removes all that this run made, and names what is left. */
export async function cleanUp(server: Server): Promise<void> {
  await request('DELETE', `/_ingest/pipeline/${NAMESPACE}`)
  if (server.hasDataStreams && !server.canRemove) {
    console.log(`This server cannot remove a data stream: those of the namespace ${NAMESPACE} are left.`)
    return
  }
  for (const name of DATASETS.map(dataStream))
    await request('DELETE', server.hasDataStreams ? `/_data_stream/${name}` : `/${name}`)
  const left = [await request('DELETE', `/_index_template/${NAMESPACE}`)]
  if (server.hasLifecycles) left.push(await request('DELETE', `/_ilm/policy/${NAMESPACE}`))
  for (const { status, body } of left) assert.equal(status, 200, JSON.stringify(body))
  const count = await succeed<{ count: number }>(
    'GET',
    `/logs-slack.*-${NAMESPACE}/_count?ignore_unavailable=true`,
  )
  assert.equal(count.count, 0, `documents are left in logs-slack.*-${NAMESPACE}`)
}
