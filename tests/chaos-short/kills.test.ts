/** Any process is killed every two seconds while events flow: none is lost, hardly one is handled twice, and order is kept. */
import { expect, test } from 'vitest';
import { Fleet } from '../acceptance/failures/fleet.ts';
import { describeKills, killsUnderLoad } from '../acceptance/failures/kills-under-load.ts';
import { pythonEnvironment } from '../helpers/python.ts';

test('fifteen seconds of kills under 1,500 events in both languages', { timeout: 180_000 }, async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  await using fleet = await Fleet.start(MOTIA_PYTHON);
  // With this seed every role is killed at least once, and workers of both languages in the middle of runs.
  const outcome = await killsUnderLoad(fleet, {
    victim: 'process',
    everyMs: 2_000,
    events: 1_500,
    seconds: 15,
    seed: 656,
  });
  console.log(describeKills(outcome));
  expect(outcome).toMatchObject({ lost: [], outOfOrder: [], waiting: { events: 0, dead: 0 } });
  expect(outcome.acked).toBeGreaterThanOrEqual(1_500);
  expect(outcome.doubles).toBeLessThan(outcome.completed / 100);
  expect(Object.keys(outcome.answers).filter((answer) => !['200', '502', '503', 'cut'].includes(answer))).toEqual([]);
});
