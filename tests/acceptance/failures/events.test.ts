/** Events from emit to dead letter: retried with growing waits, stored once, never dropped in silence. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningCli } from '../../helpers/cli.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type Cluster, startCluster } from './cluster.ts';

let cluster: Cluster;
let worker: RunningCli;
beforeAll(async () => {
  cluster = await startCluster(0);
  worker = await cluster.startWorker();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const attemptsOf = async (wanted: string) => (await cluster.facts('fail started')).filter(({ id }) => id === wanted);

test('four attempts with growing waits, then a dead letter with payload, error and attempts', async () => {
  const event = { id: 'always', how: 'throw', times: 99 };
  await cluster.emit('fail', [event]);
  const letters = await waitFor(
    async () => {
      const found = await cluster.deadLetters();
      return found.length > 0 ? found : undefined;
    },
    { within: 20_000, every: 100 },
  );
  const attempts = await attemptsOf('always');
  expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
  const waits = attempts.slice(1).map(({ at }, i) => at - (attempts[i]?.at ?? 0));
  const failures = worker.logs({ action: 'run_failed', traceId: attempts[0]?.traceId });
  const planned = failures.map(({ retryInMs }) => retryInMs);
  for (const [i, least] of [800, 1_600, 3_200].entries()) {
    expect(waits[i]).toBeGreaterThanOrEqual(least - 20);
    expect(planned[i]).toBeLessThanOrEqual(least * 1.5);
  }
  expect(new Set(attempts.map(({ traceId }) => traceId)).size).toBe(1);
  expect(letters).toMatchObject([
    { subject: cluster.names.dead('Fail'), body: event, attempt: 4, error: { message: 'attempt 4 of always fails' } },
  ]);
  expect(letters[0]?.error.stack).toContain('fail.step.ts');
  await sleep(500);
  expect(await attemptsOf('always')).toHaveLength(4);
});

test('a NonRetriableError makes a dead letter at once', async () => {
  await cluster.emit('fail', [{ id: 'permanent', how: 'permanent', times: 99 }]);
  const letter = await waitFor(async () =>
    (await cluster.deadLetters()).find(({ error }) => error.name === 'NonRetriableError'),
  );
  expect(letter).toMatchObject({ attempt: 1, error: { message: 'no use in trying again' } });
  await sleep(1_500);
  expect(await attemptsOf('permanent')).toHaveLength(1);
});

test('what a run emits again when it runs again is stored once', async () => {
  const before = await storedEvents();
  await cluster.emit('fail', [{ id: 'emits', how: 'emit', times: 2 }]);
  await cluster.waitForFacts('fail ended', 1, 10_000);
  expect((await attemptsOf('emits')).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  const worked = async () =>
    (await cluster.facts('work ended')).map(({ id }) => id).filter((id) => id.startsWith('emits'));
  await waitFor(async () => (await worked()).length >= 3);
  await sleep(300);
  expect((await worked()).sort()).toEqual(['emits 1', 'emits 2', 'emits 2']); // the handler emits one of them twice on purpose
  // The event itself, its two retries, and three that it emitted.
  expect((await storedEvents()) - before).toBe(6);
});

/** How many messages the broker has ever stored as events. */
async function storedEvents(): Promise<number> {
  return (await cluster.broker.jsm.streams.info(cluster.names.streams.events)).state.last_seq;
}

test('emits that nobody awaits are stored before the answer, and one to an undeclared topic is an error in the log', async () => {
  const before = await storedEvents();
  expect((await cluster.gateway.fetch('/forget', { method: 'POST' })).status).toBe(200);
  expect((await storedEvents()) - before).toBe(3_000); // more than the broker stores on the way of an answer
  const line = await worker.waitForLog({ action: 'undeclared_topic' });
  expect(line).toMatchObject({ level: 'error', topic: 'undeclared', step: 'Forget' });
  expect(line.msg).toContain('src/forget.step.ts');
  await waitFor(
    async () => (await cluster.facts('work ended')).filter(({ id }) => id.startsWith('forgotten')).length === 3_000,
  );
});

test('an event that is no JSON is a dead letter at once, and holds up nobody', async () => {
  cluster.broker.nc.publish(cluster.names.event('work'), '{not json');
  await cluster.emit('work', [{ id: 'after the bad one', ms: 0 }]);
  await waitFor(async () => (await cluster.facts('work ended')).some(({ id }) => id === 'after the bad one'));
  const stream = cluster.names.streams.dead;
  const letter = await waitFor(() =>
    cluster.broker.jsm.streams.getMessage(stream, { last_by_subj: cluster.names.dead('Work') }),
  );
  expect(letter.string()).toBe('{not json');
  expect(decodeURIComponent(letter.header.get('Motia-Error'))).toContain('not JSON');
});

test('a hundred that wait for their retry hold up none that is healthy', async () => {
  const failing = Array.from({ length: 100 }, (_, i) => ({ id: `many ${i}`, how: 'throw', times: 1 }));
  await cluster.emit('fail', failing);
  await cluster.emit('fail', [{ id: 'healthy', how: 'none', times: 0 }]);
  const ofThese = async () =>
    (await cluster.facts('fail ended')).filter(({ id }) => id === 'healthy' || id.startsWith('many'));
  await waitFor(async () => (await ofThese()).length === 101, { within: 15_000 });
  const ended = await ofThese();
  const place = ended.findIndex(({ id }) => id === 'healthy');
  expect(place, 'it was emitted last').toBeLessThan(50);
  expect(ended.toSpliced(place, 1).every(({ attempt }) => attempt === 2)).toBe(true);
});
