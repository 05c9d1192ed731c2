/** Texts of the Workbench: schedules in words, JSON that is typed. */
import { expect, test } from 'vitest';
import { inLine, parseText } from '../../../workbench/src/lib/json-text.ts';
import { scheduleText } from '../../../workbench/src/screens/cron/schedule-text.ts';

test.each([
  ['0 3 * * *', 'At 03:00'],
  ['@daily', 'At 00:00'],
  ['*/10 * * * * *', 'Every 10 seconds'],
  ['nonsense', undefined],
])('%s in words', (expression, words) => expect(scheduleText(expression)).toBe(words));

test('JSON that is typed is a value, or it is said what is wrong', () => {
  expect(parseText(' [1] ')).toEqual({ value: [1] });
  expect(parseText('')).toEqual({ error: expect.stringContaining('null') });
  expect(parseText('{')).toEqual({ error: expect.stringContaining('not JSON') });
  expect(inLine('x'.repeat(10), 5)).toBe('"xxxx…');
});
