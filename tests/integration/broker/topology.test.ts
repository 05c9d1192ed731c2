/** Streams and buckets of an app: made once, kept as they are wanted, never taken from others. */
import { expect, test } from 'vitest';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { streamNames, useNatsServer } from './harness.ts';

const harness = useNatsServer();

test('is made once, and again at every call changes nothing', async () => {
  const { broker, names } = await harness.app();
  const made = await Promise.all((await streamNames(broker)).map((name) => broker.jsm.streams.info(name)));
  expect(made.map(({ config }) => config.name)).toEqual(
    [
      ...Object.values(names.streams),
      ...[
        names.buckets.state,
        names.buckets.streams,
        names.buckets.manifest,
        names.buckets.leases,
        names.buckets.delivery,
        names.buckets.answers,
      ].map((bucket) => `KV_${bucket}`),
      ...[
        names.buckets.bodies,
        names.buckets.payloads,
        names.buckets.values,
        names.buckets.items,
        names.buckets.answers,
      ].map((bucket) => `OBJ_${bucket}`),
    ].sort(),
  );
  await ensureTopology(broker, names);
  const again = await Promise.all(made.map(({ config }) => broker.jsm.streams.info(config.name)));
  expect(again.map(({ config, created }) => ({ config, created }))).toEqual(
    made.map(({ config, created }) => ({ config, created })),
  );
});

test('who asks for it has all streams in memory, as a test does', async () => {
  const { broker, names } = await harness.app();
  const storages = async () => {
    const infos = (await streamNames(broker)).map((name) => broker.jsm.streams.info(name));
    return new Set((await Promise.all(infos)).map(({ config }) => config.storage));
  };
  expect(await storages()).toEqual(new Set(['file', 'memory'])); // requests do not outlive their callers
  for (const name of await streamNames(broker)) await broker.jsm.streams.delete(name);
  await ensureTopology({ ...broker, inMemory: true }, names);
  expect(await storages()).toEqual(new Set(['memory']));
});

test('partitions that were set up in another way are refused, and left as they are', async () => {
  const { broker, names } = await harness.app();
  const before = (await broker.jsm.streams.info(names.streams.events)).config;
  await expect(ensureTopology(broker, createNames(names.app, 16))).rejects.toMatchObject({
    code: 'PARTITIONS_FIXED',
    message: expect.stringContaining('Set MOTIA_PARTITIONS to 64'),
  });
  expect((await broker.jsm.streams.info(names.streams.events)).config).toEqual(before);
  await ensureTopology(broker, names);
});

test('eight processes that start at the same time agree', async () => {
  const names = createNames('crowd');
  const brokers = await Promise.all(Array.from({ length: 8 }, () => harness.connect()));
  await Promise.all(brokers.map((broker) => ensureTopology(broker, names)));
  const [broker] = brokers;
  for (const name of await streamNames(broker as (typeof brokers)[number])) await broker?.jsm.streams.delete(name);
});

test('what was taken away a moment ago can be made again, though the server is still at it', async () => {
  const { broker, names } = await harness.app();
  for (let round = 0; round < 150; round++) {
    await Promise.all((await streamNames(broker)).map((name) => broker.jsm.streams.delete(name)));
    await ensureTopology(broker, names);
  }
}, 90_000); // nine seconds alone, and several times that on a busy disk

test('what acknowledged events are in never drops them', async () => {
  const { broker, names } = await harness.app();
  const { config } = await broker.jsm.streams.info(names.streams.events);
  expect(config).toMatchObject({ retention: 'interest', storage: 'file', discard: 'new' });
  const { config: state } = await broker.jsm.streams.info(`KV_${names.buckets.state}`);
  expect(state).toMatchObject({ storage: 'file', discard: 'new', max_msgs_per_subject: 1 });
});

test('a setting that somebody changed is put right, and what is stored stays', async () => {
  const { broker, names } = await harness.app();
  const { config: wanted } = await broker.jsm.streams.info(names.streams.dead);
  await broker.nc.request(names.dead('step'), 'dead letter');
  await broker.jsm.streams.update(names.streams.dead, { max_bytes: 1_000_000 });
  await ensureTopology(broker, names);
  const { config, state } = await broker.jsm.streams.info(names.streams.dead);
  expect([config.max_bytes, state.messages]).toEqual([wanted.max_bytes, 1]);
});

// Each with an app of its own: the broker may still remove the files of a deleted stream when another one gets its name.
test.each([
  ['a stream', 'stranger1', ({ streams }: Names) => streams.events, 'somebody.elses.>'],
  ['a bucket of state', 'stranger2', ({ buckets }: Names) => `KV_${buckets.state}`, '$KV.stranger2_state.>'],
  ['a bucket of objects', 'stranger3', ({ buckets }: Names) => `OBJ_${buckets.values}`, 'somebody.elses.objects'],
])('%s that belongs to somebody else is left alone', async (_, app, nameOf, subject) => {
  const broker = await harness.connect();
  const names = createNames(app);
  const name = nameOf(names);
  await broker.jsm.streams.add({ name, subjects: [subject], max_msgs: 7 });
  await expect(ensureTopology(broker, names)).rejects.toMatchObject({
    code: 'BROKER_NAME_TAKEN',
    message: expect.stringMatching(new RegExp(`${name.replace('$', '\\$')}.*MOTIA_APP`)),
  });
  const { config } = await broker.jsm.streams.info(name);
  expect([config.max_msgs, config.subjects]).toEqual([7, [subject]]);
  for (const made of await streamNames(broker)) await broker.jsm.streams.delete(made);
});

test('subjects that a stranger\u2019s stream listens to are told with the reason', async () => {
  const broker = await harness.connect();
  await broker.jsm.streams.add({ name: 'ALL', subjects: ['stranger.ev.>'], max_msgs: 1 });
  await expect(ensureTopology(broker, createNames('stranger'))).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
    message: expect.stringMatching(/stranger_EVENTS.*overlap/),
  });
  for (const made of await streamNames(broker)) await broker.jsm.streams.delete(made);
});

test('memory streams that went with the server are made again', async () => {
  const { broker, names } = await harness.app();
  await harness.crash();
  await broker.whenConnected(10_000);
  await expect(broker.jsm.streams.info(names.streams.requests)).rejects.toThrow('stream not found');
  await ensureTopology(broker, names);
  const { config } = await broker.jsm.streams.info(names.streams.requests);
  expect(config.storage).toBe('memory');
});
