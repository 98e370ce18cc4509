import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { dashboard, vegaLite } from '../../logstash/build/dashboard/kibana.ts'
import { layout } from '../../logstash/build/dashboard/layout.ts'
import { dashboardView } from '../../logstash/build/dashboard/splunk.ts'
import { fieldsOf, parseQuery } from '../../logstash/build/detections/lucene.ts'
import { COLUMNS, SECTIONS } from '../../logstash/dashboard/panels.ts'
import { inContext } from './context.ts'

interface Saved {
  id: string
  type: string
  attributes: { title: string; visState?: string; panelsJSON?: string }
  references: { id: string; type: string; name: string }[]
}
interface Chart {
  data: { url: Record<string, unknown>; format: { property: string } }
}

const PANELS = SECTIONS.flatMap(({ panels }) => panels)
const saved = dashboard()
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Saved)

describe("Kibana's dashboard", () => {
  test('has each id once, and holds each visualization once', () => {
    const visualizations = saved.filter(({ type }) => type === 'visualization')
    const [whole, ...others] = saved.filter(({ type }) => type === 'dashboard')
    assert.deepEqual(others, [])
    assert.equal(new Set(saved.map(({ id }) => id)).size, saved.length)
    assert.equal(visualizations.length, PANELS.length + SECTIONS.length)
    assert.deepEqual(whole?.references.map(({ id }) => id).sort(), visualizations.map(({ id }) => id).sort())
    const panels = JSON.parse(String(whole?.attributes.panelsJSON)) as { panelRefName: string }[]
    assert.deepEqual(
      panels.map(({ panelRefName }) => panelRefName),
      whole?.references.map(({ name }) => name),
    )
  })

  test('has no panel that covers another or reaches over the edge', () => {
    const { headings, panels } = layout()
    const taken = new Set<string>()
    for (const [, { x, y, w, h }] of [...headings, ...panels]) {
      assert.ok(x + w <= COLUMNS)
      for (let column = x; column < x + w; column++)
        for (let row = y; row < y + h; row++) {
          assert.ok(!taken.has(`${column} ${row}`), `${column} ${row}`)
          taken.add(`${column} ${row}`)
        }
    }
  })
})

describe('Each panel', () => {
  const typed = typedFields()
  for (const panel of PANELS) {
    test(`${panel.title}: asks for fields that the index template types, and not for text`, () => {
      const { url } = (vegaLite(panel) as unknown as Chart).data
      const { body } = inContext(url, { min: 0, max: 86_400_000 })
      const fields = [
        ...[...JSON.stringify(body).matchAll(/"field":"([^"]+)"/g)].map(([, field]) => String(field)),
        ...(panel.query ? fieldsOf(parseQuery(panel.query)) : []),
      ]
      for (const field of fields)
        assert.match(typed.get(field) ?? 'missing', /^(keyword|ip|date|long|boolean)$/, field)
    })
  }
})

test("Splunk's dashboard holds each panel once, each with its search, and a tab for each section", () => {
  const [, json = ''] = /<definition><!\[CDATA\[(.*)\]\]><\/definition>/s.exec(dashboardView()) ?? []
  assert.doesNotMatch(json, /\]\]>/)
  const { visualizations, dataSources, layout } = JSON.parse(json) as {
    visualizations: Record<string, { dataSources: { primary: string } }>
    dataSources: Record<string, { options: { query: string } }>
    layout: {
      tabs: { items: { layoutId: string; label: string }[] }
      layoutDefinitions: Record<string, { structure: { item: string }[] }>
    }
  }
  const searches = Object.values(visualizations).map(({ dataSources: { primary } }) => dataSources[primary])
  assert.equal(new Set(searches.map((search) => search?.options.query)).size, PANELS.length)
  for (const search of searches)
    assert.match(search?.options.query ?? '', /^`slack_auditor_index` sourcetype=slack\./)
  const { tabs, layoutDefinitions } = layout
  assert.deepEqual(
    tabs.items.map(({ label }) => label),
    SECTIONS.map(({ title }) => title),
  )
  const places = tabs.items.flatMap(({ layoutId }) => layoutDefinitions[layoutId]?.structure ?? [])
  assert.deepEqual(
    places.map(({ item }) => item),
    Object.keys(visualizations),
  )
})

test('Kibana completes a query with the time range, the filters and an interval', () => {
  const url = {
    '%context%': true,
    '%timefield%': '@timestamp',
    index: 'logs-x-*',
    body: {
      aggs: {
        a: {
          date_histogram: {
            field: '@timestamp',
            interval: { '%autointerval%': 30 },
            extended_bounds: { min: { '%timefilter%': 'min' }, max: { '%timefilter%': 'max' } },
          },
        },
      },
    },
  }
  const day = 86_400_000
  const { body } = inContext(url, { min: 0, max: 7 * day }, [{ term: { a: 1 } }])
  assert.deepEqual(body, {
    query: {
      bool: {
        must: [
          {
            range: {
              '@timestamp': {
                gte: '1970-01-01T00:00:00.000Z',
                lte: '1970-01-08T00:00:00.000Z',
                format: 'strict_date_optional_time',
              },
            },
          },
        ],
        filter: [{ term: { a: 1 } }],
        should: [],
        must_not: [],
      },
    },
    aggs: {
      a: {
        date_histogram: {
          field: '@timestamp',
          fixed_interval: '3h',
          extended_bounds: { min: 0, max: 7 * day },
        },
      },
    },
  })
  const long = JSON.stringify(inContext(url, { min: 0, max: 300 * day }).body)
  assert.match(long, /"calendar_interval":"1w"/)
})

test('Every file that the manual names is there', () => {
  const folder = new URL('../../logstash/', import.meta.url)
  const text = readFileSync(new URL('dashboard.md', folder), 'utf8')
  const names = [...text.matchAll(/[`(]((?:elasticsearch|splunk|dashboard)\/[\w./]+)[`)]/g)]
  assert.ok(names.length >= 4)
  for (const [, name = ''] of names) assert.ok(existsSync(new URL(name, folder)), name)
})

/** Field to type. */
function typedFields(): Map<string, string> {
  interface Mapping {
    type?: string
    properties?: Record<string, Mapping>
  }
  const file = new URL('../../logstash/elasticsearch/index-template.json', import.meta.url)
  const { template } = JSON.parse(readFileSync(file, 'utf8')) as { template: { mappings: Mapping } }
  const fields = new Map<string, string>()
  const add = (prefix: string, { properties = {} }: Mapping): void => {
    for (const [name, mapping] of Object.entries(properties)) {
      if (mapping.type) fields.set(`${prefix}${name}`, mapping.type)
      add(`${prefix}${name}.`, mapping)
    }
  }
  add('', template.mappings)
  return fields
}
