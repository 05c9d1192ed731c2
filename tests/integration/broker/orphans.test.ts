/** Consumers that no live version of the app has: empty ones go after a while, what waits in others is never lost silently. */
import type { MsgRequest } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { OrphanWatch } from '../../../gateway/housekeeping/orphan-watch.ts';
import { AttemptMarks } from '../../../shared/broker/attempt-marks.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { sourcesOf, subscriptionSource } from '../../../shared/broker/consumers.ts';
import { EventStore } from '../../../shared/broker/events.ts';
import { emptyOrphan, findOrphans, removeOrphan } from '../../../shared/broker/orphans.ts';
import { provisionManifest } from '../../../shared/broker/provision.ts';
import { WorkerLease } from '../../../shared/broker/worker-lease.ts';
import { createLogger } from '../../../shared/logger.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import type { Manifest, StepEntry } from '../../../shared/steps/manifest.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();

const step = (name: string, rest: Partial<StepEntry> = {}): StepEntry =>
  ({
    ...{ id: name, name, file: `steps/${name}.step.ts`, language: 'node', type: 'event', subscribes: ['t'], emits: [] },
    ...rest,
  }) as unknown as StepEntry;

const provision = (broker: Broker, names: Names, ...steps: StepEntry[]) =>
  provisionManifest(broker, names, { app: 'a', steps, settings: {} } as unknown as Manifest, false);

function logTo(lines: Record<string, unknown>[]) {
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  return createLogger({ level: 'info', pretty: false, destination });
}

const consumersOf = async (broker: Broker, stream: string) =>
  (await broker.jsm.consumers.list(stream).next()).map(({ name }) => name).sort();

const emit = (broker: Broker, names: Names, id: string, topic = 't', group?: string) =>
  broker.nc.request(names.event(topic, group), JSON.stringify({ id }));

async function deadLetters(broker: Broker, names: Names) {
  const letters: { subject: string; id: string; attempt: string; error: string }[] = [];
  for (let seq = 1; ; ) {
    const query = { seq, next_by_subj: names.deads } as MsgRequest;
    const message = await broker.jsm.streams.getMessage(names.streams.dead, query);
    if (!message) return letters;
    const { message: error } = JSON.parse(decodeURIComponent(message.header.get('Motia-Error')));
    const { id } = message.json<{ id: string }>();
    letters.push({ subject: message.subject, id, attempt: message.header.get('Motia-Attempt'), error });
    seq = message.seq + 1;
  }
}

test('an empty one goes when it was unused for long enough, and not before', async () => {
  const { broker, names } = await harness.app();
  const api = { type: 'api', method: 'GET', path: '/old' } as const;
  await provision(broker, names, step('kept'), step('old'), step('oldCall', api), step('oldTick', { type: 'cron' }));
  await provision(broker, names, step('kept'));
  const lines: Record<string, unknown>[] = [];
  const watch = new OrphanWatch(broker, names, logTo(lines), 60_000);
  await watch.look(0);
  await watch.look(59_999);
  expect(await consumersOf(broker, names.streams.events)).toHaveLength(2);
  await provision(broker, names, step('kept'), step('old')); // it is back for a moment
  await watch.look(60_000);
  await provision(broker, names, step('kept'));
  await watch.look(60_001);
  expect(await consumersOf(broker, names.streams.events)).toHaveLength(2);
  expect(await consumersOf(broker, names.streams.requests)).toEqual([]);
  expect(await consumersOf(broker, names.streams.cron)).toEqual([]);
  await watch.look(120_001);
  expect(await consumersOf(broker, names.streams.events)).toEqual([names.subscription('kept', 't')]);
  expect(lines.map(({ action }) => action)).toEqual(Array(3).fill('orphan_removed'));
});

test('what waits in one is reported once, and stays', async () => {
  const { broker, names } = await harness.app();
  await provision(broker, names, step('kept'), step('old'));
  await emit(broker, names, 'a');
  await provision(broker, names, step('kept'));
  const lines: Record<string, unknown>[] = [];
  const watch = new OrphanWatch(broker, names, logTo(lines), 1_000);
  for (const now of [0, 1_000, 2_000]) await watch.look(now);
  expect(lines).toMatchObject([{ action: 'orphaned_consumer', step: 'old', waiting: 1 }]);
  const [orphan] = await findOrphans(broker, names);
  if (!orphan) throw new Error('it is not found');
  expect(await removeOrphan(broker, names, orphan)).toBe(false);
  expect(await consumersOf(broker, names.streams.events)).toHaveLength(2);
});

test('one of a function that says who may follow a stream is in use as long as the manifest has that', async () => {
  const { broker, names } = await harness.app();
  const streams = [{ name: 'chat', language: 'node', file: 'src/chat.stream.ts', canAccess: true }];
  const settings = { streamAuth: true };
  const manifest = (rest: object) => ({ app: 'a', steps: [], settings: {}, ...rest }) as unknown as Manifest;
  await provisionManifest(broker, names, manifest({ streams, settings }), false);
  expect(await consumersOf(broker, names.streams.requests)).toEqual(['=3DcanAccess=3Achat', '=3DstreamAuth']);
  expect(await findOrphans(broker, names)).toEqual([]);
  await provisionManifest(broker, names, manifest({}), false);
  const orphans = await findOrphans(broker, names);
  expect(orphans.map(({ step }) => step).sort()).toEqual(['=canAccess:chat', '=streamAuth']);
});

test('one that a live worker serves is left alone, until its lease is over', async () => {
  const { broker, names } = await harness.app();
  const old = step('old');
  await provision(broker, names, old);
  const lease = new WorkerLease(broker, names, logTo([]), () => sourcesOf(names, old));
  await lease.name();
  await provision(broker, names, step('kept'));
  expect(await findOrphans(broker, names)).toEqual([]);
  const orphan = { stream: names.streams.events, durable: names.subscription('old', 't'), step: 'old', waiting: 0 };
  expect(await removeOrphan(broker, names, orphan)).toBe(false);
  expect(await emptyOrphan(broker, names, orphan)).toBeUndefined();
  expect(await consumersOf(broker, names.streams.events)).toContain(orphan.durable);
  await lease.stop();
  expect(await findOrphans(broker, names)).toEqual([orphan]);
});

test('when told so, all that waits becomes dead letters: new, with a lost worker, and for another attempt', async () => {
  const { broker, names } = await harness.app();
  const old = step('old', { infrastructure: { queue: { visibilityTimeout: 1 } } });
  await provision(broker, names, step('kept'), old);
  const durable = names.subscription('old', 't');
  await emit(broker, names, 'lost');
  const taken = broker.nc.subscribe('taken', { max: 1 });
  broker.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${names.streams.events}.${durable}`, '1', { reply: 'taken' });
  for await (const _ of taken); // and never answered
  for (let n = 0; n < 100; n++) await emit(broker, names, `new ${n}`);
  const event = { id: 'again', topic: 't', attempt: 2, emittedAt: Date.now(), traceparent: '' };
  await new EventStore(broker, names).scheduleRetry(durable, event, Buffer.from('{"id":"again"}'), Date.now() + 3_000);
  await provision(broker, names, step('kept'));
  const [orphan] = await findOrphans(broker, names);
  if (!orphan) throw new Error('it is not found');
  expect(orphan).toMatchObject({ durable, waiting: 102 });
  expect(await emptyOrphan(broker, names, orphan)).toBe(102);
  const letters = await deadLetters(broker, names);
  expect(letters.map(({ id }) => id).sort()).toEqual(
    ['lost', 'again', ...Array.from({ length: 100 }, (_, n) => `new ${n}`)].sort(),
  );
  expect(letters.find(({ id }) => id === 'again')).toMatchObject({ attempt: '3', subject: names.dead('old') });
  expect(new Set(letters.map(({ error }) => error))).toEqual(new Set(['the step is gone']));
  expect(await consumersOf(broker, names.streams.events)).toEqual([names.subscription('kept', 't')]);
  const scheduled = await broker.jsm.streams.info(names.streams.scheduled);
  expect(scheduled.state.messages).toBe(0);
});

test('of a FIFO step too, also what waits in its place', async () => {
  const { broker, names } = await harness.app();
  const old = step('old', { infrastructure: { queue: { type: 'fifo' } } });
  await provision(broker, names, step('kept'), old);
  for (let n = 0; n < 3; n++) await emit(broker, names, `grouped ${n}`, 't', 'g');
  await emit(broker, names, 'alone');
  const { durable } = subscriptionSource(names, old, 't');
  await new AttemptMarks(broker, names, durable).write({ sequence: 4, attempt: 2, notBefore: 0, deliveries: 1 });
  const taken = broker.nc.subscribe('taken.fifo', { max: 1 });
  broker.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${names.streams.events}.${durable}`, '1', { reply: 'taken.fifo' });
  for await (const message of taken) message.respond('-NAK {"delay":3600000000000}');
  await provision(broker, names, step('kept'));
  let moved = 0;
  for (const orphan of await findOrphans(broker, names)) moved += (await emptyOrphan(broker, names, orphan)) ?? 0;
  expect(moved).toBe(4);
  expect((await deadLetters(broker, names)).map(({ id }) => id).sort()).toEqual([
    ...['alone', 'grouped 0', 'grouped 1', 'grouped 2'],
  ]);
  await waitFor(async () => (await consumersOf(broker, names.streams.events)).length === 1);
});

test('what a step that is FIFO no longer has left is its own to finish, as long as there is the step', async () => {
  const { broker, names } = await harness.app();
  await provision(broker, names, step('kept'), step('old', { infrastructure: { queue: { type: 'fifo' } } }));
  await provision(broker, names, step('kept'), step('old'));
  expect(await findOrphans(broker, names)).toEqual([]);
  await provision(broker, names, step('kept'));
  expect(await findOrphans(broker, names)).toHaveLength(65);
});

test('the lease of a worker that ends while the broker does not answer is left to run out', async () => {
  const { broker, names } = await harness.app();
  const lease = new WorkerLease(broker, names, logTo([]), () => []);
  await lease.name();
  await harness.server.kill('SIGSTOP');
  try {
    const began = Date.now();
    await lease.stop();
    expect(Date.now() - began).toBeLessThan(4_000); // a request alone is waited for longer
  } finally {
    await harness.server.kill('SIGCONT');
  }
});
