/** Writes the dashboard as a Dashboard Studio definition, with the searches made from the same panels. */
import { COLUMNS, type Measure, type Panel, SECTIONS } from '../../dashboard/panels.ts'
import { parseQuery } from '../detections/lucene.ts'
import { spl, splunkField } from '../detections/splunk.ts'
import { layoutOf, type Place } from './layout.ts'

const COLORS = ['#3b6ea8', '#e07b39', '#3f9a6b', '#b14a7f', '#8a6fc0', '#c7a21f', '#4aa3b5', '#8c8c8c']
const MOST = 10
const MINUTES = '%Y-%m-%d %H:%M'

/** The view of the app: the definition as JSON within XML. */
export function dashboardView(): string {
  return `<dashboard version="2" theme="light">
  <label>Slack</label>
  <description>${DESCRIPTION}</description>
  <definition><![CDATA[
${JSON.stringify(definition(), null, 2)}
  ]]></definition>
</dashboard>
`
}

const TITLE = 'Slack: access, apps, integrations, collector'
const DESCRIPTION =
  'Who uses Slack, from where and with what; which apps call for whom; what changed among integrations; is the collector healthy.'

/** Each section is a tab, so that only the searches of one section run at a time. */
export function definition(): object {
  const visualizations: Record<string, object> = {}
  const dataSources: Record<string, object> = {}
  const tabs: object[] = []
  const layoutDefinitions: Record<string, object> = {}
  for (const [index, section] of SECTIONS.entries()) {
    const places = layoutOf(section)
    for (const [panel] of places) {
      const id = nameOf(panel)
      const query = panelSearch(panel)
      dataSources[`ds_${id}`] = { type: 'ds.search', name: panel.title, options: { query } }
      visualizations[`viz_${id}`] = {
        type: VISUALIZATIONS[panel.show.as],
        title: panel.title,
        description: panel.what,
        dataSources: { primary: `ds_${id}` },
        options: optionsOf(panel),
      }
    }
    const layoutId = `layout_${index + 1}`
    tabs.push({ layoutId, label: section.title })
    layoutDefinitions[layoutId] = {
      type: 'grid',
      options: { width: COLUMNS * UNIT },
      structure: places.map(([panel, place]) => block(`viz_${nameOf(panel)}`, place)),
    }
  }
  const queryParameters = { earliest: '$time.earliest$', latest: '$time.latest$' }
  return {
    title: TITLE,
    description: DESCRIPTION,
    visualizations,
    dataSources,
    defaults: { dataSources: { 'ds.search': { options: { queryParameters } } } },
    inputs: {
      input_time: {
        type: 'input.timerange',
        title: 'Time',
        options: { token: 'time', defaultValue: '-7d@h,now' },
      },
    },
    layout: { globalInputs: ['input_time'], tabs: { items: tabs }, layoutDefinitions },
  }
}

const nameOf = ({ slug }: Panel) => slug.replaceAll('-', '_')

/** Pixels per column. */
const UNIT = 25
const ROW = 20

function block(item: string, { x, y, w, h }: Place): object {
  return { item, type: 'block', position: { x: x * UNIT, y: y * ROW, w: w * UNIT, h: h * ROW } }
}

const VISUALIZATIONS = {
  lines: 'splunk.line',
  columns: 'splunk.column',
  ranking: 'splunk.bar',
  grid: 'splunk.table',
  groups: 'splunk.table',
  latest: 'splunk.table',
  age: 'splunk.table',
} as const

function optionsOf({ show }: Panel): object {
  switch (show.as) {
    case 'lines':
    case 'columns':
      return {
        seriesColors: COLORS,
        xAxisTitleVisibility: 'hide',
        yAxisTitleText: show.by ? (show.of[0]?.unit ?? '') : '',
        legendDisplay: 'right',
        ...(show.as === 'columns' && { stackMode: 'stacked' }),
        ...(show.as === 'lines' && { nullValueDisplay: 'gaps' }),
      }
    case 'ranking':
      return {
        seriesColors: COLORS,
        xAxisTitleVisibility: 'hide',
        yAxisTitleText: show.of.unit,
        legendDisplay: 'off',
        dataValuesDisplay: 'all',
      }
    default:
      return { count: MOST }
  }
}

export function panelSearch(panel: Panel): string {
  const { show, dataset, query } = panel
  const field = (name: string) => splunkField(name, dataset)
  const filter = query ? ` ${spl(parseQuery(query), dataset)}` : ''
  const base = `\`slack_auditor_index\` sourcetype=${dataset}${filter}`
  switch (show.as) {
    case 'lines':
    case 'columns': {
      const [first] = show.of
      if (show.by && first)
        return [base, `| timechart ${measured(first, field)} BY ${field(show.by)}`].join('\n')
      const scaled = show.of.flatMap((measure, index) =>
        'divideBy' in measure && measure.divideBy
          ? [`m${index}=round(m${index}/${measure.divideBy}, 2)`]
          : [],
      )
      return [
        base,
        `| timechart ${show.of.map((measure, index) => `${measured(measure, field)} AS m${index}`).join(', ')}`,
        ...(scaled.length > 0 ? [`| eval ${scaled.join(', ')}`] : []),
        `| rename ${show.of.map(({ unit }, index) => `m${index} AS "${unit}"`).join(', ')}`,
      ].join('\n')
    }
    case 'ranking':
      return [
        base,
        `| stats ${measured(show.of, field)} AS ${word(show.of.unit)} BY ${field(show.by)}`,
        `| sort ${MOST} -${word(show.of.unit)}`,
      ].join('\n')
    case 'grid':
      return [
        base,
        `| chart limit=14 useother=false ${measured(show.of, field)} OVER ${field(show.rows)} BY ${field(show.columns)}`,
      ].join('\n')
    case 'groups': {
      const columns = show.columns.map(({ of }, index) => {
        const value =
          'last' in of
            ? 'max(_time)'
            : 'distinct' in of
              ? `dc(${field(of.distinct)})`
              : `values(${field(of.values)})`
        return `${value} AS c${index}`
      })
      const times = show.columns.flatMap(({ of }, index) =>
        'last' in of ? [`c${index}=strftime(c${index}, "${MINUTES}")`] : [],
      )
      const titles = show.columns.map(({ title }, index) => `c${index} AS "${title}"`)
      return [
        base,
        `| stats ${columns.join(', ')} BY ${field(show.by)}`,
        `| sort ${MOST} -c0`,
        ...(times.length > 0 ? [`| eval ${times.join(', ')}`] : []),
        `| rename ${[`${field(show.by)} AS "${show.title}"`, ...titles].join(', ')}`,
      ].join('\n')
    }
    case 'latest': {
      const names = show.columns.map(({ title, field: name }) => [field(name), title] as const)
      return [
        base,
        '| dedup id',
        `| head ${MOST}`,
        `| eval time=strftime(_time, "${MINUTES}")`,
        `| table ${names.map(([name]) => (name === '_time' ? 'time' : name)).join(', ')}`,
        `| rename ${names.map(([name, title]) => `${name === '_time' ? 'time' : name} AS "${title}"`).join(', ')}`,
      ].join('\n')
    }
    case 'age':
      return [
        base,
        `| stats max(_time) AS last BY ${field(show.rows)}, ${field(show.columns)}`,
        `| eval minutes=round((now()-last)/60), state=if(minutes > ${show.late}, "LATE", "ok")`,
        `| table ${field(show.rows)}, ${field(show.columns)}, minutes, state`,
        '| sort 0 -minutes',
        `| rename ${field(show.rows)} AS Workspace, ${field(show.columns)} AS Log, minutes AS "Minutes ago", state AS State`,
      ].join('\n')
  }
}

/** Splunk keeps repeats: events are counted by id. */
function measured(measure: Measure, field: (name: string) => string): string {
  if ('events' in measure) return 'dc(id)'
  if ('distinct' in measure) return `dc(${field(measure.distinct)})`
  return 'sum' in measure ? `sum(${field(measure.sum)})` : `max(${field(measure.max)})`
}

const word = (unit: string) => unit.replaceAll(' ', '_')
