/** Values that go by themselves, and values that are stored at one revision only. */
import { setInterval as every } from 'node:timers';
import pino from 'pino';
import { expect, test } from 'vitest';
import { sweepLargeValues } from '../../../gateway/housekeeping/large-values.ts';
import { BlobStore } from '../../../shared/broker/blobs.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { readLast, writeEntry } from '../../../shared/broker/key-value.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import type { RevisionConflictError } from '../../../shared/errors.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const LARGEST_MESSAGE = 256 * 1024;
const harness = useNatsServer({ maxPayload: LARGEST_MESSAGE });
const large = 'x'.repeat(LARGEST_MESSAGE);
const conflict = (revision: number) => ({ code: 'REVISION_CONFLICT', revision });

async function openState() {
  const { broker, names } = await harness.app();
  return { state: new StateStore(broker, names), blobs: new BlobStore(broker, names.buckets.values), broker, names };
}

/** A header of an entry. */
const headerOf = async (broker: Broker, names: Names, key: string, header: string) =>
  (await readLast(broker, names.buckets.state, names.stateKey('g', key))).entry?.header(header);

test('a value with a ttl goes by itself, for every reader; a set without one ends it, and an update lets it go on', async () => {
  const { state, blobs, broker, names } = await openState();
  await state.set('g', 'short', 1, { ttl: 1 });
  await state.set('g', 'large', large, { ttl: 1 });
  await state.set('g', 'ended', 1, { ttl: 1 });
  await state.set('g', 'ended', 2);
  await state.set('g', 'updated', 1, { ttl: 2 });
  await state.set('g', 'long', 1, { ttl: 1 });
  await state.set('g', 'long', 2, { ttl: 3_600 });
  await state.set('only short', 'k', 1, { ttl: 1 });
  const { expiresAt } = (await state.getEntry('g', 'updated')) ?? {};
  for (let n = 0; n < 5; n++) await state.update('g', 'updated', (value) => (value as number) + 1);
  expect(await state.getEntry('g', 'updated')).toEqual({ value: 6, revision: expect.any(Number), expiresAt });
  expect(await headerOf(broker, names, 'updated', 'Nats-TTL')).toMatch(/^[12]s$/);
  expect(await state.get('g', 'large')).toBe(large);

  const keys = async () => (await state.getGroupPage('g')).items.map(({ key }) => key).sort();
  await waitFor(async () => (await keys()).join() === 'ended,long', { within: 15_000 });
  for (const key of ['short', 'large', 'updated']) {
    expect([await state.get('g', key), await state.getEntry('g', key)]).toEqual([null, null]);
  }
  expect(await state.getGroup('g')).toEqual([2, 2]);
  expect((await state.listGroups()).items).toEqual([{ group: 'g', keys: 2 }]);
  expect(await state.sweep(0)).toBe(1);
  expect(await blobs.list(0)).toEqual([]);
  expect(await state.update('g', 'short', (value) => value ?? 'anew')).toBe('anew');
  expect(await state.getEntry('g', 'short')).toEqual({ value: 'anew', revision: expect.any(Number) });
});

test('a large value that nothing points to any more is removed by itself, and no other', async () => {
  const { state, blobs, broker, names } = await openState();
  await state.set('g', 'replaced', large);
  await state.set('g', 'replaced', 'small');
  await state.set('g', 'kept', large);
  const stop = sweepLargeValues(broker, names, pino({ enabled: false }), 100);
  await waitFor(async () => (await blobs.list(0)).length === 1);
  stop();
  expect(await state.get('g', 'kept')).toBe(large);
});

test('an update does not prolong what is over and about to go: it begins anew', async () => {
  const { state, broker, names } = await openState();
  const over = { 'Motia-Expires': String(Date.now() - 10), 'Nats-TTL': '60s' };
  await writeEntry(broker, names.buckets.state, names.stateKey('g', 'k'), '7', over);
  expect(await state.update('g', 'k', (value) => ((value as number | null) ?? 0) + 1)).toBe(1);
  expect(await headerOf(broker, names, 'k', 'Nats-TTL')).toBe('');
});

test('an update of a value that has no end gives it none', async () => {
  const { state, broker, names } = await openState();
  await state.set('g', 'k', 1);
  await state.update('g', 'k', () => 2);
  expect(await headerOf(broker, names, 'k', 'Nats-TTL')).toBe('');
});

test('a value is not stored with options that make no sense', async () => {
  const { state } = await openState();
  const ttls = [0, -1, 1.5, Number.NaN, '60', 315_360_001, null].map((ttl) => ({ ttl }));
  const revisions = [-1, 0.5, '1', Number.POSITIVE_INFINITY].map((ifRevision) => ({ ifRevision }));
  for (const options of [...ttls, ...revisions, { tll: 60 }, 60, null]) {
    await expect(state.set('g', 'k', 1, options as object)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  }
  expect(await state.get('g', 'k')).toBeNull();
});

test('a value is stored at the revision that was asked for only, and is told otherwise which one it has', async () => {
  const { state, blobs, broker, names } = await openState();
  await expect(state.set('g', 'k', 1, { ifRevision: 7 })).rejects.toMatchObject(conflict(0));
  const first = await state.set('g', 'k', null, { ifRevision: 0 });
  expect(await state.getEntry('g', 'k')).toEqual({ value: null, revision: first });
  await expect(state.set('g', 'k', 1, { ifRevision: 0 })).rejects.toMatchObject(conflict(first));
  const second = await state.set('g', 'k', large, { ifRevision: first });
  await expect(state.set('g', 'k', large, { ifRevision: first })).rejects.toMatchObject(conflict(second));
  const third = await state.set('g', 'k', `${large}!`, { ifRevision: second, ttl: 60 });
  expect(await state.getEntry('g', 'k')).toMatchObject({ value: `${large}!`, revision: third });
  expect(await blobs.list(0)).toHaveLength(1);
  // What another program removed with a mark is not there.
  await writeEntry(broker, names.buckets.state, names.stateKey('g', 'k'), '', { 'KV-Operation': 'DEL' });
  const { revision: mark } = await readLast(broker, names.buckets.state, names.stateKey('g', 'k'));
  await expect(state.set('g', 'k', 1, { ifRevision: mark })).rejects.toMatchObject(conflict(0));
  await state.set('g', 'k', 1, { ifRevision: 0 });
  expect(await state.get('g', 'k')).toBe(1);
});

test('of many that want the same revision one gets it, and no change is lost, also when answers are', async () => {
  const { names } = await harness.app();
  const brokers = await Promise.all([harness.connect(), harness.connect()]);
  const losing = brokers.map((broker, n) => every(() => broker.mux.rejectAll('the answer is lost'), 5 + n));
  const stores = brokers.map((broker) => new StateStore(broker, names));
  let made = 0;
  await Promise.all(
    stores.map(async (store) => {
      for (let own = 0; own < 40; ) {
        const { value, revision } = (await store.getEntry('g', 'n')) ?? { value: 0, revision: 0 };
        try {
          await store.set('g', 'n', (value as number) + 1, { ifRevision: revision });
          own++;
          made++;
        } catch (error) {
          expect(error).toMatchObject({ code: 'REVISION_CONFLICT' });
          expect((error as RevisionConflictError).revision).toBeGreaterThan(0);
        }
      }
    }),
  );
  for (const timer of losing) clearInterval(timer);
  expect([made, await stores[0]?.get('g', 'n')]).toEqual([80, 80]);
}, 60_000);

test('what one worker has stored, each other one reads', async () => {
  const { names } = await harness.app();
  const [a, b] = [await harness.connect(), await harness.connect()].map((broker) => new StateStore(broker, names));
  for (let n = 0; n < 100; n++) {
    await a?.set('g', 'k', n);
    expect([await b?.get('g', 'k'), await b?.getGroup('g')]).toEqual([n, [n]]);
  }
});
