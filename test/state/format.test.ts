import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditError } from '../../src/errors.ts'
import { LOGS } from '../../src/log/logs.ts'
import { formatState, type Owner, parseState } from '../../src/state/format.ts'
import { BARE, FULL, OWNER } from './examples.ts'

const PATH = 'folder/state.json'

/** A good file with other fields. */
function altered(fields: object): string {
  return JSON.stringify({ ...(JSON.parse(formatState(OWNER, FULL)) as object), ...fields })
}

function refusal(text: string, owner = OWNER): AuditError {
  try {
    parseState(PATH, owner, text)
  } catch (error) {
    assert.ok(error instanceof AuditError, String(error))
    assert.equal(error.class, 'state')
    assert.ok(error.message.startsWith(`state file ${PATH} `), error.message)
    return error
  }
  return assert.fail('it was taken')
}

describe('the text of a state', () => {
  test('holds all of it: bounds without an end, the reader, and ids of any name', () => {
    const unknown = { pid: 7, started: null, boot: null }
    const elsewhere = { ...FULL, undelivered: { reader: unknown, state: FULL.state } }
    for (const saved of [FULL, BARE, elsewhere]) {
      assert.deepEqual(parseState(PATH, OWNER, formatState(OWNER, saved)), saved)
    }
  })

  test('has this form, of version 3', () => {
    const text = formatState({ ...OWNER, requestedTeamId: 'T0ASKED' }, FULL)
    assert.equal(text.at(-1), '\n')
    const none = { watermark: null, since: 1_756_224_000, longest_row_s: 0, gaps: [], seen: {} }
    assert.deepEqual(JSON.parse(text), {
      version: 3,
      team: 'T0EXAMPLE1',
      workspace: 'T0ASKED',
      log: 'access',
      saved: '2026-11-05T09:00:00.000Z',
      watermark: 1_764_000_000,
      since: 1_756_224_000,
      longest_row_s: 40_000,
      gaps: [
        { top: 1_763_999_900, floor: 1_763_992_700 },
        { top: 1_763_991_000, floor: null },
      ],
      seen: Object.fromEntries([
        ['a', [1_764_000_000, 1_763_999_991]],
        ['__proto__', [1_763_999_995, 1_763_999_995]],
      ]),
      reader: { pid: 7, started: '12345', boot: 'b' },
      before: none,
    })
  })

  test('may hold fields that this program does not know, and no time of saving', () => {
    assert.deepEqual(parseState(PATH, OWNER, altered({ note: 'by hand' })), FULL)
    for (const saved of [undefined, 7]) {
      assert.equal(parseState(PATH, OWNER, altered({ saved })).at, '')
    }
  })
})

describe('a damaged state file is named, with what is wrong and what to do:', () => {
  const good = formatState(OWNER, FULL)
  const damaged: [what: string, text: string, names: RegExp][] = [
    ['it is empty', '', /\(it is not JSON\)/],
    ['it was cut', good.slice(0, good.length / 2), /\(it is not JSON\)/],
    ['it is a list', '[]', /\(it is not an object\)/],
    ['it is null', 'null', /\(it is not an object\)/],
    ['it has no version', altered({ version: undefined }), /it has no version/],
    ['its version is a word', altered({ version: '3' }), /it has no version/],
    ['its watermark is a word', altered({ watermark: 'yesterday' }), /watermark is not a time/],
    ['it has no watermark', altered({ watermark: undefined }), /watermark is not a time/],
    ['its watermark is in milliseconds', altered({ watermark: 1.764e12 }), /watermark is not a time/],
    ['it has no since', altered({ since: undefined }), /since is not a time/],
    ['its since is before all times', altered({ since: -1e12 }), /since is not a time/],
    ['it has no longest row', altered({ longest_row_s: undefined }), /longest_row_s is not a time/],
    ['it has no gaps', altered({ gaps: null }), /gaps is not a list/],
    ['a gap is a number', altered({ gaps: [7] }), /gap is not an object/],
    ['a gap has no top', altered({ gaps: [{ floor: null }] }), /gap\.top is not a time/],
    ['a gap has no floor', altered({ gaps: [{ top: 1 }] }), /gap\.floor is not a time/],
    ['it has no seen', altered({ seen: undefined }), /seen is not an object/],
    ['its seen is a list', altered({ seen: ['a'] }), /seen is not an object/],
    ['an id has no times', altered({ seen: { abc: 1 } }), /seen\.abc is not a list/],
    ['an id has one time', altered({ seen: { abc: [1] } }), /seen\.abc is not a time/],
    ['its reader is a number', altered({ reader: 7 }), /reader is not an object/],
    ['its reader has no pid', altered({ reader: {} }), /reader\.pid is not a number/],
    ['the state its reader began with is missing', altered({ before: undefined }), /before is not an object/],
    ['the state its reader began with is damaged', altered({ before: {} }), /watermark is not a time/],
  ]
  for (const [what, text, names] of damaged) {
    test(what, () => {
      const { code, message } = refusal(text)
      assert.equal(code, 'malformed')
      assert.match(message, names)
      assert.match(
        message,
        /restore a backup, or delete it to read everything again \(the ids stay the same\)$/,
      )
    })
  }
})

describe('a state file of another form is refused', () => {
  for (const [version, fields] of [
    [1, { order: { refuted: [], before: null }, seen: { s: 1_763_999_940 }, gaps: [] }],
    [2, { order: 'time', seen: { s: [1_763_999_940, null] }, gaps: [{ top: [1, null], floor: [1, 0] }] }],
  ] as const) {
    test(`if slack-auditor 1.x wrote it (version ${version}), in one line that says what to do and what follows`, () => {
      const { code, message } = refusal(altered({ version, ...fields }))
      assert.equal(code, 'older')
      assert.match(message, /by slack-auditor 1\.x: delete it; .* printed again, with the same ids$/)
    })
  }

  test('if a newer program wrote it', () => {
    const { code, message } = refusal(altered({ version: 4, gaps: 'in another form' }))
    assert.equal(code, 'newer')
    assert.match(message, /update this one/)
  })
})

describe('a state file of somebody else is refused:', () => {
  const others: [field: string, value: string, owner: Owner][] = [
    ['team', 'T0OTHER', { ...OWNER, tokenTeamId: 'T0OTHER' }],
    ['workspace', 'T0OTHER', { ...OWNER, requestedTeamId: 'T0OTHER' }],
    ['log', 'integration', { ...OWNER, log: LOGS.integration }],
  ]
  for (const [field, value, owner] of others) {
    test(`of another ${field}`, () => {
      const { code, message } = refusal(formatState(owner, FULL))
      assert.equal(code, 'foreign')
      assert.ok(message.includes(`another ${field} (${value}, not `), message)
    })
  }

  test('of nobody', () => assert.equal(refusal(altered({ team: undefined })).code, 'foreign'))
})
