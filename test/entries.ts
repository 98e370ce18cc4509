import type { Entry, Page } from '../src/log/page.ts'

/** An entry named by its times. A tag keeps entries with equal times apart. */
export function entry(time: number, began = time, tag = ''): Entry {
  return { id: `${time}/${began}${tag}`, row: undefined, time, began, dated: true, raw: {} }
}

/** So many entries, the first at this time, each older than the one before by `step` seconds. */
export function series(count: number, time: number, step: number): Entry[] {
  return Array.from({ length: count }, (_, index) => entry(time - index * step))
}

/** A page of these entries; a number is an entry with this time. */
export function pageOf(entries: readonly (number | Entry)[], more: Partial<Page> = {}): Page {
  return {
    entries: entries.map((each) => (typeof each === 'number' ? entry(each) : each)),
    unreadable: 0,
    nextCursor: undefined,
    page: undefined,
    pages: undefined,
    perPage: undefined,
    ...more,
  }
}
