// The panels of Kibana's dashboard on a real store: each query, as Kibana completes it, has an answer from which the chart
// is drawn. With DASHBOARD_PICTURE the whole is written there as a PNG.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { vegaLite } from '../../logstash/build/dashboard/kibana.ts'
import { layout, type Place } from '../../logstash/build/dashboard/layout.ts'
import { COLUMNS } from '../../logstash/dashboard/panels.ts'
import { inContext } from '../dashboard/context.ts'
import { madeUpEvents } from '../dashboard/data.ts'
import { draw, MODULES, png } from '../dashboard/draw.ts'
import {
  cleanUp,
  describeServer,
  installTemplates,
  NAMESPACE,
  type Server,
  sendAsOutput,
  succeed,
} from './server.ts'

const DAYS = 14
/** The minute that ends. */
const NOW = Math.floor(Date.now() / 60_000) * 60
const RANGE = { min: (NOW - DAYS * 86_400) * 1000, max: NOW * 1000 }
const PICTURE = process.env['DASHBOARD_PICTURE']

/** Of Kibana, at a width of 1,440 pixels. */
const UNIT = { width: 30, height: 20 }
const MARGIN = 4
const TITLE = 30

const drawn: { place: Place; title: string; svg: string }[] = []

describe('The dashboard', () => {
  let server: Server

  before(async () => {
    server = await describeServer()
    await installTemplates(server)
    const events = madeUpEvents(NOW, DAYS)
    const documents = events.map((event, index) => ({ id: `made up ${index}`, dataStream: '', event }))
    const refused = (await sendAsOutput(documents)).filter(({ status }) => status !== 201)
    assert.deepEqual(refused.slice(0, 3), [])
  })

  after(async () => {
    await cleanUp(server)
    if (PICTURE && MODULES) writeFileSync(PICTURE, await png(whole()))
  })

  for (const [panel, place] of layout().panels) {
    test(panel.title, async (t) => {
      const chart = vegaLite(panel) as {
        data: { url: Record<string, unknown>; format: { property: string } }
      }
      const { url, format } = chart.data
      const rows = await answers(url, format.property)
      assert.ok(rows.length > 0, 'no answer')
      const none = await answers(url, format.property, [{ term: { 'organization.id': 'T0OTHER' } }])
      const counted = none.filter((row) => (row as { doc_count?: number }).doc_count !== 0)
      assert.deepEqual(counted, [], 'the filters of the dashboard do nothing')

      if (!MODULES)
        return t.diagnostic('not drawn: set DASHBOARD_MODULES to a folder with vega and vega-lite')
      const size = {
        width: place.w * UNIT.width - 2 * MARGIN - 16,
        height: place.h * UNIT.height - 2 * MARGIN - TITLE - 8,
      }
      const svg = await draw({ ...chart, data: { values: rows } }, size)
      assert.ok(marksOf(svg) > 0, 'nothing is drawn')
      drawn.push({ place, title: panel.title, svg })
    })
  }
})

async function answers(
  url: Record<string, unknown>,
  property: string,
  filters: object[] = [],
): Promise<unknown[]> {
  const { index, body } = inContext(url, RANGE, filters)
  const path = `/${index.replace(/\*$/, NAMESPACE)}/_search`
  const answer = await succeed(`POST`, path, body)
  const found = property
    .split('.')
    .reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], answer)
  assert.ok(Array.isArray(found), `${property} is no list`)
  return found
}

/** Shapes and texts that stand for data. */
function marksOf(svg: string): number {
  return [...svg.matchAll(/class="mark-(rect|line|symbol|text) role-mark[^"]*"[^>]*>(.*?)<\/g>/g)].filter(
    ([, , inner]) => /<(path|text|line)/.test(inner ?? ''),
  ).length
}

function whole(): string {
  const { headings } = layout()
  const height = Math.max(...drawn.map(({ place }) => place.y + place.h)) * UNIT.height + 8
  const at = ({ x, y }: Place) => [x * UNIT.width + MARGIN, y * UNIT.height + MARGIN] as const
  const text = (x: number, y: number, size: number, weight: number, words: string) =>
    `<text x="${x}" y="${y}" font-family="Inter" font-size="${size}" font-weight="${weight}" fill="#1a1c21">${words}</text>`
  const parts = [
    ...headings.map(([{ title }, place]) => text(at(place)[0] + 8, at(place)[1] + 34, 20, 600, title)),
    ...drawn.map(({ place, title, svg }) => {
      const [x, y] = at(place)
      const [w, h] = [place.w * UNIT.width - 2 * MARGIN, place.h * UNIT.height - 2 * MARGIN]
      const inner = svg.replace('<svg', `<svg x="${x + 8}" y="${y + TITLE}"`)
      return `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="6" fill="white" stroke="#d3dae6"/>${text(x + 10, y + 20, 13, 600, title)}${inner}`
    }),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${COLUMNS * UNIT.width}" height="${height}" font-family="Inter">${parts.join('').replaceAll('sans-serif', 'Inter')}</svg>`
}
