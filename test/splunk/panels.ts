// The searches of the dashboard on a real engine, on made-up events of two weeks.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { panelSearch } from '../../logstash/build/dashboard/splunk.ts'
import { SECTIONS } from '../../logstash/dashboard/panels.ts'
import { madeUpEvents } from '../dashboard/data.ts'
import { forSigLens, splunkEvent, withAllFields } from './dialect.ts'
import { load, search } from './siglens.ts'

const INDEX = `slackauditortest${randomBytes(4).toString('hex')}`
const DAYS = 14
const SINCE = Math.floor(Date.now() / 1000) - DAYS * 86_400
const NOW = Math.floor(Date.now() / 60_000) * 60

describe("The dashboard's searches", () => {
  before(() => {
    const events = madeUpEvents(NOW, DAYS).map((event) => {
      // Taken when it happened: the engine goes by one time only.
      const ingested = event['@timestamp']
      return splunkEvent({ ...event, event: { ...(event['event'] as object), ingested } }, 'dashboard')
    })
    return load(INDEX, withAllFields(events.filter(({ time }) => Number(time) >= SINCE)))
  })

  for (const panel of SECTIONS.flatMap(({ panels }) => panels)) {
    test(panel.title, async () => {
      const rows = await search(INDEX, forSigLens(panelSearch(panel), 'dashboard', SINCE))
      assert.ok(rows.length > 0, 'nothing is found')
    })
  }
})
