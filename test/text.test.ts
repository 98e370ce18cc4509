import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cleanLine, showDuration, showTime } from '../src/text.ts'

describe('a clean line', () => {
  const cases: [what: string, text: string, line: string][] = [
    ['keeps plain text', 'état of 山田 🦊', 'état of 山田 🦊'],
    ['is one line', ' a\r\n\tb \n\n', 'a b'],
    ['has no escape sequence', 'red \u001b[31m\u0007 \u009b31m', 'red [31m 31m'],
    ['has no NUL and no DEL', 'a\u0000b\u007fc', 'a b c'],
    ['has nothing that turns the direction of text', '\u202egpj.exe\u202c \u2066x\u2069', 'gpj.exe x'],
    ['has nothing that cannot be seen', 'a\u200bb\ufeffc\u00add', 'a b c d'],
    ['has no line break of Unicode', 'a\u2028b\u2029c\u0085d', 'a b c d'],
    ['has no half of a letter', 'a\ud83eb\udd8ac', 'a b c'],
    ['has no token', 'Bearer xoxp-12-34-ab_CD.ef "is" bad', 'Bearer xox… "is" bad'],
    ['has no token that holds what cannot be seen', 'xoxp-12\u200b3456789012-secret', 'xox…'],
    ['has no token that rotates', '(xoxe.xoxp-1-Mi0yLTEyMzQ)', '(xox…)'],
    ['has no token of any kind', 'xoxb-123456 xapp-1-A xoxs-abcdef XOXP-ABCDEF', 'xox… xapp-1-A xox… xox…'],
    [
      'keeps the bare prefix, which is advice',
      'begins with xoxp-, not xoxb-',
      'begins with xoxp-, not xoxb-',
    ],
  ]
  for (const [what, text, line] of cases) test(what, () => assert.equal(cleanLine(text), line))

  test('is cut where it is too long, and shows that', () => {
    assert.equal(cleanLine('x'.repeat(200)), 'x'.repeat(200))
    assert.equal(cleanLine('x'.repeat(201)), `${'x'.repeat(199)}…`)
    assert.equal(cleanLine('abcdef', 4), 'abc…')
    assert.equal(cleanLine('ab🦊cd', 4), 'ab…', 'and never in the middle of a letter')
  })

  test('is cut only after tokens are removed, so that no half of one is left', () => {
    assert.equal(cleanLine(`${'x '.repeat(95)}xoxp-${'1234567890'.repeat(5)}`, 200), `${'x '.repeat(95)}xox…`)
  })
})

test('times and lengths are shown as people read them', () => {
  assert.equal(showTime(1_793_869_200), '2026-11-05 09:00:00Z')
  const lengths: [number, string][] = [
    [0, '0 s'],
    [119.4, '119 s'],
    [120, '2 min'],
    [7199, '120 min'],
    [7200, '2 h'],
    [172_799, '48 h'],
    [172_800, '2 d'],
  ]
  for (const [seconds, text] of lengths) assert.equal(showDuration(seconds), text)
})
