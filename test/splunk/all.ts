// npm run test:splunk: the searches of the Splunk app on a real engine.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { SIGLENS_URL } from './siglens.ts'

if (SIGLENS_URL === undefined || SIGLENS_URL === '') {
  console.log(`SKIPPED: there is no engine for Splunk's language here, so the searches were not run.
  Start a SigLens server on this machine, and set SIGLENS_URL, and SIGLENS_INGEST_URL if it is not http://127.0.0.1:8081:
    SIGLENS_URL=http://127.0.0.1:5122 npm run test:splunk
  SigLens has no way to take its events back. Use a data folder that you throw away.`)
} else {
  const paths = ['searches.ts', 'cases.ts', 'panels.ts'].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  )
  const options = ['--import', 'tsx', '--test', '--test-concurrency=1']
  const { status } = spawnSync(process.execPath, [...options, ...paths], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
