import type { Entry } from '../src/log/page.ts'

/** An entry named by its times. A tag tells entries with equal times apart. */
export function entry(time: number, began = time, tag = ''): Entry {
  return { id: `${time}/${began}${tag}`, row: undefined, time, began, dated: true, raw: {} }
}

/** So many entries, the first at this time, each older than the one before by `step` seconds. */
export function series(count: number, time: number, step: number): Entry[] {
  return Array.from({ length: count }, (_, index) => entry(time - index * step))
}
