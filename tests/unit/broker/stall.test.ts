/** A process that stood still distrusts what it finds in its buffers, and nothing else. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StallWatch } from '../../../shared/broker/stall.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** As if the process had been frozen: time passes, timers do not fire. */
const freeze = (ms: number) => vi.setSystemTime(Date.now() + ms);

function watch() {
  const stalls: number[] = [];
  const stallWatch = new StallWatch((ms) => stalls.push(ms));
  return { stalls, stallWatch };
}

test('a process that runs trusts what arrives, however long nothing did', () => {
  const { stalls, stallWatch } = watch();
  vi.advanceTimersByTime(60_000);
  expect(stallWatch.mayBeStale(10_000)).toBe(false);
  expect(stalls).toEqual([]);
  stallWatch.stop();
});

test.each([
  [1_500, false],
  [3_000, true],
  [3_600_000, true],
])('after %d ms without a sign of life (stale: %s)', (ms, stale) => {
  const { stalls, stallWatch } = watch();
  freeze(ms);
  expect(stallWatch.mayBeStale(10_000)).toBe(stale); // the first message may come before the first timer
  expect(stallWatch.mayBeStale(10_000)).toBe(stale); // and others right after it
  expect(stalls.length).toBe(stale ? 1 : 0);
  stallWatch.stop();
});

test('a stall that a timer notices first counts as well, and what comes later is trusted again', () => {
  const { stalls, stallWatch } = watch();
  freeze(5_000);
  vi.advanceTimersByTime(250);
  expect(stallWatch.mayBeStale(10_000)).toBe(true);
  vi.advanceTimersByTime(500);
  expect(stallWatch.mayBeStale(10_000)).toBe(false);
  expect(stalls).toHaveLength(1);
  stallWatch.stop();
});

test.each([
  [400, false],
  [800, true],
])('with a short ack wait less is too long: after %d ms (stale: %s)', (ms, stale) => {
  const { stalls, stallWatch } = watch();
  freeze(ms);
  expect(stallWatch.mayBeStale(1_000)).toBe(stale);
  expect(stallWatch.mayBeStale(10_000)).toBe(false);
  expect(stalls).toEqual([]);
  vi.advanceTimersByTime(750);
  expect(stallWatch.mayBeStale(1_000)).toBe(false);
  stallWatch.stop();
});
