/**
 * Writes the dashboard as saved objects of Kibana: one visualization per panel, and the dashboard that holds them. A panel
 * is a Vega-Lite chart. Kibana puts the time range and the filters of the dashboard into its query (`%context%`).
 */
import { createHash } from 'node:crypto'
import type { Measure, Panel, Section } from '../../dashboard/panels.ts'
import { layout, type Place } from './layout.ts'

const TITLE = 'Slack: access, apps, integrations, collector'
const DESCRIPTION =
  'Who uses Slack, from where and with what; which apps call for whom; what changed among integrations; is the collector healthy.'

/** Kibana 7.17 takes objects of these versions as they are. Later ones bring them up to date when they are imported. */
const VERSION = '7.17.0'
const VISUALIZATION_VERSION = '7.10.0'

const MOST = { series: 8, ranking: 10, rows: 10, columns: 14, groups: 10, values: 3, latest: 10 }

const COLORS = ['#3b6ea8', '#e07b39', '#3f9a6b', '#b14a7f', '#8a6fc0', '#c7a21f', '#4aa3b5', '#8c8c8c']
const LATE = '#c0392b'
const TEXT = '#343741'
const QUIET = '#69707d'

/** One line per saved object, for *Stack Management, Saved Objects, Import*. */
export function dashboard(): string {
  const { headings, panels } = layout()
  const parts = [
    ...headings.map(([section, place]) => ({ saved: heading(section), place })),
    ...panels.map(([panel, place]) => ({
      saved: savedVisualization(panel.slug, panel.title, panel.what, {
        type: 'vega',
        params: { spec: JSON.stringify(vegaLite(panel), null, 2) },
      }),
      place,
    })),
  ].sort((one, other) => one.place.y - other.place.y || one.place.x - other.place.x)

  const saved = [...parts.map((part) => part.saved), savedDashboard(parts)]
  return saved.map((object) => `${JSON.stringify(object)}\n`).join('')
}

interface SavedObject {
  id: string
  type: string
  attributes: Record<string, unknown>
}

function savedVisualization(
  slug: string,
  title: string,
  description: string,
  visState: { type: string; params: object },
): SavedObject {
  return savedObject('visualization', slug, {
    title: `Slack: ${title}`,
    description,
    visState: JSON.stringify({ title: `Slack: ${title}`, aggs: [], ...visState }),
    uiStateJSON: '{}',
    version: 1,
    kibanaSavedObjectMeta: { searchSourceJSON: NO_SEARCH },
  })
}

const NO_SEARCH = JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] })

function heading({ title }: Section): SavedObject {
  return savedVisualization(`section ${title}`, title, '', {
    type: 'markdown',
    params: { markdown: `### ${title}`, fontSize: 12, openLinksInNewTab: false },
  })
}

function savedDashboard(parts: { saved: SavedObject; place: Place }[]): object {
  const panels = parts.map(({ saved, place }, index) => ({
    version: VERSION,
    type: 'visualization',
    panelIndex: String(index),
    gridData: { ...place, i: String(index) },
    embeddableConfig: { enhancements: {}, hidePanelTitles: isHeading(saved), title: titleOf(saved) },
    panelRefName: `panel_${index}`,
  }))
  const references = parts.map(({ saved: { id, type } }, index) => ({ name: `panel_${index}`, type, id }))
  return savedObject(
    'dashboard',
    'dashboard',
    {
      title: TITLE,
      description: DESCRIPTION,
      panelsJSON: JSON.stringify(panels),
      optionsJSON: JSON.stringify({ useMargins: true, syncColors: false, hidePanelTitles: false }),
      timeRestore: true,
      timeFrom: 'now-7d',
      timeTo: 'now',
      refreshInterval: { pause: true, value: 0 },
      version: 1,
      kibanaSavedObjectMeta: { searchSourceJSON: NO_SEARCH },
    },
    references,
  )
}

const isHeading = ({ attributes }: SavedObject) => String(attributes['visState']).includes('"markdown"')
const titleOf = ({ attributes }: SavedObject) => String(attributes['title']).replace(/^Slack: /, '')

/** The id is made from the name, so that a later import replaces the object. */
function savedObject(
  type: string,
  name: string,
  attributes: Record<string, unknown>,
  references: object[] = [],
): SavedObject & { [field: string]: unknown } {
  const hex = createHash('sha256').update(`slack-auditor dashboard ${name}`).digest('hex')
  const id = hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
  return {
    id,
    type,
    attributes,
    references,
    coreMigrationVersion: VERSION,
    migrationVersion: { [type]: type === 'dashboard' ? VERSION : VISUALIZATION_VERSION },
  }
}

type Chart = Record<string, unknown>
type Data = Record<string, unknown>

/** The chart of a panel. Its size is that of the panel in Kibana. */
export function vegaLite(panel: Panel): Chart {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    ...chartOf(panel),
    config: {
      view: { stroke: null },
      axis: {
        labelColor: TEXT,
        titleColor: QUIET,
        titleFontWeight: 'normal',
        labelFontSize: 12,
        titleFontSize: 12,
        gridColor: '#e3e6ec',
        domainColor: '#d3dae6',
        tickColor: '#d3dae6',
      },
      legend: { labelColor: TEXT, labelFontSize: 12, symbolType: 'circle', title: null },
      range: { category: COLORS },
      text: { color: TEXT, fontSize: 12 },
    },
  }
}

function chartOf(panel: Panel): Chart {
  const { show } = panel
  switch (show.as) {
    case 'lines':
    case 'columns':
      return show.by
        ? overTimeBy(panel, show.as, show.of[0] ?? never(panel), show.by)
        : overTime(panel, show.of)
    case 'ranking':
      return ranking(panel, show.of, show.by)
    case 'grid':
      return grid(panel, show)
    case 'groups':
      return groups(panel, show)
    case 'latest':
      return latest(panel, show)
    case 'age':
      return age(panel, show)
  }
}

function never({ slug }: Panel): never {
  throw new Error(`${slug} measures nothing`)
}

/**
 * A query of the panel's events. With `%context%` a query may not have a clause of its own, so the panel's is a filter
 * around the aggregation, as `kept`.
 */
function aggregation({ dataset, query }: Panel, property: string, aggs: object): Data {
  const filter = query ? { query_string: { query, analyze_wildcard: true } } : { match_all: {} }
  return {
    url: {
      '%context%': true,
      '%timefield%': '@timestamp',
      index: `logs-${dataset}-*`,
      body: { size: 0, aggs: { kept: { filter, aggs } } },
    },
    format: { property: `aggregations.kept.${property}` },
  }
}

/** `value` is where the number is found in a bucket that has the aggregations of `aggs`. */
function measured(measure: Measure, name = 'measure'): { aggs: object; value: string; factor: string } {
  if ('events' in measure) return { aggs: {}, value: 'doc_count', factor: '' }
  const [of, factor] =
    'distinct' in measure
      ? [{ cardinality: { field: measure.distinct } }, '']
      : 'sum' in measure
        ? [{ sum: { field: measure.sum } }, '']
        : [{ max: { field: measure.max } }, measure.divideBy ? ` / ${measure.divideBy}` : '']
  return { aggs: { [name]: of }, value: `${name}.value`, factor }
}

/** Kibana chooses the interval, and shows the whole range also where nothing happened. */
const OVER_TIME = {
  date_histogram: {
    field: '@timestamp',
    interval: { '%autointerval%': 30 },
    min_doc_count: 0,
    extended_bounds: { min: { '%timefilter%': 'min' }, max: { '%timefilter%': 'max' } },
  },
}

/** Hours only where they are needed. */
const TIME_FORMAT = { hours: '%H:%M', day: '%b %d', date: '%b %d', week: '%b %d', month: '%b %d', year: '%Y' }

const timeAxis = {
  field: 'time',
  type: 'temporal',
  title: null,
  axis: { grid: false, labelOverlap: true, labelPadding: 6, tickCount: 6, format: TIME_FORMAT },
}

/** What is counted comes in whole numbers. */
function numberAxis(unit: string, whole = true): object {
  const axis = {
    tickCount: 4,
    domain: false,
    ticks: false,
    labelPadding: 6,
    labelOverlap: true,
    ...(whole && { format: ',.12~g', labelExpr: "datum.value % 1 === 0 ? datum.label : ''" }),
  }
  return { type: 'quantitative', title: unit, axis }
}

function overTimeBy(panel: Panel, as: 'lines' | 'columns', measure: Measure, by: string): Chart {
  const { aggs, value, factor } = measured(measure)
  const data = aggregation(panel, 'series.buckets', {
    series: { terms: { field: by, size: MOST.series }, aggs: { times: { ...OVER_TIME, aggs } } },
  })
  const transform = [
    { flatten: ['times.buckets'], as: ['bucket'] },
    { calculate: 'datum.bucket.key', as: 'time' },
    // Nothing to take the largest of: nothing is drawn.
    { calculate: `datum.bucket.${value}${factor}`, as: 'value' },
    { calculate: withoutPrefix('datum.key'), as: 'name' },
  ]
  const color = { field: 'name', type: 'nominal', legend: { orient: 'right', labelLimit: 190 } }
  return overTimeChart(data, transform, as, measure.unit, color)
}

function overTime(panel: Panel, measures: Measure[]): Chart {
  const all = measures.map((measure, index) => ({ ...measured(measure, `m${index}`), unit: measure.unit }))
  const data = aggregation(panel, 'times.buckets', {
    times: { ...OVER_TIME, aggs: Object.assign({}, ...all.map(({ aggs }) => aggs)) },
  })
  const units = measures.map(({ unit }) => unit)
  const transform = [
    { calculate: 'datum.key', as: 'time' },
    ...all.map(({ unit, value, factor }) => ({ calculate: `datum.${value}${factor}`, as: unit })),
    { fold: units, as: ['name', 'value'] },
  ]
  const color = {
    field: 'name',
    type: 'nominal',
    scale: { domain: units },
    legend: { orient: 'top', labelLimit: 180 },
  }
  return overTimeChart(data, transform, 'lines', unitOf(units), color)
}

/** `days` of "look-back, days" and "longest row, days"; `rows` of "rows read". */
function unitOf([first = '']: string[]): string {
  return first.split(', ')[1] ?? first.split(' ')[0] ?? first
}

function overTimeChart(data: Data, transform: object[], as: string, unit: string, color: object): Chart {
  // The points show a value between two that are missing.
  const line = { type: 'line', strokeWidth: 2, point: { size: 14, filled: true } }
  return {
    data,
    transform,
    mark: as === 'lines' ? line : { type: 'bar', size: { expr: 'width / 40' } },
    encoding: {
      x: timeAxis,
      y: {
        field: 'value',
        ...numberAxis(unit, !unit.startsWith('day')),
        ...(as === 'columns' && { stack: 'zero' }),
      },
      color,
      tooltip: [
        { field: 'time', type: 'temporal', format: '%Y-%m-%d %H:%M' },
        { field: 'name', type: 'nominal' },
        { field: 'value', type: 'quantitative', title: unit, format: ',.3~f' },
      ],
    },
  }
}

/** integration_added -> added, collect_access -> access. */
function withoutPrefix(value: string): string {
  return `replace(toString(${value}), /^(integration|collect)_/, '')`
}

/** `sort: '-x'` is not possible where charts lie on each other. */
const largestFirst = (field: string) => ({ op: 'max', field, order: 'descending' })

/** Room for MOST.ranking bars; not too thick where there are few. */
const BAR = { expr: 'min(20, height / 13)' }

function ranking(panel: Panel, measure: Measure, by: string): Chart {
  const { aggs, value } = measured(measure)
  const order = 'events' in measure ? '_count' : 'measure'
  const data = aggregation(panel, 'top.buckets', {
    top: { terms: { field: by, size: MOST.ranking, order: { [order]: 'desc' } }, aggs },
  })
  const y = { field: 'key', type: 'nominal', sort: largestFirst('value'), title: null }
  const tooltip = [
    { field: 'key', type: 'nominal', title: by },
    { field: 'value', type: 'quantitative', title: measure.unit },
  ]
  return {
    data,
    transform: [{ calculate: `datum.${value}`, as: 'value' }],
    encoding: {
      x: { field: 'value', ...numberAxis(measure.unit) },
      y: { ...y, axis: { labelLimit: 170, domain: false, ticks: false, labelPadding: 6 } },
      tooltip,
    },
    layer: [
      { mark: { type: 'bar', color: COLORS[0], size: BAR } },
      {
        mark: { type: 'text', align: 'left', dx: 4, clip: false },
        encoding: { text: { field: 'value', type: 'quantitative' } },
      },
    ],
  }
}

function grid(panel: Panel, show: { of: Measure; rows: string; columns: string }): Chart {
  const { aggs, value } = measured(show.of)
  const data = aggregation(panel, 'rows.buckets', {
    rows: {
      terms: { field: show.rows, size: MOST.rows },
      aggs: { columns: { terms: { field: show.columns, size: MOST.columns }, aggs } },
    },
  })
  return {
    data,
    transform: [
      { flatten: ['columns.buckets'], as: ['cell'] },
      { calculate: 'toString(datum.key)', as: 'row' },
      { calculate: 'toString(datum.cell.key)', as: 'column' },
      { calculate: `datum.cell.${value}`, as: 'value' },
      // Each row brings its own columns: those with the most of it are kept.
      { joinaggregate: [{ op: 'sum', field: 'value', as: 'total' }], groupby: ['column'] },
      { joinaggregate: [{ op: 'sum', field: 'value', as: 'rowTotal' }], groupby: ['row'] },
      { window: [{ op: 'dense_rank', as: 'rank' }], sort: [{ field: 'total', order: 'descending' }] },
      { filter: `datum.rank <= ${MOST.columns}` },
    ],
    encoding: {
      x: {
        field: 'column',
        type: 'nominal',
        sort: largestFirst('total'),
        title: null,
        axis: { labelAngle: -35, labelLimit: 110, domain: false, ticks: false },
      },
      y: {
        field: 'row',
        type: 'nominal',
        sort: largestFirst('rowTotal'),
        title: null,
        axis: { labelLimit: 150, domain: false, ticks: false },
      },
      tooltip: [
        { field: 'row', type: 'nominal', title: show.rows },
        { field: 'column', type: 'nominal', title: show.columns },
        { field: 'value', type: 'quantitative', title: show.of.unit },
      ],
    },
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 2 },
        encoding: {
          color: {
            field: 'value',
            type: 'quantitative',
            scale: { range: ['#dfe8f3', COLORS[0]], zero: true },
            // The numbers are in the squares.
            legend: null,
          },
        },
      },
      {
        transform: [
          { joinaggregate: [{ op: 'max', field: 'value', as: 'largest' }] },
          { calculate: 'datum.value > datum.largest * 0.6', as: 'dark' },
        ],
        mark: { type: 'text', fontSize: 11 },
        encoding: {
          text: { field: 'value', type: 'quantitative' },
          color: { condition: { test: 'datum.dark', value: 'white' }, value: TEXT },
        },
      },
    ],
  }
}

interface Cell {
  title: string
  field: string
  /** Part of the width. */
  share: number
}

/** A table: a text per cell, from top to bottom. */
function table(data: Data, transform: object[], cells: Cell[], most: number): Chart {
  const all = cells.reduce((sum, { share }) => sum + share, 0)
  let start = 0
  const layer = cells.flatMap(({ title, field, share }) => {
    const x = { value: { expr: `width * ${round(start / all)}` } }
    const mark = { type: 'text', align: 'left', limit: { expr: `width * ${round(share / all)} - 8` } }
    start += share
    const y = {
      field: 'line',
      type: 'quantitative',
      scale: { domain: [-0.5, most + 0.5], reverse: true, nice: false },
      axis: null,
    }
    const head = { ...mark, fontWeight: 'bold', color: QUIET }
    return [
      { mark, encoding: { x, y, text: { field, type: 'nominal' } } },
      { data: { values: [{ line: 0 }] }, mark: head, encoding: { x, y, text: { value: title } } },
    ]
  })
  return { data, transform: [...transform, { window: [{ op: 'row_number', as: 'line' }] }], layer }
}

const round = (share: number) => Math.round(share * 1000) / 1000
const MINUTES = '%Y-%m-%d %H:%M'

function groups(panel: Panel, show: Extract<Panel['show'], { as: 'groups' }>): Chart {
  const aggs: Record<string, object> = {}
  const transform: object[] = [{ calculate: 'toString(datum.key)', as: 'c' }]
  const cells: Cell[] = [{ title: show.title, field: 'c', share: 18 }]
  for (const [index, { title, of, share }] of show.columns.entries()) {
    const field = `c${index}`
    if ('distinct' in of) {
      aggs[field] = { cardinality: { field: of.distinct } }
      transform.push({ calculate: `toString(datum.${field}.value)`, as: `${field}t` })
    } else if ('values' in of) {
      aggs[field] = { terms: { field: of.values, size: MOST.values } }
      const more = `datum.${field}.sum_other_doc_count > 0 ? ', …' : ''`
      transform.push({
        calculate: `join(pluck(datum.${field}.buckets, 'key'), ', ') + (${more})`,
        as: `${field}t`,
      })
    } else {
      aggs[field] = { max: { field: '@timestamp' } }
      transform.push({ calculate: `timeFormat(datum.${field}.value, '${MINUTES}')`, as: `${field}t` })
    }
    cells.push({ title, field: `${field}t`, share })
  }
  const data = aggregation(panel, 'top.buckets', {
    top: { terms: { field: show.by, size: MOST.groups, order: { c0: 'desc' } }, aggs },
  })
  return table(data, transform, cells, MOST.groups)
}

function latest(panel: Panel, show: Extract<Panel['show'], { as: 'latest' }>): Chart {
  if (panel.query) throw new Error(`${panel.slug}: Kibana lets no query stand beside its own`)
  const data = {
    url: {
      '%context%': true,
      '%timefield%': '@timestamp',
      index: `logs-${panel.dataset}-*`,
      body: {
        size: MOST.latest,
        sort: [{ '@timestamp': 'desc' }],
        _source: show.columns.map(({ field }) => field),
      },
    },
    format: { property: 'hits.hits' },
  }
  const transform = show.columns.map(({ field }, index) => {
    // An event may lack any part of the path.
    const paths = field.split('.').map((_, depth, parts) => parts.slice(0, depth + 1))
    const values = paths.map((parts) => `datum._source${parts.map((part) => `['${part}']`).join('')}`)
    const value = values.at(-1) ?? ''
    const text = field === '@timestamp' ? `timeFormat(toDate(${value}), '${MINUTES}')` : withoutPrefix(value)
    return { calculate: `${values.join(' && ')} ? ${text} : ''`, as: `c${index}` }
  })
  const cells = show.columns.map(({ title, share }, index) => ({ title, field: `c${index}`, share }))
  return table(data, transform, cells, MOST.latest)
}

function age(panel: Panel, show: Extract<Panel['show'], { as: 'age' }>): Chart {
  const data = aggregation(panel, 'rows.buckets', {
    rows: {
      terms: { field: show.rows, size: MOST.rows },
      aggs: {
        columns: {
          terms: { field: show.columns, size: MOST.columns },
          aggs: { measure: { max: { field: '@timestamp' } } },
        },
      },
    },
  })
  return {
    data,
    transform: [
      { flatten: ['columns.buckets'], as: ['cell'] },
      { calculate: "datum.key + ' · ' + datum.cell.key", as: 'name' },
      { calculate: 'round((now() - datum.cell.measure.value) / 60000)', as: 'value' },
    ],
    encoding: {
      x: { field: 'value', ...numberAxis(show.unit) },
      y: {
        field: 'name',
        type: 'nominal',
        sort: largestFirst('value'),
        title: null,
        axis: { labelLimit: 190, domain: false, ticks: false, labelPadding: 6 },
      },
    },
    layer: [
      {
        mark: { type: 'bar', size: BAR },
        encoding: {
          color: { condition: { test: `datum.value > ${show.late}`, value: LATE }, value: COLORS[2] },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4 },
        encoding: { text: { field: 'value', type: 'quantitative', format: ',' } },
      },
    ],
  }
}
