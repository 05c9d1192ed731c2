/** Handlers that hold up their thread, exit, throw where nobody awaits, or eat memory: only their own run fails, and others notice nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningCli } from '../../helpers/cli.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type Cluster, startCluster } from './cluster.ts';

let cluster: Cluster;
let worker: RunningCli;
beforeAll(async () => {
  cluster = await startCluster(0);
  worker = await cluster.startWorker({ MOTIA_THREADS: '2' });
  await cluster.gateway.fetch('/quick');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const misbehave = (how: string, ms = 0) => cluster.gateway.fetch(`/misbehave/${how}?ms=${ms}`, { method: 'POST' });

/** Calls `/quick` again and again until told to stop. @returns how long each call took, in ms; all were answered with 200. */
function neighbours(): () => Promise<number[]> {
  let going = true;
  const times: number[] = [];
  const calling = Array.from({ length: 4 }, async () => {
    while (going) {
      const started = performance.now();
      expect((await cluster.gateway.fetch('/quick')).status).toBe(200);
      times.push(performance.now() - started);
      await sleep(5);
    }
  });
  const calls = Promise.all(calling);
  calls.catch(() => {}); // told by who stops them, if the test gets there
  return async () => {
    going = false;
    await calls;
    return times;
  };
}

/** Nobody waited for longer than it takes to notice a handler that holds up its thread, and to start a thread beside it. */
function expectUndisturbed(times: number[]): void {
  expect(times.length).toBeGreaterThan(10);
  expect(Math.max(...times)).toBeLessThan(7_500); // who had to wait for such a handler would wait for longer
}

test('three that hold up their thread for 8 s, with two threads: neighbours are answered, and so are they', async () => {
  const stop = neighbours();
  const responses = await Promise.all([1, 2, 3].map(() => misbehave('block', 8_000)));
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
  expectUndisturbed(await stop());
});

test('three that do so for ever, with two threads: they are ended with 500, and threads are replaced', async () => {
  const stop = neighbours();
  const responses = await Promise.all([1, 2, 3].map(() => misbehave('forever')));
  expect(responses.map(({ status }) => status)).toEqual([500, 500, 500]); // the deadline would be a 504
  expectUndisturbed(await stop());
  const reason = await worker.waitForLog({ action: 'request_failed' });
  expect(JSON.stringify(reason)).toContain('it blocked its thread for more than 10 s');
});

test.each(['exit', 'exit-later', 'timer', 'unhandled'])('%s: 500 at once, and nobody else notices', async (how) => {
  const stop = neighbours();
  const started = Date.now();
  const [response, sibling] = await Promise.all([misbehave(how), cluster.gateway.fetch(`/slow?id=${how}&ms=400`)]);
  expect([response.status, sibling.status]).toEqual([500, 200]);
  expect(await response.json()).toEqual({ error: 'Internal server error', errorId: expect.any(String) });
  expect(Date.now() - started).toBeLessThan(5_000); // for which the handler itself goes on
  await sleep(200);
  expectUndisturbed(await stop());
  expect(await worker.processes()).toHaveLength(1);
});

test('one that eats memory until its thread dies: it fails, and the process lives', async () => {
  await worker.stop();
  worker = await cluster.startWorker({ MOTIA_THREADS: '2', NODE_OPTIONS: '--max-old-space-size=128' });
  const stop = neighbours();
  const response = await misbehave('allocate');
  expect([500, 502]).toContain(response.status); // which run it was cannot be told for sure
  await stop();
  expect((await cluster.gateway.fetch('/quick')).status).toBe(200);
  expect((await worker.waitForLog({ action: 'thread_ended' })).msg).toContain('memory');
  expect(await worker.processes()).toHaveLength(1);
});

test('events: each fails alone, by its own rules, while 50 others are done', async () => {
  const ways = ['exit', 'timer', 'forever'];
  await cluster.emit(
    'fail',
    ways.map((how) => ({ id: `once ${how}`, how, times: 1 })),
  );
  await cluster.emit(
    'work',
    Array.from({ length: 50 }, (_, i) => ({ id: `beside ${i}`, ms: 100 })),
  );
  const beside = async () => (await cluster.facts('work ended')).filter(({ id }) => id.startsWith('beside'));
  await waitFor(async () => (await beside()).length === 50);
  const ended = await cluster.waitForFacts('fail ended', ways.length, 20_000);
  expect(new Set(ended.map(({ id, attempt }) => `${id} ${attempt}`))).toEqual(
    new Set(ways.map((how) => `once ${how} 2`)),
  );
  const started = (await cluster.facts('work started')).filter(({ id }) => id.startsWith('beside'));
  expect(started.map(({ attempt }) => attempt)).toEqual(started.map(() => 1));
});

test('the handler timeout: its run is ended and retried, and what it does later is refused', async () => {
  await cluster.emit('limited', [{ id: 'l' }]);
  const refused = await cluster.waitForFacts('limited refused', 1);
  const [first, second] = await cluster.facts('limited started');
  expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(1_500); // a second of timeout, and the wait before a retry
  expect(refused).toMatchObject([{ attempt: 1, code: 'RUN_OVER' }]);
  expect(await cluster.facts('limited aborted')).toMatchObject([{ attempt: 1 }]);
  expect(await cluster.facts('limited written')).toMatchObject([{ attempt: 2 }]);
  const { value } = (await (await cluster.gateway.fetch('/state/limited/l')).json()) as { value: number };
  expect(value).toBe(2);
  await worker.waitForLog(({ action, err }) => action === 'run_failed' && JSON.stringify(err).includes('RUN_TIMEOUT'));
});

test('a client that goes away: its handler is told', async () => {
  const abort = new AbortController();
  const call = cluster.gateway
    .fetch('/slow?id=left&ms=3000', { method: 'POST', signal: abort.signal })
    .catch(() => 'gone');
  await waitFor(async () => (await cluster.facts('post started')).some(({ id }) => id === 'left'));
  abort.abort();
  expect(await call).toBe('gone');
  const aborted = await cluster.waitForFacts('post aborted', 1);
  expect(aborted).toMatchObject([{ id: 'left' }]);
});
