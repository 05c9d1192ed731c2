/** Events on a real broker: their headers, their retries in time and once, their end as dead letters. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { ensureConsumer, subscriptionSource } from '../../../shared/broker/consumers.ts';
import type { Delivery } from '../../../shared/broker/delivery.ts';
import { type EventEnvelope, EventStore, type NewEvent, readEnvelope } from '../../../shared/broker/events.ts';
import { PullConsumer } from '../../../shared/broker/pull-consumer.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const pullers: PullConsumer[] = [];
afterEach(() => {
  for (const puller of pullers.splice(0)) puller.close();
});

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

interface Arrival {
  delivery: Delivery;
  event: EventEnvelope;
  body: string;
  at: number;
}

/** A subscription of `step` to `topic` that keeps everything that arrives, unanswered. */
async function subscribe(broker: Broker, names: Names, step = 'mail', topic = 'user.created') {
  const source = subscriptionSource(names, { id: step }, topic);
  await ensureConsumer(broker, source, step);
  const arrivals: Arrival[] = [];
  const puller = new PullConsumer(broker, {
    ...source,
    room: () => 100,
    onGone: () => {},
    onDelivery: (delivery) => {
      const body = Buffer.from(delivery.data).toString();
      arrivals.push({ delivery, event: readEnvelope(delivery, source.stream, topic), body, at: Date.now() });
    },
  });
  pullers.push(puller);
  puller.start();
  return { durable: source.durable, arrivals, puller };
}

async function openEvents() {
  const { broker, names } = await harness.app({
    onReconnect: () => {
      for (const puller of pullers) puller.restart();
    },
  });
  return { broker, names, events: new EventStore(broker, names) };
}

const anEvent = (change: Partial<NewEvent> = {}): NewEvent => ({
  id: 'e1',
  topic: 'user.created',
  json: '{"name":"Zoë"}',
  traceparent: TRACEPARENT,
  ...change,
});

test('every subscription of a topic has its own copy of an event, with all that it was emitted with', async () => {
  const { broker, names, events } = await openEvents();
  const [mail, audit, other] = [
    await subscribe(broker, names, 'mail'),
    await subscribe(broker, names, 'audit'),
    await subscribe(broker, names, 'mail', 'user.removed'),
  ];
  await events.emit(anEvent({ group: 'größe' }));
  await events.emit(anEvent({ group: 'größe' })); // the same id
  await waitFor(() => mail.arrivals.length > 0 && audit.arrivals.length > 0);
  await sleep(100);
  expect([mail.arrivals.length, audit.arrivals.length, other.arrivals.length]).toEqual([1, 1, 0]);
  const [{ event, body }] = mail.arrivals as [Arrival];
  expect(event).toEqual({
    id: 'e1',
    topic: 'user.created',
    attempt: 1,
    emittedAt: expect.any(Number),
    traceparent: TRACEPARENT,
    group: 'größe',
  });
  expect(body).toBe('{"name":"Zoë"}');
});

test('an event larger than a message travels through the object store, to every attempt', async () => {
  const { broker, names, events } = await openEvents();
  const { durable, arrivals } = await subscribe(broker, names);
  const json = JSON.stringify('é'.repeat(5 * 1024 * 1024));
  await events.emit(anEvent({ json }));
  const first = await waitFor(() => arrivals[0]);
  await events.scheduleRetry(durable, first.event, first.delivery.data, Date.now());
  first.delivery.ack();
  const second = await waitFor(() => arrivals[1]);
  for (const { event, delivery } of [first, second]) {
    expect(Buffer.from(await events.payload(event, delivery.data)).toString() === json).toBe(true);
  }
});

test('what another client published is an event too', async () => {
  const { broker, names } = await openEvents();
  const { arrivals } = await subscribe(broker, names);
  broker.nc.publish(names.event('user.created'), '7');
  const { event, body } = await waitFor(() => arrivals[0]);
  expect(event).toMatchObject({ id: `${names.streams.events}:1`, attempt: 1, topic: 'user.created', traceparent: '' });
  expect(body).toBe('7');
});

test('a retry arrives once, not early, in the one subscription, with payload and headers', async () => {
  const { broker, names, events } = await openEvents();
  const [mail, audit] = [await subscribe(broker, names, 'mail'), await subscribe(broker, names, 'audit')];
  await events.emit(anEvent({ group: 'g' }));
  const first = await waitFor(() => mail.arrivals[0]);
  const due = Date.now() + 1_200;
  // A crash between schedule and ack: the event is handed out again, fails again, and is scheduled again.
  await events.scheduleRetry(mail.durable, first.event, first.delivery.data, due);
  await events.scheduleRetry(mail.durable, first.event, first.delivery.data, due + 500);
  first.delivery.ack();
  const second = await waitFor(() => mail.arrivals[1]);
  expect(second.at).toBeGreaterThanOrEqual(due - 20);
  expect(second.event).toEqual({ ...first.event, attempt: 2, protocol: 1 });
  expect(second.body).toBe(first.body);
  // The same when the first schedule has fired already: there is no other one that it could replace.
  await events.scheduleRetry(mail.durable, first.event, first.delivery.data, Date.now() + 100);
  await sleep(1_500);
  expect([mail.arrivals.length, audit.arrivals.length]).toEqual([2, 1]);
});

test('attempts of one event, and subscriptions of one step, do not take each other for a repetition', async () => {
  const { broker, names, events } = await openEvents();
  const mail = await subscribe(broker, names);
  const other = await subscribe(broker, names, 'mail', 'user.removed');
  await events.emit(anEvent());
  const { event, delivery } = await waitFor(() => mail.arrivals[0]);
  const soon = Date.now() + 100;
  await events.scheduleRetry(mail.durable, event, delivery.data, soon);
  await events.scheduleRetry(mail.durable, { ...event, attempt: 2 }, delivery.data, soon);
  await events.scheduleRetry(other.durable, event, delivery.data, soon);
  await waitFor(() => mail.arrivals.length === 3 && other.arrivals.length === 1);
  expect(mail.arrivals.map((arrival) => arrival.event.attempt).sort()).toEqual([1, 2, 3]);
});

test('retries that wait survive a crash of the server, and those that were due meanwhile come once', async () => {
  const { broker, names, events } = await openEvents();
  const { durable, arrivals } = await subscribe(broker, names);
  const event: EventEnvelope = { id: 'e', topic: 'user.created', attempt: 1, emittedAt: 1, traceparent: TRACEPARENT };
  const due = Date.now() + 400;
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      events.scheduleRetry(durable, { ...event, id: `e${i}` }, Buffer.from(String(i)), due),
    ),
  );
  await harness.crash(600);
  await waitFor(() => arrivals.length >= 50);
  await sleep(500);
  expect(arrivals.length).toBe(50);
  expect(new Set(arrivals.map(({ body }) => body)).size).toBe(50);
});

test('an event with a delay reaches every subscription once, not early, also through a crash of the server', async () => {
  const { broker, names, events } = await openEvents();
  const subscriptions = [await subscribe(broker, names, 'mail'), await subscribe(broker, names, 'audit')];
  const due = Date.now() + 2_000;
  await events.emit(anEvent({ at: due }));
  await events.emit(anEvent({ json: '"again"', at: due + 60_000 })); // the same id
  await harness.crash();
  await waitFor(() => subscriptions.every(({ arrivals }) => arrivals.length > 0));
  await sleep(500);
  for (const { arrivals } of subscriptions) {
    expect(arrivals).toMatchObject([{ event: { id: 'e1', attempt: 1, traceparent: TRACEPARENT } }]);
    expect(arrivals[0]?.body).toBe(anEvent().json);
    expect(arrivals[0]?.at).toBeGreaterThanOrEqual(due - 20);
    expect(arrivals[0]?.event.emittedAt).toBeLessThan(due);
  }
});

test('an id that waits for its time is taken once, however much later it comes again; then it may come again', async () => {
  const { broker, names, events } = await openEvents();
  const stream = names.streams.scheduled;
  const { config } = await broker.jsm.streams.info(stream);
  await broker.jsm.streams.update(stream, { ...config, duplicate_window: 100_000_000 });
  const { arrivals } = await subscribe(broker, names);
  const due = Date.now() + 1_500;
  await events.emit(anEvent({ at: due }));
  await sleep(400); // beyond the duplicate window
  await events.emit(anEvent({ json: '"again"', at: due + 60_000 }));
  await waitFor(() => arrivals.length > 0);
  expect(arrivals[0]?.body).toBe(anEvent().json);
  await events.emit(anEvent({ json: '"again"', at: Date.now() + 100 }));
  await waitFor(() => arrivals.length === 2);
  expect(arrivals[1]?.body).toBe('"again"');
});

test('a dead letter is stored once per subscription, with what is needed to understand and to replay it', async () => {
  const { broker, names, events } = await openEvents();
  const event: EventEnvelope = {
    id: 'e',
    topic: 'user.created',
    attempt: 4,
    emittedAt: 7,
    traceparent: TRACEPARENT,
    group: 'g',
  };
  const reason = { step: 'mail', durable: 'mail=_user', error: JSON.stringify({ name: 'Error', message: 'größer' }) };
  await events.bury(event, Buffer.from('{"a":1}'), reason);
  await events.bury(event, Buffer.from('{"a":1}'), reason);
  await events.bury(event, Buffer.from('{"a":1}'), { ...reason, durable: 'mail=_other' });
  const { state } = await broker.jsm.streams.info(names.streams.dead);
  expect(state.messages).toBe(2);
  const letter = await broker.jsm.streams.getMessage(names.streams.dead, { seq: state.first_seq });
  expect(letter?.string()).toBe('{"a":1}');
  expect(JSON.parse(decodeURIComponent(letter?.header.get('Motia-Error') ?? ''))).toEqual({
    name: 'Error',
    message: 'größer',
  });
});

interface Golden {
  app: string;
  emitted: { what: string; event: NewEvent; subject: string; headers: object; body: string }[];
  retry: {
    durable: string;
    attempt: number;
    emittedAt: number;
    at: number;
    event: EventEnvelope;
    subject: string;
    headers: object;
  };
  dead: {
    step: string;
    durable: string;
    error: object;
    attempt: number;
    emittedAt: number;
    event: EventEnvelope;
    subject: string;
    headers: object;
  };
  retriedDead: {
    durable: string;
    attempt: number;
    emittedAt: number;
    event: EventEnvelope & { retriedFrom: number };
    subject: string;
    headers: object;
    inPartition: { step: string; durable: string; subject: string; headers: Record<string, string> };
    again: { at: number; retry: string; dead: string };
  };
}

test('headers and subjects are those of the golden file', async () => {
  const file = new URL('../../../shared/protocol/golden/events.json', import.meta.url);
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  const broker = await harness.connect();
  const names = createNames(golden.app);
  await ensureTopology(broker, names);
  const seen: { subject: string; headers: Record<string, string>; body: string }[] = [];
  broker.nc.subscribe(`${golden.app}.>`, {
    callback: (_error, { subject, headers, data }) => {
      const entries = [...(headers ?? [])].map(([name, values]) => [name, values.join()] as const);
      seen.push({ subject, headers: Object.fromEntries(entries), body: Buffer.from(data).toString() });
    },
  });
  const events = new EventStore(broker, names);
  for (const { event } of golden.emitted) await events.emit(event);
  const { retry, dead } = golden;
  const envelope = ({ event, attempt, emittedAt }: typeof retry | typeof dead): EventEnvelope => ({
    ...event,
    attempt,
    emittedAt,
  });
  await events.scheduleRetry(retry.durable, envelope(retry), Buffer.from('7'), retry.at);
  await events.bury(envelope(dead), Buffer.from('7'), { ...dead, error: JSON.stringify(dead.error) });
  const { retriedDead } = golden;
  const { again, durable } = retriedDead;
  const retried = { ...retriedDead.event, attempt: retriedDead.attempt, emittedAt: retriedDead.emittedAt };
  await events.retryDead({ step: 'src/mail.step.ts', durable }, retried, Buffer.from('7'));
  const { inPartition } = retriedDead;
  await events.retryDead({ step: inPartition.step, durable: inPartition.durable }, retried, Buffer.from('7'));
  await events.scheduleRetry(durable, retried, Buffer.from('7'), again.at);
  await events.bury(retried, Buffer.from('7'), { step: 'again', durable, error: '{}' });
  await waitFor(() => seen.length >= golden.emitted.length + 6);
  const bySubject = (wanted: string) => seen.find(({ subject }) => subject === wanted);
  for (const { event, subject, headers, body } of golden.emitted) {
    const found = seen.find((message) => message.headers['Nats-Msg-Id'] === (event.messageId ?? event.id));
    expect(found).toEqual({ subject, headers, body });
  }
  expect(bySubject(retry.subject)?.headers).toEqual({ ...retry.headers, 'Nats-Schedule-TTL': '168h' });
  expect(bySubject(dead.subject)?.headers).toEqual(dead.headers);
  expect(bySubject(retriedDead.subject)?.headers).toEqual(retriedDead.headers);
  const ofPartition = seen.find(({ headers }) => headers['Nats-Msg-Id'] === inPartition.headers['Nats-Msg-Id']);
  expect(ofPartition).toMatchObject({
    subject: inPartition.subject,
    headers: { ...retriedDead.headers, ...inPartition.headers },
  });
  const ids = seen.map(({ headers }) => headers['Nats-Msg-Id']);
  expect(ids.slice(-2)).toEqual([again.retry, again.dead]);
  for (const stream of Object.values(names.streams)) await broker.jsm.streams.delete(stream);
});
