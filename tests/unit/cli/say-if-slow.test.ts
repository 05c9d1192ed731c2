import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sayIfSlow } from '../../../cli/say-if-slow.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each([
  [900, []],
  [1_100, ['working']],
])('work of %i ms', async (ms, expected) => {
  const said: string[] = [];
  const done = sayIfSlow('working', new Promise((resolve) => setTimeout(resolve, ms, 7)), (line) => said.push(line));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await done).toBe(7);
  expect(said).toEqual(expected);
});

test('work that fails says nothing more', async () => {
  const said: string[] = [];
  const failed = sayIfSlow('working', Promise.reject(new Error('no')), (line) => said.push(line));
  await expect(failed).rejects.toThrow('no');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(said).toEqual([]);
});
