/** The server that leads the events of a cluster of three is killed under load: nothing acknowledged is lost, and everything goes on. */
import { expect, test } from 'vitest';
import { describeLosses, loseLeaders, ReplicatedApp } from '../acceptance/failures/leader-loss.ts';
import { pythonEnvironment } from '../helpers/python.ts';

test('kill -9 of the leader of EVENTS at 25 calls/s', { timeout: 180_000 }, async (context) => {
  const python = await pythonEnvironment(context);
  await using app = await ReplicatedApp.start(python);
  const outcome = await loseLeaders(app, { victims: ['events'], calmMs: 5_000, downMs: 15_000, perSecond: 25 });
  console.log(describeLosses(outcome));
  expect(outcome).toMatchObject({ lostValues: [], lostEvents: [], dead: 0 });
  // Acknowledgements that were on their way to the server.
  expect(outcome.doubles).toBeLessThan(outcome.runs / 20);
  const failed = Object.keys(outcome.answers).filter((answer) => !answer.endsWith(' 200'));
  // Those that nobody may run twice; all others ride it out.
  expect(failed.filter((answer) => !/^mark( python)? (502|503)$/.test(answer))).toEqual([]);
  const [round] = outcome.rounds;
  // An election takes up to nine seconds, and on a busy machine some need two.
  for (const step of ['Count', 'CountPython']) expect(round?.runGapMs[step], step).toBeLessThan(20_000);
});
