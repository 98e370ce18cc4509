import { LOGS } from '../../src/log/logs.ts'
import type { Owner, Saved } from '../../src/state/format.ts'
import { emptyState } from '../../src/state/state.ts'

const T = 1_764_000_000

export const OWNER: Owner = { tokenTeamId: 'T0EXAMPLE1', requestedTeamId: undefined, log: LOGS.access }

/** A state in which each part is filled. */
export const FULL: Saved = {
  at: '2026-11-05T09:00:00.000Z',
  state: {
    watermark: T,
    since: T - 90 * 86_400,
    longestRowSeconds: 40_000,
    gaps: [
      { top: T - 100, floor: T - 7300 },
      { top: T - 9000, floor: Number.NEGATIVE_INFINITY },
    ],
    seen: new Map([
      ['a', { time: T, began: T - 9 }],
      ['__proto__', { time: T - 5, began: T - 5 }],
    ]),
  },
  undelivered: { reader: { pid: 7, started: '12345', boot: 'b' }, state: emptyState(T - 90 * 86_400) },
}

/** A state without a bound, saved without a reader. */
export const BARE: Saved = { at: '', state: emptyState() }
