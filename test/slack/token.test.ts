import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AuditError } from '../../src/errors.ts'
import { readToken, type TokenSources } from '../../src/slack/token.ts'
import { folderOf } from '../program.ts'

/** Reads the token where only these sources are there. */
const read = (sources: Partial<TokenSources>) =>
  readToken({ fromEnvironment: undefined, file: undefined, fileFirst: false, ...sources })

/** What is found with this in SLACK_TOKEN alone. */
const found = (text: string) => read({ fromEnvironment: text })

/** The error, which has to be of class `config`. */
async function refusal(reading: Promise<unknown>): Promise<AuditError> {
  const error: unknown = await reading.then(
    () => assert.fail('it should have been refused'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof AuditError)
  assert.equal(error.class, 'config')
  return error
}

describe('a token', () => {
  for (const text of ['xoxp-1-2-abc', 'xoxe.xoxp-1-abc', ' xoxp-1-2-abc\r\n', 'of-a-gateway']) {
    test(`may be ${JSON.stringify(text)}, blanks around it removed`, async () => {
      assert.deepEqual(await found(text), { token: text.trim(), source: 'SLACK_TOKEN' })
    })
  }

  const secret = 'S3CRET'
  const bad: [what: string, text: string, says: RegExp][] = [
    ['nothing', '', /SLACK_TOKEN is empty: .*xoxp-/],
    ['blanks', ' \t\n', /is empty/],
    ['two lines', `xoxp-1\n${secret}`, /one line without blanks/],
    ['two words', `Bearer xoxp-1${secret}`, /one line without blanks/],
    ['quotation marks that a word processor bent', `“xoxp-${secret}”`, /one line without blanks/],
    ['a character that cannot be seen', `xoxp-1\u200b${secret}`, /one line without blanks/],
    ['a token of a bot', `xoxb-${secret}`, /wrong kind \(xoxb-…\): use the User OAuth Token/],
    ['one of an app', `xapp-${secret}`, /wrong kind \(xapp-…\)/],
    ['one of a workflow', `xwfp-${secret}`, /wrong kind \(xwfp-…\)/],
    ['one to refresh others', `xoxe-${secret}`, /wrong kind \(xoxe-…\)/],
  ]
  for (const [what, text, says] of bad) {
    test(`is not ${what}; the message does not show it`, async () => {
      const { code, message } = await refusal(found(text))
      assert.equal(code, 'bad_token')
      assert.match(message, says)
      assert.ok(!message.includes(secret))
    })
  }
})

describe('it is read', () => {
  const cases: [
    what: string,
    file: 'given' | 'in the environment' | undefined,
    env: string | undefined,
    from: 'file' | 'SLACK_TOKEN',
  ][] = [
    ['from SLACK_TOKEN', undefined, 'xoxp-environment', 'SLACK_TOKEN'],
    ['from --token-file before SLACK_TOKEN', 'given', 'xoxp-environment', 'file'],
    ['from --token-file', 'given', undefined, 'file'],
    ['from SLACK_TOKEN before SLACK_TOKEN_FILE', 'in the environment', 'xoxp-environment', 'SLACK_TOKEN'],
    ['from SLACK_TOKEN_FILE', 'in the environment', undefined, 'file'],
    ['from SLACK_TOKEN_FILE, if SLACK_TOKEN is empty', 'in the environment', '', 'file'],
  ]
  for (const [what, file, env, from] of cases) {
    test(what, async (t) => {
      const path = join(folderOf(t), 'token')
      writeFileSync(path, 'xoxp-file\n')
      const given = file ? { file: path, fileFirst: file === 'given' } : {}
      const expected =
        from === 'file'
          ? { token: 'xoxp-file', source: `token file ${path}` }
          : { token: 'xoxp-environment', source: 'SLACK_TOKEN' }
      assert.deepEqual(await read({ ...given, fromEnvironment: env }), expected)
    })
  }

  test('from nowhere else: without both, the message names both', async () => {
    const { code, message } = await refusal(read({}))
    assert.equal(code, 'no_token')
    assert.match(message, /SLACK_TOKEN.*--token-file/)
  })

  const files: [what: string, make: (path: string) => void, says: RegExp][] = [
    ['missing', () => {}, /cannot be read: there is no such file \(ENOENT\)$/],
    ['a folder', (path) => mkdirSync(path), /cannot be read: it is a folder \(EISDIR\)$/],
    ['empty', (path) => writeFileSync(path, '\n'), /token is empty/],
    ['of the wrong kind', (path) => writeFileSync(path, 'xoxb-1\n'), /wrong kind/],
    ['an encoding other than ASCII', (path) => writeFileSync(path, '\ufeffxoxp-1', 'utf16le'), /one line/],
  ]
  for (const [what, make, says] of files) {
    test(`not from a file that is ${what}: it is named, and SLACK_TOKEN does not step in`, async (t) => {
      const path = join(folderOf(t), 'token')
      make(path)
      const { message } = await refusal(read({ file: path, fileFirst: true, fromEnvironment: 'xoxp-1' }))
      assert.ok(message.startsWith(`token file ${path} `))
      assert.match(message, says)
    })
  }
})
