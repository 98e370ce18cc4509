import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The rooms from top to bottom: a file imports only from its own room and those below. */
const ROOMS = ['top', 'state', 'walk', 'slack', 'output', 'log', 'base']
/** Files outside a folder that every room may use. All others are in the top room. */
const BASE = ['errors.ts', 'json.ts', 'text.ts', 'time.ts']

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))
const texts = new Map(
  readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(SOURCE, path), 'utf8')]),
)

/** What a file imports, types included: paths under src/, and packages by name. */
function importsOf(file: string): string[] {
  const found = [...(texts.get(file) ?? '').matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)]
  return found.map(([, target = '']) => (target.startsWith('.') ? join(dirname(file), target) : target))
}

function roomOf(file: string): string {
  return file.includes('/') ? dirname(file) : BASE.includes(file) ? 'base' : 'top'
}

function importersOf(name: string): string[] {
  return [...texts.keys()].filter((file) => importsOf(file).includes(name))
}

/** The files that can be reached from this one by imports. */
function reach(file: string, reached = new Set<string>()): Set<string> {
  for (const target of importsOf(file)) {
    if (!texts.has(target) || reached.has(target)) continue
    reached.add(target)
    reach(target, reached)
  }
  return reached
}

test('every file of src/ imports only from its own room and those below', () => {
  assert.ok(texts.size > 20)
  for (const file of texts.keys()) {
    const room = ROOMS.indexOf(roomOf(file))
    assert.ok(room >= 0, `${file} is in no known room`)
    for (const target of importsOf(file).filter((target) => texts.has(target))) {
      assert.ok(room <= ROOMS.indexOf(roomOf(target)), `${file} imports ${target}, which is further up`)
    }
  }
})

test('no file of src/ imports itself by way of others, types included', () => {
  for (const file of texts.keys()) assert.ok(!reach(file).has(file), `${file} is part of a circle`)
})

test('each outside package has one importer', () => {
  const packages = [...texts.keys()].flatMap(importsOf).filter((name) => /^[@a-z]/.test(name))
  const outside = packages.filter((name) => !name.startsWith('node:') && !texts.has(name))
  assert.deepEqual(outside.sort(), ['@slack/web-api', 'commander'])
  assert.deepEqual(importersOf('@slack/web-api'), ['slack/client.ts'])
  assert.deepEqual(importersOf('commander'), ['options.ts'])
})

test('the process and its stdout are touched by main.ts and cli.ts alone', () => {
  for (const [file, text] of texts) {
    assert.doesNotMatch(text, /\bconsole\./, file)
    if (file === 'main.ts') continue
    if (file !== 'cli.ts') assert.doesNotMatch(text, /process\.stdout|\bstdout\.write/, file)
    assert.doesNotMatch(text, /process\.(argv|env|exit|stderr|stdin)\b/, file)
  }
})
