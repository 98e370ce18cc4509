/**
 * Builds dist/slack-auditor.cjs: one file that runs with node alone wherever it is copied to, with the licences of
 * everything bundled in it at its end.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const OUT = 'dist/slack-auditor.cjs'

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outfile: OUT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  metafile: true,
  logLevel: 'warning',
})

const packages = new Set(
  Object.keys(metafile.inputs).flatMap(
    (input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [],
  ),
)
const licences = [...packages].sort().map((folder) => {
  const file = ['LICENSE', 'license', 'LICENSE.md', 'License']
    .map((name) => join(folder, name))
    .find(existsSync)
  if (!file) throw new Error(`${folder} has no licence file that could travel with the bundle`)
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  return `${name} ${version}\n\n${readFileSync(file, 'utf8').trim()}`
})
if (licences.length === 0) throw new Error('no package was bundled')
const comment = licences.join('\n\n---\n\n').replaceAll('*/', '* /')
writeFileSync(OUT, `${readFileSync(OUT, 'utf8')}\n/*\nThird-party software in this file:\n\n${comment}\n*/\n`)
