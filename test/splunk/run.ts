/** Runs a saved search on the events that bear a mark, after the searches that keep what it reads. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { minutesOf } from '../../logstash/build/detections/schedule.ts'
import { searchOf, withIndex } from '../../logstash/build/detections/splunk.ts'
import type { Detection } from '../../logstash/detections/detection.ts'
import { DETECTIONS } from '../../logstash/detections/detections.ts'
import { KNOWN_APPS } from '../../logstash/detections/splunk.ts'
import { MINUTE } from '../detections/engine.ts'
import { forSigLens, isMissing } from './dialect.ts'
import { type Row, search, uploadLookup } from './siglens.ts'

/** New for each process. */
export const INDEX = `slackauditortest${randomBytes(4).toString('hex')}`
export const NOW = Math.floor(Date.now() / MINUTE) * MINUTE

/** What it finds, by the fields that name it. */
export async function found(detection: Detection, mark: string): Promise<Set<string>> {
  const { names } = searchOf(detection)
  const values = (await run(detection, mark)).map((row) => names.map((field) => row[field]))
  return new Set(values.filter((some) => !some.some(isMissing)).map((some) => some.join(' ')))
}

async function run(detection: Detection, mark: string): Promise<Row[]> {
  const { search: text, earliest } = searchOf(detection)
  const since = NOW / 1000 - minutesOf(earliest) * 60
  const lookup =
    detection.alert.on === 'together'
      ? await keptAlarms(detection.alert.of, mark)
      : text.includes('slack_auditor_apps')
        ? await knownApps(mark)
        : ''
  return search(INDEX, forSigLens(text, mark, since, lookup))
}

async function keptAlarms(slugs: string[], mark: string): Promise<string> {
  const name = `${INDEX}-${mark}.csv`
  const rows = [{ rule: 'none', time: 1, user_id: 'none', app_id: 'none' }] as Row[]
  for (const slug of slugs) {
    const part = DETECTIONS.find((other) => other.slug === slug) ?? assert.fail(slug)
    rows.push(...(await run(part, mark)))
  }
  await uploadLookup(name, rows, ['rule', 'time', 'user_id', 'app_id'])
  return name
}

/** What the search before it keeps, as a file. The server ends itself on an empty one. */
async function knownApps(mark: string): Promise<string> {
  const name = `${INDEX}-${mark}.csv`
  const fields = ['app_id', 'app_name', 'granted']
  await uploadLookup(name, [{ app_id: 'A0NEVERUSED', granted: 1 }], fields)
  const rows = await search(INDEX, forSigLens(withIndex(KNOWN_APPS.search), mark, 0, name))
  await uploadLookup(name, rows, fields)
  return name
}
