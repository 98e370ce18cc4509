// The SigLens server of SIGLENS_URL, an engine that reads Splunk's search language, and where it takes events.

import assert from 'node:assert/strict'

export const SIGLENS_URL = process.env['SIGLENS_URL']?.replace(/\/$/, '')
const INGEST_URL = (process.env['SIGLENS_INGEST_URL'] ?? 'http://127.0.0.1:8081').replace(/\/$/, '')

export type Row = Record<string, unknown>

async function send(url: string, body: string | FormData): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    signal: AbortSignal.timeout(60_000),
    ...(typeof body === 'string' && { headers: { 'content-type': 'application/json' } }),
  })
  const text = await response.text()
  assert.ok(response.ok, `${response.status} ${text.slice(0, 600)}`)
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
}

/** Events, each with a `timestamp` in milliseconds. Returns when a search finds all of them. */
export async function load(index: string, events: Row[]): Promise<void> {
  const lines = events.flatMap((event) => [{ index: { _index: index } }, event])
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  const { errors } = await send(`${INGEST_URL}/elastic/_bulk`, body)
  assert.equal(errors, false)
  // They are searched once they were written to disk, some seconds later.
  let count = 0
  for (let tries = 0; tries < 100; tries++) {
    const [found] = await search(index, '* | stats count AS n')
    count = Number(found?.['n'] ?? 0)
    if (count === events.length) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  assert.fail(`${count} of ${events.length} events are found`)
}

/** The rows that a search finds, with their fields by name. */
export async function search(index: string, searchText: string): Promise<Row[]> {
  const answer = await send(
    `${SIGLENS_URL}/api/search`,
    JSON.stringify({
      searchText,
      indexName: index,
      startEpoch: 'now-800d',
      endEpoch: 'now',
      queryLanguage: 'Splunk QL',
      size: 10_000,
    }),
  )
  const { errors, hits, measure, groupByCols } = answer as {
    errors?: unknown[]
    hits?: { records?: Row[] | null }
    measure?: { GroupByValues?: unknown[]; MeasureVal: Row }[] | null
    groupByCols?: string[] | null
  }
  assert.deepEqual(errors ?? [], [])
  const groups = (measure ?? []).map(({ GroupByValues = [], MeasureVal }) => ({
    ...Object.fromEntries((groupByCols ?? []).map((name, place) => [name, GroupByValues[place]])),
    ...MeasureVal,
  }))
  return [...(hits?.records ?? []), ...groups]
}

/** A lookup, in the place of what a saved search keeps. */
export async function uploadLookup(name: string, rows: Row[], fields: string[]): Promise<void> {
  const cell = (value: unknown) => JSON.stringify(String(value ?? ''))
  const csv = [
    fields.join(','),
    ...rows.map((row) => fields.map((field) => cell(row[field])).join(',')),
  ].join('\n')
  const form = new FormData()
  form.set('name', name)
  form.set('overwrite', 'true')
  form.set('file', new Blob([`${csv}\n`], { type: 'text/csv' }), name)
  await send(`${SIGLENS_URL}/api/lookup-upload`, form)
}
