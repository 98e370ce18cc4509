import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AuditError } from '../../src/errors.ts'
import { readToken, type TokenSources } from '../../src/slack/token.ts'
import { folderOf } from '../program.ts'

/** Reads the token where only these sources are there. */
const read = (sources: Partial<TokenSources>) =>
  readToken({ fromEnvironment: undefined, file: undefined, fileFirst: false, isForSlack: true, ...sources })

/** What is found with this in SLACK_TOKEN alone. */
const found = (text: string) => read({ fromEnvironment: text })

/** The error, which has to be of class `config`. */
function refusal(reading: () => unknown): AuditError {
  try {
    reading()
  } catch (error) {
    assert.ok(error instanceof AuditError)
    assert.equal(error.class, 'config')
    return error
  }
  assert.fail('it should have been refused')
}

describe('a token', () => {
  for (const text of ['xoxp-1-2-abc', ' xoxp-1-2-abc\r\n']) {
    test(`may be ${JSON.stringify(text)}, blanks around it removed`, () => {
      assert.deepEqual(found(text), { token: text.trim(), source: 'SLACK_TOKEN', warning: undefined })
    })
  }

  test('that rotates is taken with a warning', () => {
    const { token, warning } = found('xoxe.xoxp-1-abc')
    assert.equal(token, 'xoxe.xoxp-1-abc')
    assert.match(warning ?? '', /^SLACK_TOKEN holds a token that rotates: it expires within 12 hours/)
  })

  test('of a gateway may have any form', () => {
    const { token } = read({ fromEnvironment: 'QWxhZGRpbg==', isForSlack: false })
    assert.equal(token, 'QWxhZGRpbg==')
  })

  const secret = 'S3CRET'
  const bad: [what: string, text: string, says: RegExp][] = [
    ['nothing', '', /SLACK_TOKEN is empty: .*xoxp-/],
    ['blanks', ' \t\n', /is empty/],
    ['two lines', `xoxp-1\n${secret}`, /one line without blanks/],
    ['two words', `Bearer xoxp-1${secret}`, /one line without blanks/],
    ['one in quotation marks', `"xoxp-${secret}"`, /is in quotation marks: leave them out/],
    ['one in quotation marks that a word processor bent', `“xoxp-${secret}”`, /is in quotation marks/],
    ['the whole assignment', `SLACK_TOKEN=xoxp-${secret}`, /holds the name of a variable too/],
    ['the whole command', `export SLACK_TOKEN=xoxp-${secret}`, /holds the name of a variable too/],
    ['JSON', `{"token":"xoxp-${secret}"}`, /holds JSON/],
    ['the placeholder of the manual', 'xoxp-...', /holds the placeholder of the manual/],
    ['a character that cannot be seen', `xoxp-1\u200b${secret}`, /one line without blanks/],
    ['a token of a bot', `xoxb-${secret}`, /holds a bot token: use the User OAuth Token/],
    ['one of an app', `xapp-${secret}`, /an app-level token/],
    ['one of a workflow', `xwfp-${secret}`, /a workflow token/],
    ['one to refresh others', `xoxe-${secret}`, /a refresh token/],
    ['one of a browser', `xoxc-${secret}`, /a browser session's token/],
    ['anything else', `hello-${secret}`, /does not look like a Slack token/],
    ['one with something behind it', `xoxp-${secret}/x`, /does not look like a Slack token/],
  ]
  for (const [what, text, says] of bad) {
    test(`is not ${what}; the message does not show it`, () => {
      const { code, message } = refusal(() => found(text))
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
    test(what, (t) => {
      const path = join(folderOf(t), 'token')
      writeFileSync(path, 'xoxp-file\n')
      const given = file ? { file: path, fileFirst: file === 'given' } : {}
      const expected =
        from === 'file'
          ? { token: 'xoxp-file', source: `token file ${path}`, warning: undefined }
          : { token: 'xoxp-environment', source: 'SLACK_TOKEN', warning: undefined }
      assert.deepEqual(read({ ...given, fromEnvironment: env }), expected)
    })
  }

  test('from nowhere else: without both, the message names both', () => {
    const { code, message } = refusal(() => read({}))
    assert.equal(code, 'no_token')
    assert.match(message, /SLACK_TOKEN.*--token-file/)
  })

  const files: [what: string, make: (path: string) => void, says: RegExp][] = [
    ['missing', () => {}, /cannot be read: there is no such file \(ENOENT\)$/],
    ['a folder', (path) => mkdirSync(path), /cannot be read: it is a folder \(EISDIR\)$/],
    ['empty', (path) => writeFileSync(path, '\n'), /token is empty/],
    ['of the wrong kind', (path) => writeFileSync(path, 'xoxb-1\n'), /bot token/],
    ['an encoding other than ASCII', (path) => writeFileSync(path, '\ufeffxoxp-1', 'utf16le'), /one line/],
  ]
  for (const [what, make, says] of files) {
    test(`not from a file that is ${what}: it is named, and SLACK_TOKEN does not step in`, (t) => {
      const path = join(folderOf(t), 'token')
      make(path)
      const { message } = refusal(() => read({ file: path, fileFirst: true, fromEnvironment: 'xoxp-1' }))
      assert.ok(message.startsWith(`token file ${path} `))
      assert.match(message, says)
    })
  }
})
