/** The long form of the test of kills: two minutes of killed processes under 20,000 events, and then of a killed broker. */
import { expect, test } from 'vitest';
import { Fleet } from '../acceptance/failures/fleet.ts';
import { describeKills, type KillOptions, killsUnderLoad } from '../acceptance/failures/kills-under-load.ts';
import { pythonEnvironment } from '../helpers/python.ts';

const EVENTS = 20_000;
const SECONDS = 120;

test('any process is killed every 2 s while 20,000 events flow: less than 1 % is completed twice', async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  const outcome = await kills(MOTIA_PYTHON, { victim: 'process', everyMs: 2_000 });
  expect(outcome.doubles).toBeLessThan(outcome.completed / 100);
});

// It comes back with the acknowledgements of its last moments forgotten: what was done by then may be done again.
test('the broker is killed every 6 s while 20,000 events flow: what is completed twice is only counted', async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  await kills(MOTIA_PYTHON, { victim: 'broker', everyMs: 6_000 });
});

/** Nothing is lost, out of order or left. */
async function kills(python: string, options: Pick<KillOptions, 'victim' | 'everyMs'>) {
  await using fleet = await Fleet.start(python);
  const outcome = await killsUnderLoad(fleet, { ...options, events: EVENTS, seconds: SECONDS });
  console.log(describeKills(outcome));
  expect(outcome).toMatchObject({ lost: [], outOfOrder: [], waiting: { events: 0, dead: 0 } });
  expect(outcome.acked).toBeGreaterThanOrEqual(EVENTS);
  expect(Object.keys(outcome.answers).filter((answer) => !['200', '502', '503', 'cut'].includes(answer))).toEqual([]);
  return outcome;
}
