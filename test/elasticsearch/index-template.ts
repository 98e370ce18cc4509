// The index template on a real store: the sample events and odd ones arrive, typed as they should be.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { oddLines } from '../logstash/odd-lines.ts'
import { type Document, documentsOf } from '../logstash/pipeline.ts'
import { SAMPLE_LINES } from '../logstash/samples.ts'
import {
  cleanUp,
  DATASETS,
  dataStream,
  describeServer,
  installTemplates,
  NAMESPACE,
  request,
  type Server,
  search,
  searchLucene,
  sendAsOutput,
  succeed,
} from './server.ts'

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
const ODD = 1500

const samples = documentsOf(readFileSync(SAMPLE_LINES, 'utf8'))
const odd = documentsOf(oddLines(SEED, ODD).join('\n'))
/** Collected a day after the samples. */
const late = documentsOf(
  [
    {
      dataset: 'slack.access',
      id: 'late',
      row: 'late',
      access: { user_id: 'U0LATE', date_last: 1730797000 },
    },
  ],
  '2024-11-06T09:30:00.000Z',
)

let server: Server

before(async () => {
  server = await describeServer()
  console.log(
    `${server.name}, ${server.hasDataStreams ? 'with' : 'WITHOUT'} data streams, ` +
      `${server.hasLifecycles ? 'with' : 'WITHOUT'} lifecycles; namespace ${NAMESPACE}; SEED=${SEED}`,
  )
  await installTemplates(server, { pipeline: true })
})

after(async () => {
  if (server) await cleanUp(server)
})

test('The template is the one that is in force', async (t) => {
  for (const dataset of DATASETS) {
    await t.test(dataset, async () => {
      const { template } = await succeed<{ template: { mappings: { properties: object } } }>(
        'POST',
        `/_index_template/_simulate_index/${dataStream(dataset)}`,
      )
      assert.ok('slack' in template.mappings.properties)
    })
  }
})

test('Every sample event is stored', async () => {
  assertStored(await sendAsOutput([...samples, ...late]))
  assert.equal(await countOf(), samples.length + late.length)
})

test(`Every odd event is stored (SEED=${SEED})`, async () => {
  assertStored(await sendAsOutput(odd))
  assert.equal(await countOf(), samples.length + late.length + odd.length)
})

test('An event that is there already is refused with 409, and nothing is stored twice', async () => {
  const repeated = [...samples, ...odd]
  const refused = await sendAsOutput(repeated)
  assert.deepEqual([...new Set(refused.map(({ status }) => status))], [409])
  assert.equal(await countOf(), samples.length + late.length + odd.length)
})

test('Every event says when the store took it', async (t) => {
  if (!server.hasPipelines) return t.skip('this server does not take the ingest pipeline')
  const found = await search({ range: { 'event.ingested': { gte: 'now-1h', lte: 'now' } } })
  assert.equal(found.length, samples.length + late.length + odd.length)
})

test('Times, addresses and counts have their types, all else is a keyword or a text', async (t) => {
  const types = await typesInStore()
  const wanted: Record<string, string> = {
    '@timestamp': 'date',
    'event.created': 'date',
    'event.ingested': 'date',
    'event.start': 'date',
    'event.end': 'date',
    'event.duration': 'long',
    'event.action': 'keyword',
    'source.ip': 'ip',
    'source.address': 'keyword',
    'source.as.organization.name': 'keyword',
    'source.as.organization.name.text': 'text',
    'related.ip': 'ip',
    'user.id': 'keyword',
    'user_agent.original': 'keyword',
    'user_agent.original.text': 'text',
    'error.message': 'text',
    message: 'text',
    'slack.access.count': 'long',
    'slack.access.ip': 'ip',
    'slack.access.date_last': 'keyword',
    'slack.app.id': 'keyword',
    'slack.client.type': 'keyword',
    'slack.integration.scope': 'keyword',
    'slack.integration.service_id': 'keyword',
    'slack.run.complete': 'boolean',
    'slack.run.duration_ms': 'long',
    'slack.run.gaps': 'long',
    'slack.run.started': 'date',
    'slack.run.watermark': 'long',
  }
  for (const [field, type] of Object.entries(wanted))
    await t.test(`${field}: ${type}`, () => assert.equal(types.get(field), type))
  await t.test('fields that Slack may add are keywords', () => {
    const added = [...types].filter(([field]) =>
      /^slack\.(access|integration)\.(new_field|a_b|user_id_x)$/.test(field),
    )
    assert.ok(added.length >= 3, String(added))
    for (const [field, type] of added) assert.equal(type, 'keyword', field)
  })
})

test('A range over event.created finds what was collected in it', async () => {
  const found = await search({ range: { 'event.created': { gte: '2024-11-06T00:00:00Z' } } })
  assert.deepEqual(idsOf(found), ['late'])
  const before = await search({ range: { 'event.created': { lt: '2024-11-05T09:30:00.001Z' } } })
  assert.equal(before.length, samples.length + odd.length)
  assert.equal((await searchLucene('event.created:[2024-11-06 TO *]')).length, 1)
})

test('A range over event.start and event.end compares times', async () => {
  const query = { range: { 'event.end': { gte: '2024-11-05T08:15:00Z', lte: '2024-11-05T08:20:00Z' } } }
  const expected = samples.filter(({ event }) => {
    const { end } = event['event'] as { end?: string }
    return end !== undefined && end >= '2024-11-05T08:15:00.000Z' && end <= '2024-11-05T08:20:00.000Z'
  })
  assert.ok(expected.length > 0)
  const samplesOnly = { bool: { filter: [query, { ids: { values: samples.map(({ id }) => id) } }] } }
  assert.deepEqual(idsOf(await search(samplesOnly)), idsOfDocuments(expected))
})

test('A CIDR query finds the addresses of a network, IPv4 and IPv6', async () => {
  for (const [network, start] of [
    ['198.51.100.0/24', /^198\.51\.100\./],
    ['2001:db8::/32', /^2001:db8:/],
  ] as const) {
    const expected = [...samples, ...odd].filter(({ event }) => start.test(addressOf(event) ?? ''))
    assert.ok(expected.length > 0)
    assert.deepEqual(idsOf(await search({ term: { 'source.ip': network } })), idsOfDocuments(expected))
  }
})

test('Every source.ip of the pipeline is an address for the store too', async () => {
  const expected = [...samples, ...odd].filter(({ event }) => addressOf(event) !== undefined)
  assert.deepEqual(idsOf(await search({ exists: { field: 'source.ip' } })), idsOfDocuments(expected))
})

test('A count is summed per row by its largest state', async () => {
  const { aggregations } = await succeed<{ aggregations: { total: { value: number } } }>(
    'POST',
    `/${dataStream('slack.access')}/_search?size=0`,
    {
      query: { term: { 'slack.row': samples[0]?.event && rowOf(samples[0]) } },
      aggs: {
        rows: { terms: { field: 'slack.row' }, aggs: { largest: { max: { field: 'slack.access.count' } } } },
        total: { sum_bucket: { buckets_path: 'rows>largest' } },
      },
    },
  )
  assert.equal(aggregations.total.value, 23)
})

test('Words of a provider and of a user agent are found whatever their case', async () => {
  const provider = await searchLucene('source.as.organization.name.text:hosting AND _id:*')
  assert.ok(provider.length > 0)
  assert.ok((await searchLucene('user_agent.original.text:firefox')).length > 0)
})

function assertStored(stored: { id: string; status: number; error?: unknown }[]): void {
  const refused = stored.filter(({ status }) => status !== 201)
  assert.deepEqual(refused.slice(0, 5), [], `${refused.length} of ${stored.length} events were refused`)
}

async function countOf(): Promise<number> {
  const names = DATASETS.map(dataStream).join(',')
  return (await succeed<{ count: number }>('GET', `/${names}/_count?ignore_unavailable=true`)).count
}

type Mapping = { type?: string; properties?: Record<string, Mapping>; fields?: Record<string, Mapping> }

/** The type of each field, in all three data streams. */
async function typesInStore(): Promise<Map<string, string>> {
  const types = new Map<string, string>()
  const add = (path: string, { type, properties = {}, fields = {} }: Mapping): void => {
    if (type && path) types.set(path, type)
    for (const [name, inner] of Object.entries({ ...properties, ...fields }))
      add(path === '' ? name : `${path}.${name}`, inner)
  }
  const answer = await request<Record<string, { mappings: Mapping }>>(
    'GET',
    `/${DATASETS.map(dataStream).join(',')}/_mapping`,
  )
  assert.equal(answer.status, 200)
  for (const { mappings } of Object.values(answer.body)) add('', mappings)
  return types
}

function addressOf(event: Document['event']): string | undefined {
  return (event['source'] as { ip?: string } | undefined)?.ip
}

function rowOf({ event }: Document): unknown {
  return (event['slack'] as { row?: string }).row
}

function idsOf(hits: { _id: string }[]): string[] {
  return hits.map(({ _id }) => _id).sort()
}

function idsOfDocuments(documents: Document[]): string[] {
  return documents.map(({ id }) => id).sort()
}
