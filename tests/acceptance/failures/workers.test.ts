/** Workers that are killed, stopped or frozen while others go on: nothing is lost, and nothing unsafe is done twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ACK_WAIT_MS } from '../../../shared/broker/consumers.ts';
import type { RunningCli } from '../../helpers/cli.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type Cluster, startCluster } from './cluster.ts';

let cluster: Cluster;
let workers: RunningCli[] = [];
beforeAll(async () => {
  cluster = await startCluster(0);
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** Every test has two workers, whatever the one before did to them. */
async function twoWorkers(): Promise<[RunningCli, RunningCli]> {
  workers = [await cluster.startWorker(), await cluster.startWorker()];
  return workers as [RunningCli, RunningCli];
}

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop('SIGKILL')));
  await cluster.forgetFacts(); // a test that is tried again begins anew
});

test('kill -9 with 200 events in flight: the other worker has all of them within the ack wait', async () => {
  const [victim, other] = await twoWorkers();
  const ids = Array.from({ length: 200 }, (_, i) => `a${i}`);
  await cluster.emit(
    'work',
    ids.map((id) => ({ id, ms: 3_000 })),
  );
  const started = await waitFor(async () => {
    const facts = await cluster.facts('work started');
    return facts.length === 200 ? facts : undefined;
  });
  const lost = started.filter(({ pid }) => pid === victim.pid).map(({ id }) => id);
  expect(lost.length).toBeGreaterThan(50);
  victim.kill('SIGKILL');
  const killedAt = Date.now();
  await waitFor(async () => new Set((await cluster.facts('work ended')).map(({ id }) => id)).size >= ids.length, {
    within: ACK_WAIT_MS + 10_000,
    every: 100,
  });
  const again = (await cluster.facts('work started')).filter(
    ({ pid, at, id }) => pid === other.pid && at > killedAt && lost.includes(id),
  );
  expect(new Set(again.map(({ id }) => id))).toEqual(new Set(lost));
  for (const { at, attempt } of again) {
    expect(at - killedAt).toBeLessThan(2 * ACK_WAIT_MS);
    expect(attempt).toBe(1); // the handler did not fail
  }
  // What was not lost was not done twice.
  const ended = (await cluster.facts('work ended')).map(({ id }) => id);
  expect(ended.length).toBe(ids.length);
});

test('a handler that takes longer than the ack wait is left in peace', async () => {
  await twoWorkers();
  const ms = ACK_WAIT_MS + 4_000;
  await cluster.emit('work', [{ id: 'patient', ms }]);
  const ours = async (what: string) => (await cluster.facts(what)).filter(({ id }) => id === 'patient');
  await waitFor(async () => (await ours('work ended')).length > 0, { within: ms + 5_000 });
  expect(await ours('work started')).toHaveLength(1);
});

test('kill -9 in the middle of API calls: unsafe ones are answered with 502, safe ones by the other worker', async () => {
  const [victim, other] = await twoWorkers();
  const call = async (method: string, i: number) => {
    const id = `${method}${i}`;
    const response = await cluster.gateway.fetch(`/slow?id=${id}&ms=2000`, { method });
    return { id, status: response.status, body: await response.json() };
  };
  const calls = ['GET', 'POST'].flatMap((method) => Array.from({ length: 20 }, (_, i) => call(method, i)));
  await cluster.waitForFacts('get started', 20);
  const posts = await cluster.waitForFacts('post started', 20);
  victim.kill('SIGKILL');
  const lost = posts.filter(({ pid }) => pid === victim.pid).map(({ id }) => id);
  expect(lost.length).toBeGreaterThan(0);
  for (const { id, status, body } of await Promise.all(calls)) {
    expect(status, id).toBe(lost.includes(id) ? 502 : 200); // a 504, if only the deadline had ended it
    if (status === 200) expect(body).toEqual({ pid: other.pid });
    else expect(body).toEqual({ error: 'The outcome of this call is unknown' });
  }
  const runs = (await cluster.facts('post started')).map(({ id }) => id);
  expect(runs.length).toBe(new Set(runs).size); // not one POST ran twice
});

test('kill -9 before the worker has said a word: the outcome is unknown, and nobody has the call again', async () => {
  await twoWorkers();
  const began = Date.now();
  const answer = await cluster.gateway.fetch('/misbehave/kill', { method: 'POST' });
  expect([answer.status, await answer.json()]).toEqual([502, { error: 'The outcome of this call is unknown' }]);
  expect(Date.now() - began).toBeLessThan(15_000); // half the deadline, for which a call waits for a worker
  expect(await cluster.facts('kill')).toHaveLength(1);
});

test('SIGTERM of a worker while another serves: no call fails, what runs is finished, exit code 0', async () => {
  const [leaving] = await twoWorkers();
  let going = true;
  const statuses: number[] = [];
  const callers = Array.from({ length: 16 }, async (_, i) => {
    for (let n = 0; going; n++) {
      const path = n % 3 === 0 ? `/slow?id=t${i}.${n}&ms=30` : '/quick';
      const { status } = await cluster.gateway.fetch(path, { method: path === '/quick' ? 'GET' : 'POST' });
      statuses.push(status);
    }
  });
  const ids = Array.from({ length: 100 }, (_, i) => `t${i}`);
  await cluster.emit(
    'work',
    ids.map((id) => ({ id, ms: 1_000 })),
  );
  await sleep(300);
  const exit = await leaving.stop('SIGTERM');
  await sleep(300);
  going = false;
  await Promise.all(callers);
  expect(exit).toBe(0);
  expect(statuses.length).toBeGreaterThan(100);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  const ours = async () => (await cluster.facts('work ended')).filter(({ id }) => ids.includes(id));
  await waitFor(async () => (await ours()).length >= ids.length, { within: ACK_WAIT_MS / 2 }); // and not after it
  const started = (await cluster.facts('work started')).filter(({ id }) => ids.includes(id));
  expect([started.length, (await ours()).length]).toEqual([ids.length, ids.length]); // none was cut off
});

test('SIGTERM of the only worker: calls wait for the next one', async () => {
  workers = [await cluster.startWorker()];
  const [first] = workers as [RunningCli];
  const running = cluster.gateway.fetch('/slow?id=last&ms=1000', { method: 'POST' });
  await waitFor(async () => (await cluster.facts('post started')).some(({ id }) => id === 'last'));
  const exit = first.stop('SIGTERM');
  expect((await running).status).toBe(200);
  expect(await exit).toBe(0);
  const waiting = [cluster.gateway.fetch('/quick'), cluster.gateway.fetch('/slow?id=next&ms=0', { method: 'POST' })];
  await sleep(200);
  workers.push(await cluster.startWorker());
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
});

test('SIGSTOP for longer than the ack wait, then SIGCONT: its late writes are refused, and the event is done elsewhere', async () => {
  const [frozen, other] = await twoWorkers();
  const ids = Array.from({ length: 20 }, (_, i) => `z${i}`);
  await cluster.emit(
    'zombie',
    ids.map((id) => ({ id, ms: 1_500 })), // none is over before the worker is frozen
  );
  const started = await cluster.waitForFacts('zombie started', 20);
  frozen.kill('SIGSTOP');
  const stoppedAt = Date.now();
  const caught = started.filter(({ pid }) => pid === frozen.pid).map(({ id }) => id);
  expect(caught.length).toBeGreaterThan(0);
  // POSTs that the broker hands to the frozen worker are done by the other one.
  const posts = Array.from({ length: 10 }, (_, i) =>
    cluster.gateway.fetch(`/slow?id=frozen${i}&ms=0`, { method: 'POST' }),
  );
  expect((await Promise.all(posts)).map(({ status }) => status)).toEqual(posts.map(() => 200));
  const written = await cluster.waitForFacts('written', 40, ACK_WAIT_MS + 10_000);
  expect(written.every(({ pid }) => pid === other.pid)).toBe(true);
  await sleep(Math.max(0, stoppedAt + ACK_WAIT_MS + 1_000 - Date.now()));
  frozen.kill('SIGCONT');
  const refused = await cluster.waitForFacts('refused', caught.length);
  expect((await cluster.facts('written')).filter(({ pid }) => pid === frozen.pid)).toEqual([]);
  for (const { pid, code } of refused) expect([pid, code]).toEqual([frozen.pid, 'RUN_OVER']);
  await sleep(2_500); // a retry would come by now
  const runs = (await cluster.facts('zombie started')).filter(({ attempt }) => attempt !== 1);
  expect(runs).toEqual([]);
  expect(await cluster.deadLetters()).toEqual([]);
  // What the broker had handed to the frozen one meanwhile is done once, by whoever gets it after the ack wait.
  const late = async () =>
    (await cluster.facts('work started')).filter(({ id }) => id.endsWith(' late')).map(({ id }) => id);
  await waitFor(async () => (await late()).length >= ids.length, { within: ACK_WAIT_MS + 5_000 });
  await sleep(500);
  expect((await late()).sort()).toEqual(ids.map((id) => `${id} late`).sort());
  const ran = (await cluster.facts('post started')).filter(({ id }) => id.startsWith('frozen')).map(({ id }) => id);
  expect(ran.length).toBe(10); // none a second time by the one that woke up
  // It is a good worker again.
  await other.stop('SIGKILL');
  expect((await cluster.gateway.fetch('/quick')).status).toBe(200);
});
