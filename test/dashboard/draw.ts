/**
 * Draws Vega-Lite charts with the packages vega and vega-lite, and a picture of the whole with @resvg/resvg-js. They are
 * no dependencies of this project: DASHBOARD_MODULES names a folder whose node_modules has them.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const MODULES = process.env['DASHBOARD_MODULES']

interface View {
  runAsync(): Promise<unknown>
  resize(): View
  toSVG(): Promise<string>
  finalize(): void
}
interface Vega {
  parse(spec: object): unknown
  View: new (runtime: unknown, options: object) => View
  logger(level: number): Record<'warn' | 'error', (...what: unknown[]) => unknown>
  Warn: number
}
interface VegaLite {
  compile(spec: object, options: object): { spec: object }
}
interface Scenegraph {
  textMetrics: { width: (item: { fontSize?: number; fontWeight?: unknown }, text: unknown) => number }
}
interface Resvg {
  Resvg: new (svg: string, options: object) => { render(): { asPng(): Uint8Array } }
}

async function load<Module>(name: string): Promise<Module> {
  const { resolve } = createRequire(join(String(MODULES), 'none.js'))
  return (await import(pathToFileURL(resolve(name)).href)) as Module
}

/** A browser measures a text. Here is none, and Vega's guess is half as wide again as the text is. */
function widthOf(item: { fontSize?: number; fontWeight?: unknown }, text: unknown): number {
  const letters = [...String(text ?? '')].map((letter) => {
    if (/[ .,:;'|il-]/.test(letter)) return 0.32
    return /[A-Z_@]/.test(letter) ? 0.68 : 0.59
  })
  const bold = item.fontWeight === 'bold' ? 1.06 : 1
  return letters.reduce((sum, width) => sum + width, 0) * (item.fontSize ?? 11) * bold
}

export interface Size {
  width: number
  height: number
}

/** The chart as SVG. What Vega warns of is an error. */
export async function draw(chart: object, size: Size): Promise<string> {
  const [vega, lite] = [await load<Vega>('vega'), await load<VegaLite>('vega-lite')]
  const { textMetrics } = await load<Scenegraph>('vega-scenegraph')
  textMetrics.width = widthOf
  const logger = vega.logger(vega.Warn)
  const warnings: string[] = []
  logger.warn = logger.error = (...what) => {
    warnings.push(what.join(' '))
    return logger
  }
  // As Kibana completes a chart.
  const complete = { autosize: { type: 'fit', contains: 'padding' }, ...chart, ...size }
  const { spec } = lite.compile(complete, { logger })
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logger })
  await view.runAsync()
  const svg = await view.resize().toSVG()
  view.finalize()
  if (warnings.length > 0) throw new Error(warnings.join('\n'))
  return svg
}

export async function png(svg: string): Promise<Uint8Array> {
  const { Resvg } = await load<Resvg>('@resvg/resvg-js')
  const font = { loadSystemFonts: true, defaultFontFamily: 'Inter', sansSerifFamily: 'Inter' }
  return new Resvg(svg, { font, background: '#f7f8fc' }).render().asPng()
}
