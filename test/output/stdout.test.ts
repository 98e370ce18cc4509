import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { AuditError } from '../../src/errors.ts'
import { openOutput } from '../../src/output/stdout.ts'

type Taken = (error?: Error | null) => void

/** A stream that takes a chunk only when the test says so. */
function slowStream() {
  const chunks: string[] = []
  const taking: Taken[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _, callback) {
      chunks.push(chunk)
      taking.push(callback)
    },
  })
  return { stream, chunks, take: (error?: Error) => taking.shift()?.(error) }
}

/** A stream that fails at its nth chunk. */
function failingStream(nth: number, error: Error) {
  const chunks: string[] = []
  const stream = new Writable({
    autoDestroy: false,
    decodeStrings: false,
    write(chunk: string, _encoding, callback) {
      chunks.push(chunk)
      callback(chunks.length === nth ? error : undefined)
    },
  })
  return { stream, chunks }
}

const systemError = (code: string) => Object.assign(new Error(`write ${code}`), { code })

/** Whether a promise is settled once everything that can continue has done so. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  promise.then(
    () => {
      done = true
    },
    () => {
      done = true
    },
  )
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

const never = () => assert.fail('this was no failure')

describe('a write', () => {
  test('is one chunk, and resolves when the stream took it', async () => {
    const { stream, chunks, take } = slowStream()
    const writing = openOutput(stream, never).write('one\ntwo\n')
    assert.equal(await settled(writing), false)
    assert.deepEqual(chunks, ['one\ntwo\n'])
    take()
    await writing
  })

  const failures: [code: string, says: RegExp][] = [
    ['EPIPE', /^stdout: nobody reads stdout any more; the rest was not written$/],
    ['ENOSPC', /^stdout: no space left where stdout is written to; the rest was not written$/],
    ['EIO', /^stdout: write EIO; the rest was not written$/],
  ]
  for (const [code, says] of failures) {
    test(`that fails with ${code} is an error of class output, and so is every later one; it is reported once`, async () => {
      let reported = 0
      const { stream, chunks } = failingStream(2, systemError(code))
      const output = openOutput(stream, () => {
        reported += 1
      })
      await output.write('taken\n')
      for (const chunk of ['failing\n', 'later\n', 'last\n']) {
        await assert.rejects(output.write(chunk), (error) => {
          assert.ok(error instanceof AuditError)
          assert.deepEqual([error.class, error.code], ['output', code])
          assert.match(error.message, says)
          return true
        })
      }
      assert.equal(reported, 1)
      assert.deepEqual(chunks, ['taken\n', 'failing\n'], 'nothing follows what is missing')
    })
  }

  test('under way when the stream fails by itself is not taken for written', async () => {
    const { stream, take } = slowStream()
    let reported = 0
    const output = openOutput(stream, () => {
      reported += 1
    })
    const writing = output.write('x\n')
    stream.destroy(systemError('EPIPE'))
    await settled(writing)
    take()
    await assert.rejects(writing, /nobody reads stdout/)
    assert.equal(reported, 1)
  })
})

describe('a halt', () => {
  test('resolves at once where nothing is being written', async () => {
    assert.equal(await settled(openOutput(slowStream().stream, never).halt()), true)
  })

  test('waits for the chunk under way, and lets nothing continue behind it', async () => {
    const { stream, take } = slowStream()
    const output = openOutput(stream, never)
    const writing = output.write('page\n')
    const halting = output.halt()
    assert.equal(await settled(halting), false)
    take()
    assert.equal(await settled(halting), true)
    assert.equal(await settled(writing), false, 'who waits for the write must not remember it as printed')
    const next = output.write('next\n')
    await settled(next)
    take()
    assert.equal(await settled(next), false)
  })

  test('resolves where the chunk under way fails', async () => {
    const { stream, take } = slowStream()
    const output = openOutput(stream, () => {})
    void output.write('page\n').catch(() => {})
    const halting = output.halt()
    take(systemError('EPIPE'))
    assert.equal(await settled(halting), true)
  })
})
