import { expect, test } from 'vitest';
import { waitBefore } from '../../../stream-client/src/backoff.ts';

const waits = (addresses: number, random: number) =>
  Array.from({ length: 20 }, (_, failures) => waitBefore(failures, addresses, { first: 100, most: 1_000 }, random));

test('the wait doubles up to a limit, and its upper half is left to chance', () => {
  expect(waits(1, 1).slice(0, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  expect(waits(1, 0).slice(0, 6)).toEqual([50, 100, 200, 400, 500, 500]);
});

test('with several addresses it doubles when all were tried', () => {
  expect(waits(3, 1).slice(0, 9)).toEqual([100, 100, 100, 200, 200, 200, 400, 400, 400]);
});

test('it stays below its limit for ever', () => {
  expect(waitBefore(1e9, 1, {}, 1)).toBe(30_000);
  expect(waitBefore(0, 1, {}, 0.5)).toBe(187.5);
});
