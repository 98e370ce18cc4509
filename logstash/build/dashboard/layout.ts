import { COLUMNS, type Panel, SECTIONS, type Section } from '../../dashboard/panels.ts'

/** In columns, and in rows of 20 pixels. */
export interface Place {
  x: number
  y: number
  w: number
  h: number
}

const HEADING_HEIGHT = 3
const PANEL_HEIGHT = 13

/** Where the headings and the panels go if all are on one page: row by row, in the order of the sections. */
export function layout(): { headings: [Section, Place][]; panels: [Panel, Place][] } {
  const headings: [Section, Place][] = []
  const panels: [Panel, Place][] = []
  let y = 0
  for (const section of SECTIONS) {
    headings.push([section, { x: 0, y, w: COLUMNS, h: HEADING_HEIGHT }])
    y += HEADING_HEIGHT
    const places = layoutOf(section, y)
    panels.push(...places)
    y = Math.max(...places.map(([, place]) => place.y + place.h))
  }
  return { headings, panels }
}

/** Where the panels of a section go below `y`. */
export function layoutOf(section: Section, y = 0): [Panel, Place][] {
  let x = 0
  return section.panels.map((panel) => {
    if (x + panel.width > COLUMNS) {
      x = 0
      y += PANEL_HEIGHT
    }
    const place = { x, y, w: panel.width, h: PANEL_HEIGHT }
    x += panel.width
    return [panel, place]
  })
}
