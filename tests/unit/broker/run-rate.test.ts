/** When runs of a step with a rate limit may start. */
import { expect, test } from 'vitest';
import { planStarts } from '../../../shared/broker/run-rate.ts';

const NOW = 1_000_000;

test.each([
  ['the first one may start now', 0, 1, 100, [0], 100],
  ['the others follow, evenly spread', 0, 3, 100, [0, 100, 200], 300],
  ['after those that are given out already', 250, 2, 100, [250, 350], 450],
  ['a pause saves nothing up', -60_000, 2, 100, [0, 100], 200],
  ['no more than a second ahead', 0, 10, 400, [0, 400, 800], 1_200],
  ['none if the next one is further away', 1_001, 5, 100, [], 1_001],
  ['as far away as a worker whose clock is ahead may have left it', 2_100, 1, 100, [], 2_100],
  ['what a stricter limit has left does not count', 3_600_000, 2, 100, [0, 100], 200],
  ['less than a millisecond apart', 0, 3, 0.25, [0, 0.25, 0.5], 0.75],
])('%s', (_, next, wanted, spacingMs, at, then) => {
  expect(planStarts(NOW + next, NOW, wanted, spacingMs)).toEqual({ at: at.map((ms) => NOW + ms), next: NOW + then });
});
