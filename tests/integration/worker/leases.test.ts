/** Messages that wait in a worker because all its threads compute: they stay its own, or they are not begun. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import {
  ACK_WAIT_MS,
  ensureConsumer,
  REQUEST_ACK_WAIT_MS,
  type Source,
  subscriptionSource,
} from '../../../shared/broker/consumers.ts';
import { CronStore } from '../../../shared/broker/cron-store.ts';
import { EventStore } from '../../../shared/broker/events.ts';
import { PullConsumer } from '../../../shared/broker/pull-consumer.ts';
import { createLogger } from '../../../shared/logger.ts';
import { Metrics } from '../../../shared/metrics/metrics.ts';
import { encodeFrame, type RequestMeta } from '../../../shared/protocol/frames.ts';
import type { StepEntry } from '../../../shared/steps/manifest.ts';
import { CronConsumer, type CronServices } from '../../../worker/cron-consumer.ts';
import { EventConsumer, type EventServices } from '../../../worker/event-consumer.ts';
import { RequestConsumer } from '../../../worker/request-consumer.ts';
import type { Job } from '../../../worker/threads/handler-thread.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';

const harness = useNatsServer();
const pullers: PullConsumer[] = [];
afterEach(() => {
  for (const puller of pullers.splice(0)) puller.close();
});

/** A worker whose threads are all busy: jobs wait in its pool. */
async function busyWorker() {
  const { broker, names } = await harness.app();
  const waiting: Job[] = [];
  const pool = {
    gate: () => ({ index: 0, limit: 10 }),
    dispatch: (job: Job) => waiting.push(job),
    withdraw: () => true,
  };
  const log = createLogger({ level: 'error', pretty: false, destination: { write: () => {} } });
  const events = new EventStore(broker, names);
  const cron = new CronStore(broker, names);
  const metrics = new Metrics({ app: 'test', role: 'worker' });
  const services = { broker, names, pool, log, events, cron, metrics } as unknown as EventServices & CronServices;
  return { services, broker, names, waiting };
}

/** Another worker: keeps all it gets. */
function otherWorker(broker: Broker, source: Source): string[] {
  const taken: string[] = [];
  const onDelivery = ({ data }: { data: Uint8Array }) => void taken.push(Buffer.from(data).toString());
  const puller = new PullConsumer(broker, { ...source, room: () => 10, onGone: () => {}, onDelivery });
  pullers.push(puller);
  puller.start();
  return taken;
}

const POST: StepEntry = {
  id: 'Post',
  name: 'Post',
  type: 'api',
  method: 'POST',
  path: '/',
  emits: [],
} as unknown as StepEntry;
const MAIL: StepEntry = {
  id: 'Mail',
  name: 'Mail',
  type: 'event',
  subscribes: ['user'],
  emits: [],
} as unknown as StepEntry;

/** As when the process is stopped: no timer and no message comes through. */
const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function request(replyTo: string): Buffer {
  const now = Date.now();
  const meta: RequestMeta = {
    v: 1,
    id: 'r1',
    reply: replyTo,
    startBy: now + 15_000,
    deadline: now + 30_000,
    traceparent: '',
    method: 'POST',
    url: '/',
    params: {},
    headers: {},
  };
  return encodeFrame(meta);
}

test('an unsafe call that waits for a thread beyond the ack wait is begun once, here', async () => {
  const { services, broker, names, waiting } = await busyWorker();
  const consumer = new RequestConsumer(services, POST, () => {});
  pullers.push(consumer.puller);
  await ensureConsumer(broker, consumer.source, 'Post');
  consumer.puller.start();
  broker.nc.publish(names.request('Post'), request('replies'));
  const job = await waitFor(() => waiting[0]);
  const others = otherWorker(await harness.connect(), consumer.source);
  await sleep(REQUEST_ACK_WAIT_MS + 1_500);
  expect([waiting.length, others.length]).toEqual([1, 0]);
  expect(job.leaseUntil).toBeGreaterThan(Date.now());
  job.onDispatch?.();
  expect(job.leaseUntil).toBe(Number.POSITIVE_INFINITY);
  await waitFor(async () => {
    const { num_ack_pending, num_pending } = await broker.jsm.consumers.info(
      consumer.source.stream,
      consumer.source.durable,
    );
    return num_ack_pending + num_pending === 0;
  });
  job.onEnd({ status: 'succeeded' }, 1, 0);
});

test('a call that was not begun before its lease was over goes to another worker, without a word to the caller', async () => {
  const { services, broker, names, waiting } = await busyWorker();
  const consumer = new RequestConsumer(services, POST, () => {});
  pullers.push(consumer.puller);
  await ensureConsumer(broker, consumer.source, 'Post');
  consumer.puller.start();
  const replies: unknown[] = [];
  broker.nc.subscribe('replies', { callback: (_error, msg) => void replies.push(msg.string()) });
  broker.nc.publish(names.request('Post'), request('replies'));
  const job = await waitFor(() => waiting[0]);
  consumer.puller.stop();
  job.onEnd({ status: 'lost' }, 0, 0);
  const others = otherWorker(await harness.connect(), consumer.source);
  await waitFor(() => others.length === 1, { within: REQUEST_ACK_WAIT_MS + 3_000 });
  expect([consumer.load, replies]).toEqual([0, []]);
});

test('an event that waits for a thread keeps its lease as long as the broker confirms it', async () => {
  const { services, broker, names, waiting } = await busyWorker();
  const consumer = new EventConsumer(services, MAIL, 'user', subscriptionSource(names, MAIL, 'user'), () => {});
  pullers.push(consumer.puller);
  await ensureConsumer(broker, consumer.source, 'Mail');
  consumer.puller.start();
  await services.events.emit({ id: 'e1', topic: 'user', json: '{}', traceparent: '' });
  const job = await waitFor(() => waiting[0]);
  const before = job.leaseUntil;
  await waitFor(
    () => {
      consumer.renew();
      return job.leaseUntil > before;
    },
    { within: ACK_WAIT_MS / 2, every: 200 },
  );
  expect(job.leaseUntil).toBeGreaterThan(before + 2_000);
  job.onEnd({ status: 'succeeded' }, 1, 0);
  await waitFor(() => consumer.load === 0);
});

test('a lease that ran out while the process stood still is not revived: the message may be with another worker', async () => {
  const { services, broker, names, waiting } = await busyWorker();
  const source = { ...subscriptionSource(names, MAIL, 'user'), ackWaitMs: 1_000 };
  const events = new EventConsumer(services, MAIL, 'user', source, () => {});
  const calls = new RequestConsumer(services, POST, () => {});
  for (const { source, puller } of [events, calls]) {
    pullers.push(puller);
    await ensureConsumer(broker, source, 'test');
    puller.start();
  }
  await services.events.emit({ id: 'e1', topic: 'user', json: '{}', traceparent: '' });
  broker.nc.publish(names.request('Post'), request('replies'));
  await waitFor(() => waiting.length === 2);
  for (const { puller } of [events, calls]) puller.stop();
  standStill(REQUEST_ACK_WAIT_MS + 100);
  const lapsed = waiting.map(({ leaseUntil }) => leaseUntil);
  for (let i = 0; i < 10; i++) {
    events.renew();
    await sleep(100); // the ticks of the calls go on meanwhile
  }
  expect(waiting.map(({ leaseUntil }) => leaseUntil)).toEqual(lapsed);
  expect(Math.max(...lapsed)).toBeLessThan(Date.now());
});

test('an event that failed when it was perhaps with another worker is left to that one', async () => {
  const { services, broker, names, waiting } = await busyWorker();
  const consumer = new EventConsumer(services, MAIL, 'user', subscriptionSource(names, MAIL, 'user'), () => {});
  pullers.push(consumer.puller);
  await ensureConsumer(broker, consumer.source, 'Mail');
  consumer.puller.start();
  await services.events.emit({ id: 'e1', topic: 'user', json: '{}', traceparent: '' });
  const job = await waitFor(() => waiting[0]);
  consumer.puller.stop();
  job.onEnd({ status: 'failed', error: { name: 'MotiaError', message: 'this run is over', code: 'RUN_OVER' } }, 1, 0);
  const others = otherWorker(await harness.connect(), consumer.source);
  await waitFor(() => others.length === 1, { within: ACK_WAIT_MS + 3_000 });
  for (const stream of [names.streams.scheduled, names.streams.dead]) {
    expect((await broker.jsm.streams.info(stream)).state.messages).toBe(0);
  }
});

test('a tick that was not begun leaves no trace in the record and goes to another worker at once', async () => {
  const { services, broker, names, waiting } = await busyWorker();
  const step = { ...MAIL, id: 'Tidy', name: 'Tidy', type: 'cron', cron: '@daily' } as StepEntry;
  const consumer = new CronConsumer(services, step, () => {});
  pullers.push(consumer.puller);
  await ensureConsumer(broker, consumer.source, 'Tidy');
  consumer.puller.start();
  const cron = new CronStore(broker, names);
  await cron.fire('Tidy', Date.now());
  const job = await waitFor(() => waiting[0]);
  expect((await cron.readRecord('Tidy')).runs).toMatchObject([{ times: 1 }]);
  consumer.puller.stop();
  job.onEnd({ status: 'displaced' }, 0, 0);
  const others = otherWorker(await harness.connect(), consumer.source);
  await waitFor(() => others.length === 1, { within: 3_000 });
  expect([consumer.load, (await cron.readRecord('Tidy')).runs]).toEqual([0, []]);
});

test('a cron run that lost its lease is left to whoever has the tick', async () => {
  const { services, broker, names, waiting } = await busyWorker();
  const step = { ...MAIL, id: 'Tidy', name: 'Tidy', type: 'cron', cron: '@daily' } as StepEntry;
  const consumer = new CronConsumer(services, step, () => {});
  pullers.push(consumer.puller);
  await ensureConsumer(broker, consumer.source, 'Tidy');
  consumer.puller.start();
  const cron = new CronStore(broker, names);
  await cron.fire('Tidy', Date.now());
  const job = await waitFor(() => waiting[0]);
  const record = await cron.readRecord('Tidy');
  const claimed = record.runs.map((run) => ({ ...run, claim: 'of another worker', times: 2 }));
  expect(await cron.replaceRecord('Tidy', { ...record, runs: claimed })).toBe(true);
  job.onEnd({ status: 'succeeded' }, 1, 0);
  await waitFor(() => consumer.load === 0);
  expect((await cron.readRecord('Tidy')).runs).toEqual(claimed);
  const { num_ack_pending } = await broker.jsm.consumers.info(consumer.source.stream, consumer.source.durable);
  expect(num_ack_pending).toBe(1);
});
