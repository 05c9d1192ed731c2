/** Calls with an `Idempotency-Key`: one answer, whoever asks again, on whichever gateway, and however often the handler was lost. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const WINDOW_S = 4;
const files = {
  'package.json': '{ "name": "keys", "type": "module" }',
  'motia.config.ts': `export default { http: { timeout: 12, idempotencyWindow: ${WINDOW_S} } };`,
  'steps/pay.step.ts': `import { appendFileSync, readFileSync } from 'node:fs';
export const config = { type: 'api', name: 'Pay', method: 'POST', path: '/pay', emits: [] };
export const handler = async ({ body }) => {
  appendFileSync(process.env.RECORD_FILE, body.id + '\\n');
  const runs = readFileSync(process.env.RECORD_FILE, 'utf8').split('\\n').filter((id) => id === body.id).length;
  await new Promise((resolve) => setTimeout(resolve, body.ms ?? 0));
  if (body.failures >= runs) throw new Error('fails');
  if (body.exits >= runs) process.kill(process.pid, 'SIGKILL');
  const filler = 'x'.repeat(body.size ?? 0);
  return { status: body.status ?? 201, headers: { 'x-run': String(runs), 'set-cookie': 'a=' + runs }, body: { runs, filler } };
};
`,
  'steps/look.step.ts': `export const config = { type: 'api', name: 'Look', method: 'GET', path: '/look', emits: [] };
let looks = 0;
export const handler = async () => ({ status: 200, body: { looks: ++looks } });
`,
};

let serverUrl: string;
let gateways: [RunningCli, RunningCli];
let worker: RunningCli;
let startWorker: () => Promise<RunningCli>;
let runsOf: (id: string) => Promise<number>;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const project = await createProject({ files });
  const server = await startNatsServer();
  serverUrl = server.url;
  ends.push(
    async () => project[Symbol.asyncDispose](),
    () => server.stop(),
  );
  const record = await project.write('runs.txt', '').then(() => project.path('runs.txt'));
  const env = { NATS_URL: server.url, RECORD_FILE: record };
  startWorker = () => startCli('worker', project, { args: ['--threads', '1'], env });
  runsOf = async (id) => (await readFile(record, 'utf8')).split('\n').filter((line) => line === id).length;
  worker = await startWorker();
  gateways = [await startCli('gateway', project, { env }), await startCli('gateway', project, { env })];
  ends.push(() => Promise.all(gateways.map((gateway) => gateway.stop('SIGKILL'))));
}, 60_000);
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

interface Pay {
  id: string;
  [setting: string]: unknown;
}

async function pay(key: string, body: Pay, gateway = 0, headers: Record<string, string> = {}) {
  const response = await (gateways[gateway] as RunningCli).fetch('/pay', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body: JSON.stringify(body),
  });
  const { status } = response;
  const json = (await response.json()) as { runs: number; filler: string; error?: string };
  return { status, json, replayed: response.headers.get('idempotency-replayed'), run: response.headers.get('x-run') };
}

test('the first answer is the answer to every later call, on every gateway', async () => {
  const first = await pay('k1', { id: 'once' });
  expect(first).toMatchObject({ status: 201, json: { runs: 1 }, run: '1', replayed: null });
  for (const gateway of [0, 1]) {
    expect(await pay('k1', { id: 'once' }, gateway)).toEqual({ ...first, replayed: 'true' });
  }
  expect(await pay('k2', { id: 'once' })).toMatchObject({ json: { runs: 2 }, replayed: null });
});

test('calls at the same time get one answer, of one run', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => pay('same', { id: 'same', ms: 500 }, i % 2)));
  expect(new Set(all.map(({ json }) => json.runs))).toEqual(new Set([1]));
  expect(all.filter(({ replayed }) => replayed === null)).toHaveLength(1);
  expect(await runsOf('same')).toBe(1);
});

test('another request with the key is refused: body, or credentials', async () => {
  await pay('other', { id: 'other' }, 0, { authorization: 'Bearer a' });
  expect(await pay('other', { id: 'other' }, 0, { authorization: 'Bearer a' })).toMatchObject({ replayed: 'true' });
  expect(await pay('other', { id: 'changed' }, 0, { authorization: 'Bearer a' })).toMatchObject({ status: 422 });
  const stranger = await pay('other', { id: 'other' }, 1, { authorization: 'Bearer b' });
  expect(stranger).toMatchObject({ status: 422, json: { error: 'This Idempotency-Key was used for another request' } });
  expect(await runsOf('other')).toBe(1);
});

test('a failure is not kept, a refusal of the handler is', async () => {
  expect((await pay('fails', { id: 'fails', failures: 1 })).status).toBe(500);
  expect(await pay('fails', { id: 'fails', failures: 1 })).toMatchObject({
    status: 201,
    json: { runs: 2 },
    replayed: null,
  });
  expect((await pay('503', { id: '503', status: 503 })).status).toBe(503);
  expect(await pay('503', { id: '503', status: 503 })).toMatchObject({ run: '2', replayed: null });
  expect((await pay('402', { id: '402', status: 402 })).status).toBe(402);
  expect(await pay('402', { id: '402', status: 402 })).toMatchObject({ status: 402, run: '1', replayed: 'true' });
});

test('a caller that went away comes back for the answer', async () => {
  const [gateway] = gateways;
  const init = { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': 'gone' } };
  const body = { id: 'gone', ms: 1_000 };
  const left = gateway.fetch('/pay', { ...init, body: JSON.stringify(body), signal: AbortSignal.timeout(500) });
  await expect(left).rejects.toThrow();
  expect(await pay('gone', body)).toMatchObject({ status: 201, json: { runs: 1 }, replayed: 'true' });
});

test('a call that goes on for too long, 409 or 504', async () => {
  const slow = pay('slow', { id: 'slow', ms: 60_000 }); // 504 after 12 s
  await waitFor(async () => (await runsOf('slow')) === 1);
  const { status } = await pay('slow', { id: 'slow', ms: 60_000 }, 1);
  expect([409, 504]).toContain(status);
  expect((await slow).status).toBe(504);
});

test('a worker that is killed in the middle: the caller gets the one answer of another run', async () => {
  const victim = pay('exits', { id: 'exits', exits: 1 });
  await waitFor(async () => (await runsOf('exits')) === 1);
  await worker.stop('SIGKILL');
  worker = await startWorker();
  expect(await victim).toMatchObject({ status: 201, json: { runs: 2 }, replayed: null });
  expect(await pay('exits', { id: 'exits', exits: 1 }, 1)).toMatchObject({ json: { runs: 2 }, replayed: 'true' });
});

test('large answers too, until the window is over', async () => {
  const body = { id: 'large', size: 3_000_000 };
  const first = await pay('large', body);
  expect(first.json.filler).toHaveLength(3_000_000);
  expect(await pay('large', body, 1)).toEqual({ ...first, replayed: 'true' });
  await waitFor(async () => (await pay('large', body)).json.runs === 2, { within: 3 * WINDOW_S * 1_000, every: 500 });
});

test('a key has a length, and means nothing for a safe method', async () => {
  expect((await pay('k'.repeat(256), { id: 'long' })).status).toBe(400);
  expect((await pay('', { id: 'long' })).status).toBe(400);
  expect((await pay('k'.repeat(255), { id: 'long' })).status).toBe(201);
  const look = async () => (await gateways[0].fetch('/look', { headers: { 'idempotency-key': 'look' } })).json();
  expect([await look(), await look()]).toEqual([{ looks: 1 }, { looks: 2 }]);
});

test('a call without a key leaves nothing behind', async () => {
  const broker = await connectBroker({ servers: serverUrl }, { name: 'test' });
  ends.push(() => broker.close());
  const answers = async () =>
    (await broker.jsm.streams.info(`KV_${createNames('keys').buckets.answers}`)).state.last_seq;
  const before = await answers();
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"id":"plain"}' };
  expect((await gateways[0].fetch('/pay', init)).status).toBe(201);
  expect(await answers()).toBe(before);
});
