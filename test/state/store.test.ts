import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AuditError } from '../../src/errors.ts'
import { LOGS } from '../../src/log/logs.ts'
import type { Saved } from '../../src/state/format.ts'
import {
  type Disk,
  loadState,
  prepareFolder,
  prepareState,
  statePath,
  wasLastSaveCut,
} from '../../src/state/store.ts'
import { folderOf, stateFailure } from '../program.ts'
import { FakeDisk } from '../simulation/disk.ts'
import { BARE, FULL, OWNER } from './examples.ts'

const PATH = 'folder/state.json'
const OLD = BARE
const NEW = FULL

async function save(path: string, saved: Saved, disk?: Disk): Promise<void> {
  await (await prepareState(path, OWNER, saved, disk)).commit()
}

/** A disk that holds the old state, and on which `act` is called before its nth step from now on. */
async function diskWithOld(act: (step: number) => unknown): Promise<FakeDisk> {
  let step = Number.NaN
  const disk = new FakeDisk(async () => {
    step += 1
    await act(step)
  })
  await save(PATH, OLD, disk)
  step = 0
  return disk
}

const failure = (code: string) => Object.assign(new Error(code), { code })

/** The steps of a save, in their order. */
const STEPS = [
  'opening the file',
  'writing it',
  'syncing it',
  'closing it',
  'renaming it',
  'opening the folder',
  'syncing the folder',
  'closing the folder',
]

test('each log, team and --team-id has a state file of its own', () => {
  const names = [
    OWNER,
    { ...OWNER, log: LOGS.integration },
    { ...OWNER, tokenTeamId: 'T2' },
    { ...OWNER, requestedTeamId: 'T3' },
  ].map((owner) => statePath('dir', owner))
  const files = ['T0EXAMPLE1-access', 'T0EXAMPLE1-integration', 'T2-access', 'T0EXAMPLE1-T3-access']
  assert.deepEqual(
    names,
    files.map((name) => join('dir', `${name}.json`)),
  )
})

describe('a saved state', () => {
  test('is loaded as it was, and its file is readable by its owner alone', async (t) => {
    const folder = folderOf(t)
    const path = statePath(folder, OWNER)
    assert.equal(await loadState(path, OWNER), undefined, 'nothing was saved yet')
    for (const saved of [OLD, NEW]) {
      await save(path, saved)
      assert.deepEqual(await loadState(path, OWNER), saved)
    }
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['T0EXAMPLE1-access.json'])
  })

  test('that cannot be read is an error, not a first run', async (t) => {
    const path = statePath(folderOf(t), OWNER)
    mkdirSync(path)
    const { code, message } = await stateFailure(loadState(path, OWNER), path)
    assert.equal(code, 'read')
    assert.match(message, /cannot be read: it is a folder \(EISDIR\)/)
  })
})

describe('the temporary file', () => {
  for (const [what, leave] of [
    ['a symbolic link', (path: string, victim: string) => symlinkSync(victim, path)],
    ['a dangling symbolic link', (path: string, victim: string) => symlinkSync(`${victim}-2`, path)],
    [
      'a file that all may read and write',
      (path: string) => {
        writeFileSync(path, 'x'.repeat(100_000))
        chmodSync(path, 0o666)
      },
    ],
  ] as const) {
    test(`is created afresh and private where ${what} has its name`, async (t) => {
      const [folder, elsewhere] = [folderOf(t), folderOf(t)]
      const path = statePath(folder, OWNER)
      const victim = join(elsewhere, 'victim')
      writeFileSync(victim, 'precious')
      leave(`${path}.tmp`, victim)
      await save(path, NEW)
      assert.ok(lstatSync(path).isFile(), 'a file and not a link')
      assert.equal(lstatSync(path).mode & 0o777, 0o600)
      assert.deepEqual(await loadState(path, OWNER), NEW)
      assert.equal(readFileSync(victim, 'utf8'), 'precious')
      assert.deepEqual(readdirSync(elsewhere), ['victim'])
    })
  }

  test('is never opened in place, even if somebody puts one there at the last moment', async () => {
    const disk = await diskWithOld(() => {})
    const opened: unknown[] = []
    const hostile: Disk = {
      readFile: (path) => disk.readFile(path),
      exists: (path) => disk.exists(path),
      rename: (from, to) => disk.rename(from, to),
      remove: async () => {},
      open(path, flags, mode) {
        opened.push([path, flags, mode])
        return disk.open(path, flags)
      },
    }
    await disk.open(`${PATH}.tmp`, 'wx')
    const { code, message } = await stateFailure(prepareState(PATH, OWNER, NEW, hostile), PATH)
    assert.equal(code, 'save')
    assert.match(message, /there is a file of this name \(EEXIST\)/)
    assert.deepEqual(opened, [[`${PATH}.tmp`, 'wx', 0o600]])
  })
})

describe('a prepared state', () => {
  test('is not in force before it is committed, and shows that the run did not end if it never is', async () => {
    const disk = await diskWithOld(() => {})
    assert.equal(await wasLastSaveCut(PATH, disk), false)
    const prepared = await prepareState(PATH, OWNER, NEW, disk)
    assert.deepEqual(await loadState(PATH, OWNER, disk), OLD)
    assert.equal(await wasLastSaveCut(PATH, disk), true)
    await prepared.commit()
    assert.deepEqual(await loadState(PATH, OWNER, disk), NEW)
    assert.equal(await wasLastSaveCut(PATH, disk), false)
  })

  test('leaves nothing behind if it is discarded', async () => {
    const disk = await diskWithOld(() => {})
    await (await prepareState(PATH, OWNER, NEW, disk)).discard()
    assert.deepEqual(await loadState(PATH, OWNER, disk), OLD)
    assert.deepEqual(disk.files(), [PATH])
  })
})

describe('if the power fails', () => {
  for (const [index, what] of [...STEPS, 'the end'].entries()) {
    const survivor = index < STEPS.indexOf('closing the folder') ? 'old' : 'new'
    test(`before ${what}, the ${survivor} state survives`, async () => {
      let die = () => {}
      const death = new Promise<void>((resolve) => {
        die = resolve
      })
      const disk = await diskWithOld(async (step) => {
        if (step !== index + 1) return
        die()
        await new Promise(() => {})
      })
      await Promise.race([save(PATH, NEW, disk), death])
      disk.crash()
      assert.deepEqual(await loadState(PATH, OWNER, disk), survivor === 'old' ? OLD : NEW)
    })
  }
})

describe('if a save fails', () => {
  for (const [index, what] of STEPS.entries()) {
    const survivor = index <= STEPS.indexOf('renaming it') ? 'old' : 'new'
    const left = what === 'renaming it' ? 'the temporary file, by which the next run knows' : 'nothing'
    test(`at ${what}, that is said, the ${survivor} state is in force, and ${left} is left behind`, async () => {
      const disk = await diskWithOld((step) => {
        if (step === index + 1) throw failure('ENOSPC')
      })
      const { code, message } = await stateFailure(save(PATH, NEW, disk), PATH)
      assert.equal(code, 'save')
      assert.match(message, /: no space is left on the disk \(ENOSPC\); .* again, with the same ids$/)
      assert.deepEqual(await loadState(PATH, OWNER, disk), survivor === 'old' ? OLD : NEW)
      assert.equal(await wasLastSaveCut(PATH, disk), left !== 'nothing')
      await save(PATH, NEW, disk)
      assert.deepEqual([await loadState(PATH, OWNER, disk), disk.files()], [NEW, [PATH]])
    })
  }

  for (const [code, step, fails] of [
    ['EINVAL', 'syncing the folder', false],
    ['ENOTSUP', 'syncing the folder', false],
    ['EOPNOTSUPP', 'syncing the folder', false],
    ['ENOSYS', 'syncing the folder', false],
    ['EIO', 'syncing the folder', true],
    ['EINVAL', 'syncing it', true],
  ] as const) {
    test(`by ${code} at ${step}, that is ${fails ? 'a failure' : 'how some file systems say that they cannot'}`, async () => {
      const disk = await diskWithOld((nth) => {
        if (nth === STEPS.indexOf(step) + 1) throw failure(code)
      })
      const saving = save(PATH, NEW, disk)
      if (fails) assert.equal((await stateFailure(saving, PATH)).code, 'save')
      else await saving
    })
  }
})

describe('the folder', () => {
  test('is created with those above it, for its owner alone, also by two runs at once', async (t) => {
    const folder = join(folderOf(t), 'a', 'b', 'c', 'd')
    await Promise.all([prepareFolder(folder), prepareFolder(folder)])
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    chmodSync(folder, 0o750)
    await prepareFolder(folder)
    assert.equal(statSync(folder).mode & 0o777, 0o750, 'one that exists stays as it is')
  })

  for (const [what, below, code] of [
    ['is a file', '', 'EEXIST'],
    ['is below a file', 'below', 'ENOTDIR'],
    ['is far below a file', 'far/below', 'ENOTDIR'],
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
