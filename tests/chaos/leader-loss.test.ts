/** The long form of the test of lost leaders: whoever leads the events, the calls and the state is killed, each three times. */
import { expect, test } from 'vitest';
import { describeLosses, loseLeaders, ReplicatedApp } from '../acceptance/failures/leader-loss.ts';
import { pythonEnvironment } from '../helpers/python.ts';

test('nine kills of leaders at 50 calls/s: nothing acknowledged is lost', { timeout: 600_000 }, async (context) => {
  const python = await pythonEnvironment(context);
  await using app = await ReplicatedApp.start(python);
  const victims = (['events', 'requests', 'state'] as const).flatMap((victim) => [victim, victim, victim]);
  const outcome = await loseLeaders(app, { victims, calmMs: 10_000, downMs: 15_000, perSecond: 50 });
  console.log(describeLosses(outcome));
  expect(outcome).toMatchObject({ lostValues: [], lostEvents: [], dead: 0 });
  expect(outcome.doubles).toBeLessThan(outcome.runs / 100);
  const odd = Object.keys(outcome.answers).filter((answer) => !/ (200|502|503|cut)$/.test(answer));
  expect(odd).toEqual([]);
});
