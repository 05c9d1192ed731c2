/** What a gateway makes of streamed answers, whatever workers and clients do. The worker is this test, by the protocol alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { KeyedCalls } from '../../../gateway/keyed-calls.ts';
import { type Gateway, startGateway } from '../../../gateway/main.ts';
import { StepCalls } from '../../../gateway/step-calls.ts';
import { BlobStore } from '../../../shared/broker/blobs.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { publishManifest } from '../../../shared/broker/manifest-store.ts';
import { createLogger } from '../../../shared/logger.ts';
import {
  type Credit,
  decodeCredit,
  decodeFrame,
  encodeFrame,
  LARGEST_CHUNK,
  type ReplyMeta,
  type RequestMeta,
  STREAM_WINDOW,
} from '../../../shared/protocol/frames.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import type { Manifest } from '../../../shared/steps/manifest.ts';
import { exchange, openSocket, openStream } from '../../helpers/http.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';

const harness = useNatsServer();
const log = createLogger({ level: 'error', pretty: false, destination: { write: () => {} } });
const gateways: Gateway[] = [];
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()));
});

const STEP = { id: 'Get', name: 'Get', file: 'a', language: 'node', type: 'api', method: 'GET', path: '/a', emits: [] };
const HEAD: ReplyMeta = { t: 'head', status: 200, headers: [] };

/** One run of a call, as the gateway sees it. */
class FakeRun {
  readonly credits: Credit[] = [];
  readonly #broker: Broker;
  readonly #to: string;
  readonly #from: string;

  constructor(broker: Broker, { reply }: RequestMeta) {
    this.#broker = broker;
    this.#to = reply;
    this.#from = `credits.${Math.random()}`;
    broker.nc.subscribe(this.#from, {
      callback: (_error, message) => void this.credits.push(decodeCredit(message.string()) as Credit),
    });
  }

  send(meta: ReplyMeta, body?: string | Uint8Array): this {
    this.#broker.nc.publish(this.#to, encodeFrame(meta, body), { reply: this.#from });
    return this;
  }

  get isGone(): boolean {
    return this.credits.some((credit) => 'gone' in credit);
  }

  get taken(): number {
    return Math.max(0, ...this.credits.map((credit) => ('taken' in credit ? credit.taken : 0)));
  }
}

/** Calls as they come to a worker, without one. */
async function watchCalls(broker: Broker, names: Names): Promise<RequestMeta[]> {
  const calls: RequestMeta[] = [];
  broker.nc.subscribe(names.request(STEP.id), {
    callback: (_error, message) => void calls.push(decodeFrame<RequestMeta>(message.data).meta),
  });
  await broker.flush();
  return calls;
}

async function start(options: { stalledAfterMs?: number } = {}) {
  const { broker, names } = await harness.app();
  const settings = { bodyLimit: 1_000, corsOrigins: [], timeoutMs: 5_000, validation: 'warn' };
  const manifest = { app: names.app, steps: [STEP], settings } as unknown as Manifest;
  await publishManifest(broker, names, manifest, true, 'provision');
  const gateway = await startGateway({
    broker: { servers: harness.server.url },
    app: names.app,
    partitions: 64,
    host: '127.0.0.1',
    port: 0,
    portFallback: 0,
    admin: { openOnLoopback: false },
    installation: { mode: 'gateway', motiaVersion: '0.0.0' },
    log,
    telemetry: {
      stored: false,
      payloads: false,
      disabled: true,
      headers: {},
      resourceAttributes: {},
      sampler: 'always_on',
      samplerRatio: 1,
      waitingSpans: 2_048,
      exportedTogether: 512,
      exportAfterMs: 5_000,
    },
    ...options,
  });
  gateways.push(gateway);
  await gateway.ready;
  const calls = await watchCalls(broker, names);
  return {
    broker,
    /** A call, and its first run. */
    async call() {
      const index = calls.length;
      const answer = openStream(`${gateway.url}/a`);
      const meta = await waitFor(() => calls[index]);
      return { answer, meta, run: new FakeRun(broker, meta) };
    },
    gateway,
    calls,
  };
}

test('frames in order are passed on, and the worker hears how far the client is, again at each beat', async () => {
  const { call } = await start();
  const { answer, run } = await call();
  const piece = Buffer.alloc(LARGEST_CHUNK, 'x');
  run.send(HEAD);
  for (let n = 1; n <= 6; n++) run.send({ t: 'chunk', n }, piece);
  await waitFor(() => run.taken >= STREAM_WINDOW / 4);
  await waitFor(async () => (await answer).text().length === 6 * LARGEST_CHUNK);
  run.send({ t: 'beat', n: 7 });
  await waitFor(() => run.taken === 6 * LARGEST_CHUNK);
  run.send({ t: 'end', n: 7 });
  const { body, complete } = await (await answer).ended;
  expect([body.length, complete, run.isGone]).toEqual([6 * LARGEST_CHUNK, true, false]);
  run.send({ t: 'beat', n: 7 });
  await waitFor(() => run.isGone); // the call is over
});

const chunk = (n: number): [ReplyMeta, string] => [{ t: 'chunk', n }, `${n}`];
test.each<[what: string, frames: [ReplyMeta, string?][], got: string]>([
  ['a chunk', [chunk(1), chunk(3), [{ t: 'end', n: 4 }]], '1'],
  ['the last chunk', [chunk(1), [{ t: 'end', n: 3 }]], '1'],
  ['a chunk before a beat', [chunk(1), [{ t: 'beat', n: 3 }]], '1'],
  ['nothing, but a chunk comes twice', [chunk(1), chunk(1), [{ t: 'end', n: 2 }]], '1'],
  ['nothing, but the head comes twice', [chunk(1), [HEAD], [{ t: 'end', n: 2 }]], '1'],
  ['nothing, but the answer ends as if it were complete', [chunk(1), [{ t: 'end', status: 200, headers: [] }]], '1'],
  ['the rest, by an error', [chunk(1), [{ t: 'error', status: 500, message: 'no' }]], '1'],
])('%s is missing: the answer breaks off, and the worker is told', async (_, frames, got) => {
  const { call } = await start();
  const { answer, run } = await call();
  run.send(HEAD);
  for (const [meta, body] of frames) run.send(meta, body);
  expect(await (await answer).ended).toEqual({ body: Buffer.from(got), complete: false });
  run.send({ t: 'beat', n: 9 });
  await waitFor(() => run.isGone);
});

test('without its head an answer is none', async () => {
  const { call } = await start();
  const { answer, run } = await call();
  run.send(...chunk(1));
  expect((await answer).status).toBe(502);
});

test('a worker that sends more than it may is cut off', async () => {
  const { call } = await start();
  const { answer, run } = await call();
  run.send(HEAD);
  (await answer).pause();
  for (let n = 1; n <= 400; n++) run.send({ t: 'chunk', n }, Buffer.alloc(LARGEST_CHUNK));
  run.send({ t: 'end', n: 401 });
  await waitFor(() => run.isGone);
  (await answer).resume();
  expect((await (await answer).ended).complete).toBe(false);
});

test('of two runs of a call the first one answers', async () => {
  const { broker, call } = await start();
  const { answer, meta, run } = await call();
  const other = new FakeRun(broker, meta);
  run.send(HEAD).send(...chunk(1));
  other.send(HEAD).send({ t: 'chunk', n: 1 }, 'other').send({ t: 'end', n: 2 });
  await waitFor(() => other.isGone);
  broker.nc.publish(meta.reply, encodeFrame({ t: 'end', status: 500, headers: [] }, 'another'));
  run.send({ t: 'chunk', n: 2 }, '2').send({ t: 'end', n: 3 });
  expect(await (await answer).ended).toEqual({ body: Buffer.from('12'), complete: true });
});

test('a worker that says nothing any more is lost', async () => {
  const { call } = await start();
  const { answer, run } = await call();
  run.send(HEAD).send(...chunk(1));
  expect(await (await answer).ended).toEqual({ body: Buffer.from('1'), complete: false });
});

test('a client that takes nothing is cut off, and one that has nothing to take is not', async () => {
  const { call } = await start({ stalledAfterMs: 1_000 });
  const [idle, stalled] = [await call(), await call()];
  idle.run.send(HEAD).send(...chunk(1));
  const client = await (async () => {
    stalled.run.send(HEAD);
    const opened = await stalled.answer;
    opened.pause();
    return opened;
  })();
  let n = 1;
  let sent = 0;
  const busy = setInterval(() => {
    idle.run.send({ t: 'beat', n: 2 });
    for (; sent - stalled.run.taken + LARGEST_CHUNK <= STREAM_WINDOW; sent += LARGEST_CHUNK) {
      stalled.run.send({ t: 'chunk', n: n++ }, Buffer.alloc(LARGEST_CHUNK));
    }
    stalled.run.send({ t: 'beat', n });
  }, 50);
  await waitFor(() => stalled.run.isGone, { within: 15_000 });
  clearInterval(busy);
  idle.run.send({ t: 'chunk', n: 2 }, '2').send({ t: 'end', n: 3 });
  expect(await (await idle.answer).ended).toEqual({ body: Buffer.from('12'), complete: true });
  client.leave();
});

test('HTTP/1.0 has no chunks: the answer ends with the connection, which a reset breaks', async () => {
  const { broker, gateway, calls } = await start();
  const raw = exchange(gateway.url, 'GET /a HTTP/1.0\r\n\r\n');
  new FakeRun(broker, await waitFor(() => calls[0]))
    .send(HEAD)
    .send(...chunk(1))
    .send({ t: 'end', n: 2 });
  expect(await raw).toMatch(/^HTTP\/1\.1 200 OK\r\n(?!.*transfer-encoding).*\r\n\r\n1$/is);
  const socket = await openSocket(gateway.url, 'GET /a HTTP/1.0\r\n\r\n');
  const reset = new Promise((resolve) => socket.once('error', resolve));
  let got = '';
  socket.on('data', (data) => {
    got += data;
  });
  const run = new FakeRun(broker, await waitFor(() => calls[1]));
  run.send(HEAD).send(...chunk(1));
  await waitFor(() => got.endsWith('\r\n\r\n1'));
  run.send({ t: 'error', status: 500, message: 'no' });
  expect(await reset).toMatchObject({ code: 'ECONNRESET' });
});

test('an Idempotency-Key stays taken for as long as its answer is streamed, and no longer', async () => {
  const { broker, names } = await harness.app();
  const stepCalls = new StepCalls(broker, names, new BlobStore(broker, names.buckets.bodies), log);
  const keyedCalls = new KeyedCalls(stepCalls, broker, names, log, 500);
  const calls = await watchCalls(broker, names);
  const common = { stepId: STEP.id, method: 'POST', url: '/a', params: {}, traceparent: '', timeoutMs: 1_000 };
  const request = { ...common, headers: { 'idempotency-key': 'k' }, body: Buffer.alloc(0), key: 'k', windowMs: 60_000 };
  const first = keyedCalls.call(request);
  const run = new FakeRun(broker, await waitFor(() => calls[0])).send(HEAD);
  const { stream } = await first;
  const beats = setInterval(() => run.send({ t: 'beat', n: 1 }), 200);
  await sleep(3_500); // the claim would have run out after two seconds
  await expect(keyedCalls.call(request)).rejects.toMatchObject({ status: 409 });
  expect(calls).toHaveLength(1);
  clearInterval(beats);
  run.send({ t: 'end', n: 1 });
  await stream?.over;
  const second = keyedCalls.call(request);
  new FakeRun(broker, await waitFor(() => calls[1])).send({ t: 'head', status: 202, headers: [] });
  expect(await second).toMatchObject({ status: 202, replayed: false });
  stepCalls.close();
});
