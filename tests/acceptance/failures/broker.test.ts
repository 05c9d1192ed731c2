/** The broker is killed and started again, at random moments, under load: nothing that was acknowledged is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';
import { crashUnderLoad } from './crash-under-load.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(2);
});
afterAll(() => cluster[Symbol.asyncDispose]());

test('three crashes under 32 publishers: every acknowledged event is handled, and everything serves again', async () => {
  const { acked, handled, statuses } = await crashUnderLoad(cluster, { kills: 3, events: 5_000, publishers: 32 });
  expect(acked.size).toBeGreaterThanOrEqual(5_000);
  expect([...acked].filter((id) => !handled.has(id))).toEqual([]);
  // A caller hears the truth: stored, or outcome unknown, or nobody there. Never anything else, and never nothing.
  expect([...statuses.keys()].filter((status) => ![200, 502, 503].includes(status))).toEqual([]);
  expect((await cluster.gateway.fetch('/quick')).status).toBe(200);
  expect((await cluster.gateway.fetch('/slow?id=after&ms=0', { method: 'POST' })).status).toBe(200);
});

test('calls under way when the broker dies: the outcome of unsafe ones is unknown, safe ones are had again', async () => {
  const unsafe = cluster.gateway.fetch('/slow?id=under way&ms=4000', { method: 'POST' });
  const safe = cluster.gateway.fetch('/slow?id=under way&ms=400');
  await Promise.all([cluster.waitForFacts('get started', 1), cluster.waitForFacts('post started', 1)]);
  await cluster.server.kill('SIGKILL');
  expect((await unsafe).status).toBe(502); // while there is no broker yet
  await sleep(800); // the answer to the safe one is lost meanwhile
  await cluster.server.restart();
  expect((await safe).status).toBe(200);
  expect((await cluster.facts('post started')).filter(({ id }) => id === 'under way')).toHaveLength(1);
});

test('a crash while a handler runs for long: it goes on, and its event is done once', async () => {
  await cluster.emit('work', [{ id: 'long', ms: 4_000 }]);
  await cluster.waitForFacts('work started', 1);
  await cluster.server.kill('SIGKILL');
  await cluster.server.restart();
  const ended = async () => (await cluster.facts('work ended')).filter(({ id }) => id === 'long');
  await expect.poll(async () => (await ended()).length, { timeout: 20_000 }).toBe(1);
});
