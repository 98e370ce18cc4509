import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment, PROGRAM } from './program.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }

test('the package holds the built file, what an operator needs of the Logstash folder, README and LICENSE', () => {
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8' }),
  ) as [{ files: { path: string; mode: number }[] }]
  const logstash = readdirSync(join(ROOT, 'logstash'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('logstash', path))
    .filter((path) => statSync(join(ROOT, path)).isFile())
    // The image and the detections are built from the repository.
    .filter((path) => !/^logstash.(detections[\\/]|Dockerfile)/.test(path))
  assert.ok(logstash.includes('logstash/logstash.conf'))
  assert.deepEqual(
    pack.files.map(({ path }) => path).sort(),
    ['LICENSE', 'README.md', 'dist/slack-auditor.cjs', 'package.json', ...logstash].sort(),
  )
  const built = pack.files.find(({ path }) => path.startsWith('dist/'))
  assert.equal((built?.mode ?? 0) & 0o111, 0o111, 'it can be executed')
})

test('the built file runs alone, wherever it is copied to', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'slack-auditor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  copyFileSync(PROGRAM, join(folder, 'copy.cjs'))
  const options = { cwd: folder, encoding: 'utf8', env: cleanEnvironment() } as const
  assert.equal(execFileSync(process.execPath, ['copy.cjs', '--version'], options), `${version}\n`)
})

test('the licences of all that is bundled travel in the built file', () => {
  const text = readFileSync(PROGRAM, 'utf8')
  const bundled = new Set(
    [...text.matchAll(/^\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(([, name]) => name ?? ''),
  )
  assert.ok(bundled.has('@slack/web-api') && bundled.has('commander'))
  const notice = text.slice(text.lastIndexOf('Third-party software in this file:'))
  for (const name of bundled) assert.match(notice, new RegExp(`^${name.replace('/', '\\/')} \\d`, 'm'))
})
