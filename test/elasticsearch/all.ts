// npm run test:elasticsearch: the events of the pipeline in a real store, with the templates of logstash/elasticsearch/,
// the detections on them, and the dashboard's panels.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ELASTICSEARCH_URL } from './server.ts'

/** Each runs in a process of its own, and so in a namespace of its own. */
const FILES = ['./index-template.ts', './detections.ts', './dashboard.ts']

if (ELASTICSEARCH_URL === undefined || ELASTICSEARCH_URL === '') {
  console.log(`SKIPPED: there is no Elasticsearch here, so the store's side was not tested.
  Set ELASTICSEARCH_URL, with user and password in it if it wants some. What is stored for the test is removed again:
    ELASTICSEARCH_URL=http://localhost:9200 npm run test:elasticsearch
  To draw the dashboard too, set DASHBOARD_MODULES to a folder with the npm packages vega 5, vega-lite 5 and
  @resvg/resvg-js 2, and DASHBOARD_PICTURE to the file of the picture.`)
} else {
  const paths = FILES.map((file) => fileURLToPath(new URL(file, import.meta.url)))
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--test', ...paths], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
