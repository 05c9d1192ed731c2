/** Which ticks of a cron step are to be fired now: the one place that decides it. Pure. */
import { LATE_MS } from '../shared/broker/cron-store.ts';
import type { Schedule } from '../shared/schedule.ts';

/** Ticks that are fired at a time; further ones come in the next round. */
export const MOST_AT_ONCE = 100;
/** Left out ticks are counted up to here. */
export const MOST_COUNTED = 100;

export interface DueTicks {
  /** In their order. */
  fire: number[];
  /** Left out because they are too late. `count` is no more than {@link MOST_COUNTED}. */
  missed?: { count: number; first: number };
  /** How far the step has come when these are fired. */
  position: number;
}

/**
 * Divides what has become due since the last round. Ticks that are late by a minute at most always count as on time: nobody
 * may have led the schedulers meanwhile.
 * @param position the last tick that was dealt with, or when the step was seen first.
 */
export function dueTicks(schedule: Schedule, position: number, now: number, missed: 'skip' | 'catchUp'): DueTicks {
  const from = missed === 'skip' ? Math.max(position, now - LATE_MS - 1) : position;
  const fire = ticksBetween(schedule, from, now, MOST_AT_ONCE);
  const leftOut = ticksBetween(schedule, position, from, MOST_COUNTED);
  const [first] = leftOut;
  return {
    fire,
    ...(first !== undefined && { missed: { count: leftOut.length, first } }),
    position: fire.at(-1) ?? from,
  };
}

/** The first ticks after `from`, up to `to`. */
function ticksBetween(schedule: Schedule, from: number, to: number, most: number): number[] {
  const ticks: number[] = [];
  for (let tick = schedule.next(from); tick !== undefined && tick <= to; tick = schedule.next(tick)) {
    ticks.push(tick);
    if (ticks.length === most) break;
  }
  return ticks;
}
