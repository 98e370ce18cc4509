import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nestsDeeperThan, parseJson } from '../src/json.ts'

const cases: [what: string, json: string, printed: string][] = [
  [
    'numbers that JavaScript holds stay',
    '{"a":1795503243,"b":[-0.5,1e3]}',
    '{"a":1795503243,"b":[-0.5,1000]}',
  ],
  ['a number above 2^53 keeps its digits', '{"a":9007199254740993}', '{"a":"9007199254740993"}'],
  [
    'one that is even there stays a number',
    '[9007199254740992, 9007199254740993]',
    '[9007199254740992,"9007199254740993"]',
  ],
  ['a number beyond all keeps its text', '[1e400,-1E400]', '["1e400","-1E400"]'],
  [
    'digits within a string are not numbers',
    '["id\\":9007199254740993", 1e400]',
    '["id\\":9007199254740993","1e400"]',
  ],
  ['whole pairs stay', '"\\ud83e\\uDD8a \\u00e9 \\/"', '"🦊 é /"'],
  ['the first half of a pair alone', '"a\\ud83eb"', '"a\ufffdb"'],
  ['the second half of a pair alone', '"a\\uDD8ab"', '"a\ufffdb"'],
  ['a half before a whole pair', '"\\ud83e\\ud83e\\udd8a"', '"\ufffd🦊"'],
  ['an escaped backslash before "ud83e"', '"\\\\ud83e \\ud83e"', '"\\\\ud83e \ufffd"'],
  ['a half in a name', '{"\\ud83e":1}', '{"\ufffd":1}'],
]
for (const [what, json, printed] of cases) {
  test(`parsed JSON keeps its values: ${what}`, () => assert.equal(JSON.stringify(parseJson(json)), printed))
}

test('text that is not JSON is a SyntaxError', () => assert.throws(() => parseJson('{"a":'), SyntaxError))

test('levels are counted from the value itself', () => {
  assert.equal(nestsDeeperThan(2, { a: { b: 1 } }), false)
  assert.equal(nestsDeeperThan(2, { a: [{}] }), true)
  assert.equal(nestsDeeperThan(0, 'text'), false)
})
