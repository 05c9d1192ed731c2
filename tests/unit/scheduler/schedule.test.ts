/** When cron steps are due, also where the clocks change. */
import { describe, expect, test } from 'vitest';
import { createSchedule } from '../../../shared/schedule.ts';

const at = (text: string) => Date.parse(text);
const iso = (tick: number | undefined) =>
  tick === undefined ? 'never' : new Date(tick).toISOString().replace('.000Z', 'Z');

/** The ticks in a span of time, each asked for with the one before: as a scheduler does that never ends. */
function ticks(cron: string, timezone: string, from: string, to: string): string[] {
  const schedule = createSchedule({ cron, timezone });
  const found: string[] = [];
  for (let tick = schedule.next(at(from)); tick !== undefined && tick < at(to); tick = schedule.next(tick)) {
    found.push(iso(tick));
  }
  return found;
}

test.each([
  ['*/20 * * * * *', 'UTC', '2026-01-01T00:00:40Z'],
  ['0 0 * * 7', 'UTC', '2026-01-04T00:00:00Z'],
  ['0 0 * * fri-sun', 'UTC', '2026-01-02T00:00:00Z'],
  ['0 0 * * Monday', 'UTC', '2026-01-05T00:00:00Z'],
  ['0 0 * * 1#2', 'UTC', '2026-01-12T00:00:00Z'],
  ['0 0 1 February *', 'UTC', '2026-02-01T00:00:00Z'],
  ['30 9 * * *', 'Asia/Kolkata', '2026-01-01T04:00:00Z'],
  ['@daily', 'America/New_York', '2026-01-01T05:00:00Z'],
  ['@hourly', 'Asia/Kolkata', '2026-01-01T00:30:00Z'],
  ['@weekly', 'UTC', '2026-01-04T00:00:00Z'],
  ['@monthly', 'UTC', '2026-02-01T00:00:00Z'],
  ['@yearly', 'UTC', '2027-01-01T00:00:00Z'],
  ['0 0 29 2 *', 'UTC', '2028-02-29T00:00:00Z'],
  ['0 0 12 * * * 2027', 'UTC', '2026-01-01T12:00:00Z'],
])('%s in %s', (cron, timezone, first) => {
  expect(iso(createSchedule({ cron, timezone }).next(at('2026-01-01T00:00:20Z')))).toBe(first);
});

test('without a time zone the time of this machine counts', () => {
  expect(createSchedule({ cron: '@daily' }).timezone).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
});

describe('where clocks are put forward and back (Europe/Berlin)', () => {
  test('a daily tick in the hour that is left out comes once, after it', () => {
    const found = ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', '2026-03-31T00:00:00Z');
    expect(found).toEqual(['2026-03-28T01:30:00Z', '2026-03-29T01:30:00Z', '2026-03-30T00:30:00Z']);
  });

  test('a daily tick in the hour that comes twice comes once', () => {
    const found = ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T00:00:00Z', '2026-10-27T00:00:00Z');
    expect(found).toEqual(['2026-10-24T00:30:00Z', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']);
  });

  test.each([
    ['2026-03-29T00:00:00Z', '2026-03-29T04:00:00Z'],
    ['2026-10-24T23:00:00Z', '2026-10-25T04:00:00Z'],
  ])('one of every quarter of an hour is always a quarter of an hour after the last: %s', (from, to) => {
    const found = ticks('*/15 * * * *', 'Europe/Berlin', from, to);
    expect(found).toHaveLength((at(to) - at(from)) / 900_000 - 1);
    for (const [n, tick] of found.entries()) expect(at(tick)).toBe(at(from) + (n + 1) * 900_000);
  });

  test.each([
    ['30 2 * * *', '2026-03-28T23:00:00Z', '2026-03-29T03:00:00Z'],
    ['0,30 2-3 * * *', '2026-03-28T23:00:00Z', '2026-03-29T03:00:00Z'],
    ['15 * * * *', '2026-03-28T23:00:00Z', '2026-03-29T03:00:00Z'],
    ['30 2 * * *', '2026-10-24T23:00:00Z', '2026-10-25T04:00:00Z'],
    ['*/30 1-3 * * *', '2026-10-24T23:00:00Z', '2026-10-25T04:00:00Z'],
    ['*/15 * * * *', '2026-10-24T23:00:00Z', '2026-10-25T04:00:00Z'],
  ])(
    '%s from %s: a scheduler that begins at any minute finds the ticks that one has which never ended',
    (cron, from, to) => {
      const all = ticks(cron, 'Europe/Berlin', from, to);
      const schedule = createSchedule({ cron, timezone: 'Europe/Berlin' });
      for (let now = at(from); now < at(to); now += 60_000) {
        const next = all.find((tick) => at(tick) > now);
        if (next) expect(iso(schedule.next(now)), iso(now)).toBe(next);
      }
    },
  );
});
