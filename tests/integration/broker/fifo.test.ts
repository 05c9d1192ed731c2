/** Message groups and the partitions that ordered subscriptions are made of, on a real broker. */
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { ensureConsumer, type Source, subscriptionSources } from '../../../shared/broker/consumers.ts';
import { EventStore, readEnvelope } from '../../../shared/broker/events.ts';
import { ensureSources } from '../../../shared/broker/provision.ts';
import { PullConsumer } from '../../../shared/broker/pull-consumer.ts';
import type { Manifest } from '../../../shared/steps/manifest.ts';
import type { Infrastructure } from '../../../shared/types.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const pullers: PullConsumer[] = [];
afterEach(() => {
  for (const puller of pullers.splice(0)) puller.close();
});

const manifest = (type: NonNullable<Infrastructure['queue']>['type']) =>
  ({
    steps: [{ id: 'Mail', name: 'Mail', type: 'event', subscribes: ['user'], infrastructure: { queue: { type } } }],
    settings: {},
  }) as unknown as Manifest;

const sources = (names: Parameters<typeof subscriptionSources>[0], type: 'fifo' | 'standard') =>
  subscriptionSources(names, manifest(type).steps[0] as Manifest['steps'][number], 'user');

/** Takes everything, and acks it. @returns the bodies, in the order of arrival, and where each came from. */
function take(broker: Broker, from: Source[]): { body: string; partition: string | undefined; attempt: number }[] {
  const taken: { body: string; partition: string | undefined; attempt: number }[] = [];
  for (const source of from) {
    const puller = new PullConsumer(broker, {
      ...source,
      room: () => 1,
      onGone: () => {},
      onDelivery: (delivery) => {
        const { attempt } = readEnvelope(delivery, source.stream, 'user');
        taken.push({ body: Buffer.from(delivery.data).toString(), partition: source.partition, attempt });
        delivery.ack();
      },
    });
    pullers.push(puller);
    puller.start();
  }
  return taken;
}

const event = (json: string, group?: string, at?: number) => ({
  id: `e${json}`,
  topic: 'user',
  json,
  traceparent: '',
  ...(group !== undefined && { group }),
  ...(at !== undefined && { at }),
});

test('a group is in one partition, with a delay or without; events without one have their own; every text is a group', async () => {
  const { broker, names } = await harness.app();
  await ensureSources(broker, names, manifest('fifo'));
  const events = new EventStore(broker, names);
  const groups = ['g1', 'größe', '', 'a.b', '*', '>', ' ', '_', 'x'.repeat(500)];
  const soon = Date.now() + 300;
  for (const [n, group] of groups.entries()) {
    await events.emit(event(`"${n} now"`, group));
    await events.emit(event(`"${n} later"`, group, soon));
  }
  await events.emit(event('"none"'));
  await events.emit(event('"none later"', undefined, soon));
  const taken = take(broker, sources(names, 'fifo'));
  await waitFor(() => taken.length === 2 * groups.length + 2);
  const partitionOf = (body: string) => taken.find((one) => one.body === `"${body}"`)?.partition;
  for (const n of groups.keys()) {
    expect(partitionOf(`${n} now`)).toMatch(/^\d+$/);
    expect(partitionOf(`${n} later`)).toBe(partitionOf(`${n} now`));
  }
  expect([partitionOf('none'), partitionOf('none later')]).toEqual(['_', '_']);
});

test('an ordinary subscription gets the events of all groups', async () => {
  const { broker, names } = await harness.app();
  await ensureSources(broker, names, manifest('standard'));
  const events = new EventStore(broker, names);
  for (let n = 0; n < 20; n++) await events.emit(event(String(n), n % 2 === 0 ? `g${n}` : undefined));
  const taken = take(broker, sources(names, 'standard'));
  await waitFor(() => taken.length === 20);
});

test('a step that becomes FIFO loses nothing of what waits, be it an event or a retry', async () => {
  const { broker, names } = await harness.app();
  await ensureSources(broker, names, manifest('standard'));
  const events = new EventStore(broker, names);
  const all: string[] = [];
  for (let n = 0; n < 20; n++) {
    all.push(String(n));
    await events.emit(event(String(n), n % 2 === 0 ? `g${n}` : undefined));
  }
  const failed = { id: 'r', topic: 'user', attempt: 1, emittedAt: 1, traceparent: '' };
  const durable = names.subscription('Mail', 'user');
  await events.scheduleRetry(durable, failed, Buffer.from('"retry"'), Date.now() + 1_000);
  await ensureSources(broker, names, manifest('fifo'), manifest('standard'));
  const taken = take(broker, sources(names, 'fifo'));
  await waitFor(() => new Set(taken.map(({ body }) => body)).size === 21);
  expect(new Set(taken.map(({ body }) => body))).toEqual(new Set([...all, '"retry"']));
  expect(taken.find(({ body }) => body === '"retry"')).toMatchObject({ partition: '_', attempt: 2 });
});

test('a partition hands out one event at a time, and the next one only after that', async () => {
  const { broker, names } = await harness.app();
  await ensureSources(broker, names, manifest('fifo'));
  const events = new EventStore(broker, names);
  await events.emit(event('1'));
  await events.emit(event('2'));
  const [source] = sources(names, 'fifo') as [Source];
  await ensureConsumer(broker, source, 'Mail'); // again changes nothing
  const seen: { body: string; done(): void; back(): void }[] = [];
  const puller = new PullConsumer(broker, {
    ...source,
    room: () => 10,
    onGone: () => {},
    onDelivery: (delivery) => {
      const done = () => delivery.ack();
      seen.push({ body: Buffer.from(delivery.data).toString(), done, back: () => delivery.handBack(300) });
    },
  });
  pullers.push(puller);
  puller.start();
  await waitFor(() => seen.length === 1);
  seen[0]?.back();
  await waitFor(() => seen.length === 2);
  seen[1]?.done();
  await waitFor(() => seen.length === 3);
  expect(seen.map(({ body }) => body)).toEqual(['1', '1', '2']);
});
