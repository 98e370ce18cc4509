/** The links and commands of the pages outside logstash/; test/logstash/docs.test.ts has those of its manual. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGES = ['', 'src', 'test', '.github', 'logstash'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file)),
)
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

const textOf = (page: string) => readFileSync(join(ROOT, page), 'utf8')

/** The anchors that a page's headings make. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

for (const page of PAGES) {
  test(`${page} names only files, headings and commands that are there`, () => {
    const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      assert.ok(existsSync(join(ROOT, target)), link)
      if (anchor) assert.ok(anchorsOf(target).includes(anchor), link)
    }
    for (const [, script = ''] of textOf(page).matchAll(/npm run ([\w:-]+)/g))
      assert.ok(script in scripts, script)
  })
}

test('the README stays a page that a new user reads to its end', () => {
  assert.ok(textOf('README.md').trimEnd().split('\n').length <= 170)
})
