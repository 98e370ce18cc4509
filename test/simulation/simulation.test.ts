import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type History, makeHistory, smaller } from './history.ts'
import { play } from './play.ts'

/*
 * Each seed is a history: a Slack with an order, a paging, a filter and caps of its own, a workspace that lives, and runs
 * that meet limits, faults and power cuts between any two of their steps. A history that breaks a promise is cut down and printed.
 * SIMULATION_HISTORIES=20000 plays more of them; SIMULATION_SEED=123 plays that one alone.
 *
 * Faults that were put into the source one at a time, and the first of the 1,200 seeds that found each:
 *
 *   An empty page is taken for the end.                                lost, seed 22
 *   The floor is compared with date_first.                             lost, seed 1
 *   The overlap is missing, or is half an hour.                        lost, seed 2
 *   The watermark is the clock at the end of the run.                  state too large, seed 1
 *   The watermark is taken from every page, not only the first.        lost, seed 262
 *   The watermark is taken from the last page.                         state too large, seed 117
 *   `seen` is keyed by row, not by state.                              lost, seed 1
 *   `seen` has no floor.                                               state too large, seed 1
 *   `seen` is bounded with > instead of >=.                            printed twice, seed 158
 *   What lies near a gap is not remembered.                            printed twice, seed 2
 *   A limit leaves no gap.                                             lost, seed 2
 *   An error leaves no gap.                                            lost, seed 26
 *   What a limit leaves to a later run is remembered as printed.       lost, seed 2
 *   An entry left by one time field only is left to a later run.       lost, seed 921
 *   An entry left by one time field only is not printed.               lost, seed 656
 *   An entry shown again by a listing counts again for its anchor.     not complete, seed 418
 *   Pages below a `before` are turned, not asked for one by one.       lost, seed 744
 *   A jump to a gap does not lower the anchor.                         not complete, seed 215
 *   A jump to a gap does not count as going below.                     lost, seed 218
 *   A walk below page 100 does not count as going below.               lost, seed 3
 *   The doubt of a walk that went below is not said.                   lost, seed 3
 *   The state is written in place, or its file is not synced.          damaged, seed 1
 *   The folder of the state is not synced.                             printed twice, seed 5
 *
 * These were not found by the 1,200 seeds, so unit tests in collect, plan, order and walk hold them: a jump without
 * proof (it is said, so the run is not called complete), the rule for entries of different pages, entries met before as
 * evidence of the order, the watermark where the first page is empty, a gap struck out before the walk has come to it, a
 * page that is not wholly under the floor.
 */

const HISTORIES = Number(process.env['SIMULATION_HISTORIES'] ?? 1200)
const FIRST_SEED = Number(process.env['SIMULATION_SEED'] ?? 1)
const LAST_SEED = process.env['SIMULATION_SEED'] ? FIRST_SEED : HISTORIES

test(`over the histories of seeds ${FIRST_SEED} to ${LAST_SEED}, nothing is lost and nothing is repeated`, async () => {
  for (let seed = FIRST_SEED; seed <= LAST_SEED; seed += 1) {
    const broken = await outcome(makeHistory(seed))
    if (broken) await fail(makeHistory(seed), broken)
  }
})

async function outcome(history: History): Promise<string | undefined> {
  return play(history).catch((error: unknown) =>
    error instanceof Error ? (error.stack ?? error.message) : 'threw',
  )
}

/** Makes the history as small as it can be while it still fails, and says how to play it alone. */
async function fail(history: History, broken: string): Promise<never> {
  let least = history
  let why = broken
  search: for (;;) {
    for (const candidate of smaller(least)) {
      const still = await outcome(candidate)
      if (!still) continue
      least = candidate
      why = still
      continue search
    }
    break
  }
  assert.fail(
    `seed ${history.seed}: ${broken}
replay: SIMULATION_SEED=${history.seed} node --import tsx --test test/simulation/simulation.test.ts
smallest: ${JSON.stringify(least)}: ${why}`,
  )
}
