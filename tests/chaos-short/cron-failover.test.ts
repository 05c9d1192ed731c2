/** Schedulers and workers that are killed or frozen: each tick runs once, and a failover loses none. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ACK_WAIT_MS } from '../../shared/broker/consumers.ts';
import { publishStored } from '../../shared/broker/publish.ts';
import { type CronCluster, startCronCluster } from '../acceptance/cron/cluster.ts';
import type { RunningCli } from '../helpers/cli.ts';
import { waitFor } from '../helpers/wait-for.ts';

let cluster: CronCluster;
beforeEach(async () => {
  cluster = await startCronCluster();
});
afterEach(() => cluster[Symbol.asyncDispose]());

/** Two schedulers, the first of which leads. */
async function twoSchedulers(): Promise<[leader: RunningCli, other: RunningCli]> {
  const leader = await cluster.start('scheduler');
  await leader.waitForLog({ action: 'leader' });
  return [leader, await cluster.start('scheduler')];
}

/** The ticks that ran so far, as the record of the step has them while the test looks often enough. */
async function watchTicks(): Promise<() => Promise<number[]>> {
  const seen = new Map<string, number>();
  const look = async () => {
    for (const { tick, claim } of (await cluster.cron.readRecord('Tick')).runs) seen.set(claim, tick);
  };
  const timer = setInterval(() => void look().catch(() => {}), 200);
  return async () => {
    await look();
    clearInterval(timer);
    return [...seen.values()].sort((a, b) => a - b);
  };
}

/** Each second once, from the first to the last. */
function expectEverySecond(ticks: number[]): void {
  const first = ticks[0] ?? 0;
  expect(ticks).toEqual(ticks.map((_, n) => first + n * 1_000));
}

test('SIGSTOP of the leader, then SIGCONT: the other takes over, no tick runs twice and none is missing', async () => {
  await cluster.start('worker');
  const [leader, other] = await twoSchedulers();
  const ticks = await watchTicks();
  await waitFor(async () => (await cluster.facts('tick')).length >= 3);
  leader.kill('SIGSTOP');
  await other.waitForLog({ action: 'leader' });
  await sleep(2_000);
  leader.kill('SIGCONT');
  const woken = (await cluster.facts('tick')).length;
  await waitFor(async () => (await cluster.facts('tick')).length >= woken + 5);
  await other.stop();
  await leader.waitForLog(({ action, time }) => action === 'leader' && Date.parse(time) > Date.now() - 5_000);
  const before = (await cluster.facts('tick')).length;
  await waitFor(async () => (await cluster.facts('tick')).length >= before + 3);
  const ran = await ticks();
  expect(ran.length).toBeGreaterThan(12);
  expectEverySecond(ran);
  expect(await cluster.facts('tick')).toHaveLength(ran.length);
});

test('kill -9 of the leader: the other takes over, no tick runs twice and none is missing', async () => {
  await cluster.start('worker');
  const [leader, other] = await twoSchedulers();
  const ticks = await watchTicks();
  await waitFor(async () => (await cluster.facts('tick')).length >= 2);
  leader.kill('SIGKILL');
  await other.waitForLog({ action: 'leader' });
  const before = (await cluster.facts('tick')).length;
  await waitFor(async () => (await cluster.facts('tick')).length >= before + 5);
  await other.stop();
  const ran = await ticks();
  expectEverySecond(ran);
  expect(await cluster.facts('tick')).toHaveLength(ran.length);
});

test('a tick that two leaders store runs once', async () => {
  const worker = await cluster.start('worker');
  const tick = Math.floor(Date.now() / 1_000) * 1_000;
  await cluster.cron.fire('Tick', tick);
  await waitFor(async () => (await cluster.facts('tick')).length === 1);
  // As by a leader that wakes up after the broker has forgotten the message id.
  await publishStored(cluster.broker, cluster.names.tick('Tick'), '', {
    'Motia-Tick': String(tick),
    'Nats-Msg-Id': 'another',
  });
  await cluster.cron.fire('Tick', tick + 1_000);
  await waitFor(async () => (await cluster.facts('tick')).length === 2);
  await sleep(500);
  expect((await cluster.cron.readRecord('Tick')).runs.map((run) => run.tick)).toEqual([tick, tick + 1_000]);
  expect(worker.logs({ level: 'error' })).toEqual([]);
});

test('kill -9 of a worker in the middle of a run: it runs once more elsewhere, and not a third time', async () => {
  const [victim, second] = [await cluster.start('worker'), await cluster.start('worker')];
  const others = new Map([victim, second].map((worker) => [worker.pid, worker]));
  await cluster.cron.trigger('Slow');
  const [started] = await waitFor(async () => {
    const found = await cluster.facts('slow started');
    return found.length > 0 ? found : undefined;
  });
  others.get(started?.pid ?? 0)?.kill('SIGKILL');
  await waitFor(async () => (await cluster.facts('slow ended')).length > 0, { within: ACK_WAIT_MS + 12_000 });
  const runs = await cluster.facts('slow started');
  expect(runs.map(({ pid }) => pid === started?.pid)).toEqual([true, false]);
  expect(await cluster.facts('slow ended')).toHaveLength(1);

  // Now one that ends whoever has it.
  await cluster.cron.trigger('Slow');
  const survivor = [...others.values()].find(({ pid }) => pid !== started?.pid) as RunningCli;
  await waitFor(async () => (await cluster.facts('slow started')).length === 3);
  survivor.kill('SIGKILL');
  const third = await cluster.start('worker');
  await waitFor(async () => (await cluster.facts('slow started')).length === 4, { within: ACK_WAIT_MS + 5_000 });
  third.kill('SIGKILL');
  const fourth = await cluster.start('worker');
  await fourth.waitForLog({ action: 'tick_dropped', reason: 'cut off twice' }, ACK_WAIT_MS + 5_000);
  expect((await cluster.cron.readRecord('Slow')).runs.at(-1)).toMatchObject({ times: 2, outcome: 'failed' });
  expect(await cluster.facts('slow started')).toHaveLength(4);
});

test('two workers never have one step at the same time', async () => {
  await Promise.all([1, 2].map(() => cluster.start('worker', { env: { SLOW_MS: '500' } })));
  for (let n = 0; n < 6; n++) await cluster.cron.trigger('Slow');
  await waitFor(async () => (await cluster.facts('slow ended')).length === 6);
  const [started, ended] = [await cluster.facts('slow started'), await cluster.facts('slow ended')];
  for (const [n, { at }] of started.slice(1).entries()) expect(at).toBeGreaterThanOrEqual(ended[n]?.at ?? 0);
  expect(new Set(started.map(({ pid }) => pid)).size).toBe(2);
});

test('SIGTERM of a worker: a run that goes on is finished, and does not run again', async () => {
  const worker = await cluster.start('worker', { env: { SLOW_MS: '2000' } });
  await cluster.cron.trigger('Slow');
  await waitFor(async () => (await cluster.facts('slow started')).length === 1);
  expect(await worker.stop('SIGTERM')).toBe(0);
  expect(await cluster.facts('slow ended')).toHaveLength(1);
  const [run] = (await cluster.cron.readRecord('Slow')).runs;
  expect(run).toMatchObject({ outcome: 'succeeded', times: 1 });
});

test('ticks that no worker could run become one, and it goes on from there', async () => {
  await cluster.start('scheduler');
  await waitFor(async () => (await cluster.broker.jsm.streams.info(cluster.names.streams.cron)).state.messages >= 6);
  const worker = await cluster.start('worker');
  const startedAt = Date.now();
  await waitFor(async () => (await cluster.facts('tick')).length >= 4);
  const { runs } = await cluster.cron.readRecord('Tick');
  expect(worker.logs({ action: 'tick_dropped', reason: 'later one waits' }).length).toBeGreaterThanOrEqual(4);
  const late = runs.filter(({ tick }) => tick < startedAt - 3_000);
  expect(late).toEqual([]);
  expectEverySecond(runs.map(({ tick }) => tick));
});
