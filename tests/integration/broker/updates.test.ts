/** Changes that depend on what is stored: nobody's is lost, whoever else changes the value, and whatever becomes of an answer. */
import { setInterval as every } from 'node:timers';
import { expect, test } from 'vitest';
import { BlobStore } from '../../../shared/broker/blobs.ts';
import { ChangeQueue } from '../../../shared/broker/change-queue.ts';
import { JsonBucket } from '../../../shared/broker/json-bucket.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { useNatsServer } from './harness.ts';

const LARGEST_MESSAGE = 256 * 1024;
const harness = useNatsServer({ maxPayload: LARGEST_MESSAGE });
const increment = (n: unknown) => ((n as number | null) ?? 0) + 1;

test('contenders on connections of their own lose no change', async () => {
  const { broker, names } = await harness.app();
  const stores = await Promise.all([1, 2, 3, 4].map(async () => new StateStore(await harness.connect(), names)));
  await Promise.all(
    stores.map(async (store) => {
      for (let i = 0; i < 50; i++) await store.update('g', 'n', increment);
      await Promise.all(Array.from({ length: 50 }, () => store.update('g', 'n', increment)));
    }),
  );
  expect(await new StateStore(broker, names).get('g', 'n')).toBe(400);
});

test('what is asked for at the same time is stored together, each in its turn', async () => {
  const { broker, names } = await harness.app();
  const store = new StateStore(broker, names);
  const results = await Promise.all(Array.from({ length: 100 }, () => store.update('g', 'n', increment)));
  expect(results).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
  const { state } = await broker.jsm.streams.info(`KV_${names.buckets.state}`);
  expect(state.last_seq).toBeLessThan(10);
});

test('a change that throws is told to its caller only, and changes nothing', async () => {
  const { broker, names } = await harness.app();
  const store = new StateStore(broker, names);
  const spoil = (value: unknown) => {
    (value as { n: number }).n = 100;
    throw new Error('mine');
  };
  await store.set('g', 'k', { n: 0 });
  const add = (value: unknown) => ({ n: (value as { n: number }).n + 1 });
  const results = await Promise.allSettled([
    store.update('g', 'k', add),
    store.update('g', 'k', spoil),
    store.update('g', 'k', async () => Promise.reject(new Error('later'))),
    store.update('g', 'k', () => undefined),
    store.update('g', 'k', add),
  ]);
  expect(results.map((one) => ('value' in one ? one.value : one.reason.message))).toEqual([
    { n: 1 },
    'mine',
    'later',
    'undefined is not a value that can be stored',
    { n: 2 },
  ]);
  expect(await store.get('g', 'k')).toEqual({ n: 2 });
});

test('a write whose answer is lost counts once, also when another one has replaced it since', async () => {
  const { names } = await harness.app();
  const brokers = await Promise.all([harness.connect(), harness.connect()]);
  const losing = brokers.map((broker, n) => every(() => broker.mux.rejectAll('the answer is lost'), 3 + n));
  const stores = brokers.map((broker) => new StateStore(broker, names));
  await Promise.all(
    stores.map(async (store) => {
      for (let i = 0; i < 150; i++) await store.update('g', 'n', increment);
    }),
  );
  for (const timer of losing) clearInterval(timer);
  expect(await stores[0]?.get('g', 'n')).toBe(300);
}, 60_000);

test('a server that crashes meanwhile loses no change and counts none twice', async () => {
  const { names, broker } = await harness.app();
  const store = new StateStore(broker, names);
  const updates = (async () => {
    for (let i = 0; i < 200; i++) await store.update('g', 'n', increment);
  })();
  await harness.crash();
  await updates;
  expect(await store.get('g', 'n')).toBe(200);
});

test('a change that waits for another one of its key is given up, and the others go on', async () => {
  const { broker, names } = await harness.app();
  const bucket = new JsonBucket(broker, { bucket: names.buckets.state, blobs: names.buckets.values });
  const queue = new ChangeQueue(bucket, 200);
  const circle = queue.apply('g.k', async () => {
    await queue.apply('g.k', async (json) => `${json ?? ''}1`);
    return '2';
  });
  await expect(circle).rejects.toMatchObject({
    code: 'INVALID_VALUE',
    message: expect.stringContaining('must not wait for another change of the same key'),
  });
  await queue.apply('g.k', async (json) => `${json ?? ''}3`);
  expect((await bucket.load('g.k')).json).toBe('13');
});

test('large values: the replaced ones are freed, those of lost races as well', async () => {
  const { names, broker } = await harness.app();
  const stores = [new StateStore(broker, names), new StateStore(await harness.connect(), names)];
  const grow = (text: unknown) => `${(text as string | null) ?? 'x'.repeat(LARGEST_MESSAGE)}y`;
  await Promise.all(
    stores.map(async (store) => {
      for (let i = 0; i < 5; i++) await store.update('g', 'k', grow);
    }),
  );
  expect(String(await stores[0]?.get('g', 'k')).length).toBe(LARGEST_MESSAGE + 10);
  expect(await new BlobStore(broker, names.buckets.values).list(0)).toHaveLength(1);
  expect(await stores[0]?.update('g', 'k', () => 'small')).toBe('small');
  expect(await new BlobStore(broker, names.buckets.values).list(0)).toHaveLength(0);
});
