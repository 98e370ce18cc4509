import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type History, makeHistory, smaller } from './history.ts'
import { play } from './play.ts'

/*
 * Each seed is a history: a Slack with an order, a paging, a filter and caps of its own, a workspace that lives, and runs
 * that meet limits, faults and power cuts between any two of their steps. A history that breaks a promise is cut down and printed.
 * SIMULATION_HISTORIES=20000 plays more of them; SIMULATION_SEED=123 plays that one alone.
 *
 * Mutants that were tried, and the first seed that caught each:
 *
 *   stop at the first entry whose own time is old         lost, seed 2
 *   watermark from the wall clock at the end of the run   lost, seed 4
 *   watermark from every page, not only the first         printed twice, seed 2
 *   floor compared with date_first                        lost, seed 1
 *   > instead of >= where `seen` is bounded               printed twice, seed 25
 *   state saved while the last chunk is still on its way  a damaged state, seed 12
 *   advance over a cut walk; no gap after an error        lost, seed 2
 *   `before` pinned to the start while rows move          lost, seed 564
 *   pages turned below a `before` instead of rolled down  lost, seed 130
 *   no overlap; an overlap of half an hour                lost, seed 2
 *   `seen` keyed by row, not by state                     lost, seed 1
 *   ids at the boundary of a gap forgotten                printed twice, seed 2
 *   ids printed before a gap was left forgotten           printed twice, seed 2
 *   an entry at a boundary printed for both stretches     lost or printed twice, seeds 2 and 260
 *   bounds of the own time only                           lost, seed 2
 *   a jump to a gap where `before` may hide rows          lost, seed 31
 *   a doubt that is not said                              lost, seed 31
 *   an empty page taken for the end                       lost, seed 4
 *   entries met again taken as evidence of disorder       printed twice, seed 345
 *   state written in place; no fsync of file or folder    damaged or printed twice, seeds 1 and 5
 *
 * Harmless here, and so left to unit tests: stopping at one low entry where the order is known, > at the floor (the
 * overlap covers both), no check below a listing that ends exactly at page 100.
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

/** Makes the history as small as it goes on failing, and says how to see it again. */
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
    `seed ${history.seed}: ${broken}\nreplay: SIMULATION_SEED=${history.seed} npm test\nsmallest: ${JSON.stringify(least)}: ${why}`,
  )
}
