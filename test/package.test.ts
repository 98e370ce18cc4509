import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment, PROGRAM } from './program.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }

test('the built file alone is the program, under a name without an ending too', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'slack-auditor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  // Copied with its mode, as `install` does it.
  copyFileSync(PROGRAM, join(folder, 'slack-auditor'))
  const env = cleanEnvironment({ PATH: `${folder}:${dirname(process.execPath)}:${process.env['PATH']}` })
  assert.equal(
    execFileSync('slack-auditor', ['--version'], { cwd: '/', encoding: 'utf8', env }),
    `${version}\n`,
  )
})

test('a Node that is too old is named, with the one to use', () => {
  const old = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'16.20.2'}})"
  const args = ['--import', `data:text/javascript,${old}`, PROGRAM, '--version']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: cleanEnvironment(),
  })
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /^slack-auditor: needs Node 20 or later, best 24; this is v[\d.]+\n$/)
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
