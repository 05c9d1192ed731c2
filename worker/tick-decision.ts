/**
 * What becomes of a tick that a worker was given: the one place that decides it. Pure.
 *
 * The broker may hand out a tick again, and two schedulers that both take themselves for the leader may store it twice. So a
 * run is entered in the record of its step before it begins, and again when it has ended:
 *
 * | the record says of this tick | the message is | the tick |
 * | --- | --- | --- |
 * | nothing, and of no later one | new | runs, unless it is too late or another run goes on (below) |
 * | nothing, but of a later one | new | was dealt with long ago: dropped |
 * | ended | any | is done: dropped |
 * | begun once, not ended | the same | was cut off with its worker: runs once more |
 * | begun twice, not ended | the same | may end its workers: dropped |
 * | begun, not ended | another | is somebody's: dropped |
 */
import { type CronRun, LATE_MS, type Tick } from '../shared/broker/cron-store.ts';
import type { StepEntry } from '../shared/steps/manifest.ts';

/** So long a tick waits for an earlier run to end; and so long for a worker, if a later tick waits, too. */
const PATIENCE_MS = 1_000;
const MOST_TIMES = 2;

export interface TakenTick extends Tick {
  /** When the broker stored it, ms since 1970. */
  storedAt: number;
  /** Further ticks of the step that wait. */
  behind: number;
}

/** Why a tick does not run. `done` is nothing to speak of. */
export type Dropped = 'done' | 'cut off twice' | 'too late' | 'still running' | 'later one waits';
export type TickDecision = { run: true; times: number } | { run: false; why: Dropped };

/** Decides on a tick by the step's earlier runs. */
export function decideTick(
  taken: TakenTick,
  runs: readonly CronRun[],
  { missed = 'skip', overlap = false }: Pick<StepEntry, 'missed' | 'overlap'>,
  now: number,
): TickDecision {
  const { seq, tick, manual, storedAt, behind } = taken;
  const known = runs.find((run) => run.seq === seq || (!manual && !run.manual && run.tick === tick));
  if (known) {
    if (known.endedAt !== undefined || known.seq !== seq) return drop('done');
    return known.times < MOST_TIMES ? { run: true, times: known.times + 1 } : drop('cut off twice');
  }
  if (manual) return { run: true, times: 1 };
  // Runs that may overlap may also begin in another order.
  const newest = Math.max(0, ...runs.filter((run) => !run.manual).map((run) => run.tick));
  if (tick < newest - (overlap ? LATE_MS : 0)) return drop('done');
  // The broker hands out nothing while a run goes on: one that is not known to have ended goes on no more.
  const isLong = ({ startedAt, endedAt = 0 }: CronRun) => startedAt <= tick && endedAt - tick > PATIENCE_MS;
  if (!overlap && runs.some(isLong)) return drop('still running');
  if (missed === 'skip') {
    if (now - tick > LATE_MS) return drop('too late');
    if (behind > 0 && now - storedAt > PATIENCE_MS) return drop('later one waits');
  }
  return { run: true, times: 1 };
}

const drop = (why: Dropped): TickDecision => ({ run: false, why });
