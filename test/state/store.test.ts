import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { AuditError } from '../../src/errors.ts'
import { LOGS } from '../../src/log/logs.ts'
import { emptyState, type State } from '../../src/state/state.ts'
import {
  type Disk,
  loadState,
  type Owner,
  prepareFolder,
  prepareState,
  statePath,
} from '../../src/state/store.ts'
import { folderOf, stateFailure } from '../program.ts'
import { FakeDisk } from '../simulation/disk.ts'

const T = 1_764_000_000
const OWNER: Owner = { teamId: 'T0EXAMPLE1', workspace: undefined, log: LOGS.access }

const UP = Number.POSITIVE_INFINITY
const DOWN = Number.NEGATIVE_INFINITY

const FULL: State = {
  watermark: T,
  since: T - 90 * 86_400,
  seen: new Map([
    ['a', { time: T, began: T - 9 }],
    ['__proto__', { time: T - 5, began: DOWN }],
  ]),
  gaps: [
    { top: { time: T - 100, began: UP }, floor: { time: T - 7300, began: DOWN } },
    { top: { time: T - 9000, began: T - 9001 }, floor: { time: 1, began: 0 } },
  ],
  order: 'time',
}

async function saveState(path: string, owner: Owner, state: State, disk?: Disk): Promise<void> {
  await (await prepareState(path, owner, state, disk)).commit()
}

describe('a state', () => {
  test('comes back as it was saved, bounds without end included', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    for (const state of [FULL, { ...FULL, order: 'none' as const }, emptyState(DOWN)]) {
      await saveState(path, OWNER, state)
      const loaded = await loadState(path, OWNER)
      assert.deepEqual(loaded?.state, state)
      assert.ok(Math.abs(Date.parse(loaded?.saved ?? '') - Date.now()) < 60_000)
    }
  })

  test('that was never saved is none', async (t) => {
    assert.equal(await loadState(statePath(folderOf(t), OWNER), OWNER), undefined)
  })

  test('is a file for its owner alone, and nothing else is left beside it', async (t) => {
    const folder = folderOf(t)
    const path = statePath(folder, OWNER)
    await saveState(path, OWNER, FULL)
    await saveState(path, OWNER, FULL)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['T0EXAMPLE1-access.json'])
    const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    assert.deepEqual([file['version'], file['team'], file['log']], [2, 'T0EXAMPLE1', 'access'])
  })

  test('has a file of its own for each log, team and --team-id', () => {
    const names = [
      OWNER,
      { ...OWNER, log: LOGS.integration },
      { ...OWNER, teamId: 'T2' },
      { ...OWNER, workspace: 'T3' },
    ].map((owner) => statePath('dir', owner))
    assert.deepEqual(names, [
      join('dir', 'T0EXAMPLE1-access.json'),
      join('dir', 'T0EXAMPLE1-integration.json'),
      join('dir', 'T2-access.json'),
      join('dir', 'T0EXAMPLE1-T3-access.json'),
    ])
  })
})

describe('a state file', () => {
  /** A good file with other fields. */
  async function altered(t: TestContext, fields: Record<string, unknown> | string) {
    const path = statePath(folderOf(t), OWNER)
    await saveState(path, OWNER, FULL)
    const good = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    const text = typeof fields === 'string' ? fields : JSON.stringify({ ...good, ...fields })
    writeFileSync(path, text)
    return { path, text, error: () => stateFailure(loadState(path, OWNER), path) }
  }

  const times = [1, null]
  const damaged: [what: string, fields: Record<string, unknown> | string, names: RegExp][] = [
    ['is empty', '', /it is no JSON/],
    ['was cut', '{"version":1,"team":"T0EX', /it is no JSON/],
    ['is a list', '[]', /no JSON object/],
    ['is null', 'null', /no JSON object/],
    ['has no version', { version: undefined }, /no version/],
    ['has a version that is no number', { version: '1' }, /no version/],
    ['has a watermark in words', { watermark: 'yesterday' }, /watermark is no time/],
    ['has no watermark', { watermark: undefined }, /watermark is no time/],
    ['has a watermark in milliseconds', { watermark: T * 1000 }, /watermark is no time/],
    ['has no since', { since: undefined }, /since is no time/],
    ['has no seen', { seen: undefined }, /seen is no object/],
    ['has seen as a list', { seen: ['a'] }, /seen is no object/],
    ['has an id seen at no time', { seen: { abc: 'x' } }, /seen\.abc is no list/],
    ['has an id seen at a word', { seen: { abc: ['x', 1] } }, /seen\.abc is no time/],
    ['has a time before all times', { since: -1e12 }, /since is no time/],
    ['has no gaps', { gaps: null }, /gaps is no list/],
    ['has a gap that is none', { gaps: [7] }, /gap is no object/],
    ['has a gap without bounds', { gaps: [{}] }, /gap\.top is no list/],
    ['has a gap without a floor', { gaps: [{ top: times }] }, /gap\.floor is no list/],
    ['has a gap with one bound', { gaps: [{ top: [1], floor: times }] }, /gap\.top is no time/],
    ['has no order', { order: undefined }, /order is none of time, began/],
    ['has an order of another name', { order: 'date_last' }, /order is none of time, began/],
    ['of version 1 has no order', { version: 1, gaps: [], seen: {} }, /order is no object/],
  ]
  for (const [what, fields, names] of damaged) {
    test(`that ${what} is named, with what is wrong and what to do, and left as it is`, async (t) => {
      const { path, text, error } = await altered(t, fields)
      const { code, message } = await error()
      assert.equal(code, 'malformed')
      assert.match(message, names)
      assert.match(message, /put back a copy, or remove it/)
      assert.equal(readFileSync(path, 'utf8'), text)
    })
  }

  test('of a newer version is left to a newer program', async (t) => {
    const { code, message } = await (await altered(t, { version: 3, gaps: 'in another form' })).error()
    assert.equal(code, 'newer')
    assert.match(message, /update this one/)
  })

  for (const [field, value] of [
    ['team', 'T0OTHER'],
    ['workspace', 'T0OTHER'],
    ['log', 'integration'],
    ['team', undefined],
  ] as const) {
    test(`of another ${field} (${value}) is refused`, async (t) => {
      const { code, message } = await (await altered(t, { [field]: value })).error()
      assert.equal(code, 'foreign')
      assert.ok(message.includes(`another ${field} (${value}, not`))
    })
  }

  test('may hold fields this program does not know', async (t) => {
    const { path } = await altered(t, { note: 'by hand' })
    assert.deepEqual((await loadState(path, OWNER))?.state, FULL)
  })

  test('of version 1 keeps all that its gaps printed until they are read', async (t) => {
    const bounds = (date_last: number | null, date_first: number | null) => ({ date_last, date_first })
    const { path } = await altered(t, {
      version: 1,
      order: { refuted: ['date_first'], before: null },
      seen: { s: T - 60 },
      gaps: [{ top: bounds(T - 100, T - 200), floor: bounds(T - 7300, null), ids: ['i'], printed: ['p'] }],
    })
    const state = (await loadState(path, OWNER))?.state
    assert.equal(state?.order, 'time')
    assert.deepEqual(state.gaps, [
      { top: { time: T - 100, began: T - 200 }, floor: { time: T - 7300, began: DOWN } },
    ])
    assert.deepEqual(Object.fromEntries(state.seen), {
      s: { time: T - 60, began: DOWN },
      i: { time: T - 100, began: DOWN },
      p: { time: T - 100, began: DOWN },
    })
  })

  test('of version 1 keeps what a gap from the head printed with the watermark as its time', async (t) => {
    const unbounded = { date_last: null, date_first: null }
    const { path } = await altered(t, {
      version: 1,
      order: { refuted: [], before: null },
      seen: {},
      gaps: [{ top: unbounded, floor: unbounded, ids: ['i'], printed: [] }],
    })
    const state = (await loadState(path, OWNER))?.state
    assert.deepEqual(Object.fromEntries(state?.seen ?? []), { i: { time: T, began: DOWN } })
  })

  for (const [refuted, order] of [
    [[], 'unsure'],
    [['date_last'], 'began'],
    [['date_first'], 'time'],
    [['date_first', 'date_last'], 'none'],
  ] as const) {
    test(`of version 1 that refuted ${refuted.join(' and ') || 'neither field'} knows this order: ${order}`, async (t) => {
      const { path } = await altered(t, { version: 1, order: { refuted, before: null }, seen: {}, gaps: [] })
      assert.equal((await loadState(path, OWNER))?.state.order, order)
    })
  }

  test('that cannot be read is no first run', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    mkdirSync(path)
    const { code, message } = await stateFailure(loadState(path, OWNER), path)
    assert.equal(code, 'read')
    assert.match(message, /cannot be read: it is a folder \(EISDIR\)/)
  })
})

describe('saving a state', () => {
  const OLD = { ...emptyState(T), watermark: T - 1 }
  const PATH = 'folder/state.json'

  // open, write, sync and close of the new file, the rename, then open, sync and close of the folder.
  for (let step = 1; step <= 9; step += 1) {
    const survives = step <= 7 ? 'the old one' : 'the new one'
    test(`leaves ${survives} if the power goes ${step <= 8 ? `before step ${step}` : 'at the end'}`, async () => {
      let left = Number.POSITIVE_INFINITY
      let die = () => {}
      const death = new Promise<void>((resolve) => {
        die = resolve
      })
      const disk = new FakeDisk(async () => {
        left -= 1
        if (left > 0) return
        die()
        await new Promise(() => {})
      })
      await saveState(PATH, OWNER, OLD, disk)
      left = step
      await Promise.race([saveState(PATH, OWNER, FULL, disk), death])
      disk.crash()
      left = Number.POSITIVE_INFINITY
      const loaded = await loadState(PATH, OWNER, disk)
      assert.deepEqual(loaded?.state, survives === 'the old one' ? OLD : FULL)
    })
  }

  for (let step = 1; step <= 8; step += 1) {
    test(`says so if step ${step} fails, and takes the half-made file away`, async () => {
      let left = Number.POSITIVE_INFINITY
      const disk = new FakeDisk(async () => {
        left -= 1
        if (left === 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      })
      await saveState(PATH, OWNER, OLD, disk)
      left = step
      const { code, message } = await stateFailure(saveState(PATH, OWNER, FULL, disk), PATH)
      assert.equal(code, 'save')
      assert.match(message, /: no space is left on the disk \(ENOSPC\); .* come again, with equal ids/)
      assert.deepEqual((await loadState(PATH, OWNER, disk))?.state, step <= 5 ? OLD : FULL)
      await assert.rejects(disk.readFile(`${PATH}.tmp`), /no such file/)
    })
  }
})

describe('the folder', () => {
  test('is made, with those above it, for its owner alone; one that is there stays as it is', async (t) => {
    const above = folderOf(t)
    const folder = join(above, 'a', 'b')
    await prepareFolder(folder)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    await prepareFolder(folder)
  })

  for (const [what, below, code] of [
    ['is a file', '', 'EEXIST'],
    ['lies below a file', 'below', 'ENOTDIR'],
    ['lies deep below a file', 'deep/below', 'ENOTDIR'],
  ] as const) {
    test(`that ${what} is an error of class config that names it`, async (t) => {
      const path = join(folderOf(t), 'file')
      writeFileSync(path, '')
      await assert.rejects(prepareFolder(join(path, below)), (error) => {
        assert.ok(error instanceof AuditError)
        assert.equal(error.class, 'config')
        assert.ok(error.message.includes(path) && error.message.endsWith(`(${code})`), error.message)
        return true
      })
    })
  }
})
