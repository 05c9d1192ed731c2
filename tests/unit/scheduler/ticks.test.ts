/** Which ticks are fired now, by how late they are. */
import { expect, test } from 'vitest';
import { dueTicks, MOST_AT_ONCE } from '../../../scheduler/ticks.ts';
import { createSchedule } from '../../../shared/schedule.ts';

const NOON = Date.parse('2026-06-01T12:00:00Z');
const everySecond = createSchedule({ cron: '* * * * * *', timezone: 'UTC' });
const everyMinute = createSchedule({ cron: '* * * * *', timezone: 'UTC' });
const never = { timezone: 'UTC', next: () => undefined };

const seconds = (from: number, count: number) => Array.from({ length: count }, (_, n) => NOON + (from + n) * 1_000);

test.each(['skip', 'catchUp'] as const)('what became due since the last round is fired (%s)', (missed) => {
  expect(dueTicks(everySecond, NOON, NOON + 999, missed)).toEqual({ fire: [], position: NOON });
  expect(dueTicks(everySecond, NOON, NOON + 1_000, missed)).toEqual({ fire: seconds(1, 1), position: NOON + 1_000 });
  expect(dueTicks(everySecond, NOON, NOON + 4_500, missed)).toEqual({ fire: seconds(1, 4), position: NOON + 4_000 });
  expect(dueTicks(never, NOON, NOON + 4_500, missed)).toEqual({ fire: [], position: NOON });
});

test('a clock that is set back fires nothing again', () => {
  expect(dueTicks(everySecond, NOON, NOON - 5_000, 'skip')).toEqual({ fire: [], position: NOON });
});

test('what is a minute late is fired, what is later is left out and counted', () => {
  const due = dueTicks(everySecond, NOON, NOON + 90_000, 'skip');
  expect(due.fire).toEqual(seconds(30, 61));
  expect(due).toMatchObject({ missed: { count: 29, first: NOON + 1_000 }, position: NOON + 90_000 });
});

test('left out ticks move the position on, so that they are told once', () => {
  const due = dueTicks(everyMinute, NOON, NOON + 100_000_000, 'skip');
  expect(due.missed).toEqual({ count: 100, first: NOON + 60_000 });
  expect(dueTicks(everyMinute, due.position, NOON + 100_000_001, 'skip')).not.toHaveProperty('missed');
});

test('a step that catches up gets all of them, some at a time', () => {
  const fired: number[] = [];
  let position = NOON;
  for (let round = 0; round < 3; round++) {
    const due = dueTicks(everySecond, position, NOON + 250_000, 'catchUp');
    expect(due.fire.length).toBeLessThanOrEqual(MOST_AT_ONCE);
    fired.push(...due.fire);
    position = due.position;
  }
  expect(fired).toEqual(seconds(1, 250));
  expect(position).toBe(NOON + 250_000);
});
