/** Subscriptions on a real broker: what waits in them, why, and what a pause keeps. */
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { subscriptionSources } from '../../../shared/broker/consumers.ts';
import type { Delivery } from '../../../shared/broker/delivery.ts';
import { findEvent } from '../../../shared/broker/event-search.ts';
import { EventStore, readEnvelope } from '../../../shared/broker/events.ts';
import { answerHoldings } from '../../../shared/broker/holdings.ts';
import { purgeEntries, writeEntry } from '../../../shared/broker/key-value.ts';
import { provisionManifest } from '../../../shared/broker/provision.ts';
import { PullConsumer } from '../../../shared/broker/pull-consumer.ts';
import { QueueAdmin } from '../../../shared/broker/queue-admin.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { createManifest, type StepEntry } from '../../../shared/steps/manifest.ts';
import type { Infrastructure } from '../../../shared/types.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const pullers: PullConsumer[] = [];
afterEach(() => {
  for (const puller of pullers.splice(0)) puller.close();
});

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const subscriber = (name: string, queue: Infrastructure['queue'] = {}, topics = ['user']) =>
  ({
    ...{ id: name, name, file: `src/${name}.step.ts`, language: 'node', type: 'event', subscribes: topics },
    ...{ emits: [], infrastructure: { queue } },
  }) as unknown as StepEntry;

async function provision(broker: Broker, names: Names, ...steps: StepEntry[]): Promise<void> {
  const manifest = createManifest({ app: names.app, steps, streams: [], settings: {} as never });
  await provisionManifest(broker, names, manifest, false);
}

async function open(...steps: StepEntry[]) {
  const { broker, names } = await harness.app();
  await provision(broker, names, ...steps);
  const events = new EventStore(broker, names);
  const queues = new QueueAdmin(broker, names);
  /** A worker that takes up to `room` events of a step, and does not answer. */
  const work = (step: StepEntry, room: number): Delivery[] => {
    const held: Delivery[] = [];
    for (const source of subscriptionSources(names, step, 'user')) {
      const puller = new PullConsumer(broker, {
        ...source,
        room: () => room - held.length,
        onGone: () => {},
        onDelivery: (delivery) => held.push(delivery),
      });
      pullers.push(puller);
      puller.start();
    }
    return held;
  };
  const emit = (id: string, more: { group?: string; at?: number } = {}) =>
    events.emit({ id, topic: 'user', json: `"${id}"`, traceparent: TRACEPARENT, ...more });
  const find = async (id: string) => (await findEvent(broker, names, id)).places;
  return { broker, names, events, queues, work, emit, find };
}

/** Everything that a look must not change. */
async function consumersOf(broker: Broker, names: Names): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const stream of Object.values(names.streams)) {
    for await (const { name, num_pending, num_ack_pending, num_redelivered } of broker.jsm.consumers.list(stream)) {
      all.push([stream, name, num_pending, num_ack_pending, num_redelivered]);
    }
  }
  return all;
}

test('the list counts what waits, is in flight, comes later, is scheduled and is dead; looking takes nothing', async () => {
  const [mail, audit] = [subscriber('mail'), subscriber('audit', {}, ['user', 'other'])];
  const { broker, names, events, queues, work, emit } = await open(mail, audit);
  const since = Date.now() - 1_000;
  for (let n = 1; n <= 5; n++) await emit(`e${n}`);
  const held = work(mail, 2);
  await waitFor(() => held.length === 2);
  await emit('delayed', { at: Date.now() + 60_000, group: 'g' });
  const durable = names.subscription('mail', 'user');
  const event = readEnvelope(held[0] as Delivery, '', 'user');
  for (const attempt of [1, 2]) {
    await events.scheduleRetry(durable, { ...event, attempt }, Buffer.from('1'), Date.now() + 60_000);
  }
  await events.bury(event, Buffer.from('1'), { step: 'mail', durable, error: '{}' });
  const before = await consumersOf(broker, names);
  const [first, second, third, ...others] = await queues.list();
  await findEvent(broker, names, 'e1');
  expect(await consumersOf(broker, names)).toEqual(before);
  expect([first?.step, second?.step, third?.step, others]).toEqual(['audit', 'audit', 'mail', []]);
  expect(third).toEqual({
    ...{ subscription: durable, step: 'mail', topic: 'user', waiting: 3, inFlight: 2, later: 2, scheduled: 1 },
    workers: [],
    ...{ oldest: expect.any(String), dead: 1, paused: false, why: 'all workers are busy with 2 of its events' },
  });
  expect(Date.parse(third?.oldest ?? '')).toBeGreaterThan(since);
  expect(first).toMatchObject({
    waiting: 5,
    inFlight: 0,
    scheduled: 1,
    dead: 0,
    why: expect.stringContaining('no worker'),
  });
  expect(second).toEqual({
    ...{ subscription: names.subscription('audit', 'other'), step: 'audit', topic: 'other', waiting: 0, inFlight: 0 },
    ...{ later: 0, scheduled: 0, dead: 0, paused: false },
  });
  expect(await queues.list('other')).toEqual([second]);
  expect(await queues.show(durable)).toMatchObject({ subscription: durable });
  await expect(queues.show('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a paused subscription keeps its events, through a crash of the server and changes of its settings', async () => {
  const mail = subscriber('mail');
  const { broker, names, queues, work, emit } = await open(mail, subscriber('audit'));
  expect(await queues.pause('mail')).toEqual([names.subscription('mail', 'user')]);
  const held = work(mail, 10);
  await emit('e1');
  await waitFor(async () => (await queues.list('mail'))[0]?.waiting === 1);
  await provision(broker, names, mail);
  await provision(broker, names, subscriber('mail', { visibilityTimeout: 5 }));
  // As a worker of another language does it: with all of its own settings, and nothing of a pause.
  const durable = names.subscription('mail', 'user');
  const config = { durable_name: durable, ack_policy: 'explicit', ack_wait: 7e9, max_deliver: -1 };
  const filter_subjects = [names.eventFilter('user'), names.retry(durable)];
  const body = { stream_name: names.streams.events, action: 'update', config: { ...config, filter_subjects } };
  await broker.mux.request(`$JS.API.CONSUMER.CREATE.${names.streams.events}.${durable}`, JSON.stringify(body));
  await harness.crash();
  await waitFor(async () => (await queues.list('mail'))[0]?.waiting === 1);
  for (const puller of pullers) puller.restart();
  await emit('e2');
  const [status] = await queues.list('mail');
  expect(status).toMatchObject({ waiting: 2, inFlight: 0, paused: true, why: 'paused' });
  expect((await broker.jsm.consumers.info(names.streams.events, durable)).config.ack_wait).toBe(7e9);
  expect(held).toEqual([]);
  await queues.resume('mail', 'user');
  await waitFor(() => held.length === 2);
  expect((await queues.list('mail'))[0]?.paused).toBe(false);
});

test('all partitions of a FIFO step are paused; an unknown step is told with the known ones', async () => {
  const fifo = subscriber('mail', { type: 'fifo' });
  const { queues, work, emit } = await open(fifo);
  await queues.pause('mail');
  const held = work(fifo, 1);
  for (const group of ['g1', 'g2', undefined]) await emit(`e ${group}`, group === undefined ? {} : { group });
  await waitFor(async () => (await queues.list())[0]?.waiting === 3);
  expect(held).toEqual([]);
  await queues.resumeOne((await queues.list())[0]?.subscription ?? '');
  await waitFor(() => held.length > 0);
  for (const act of ['pause', 'resume'] as const) {
    const message = 'there is no event step "nobody": there are mail';
    await expect(queues[act]('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_STEP', message });
    await expect(queues[act]('mail', 'other')).rejects.toMatchObject({ code: 'UNKNOWN_STEP' });
    await expect(queues[`${act}One`]('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
});

test('an event is found where it is, with the reason why it waits', async () => {
  const [mail, audit] = [subscriber('mail'), subscriber('audit')];
  const { names, events, queues, work, emit, find } = await open(mail, audit);
  await emit('e1');
  expect(await find('e1')).toMatchObject([
    { step: 'audit', topic: 'user', state: 'no worker', attempt: 1 },
    { step: 'mail', topic: 'user', state: 'no worker' },
  ]);
  const held = work(mail, 1);
  await waitFor(() => held.length === 1);
  await queues.pause('audit');
  expect(await find('e1')).toMatchObject([
    { step: 'audit', state: 'paused', why: 'paused' },
    { step: 'mail', state: 'running', why: expect.stringContaining('with a worker') },
  ]);
  await emit('e2');
  expect((await find('e2'))[1]).toMatchObject({ step: 'mail', state: 'busy' });

  const durable = names.subscription('mail', 'user');
  const event = readEnvelope(held[0] as Delivery, names.streams.events, 'user');
  const due = Date.now() + 60_000;
  await events.scheduleRetry(durable, event, Buffer.from('1'), due);
  held[0]?.ack();
  await waitFor(async () => (await find('e1')).every(({ state }) => state !== 'running'));
  const until = new Date(due).toISOString();
  expect(await find('e1')).toMatchObject([
    { step: 'audit', state: 'paused' },
    { step: 'mail', topic: 'user', state: 'backoff', attempt: 2, until, why: `waits until ${until} for attempt 2` },
  ]);
  await emit('e3', { at: due });
  expect(await find('e3')).toEqual([{ topic: 'user', state: 'scheduled', until, why: `scheduled for ${until}` }]);
  await events.emit({ id: 'e4', messageId: 'given', topic: 'a b', json: '1', traceparent: '', at: due });
  expect(await find('e4')).toMatchObject([{ topic: 'a b', state: 'scheduled', until }]);
  await events.bury({ ...event, id: 'e5', attempt: 4 }, Buffer.from('1'), { step: 'mail', durable, error: '{}' });
  expect(await find('e5')).toEqual([
    {
      step: 'mail',
      topic: 'user',
      state: 'dead',
      attempt: 4,
      deadLetter: '1',
      why: 'dead after 4 attempts: motia dlq show 1',
    },
  ]);
  expect(await find('e6')).toEqual([]);
  await expect(find('')).rejects.toMatchObject({ code: 'INVALID_VALUE' });
});

test('who has an event says so when it is asked, and whoever does not answer in time is counted', async () => {
  const mail = subscriber('mail');
  const { broker, names, queues, work, emit, find } = await open(mail);
  const durable = names.subscription('mail', 'user');
  const lease = JSON.stringify({ language: 'node', serves: [`${names.streams.events}/${durable}`] });
  const identity = { worker: 'w1', language: 'node', host: 'here', pid: 42 };
  for (const id of ['e1', 'e2', 'e3']) await emit(id);
  const held = work(mail, 2);
  await waitFor(() => held.length === 2);
  await writeEntry(broker, names.buckets.leases, names.workerLease('frozen'), lease);
  expect((await queues.list())[0]).toMatchObject({ inFlight: 2, workers: [], silentWorkers: 1 });
  expect((await find('e2'))[0]?.why).toBe('with a worker that does not say so');

  await writeEntry(broker, names.buckets.leases, names.workerLease('w1'), lease);
  await writeEntry(broker, names.buckets.leases, names.workerLease('other'), '{"serves":["elsewhere"]}');
  answerHoldings(await harness.connect(), names, identity, (consumers) =>
    held.flatMap(({ sequence, deliveryCount: attempt, receivedAt: since }) =>
      consumers.has(durable) ? [{ durable, sequence, attempt, since }] : [],
    ),
  );
  await waitFor(async () => (await queues.list())[0]?.workers?.length === 1);
  for (const wrong of ['nonsense', 'null', '{"consumers":1}']) broker.send(names.holdings, wrong, 'nowhere'); // passed over
  broker.nc.subscribe(names.holdings, { callback: (_, msg) => void msg.respond('nonsense') }); // the same
  expect((await queues.list())[0]).toMatchObject({ workers: [{ ...identity, events: 2 }], silentWorkers: 1 });
  const since = new Date(held[1]?.receivedAt ?? 0).toISOString();
  expect(await find('e2')).toEqual([
    {
      ...{ step: 'mail', topic: 'user', state: 'running', attempt: 1, worker: identity, since },
      why: `with the node worker, process 42 on here, since ${since}`,
    },
  ]);
  expect(await find('e3')).toMatchObject([{ state: 'busy' }]);
  await purgeEntries(broker, names.buckets.leases, names.workerLease('frozen'));
  expect((await queues.list())[0]).not.toHaveProperty('silentWorkers');
});

test('limits are named: globalConcurrency and rateLimit', async () => {
  const few = subscriber('few', { globalConcurrency: 2 });
  const paced = subscriber('paced', { rateLimit: { limit: 1, per: 60 } });
  const { broker, names, work, emit, find } = await open(few, paced);
  for (const id of ['e1', 'e2', 'e3']) await emit(id);
  const [ofFew, ofPaced] = [work(few, 10), work(paced, 1)];
  await waitFor(() => ofFew.length === 2 && ofPaced.length === 1);
  const next = Date.now() + 30_000;
  await writeEntry(broker, names.buckets.delivery, names.rateKey('paced'), String(next));
  expect(await find('e3')).toMatchObject([
    { step: 'few', state: 'concurrency limit', why: 'globalConcurrency: 2 of 2 run' },
    {
      step: 'paced',
      state: 'rate limit',
      why: `rateLimit: 1 in 60 s, the next start is at ${new Date(next).toISOString()}`,
    },
  ]);
});

test('FIFO: behind which event of the group, and how long that waits for its next attempt', async () => {
  const fifo = subscriber('mail', { type: 'fifo' });
  const { broker, names, queues, work, emit, find } = await open(fifo);
  for (const id of ['e1', 'e2']) await emit(id, { group: 'g' });
  await emit('other', { group: 'g1' }); // in another partition than g
  const held = work(fifo, 3);
  await waitFor(() => held.length === 2);
  expect(await find('e1')).toMatchObject([
    { step: 'mail', state: 'running', why: expect.stringContaining('with a worker') },
  ]);
  const why = 'behind another event of its message group, or of one in the same partition: e1';
  expect(await find('e2')).toMatchObject([{ step: 'mail', state: 'behind', why }]);

  const first = held.find((delivery) => readEnvelope(delivery, '', 'user').id === 'e1') as Delivery;
  const durable = names.orderedSubscription('mail', 'user', first.subject.split('.')[2] as string);
  const due = Date.now() + 60_000;
  const mark = { sequence: first.sequence, attempt: 2, notBefore: due, deliveries: 1 };
  await writeEntry(broker, names.buckets.delivery, names.markKey(durable), JSON.stringify(mark));
  first.handBack(60_000);
  const until = new Date(due).toISOString();
  expect(await find('e1')).toMatchObject([{ step: 'mail', state: 'backoff', attempt: 2, until }]);
  expect(await queues.list()).toMatchObject([{ waiting: 1, inFlight: 1, later: 1 }]);
});

test('a search ends at its limit, and says so', async () => {
  const { broker, names, emit, queues } = await open(subscriber('mail'));
  await Promise.all(Array.from({ length: 5_600 }, (_, n) => emit(`e${n}`)));
  await emit('last');
  expect(await findEvent(broker, names, 'last')).toEqual({ eventId: 'last', places: [], cut: ['waiting'] });
  expect((await findEvent(broker, names, 'e7')).places).toHaveLength(1);
  expect((await queues.list())[0]?.waiting).toBe(5_601);
  const due = Date.now() + 60_000;
  await Promise.all(Array.from({ length: 1_100 }, (_, n) => emit(`d${n}`, { at: due })));
  expect((await queues.list())[0]).toMatchObject({ scheduled: 1_000, scheduledCut: true });
});
