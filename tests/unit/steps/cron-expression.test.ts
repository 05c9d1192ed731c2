/** Cron expressions and time zones: what is taken, and what is said about the rest. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createSchedule } from '../../../shared/schedule.ts';
import { validateConfig } from '../../../shared/steps/config-schema.ts';
import { explainCron, explainTimezone } from '../../../shared/steps/cron-expression.ts';

interface Example {
  text: string;
  error: string | null;
}

const { expressions, timezones } = JSON.parse(
  readFileSync(new URL('../../../shared/protocol/golden/cron.json', import.meta.url), 'utf8'),
) as { expressions: Example[]; timezones: Example[] };

test.each(expressions)('the expression "$text"', ({ text, error }) => {
  expect(explainCron(text) ?? null).toBe(error);
  if (error === null) expect(createSchedule({ cron: text, timezone: 'UTC' }).next(0)).toBeGreaterThan(0);
  else expect(() => createSchedule({ cron: text, timezone: 'UTC' })).toThrow(error);
});

test.each(timezones)('the time zone "$text"', ({ text, error }) => {
  expect(explainTimezone(text) ?? null).toBe(error);
});

const cron = { type: 'cron', name: 'c', cron: '* * * * *', emits: [] };
test.each([
  [{ ...cron, cron: '61 * * * *' }, 'cron', 'Expected a minute from 0 to 59, and not "61"'],
  [
    { ...cron, timezone: 'Mars' },
    'timezone',
    'Expected the name of a time zone, such as Europe/Berlin, and not "Mars"',
  ],
  [{ ...cron, missed: 'later' }, 'missed', 'Invalid option: expected one of "skip"|"catchUp"'],
  [{ ...cron, overlap: 'yes' }, 'overlap', 'Invalid input: expected boolean, received string'],
])('a config with a mistake names the key: %o', (config, path, message) => {
  expect(validateConfig(config)).toEqual({ ok: false, issues: [{ path, message }] });
});

test('a config may have all keys of a cron step', () => {
  expect(validateConfig({ ...cron, timezone: 'Asia/Tokyo', missed: 'catchUp', overlap: true })).toEqual({ ok: true });
});
