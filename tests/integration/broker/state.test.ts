/** State on a real broker: odd names, odd values, large ones, large groups, and a server that goes away meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { BlobStore } from '../../../shared/broker/blobs.ts';
import { OWN_GROUPS } from '../../../shared/broker/confined-key-value.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { type Reach, WHOLE_BUCKET } from '../../../shared/broker/key-value.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();

/** What the broker lets users do. */
const REACHES = [
  ['the whole bucket', WHOLE_BUCKET],
  ['single groups', OWN_GROUPS],
] as const;

async function openState(reach: Reach = WHOLE_BUCKET) {
  const { broker, names } = await harness.app();
  return {
    state: new StateStore(broker, names, reach),
    blobs: new BlobStore(broker, names.buckets.values),
    broker,
    names,
  };
}

const ODD_NAMES = [
  '',
  ' ',
  '.',
  '..',
  '*',
  '>',
  'a.b',
  'a:b',
  'user/7',
  '=',
  '=2E',
  '漢字',
  '👩‍👩‍👧',
  '\0',
  '\n',
  '$KV',
  'x'.repeat(500),
];

describe('names', () => {
  test('any string is a group and a key', async () => {
    const { state } = await openState();
    await Promise.all(ODD_NAMES.flatMap((group) => ODD_NAMES.map((key) => state.set(group, key, [group, key]))));
    for (const group of ODD_NAMES) {
      for (const key of ODD_NAMES) expect(await state.get(group, key)).toEqual([group, key]);
      const values = (await state.getGroup(group)) as [string, string][];
      expect(new Set(values.map(([, key]) => key))).toEqual(new Set(ODD_NAMES));
    }
  });

  test('group and key are told apart wherever the dot is', async () => {
    const { state } = await openState();
    await state.set('a.b', 'c', 1);
    await state.set('a', 'b.c', 2);
    expect([await state.get('a.b', 'c'), await state.get('a', 'b.c')]).toEqual([1, 2]);
    expect([await state.getGroup('a'), await state.getGroup('a.b')]).toEqual([[2], [1]]);
  });
});

describe('values', () => {
  test.each([0, false, null, '', [], {}, 'null', -0.5, 'Zoë 漢 👍', { nested: { list: [1, null, ''] } }])(
    '%j',
    async (value) => {
      const { state } = await openState();
      await state.set('g', 'k', value);
      expect(await state.get('g', 'k')).toEqual(value);
      expect(await state.getGroup('g')).toEqual([value]);
      expect(await state.delete('g', 'k')).toEqual(value);
      expect(await state.get('g', 'k')).toBeNull();
    },
  );

  test.each([
    ['undefined', undefined],
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['a big integer', 1n],
    ['a cycle', cycle()],
  ])('%s is refused and changes nothing', async (_, value) => {
    const { state } = await openState();
    await state.set('g', 'k', 'before');
    await expect(state.set('g', 'k', value)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    expect(await state.get('g', 'k')).toBe('before');
  });

  test('what is not there is null, and removing it too', async () => {
    const { state } = await openState();
    expect([await state.get('g', 'k'), await state.delete('g', 'k'), await state.getGroup('g')]).toEqual([
      null,
      null,
      [],
    ]);
    await state.clear('g');
  });
});

function cycle(): object {
  const self: { self?: object } = {};
  self.self = self;
  return self;
}

describe.each(REACHES)('large values, by who may do all with %s', (_, reach) => {
  const MB = 1024 * 1024;

  test('10 MB are stored, overwritten by something small, and swept', async () => {
    const { state, blobs } = await openState(reach);
    const large = 'é'.repeat(5 * MB);
    await state.set('g', 'k', large);
    expect(await state.get('g', 'k')).toBe(large);
    expect(await state.getGroup('g')).toEqual([large]);
    await state.set('g', 'k', 'small');
    expect(await state.get('g', 'k')).toBe('small');
    expect(await state.sweep(60_000)).toBe(0); // it may belong to a write that is under way
    expect(await state.sweep(0)).toBe(1);
    expect(await blobs.list(0)).toEqual([]);
    expect(await state.get('g', 'k')).toBe('small');
  });

  test('the sweep leaves what is in use, and takes what a crash left between blob and entry', async () => {
    const { state, blobs, names } = await openState(reach);
    const large = 'x'.repeat(9 * MB);
    await state.set('g.1', 'k:1', large);
    await blobs.put(Buffer.from('"lost"'), `${names.stateKey('g.1', 'k:1')}.`);
    await blobs.put(Buffer.from('"lost"'), `${names.stateKey('never', 'written')}.`);
    expect(await state.sweep(0)).toBe(2);
    expect(await state.get('g.1', 'k:1')).toBe(large);
  });

  test('delete and clear free them', async () => {
    const { state, blobs } = await openState(reach);
    const large = 'x'.repeat(8 * MB);
    await state.set('g', 'a', large);
    await state.set('g', 'b', large);
    await state.set('g', 'c', 'small');
    expect(await state.delete('g', 'a')).toBe(large);
    expect(await blobs.list(0)).toHaveLength(1);
    await state.clear('g');
    expect(await blobs.list(0)).toEqual([]);
    expect(await state.getGroup('g')).toEqual([]);
  });
});

describe.each(REACHES)('groups, by who may do all with %s', (_, reach) => {
  test('3,500 keys come as one list, deleted ones not among them', async () => {
    const { state } = await openState(reach);
    const count = 3_500;
    for (let at = 0; at < count; at += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, i) => state.set('big', `k${at + i}`, at + i)));
      await state.set('other', `k${at}`, 'of another group');
    }
    await Promise.all(Array.from({ length: 10 }, (_, i) => state.delete('big', `k${i * 300}`)));
    const values = (await state.getGroup('big')) as number[];
    expect(values).toHaveLength(count - 10);
    const expected = Array.from({ length: count }, (_, i) => i).filter((i) => i % 300 !== 0 || i >= 3_000);
    expect(values.sort((a, b) => a - b)).toEqual(expected);
    await state.clear('big');
    expect(await state.getGroup('big')).toEqual([]);
    expect(await state.getGroup('other')).toHaveLength(count / 500);
  });

  test('no key is missing around the most that the broker looks up at once', async () => {
    const { state } = await openState(reach);
    let count = 0;
    for (const size of [999, 1_000, 1_001, 1_023, 1_024, 1_025, 1_030]) {
      for (; count < size; count++) await state.set('g', `k${count}`, count);
      expect(await state.getGroup('g')).toHaveLength(size);
    }
  });

  test('a key that is written while its large group is read comes once', async () => {
    const { state } = await openState(reach);
    const count = 2_500;
    await Promise.all(Array.from({ length: count }, (_, i) => state.set('g', `k${i}`, i)));
    let reading = true;
    const writer = (async () => {
      for (let i = 0; reading; i = (i + 1) % count) await state.set('g', `k${i}`, i);
    })();
    for (let i = 0; i < 10; i++) {
      const values = (await state.getGroup('g')) as number[];
      expect([values.length, new Set(values).size]).toEqual([count, count]);
    }
    reading = false;
    await writer;
  });

  test('reading groups leaves no consumer and no subscription behind', async () => {
    const { state, broker, names } = await openState(reach);
    await state.set('g', 'k', 1);
    const subscriptions = subscriptionsOf(broker);
    for (let i = 0; i < 20; i++) await state.getGroup('g');
    expect(subscriptionsOf(broker)).toBe(subscriptions);
    await waitFor(async () => {
      const { state: info } = await broker.jsm.streams.info(`KV_${names.buckets.state}`);
      return info.consumer_count === 0;
    });
  });
});

const subscriptionsOf = (broker: Broker) =>
  (broker.nc as unknown as { protocol: { subscriptions: { size(): number } } }).protocol.subscriptions.size();

describe.each(REACHES)('a server that is killed and started again, by who may do all with %s', (_, reach) => {
  test('operations that meet the outage are late, not failed, and what was stored is there', async () => {
    const { state } = await openState(reach);
    await Promise.all(Array.from({ length: 50 }, (_, i) => state.set('before', `k${i}`, i)));
    const crash = harness.crash(300);
    await sleep(50); // the server is gone by now
    const [, value, group, removed] = await Promise.all([
      state.set('during', 'k', 'written'),
      state.get('before', 'k7'),
      state.getGroup('before'),
      state.delete('before', 'k8'),
      state.clear('nothing'),
    ]);
    await crash;
    expect([value, removed]).toEqual([7, 8]);
    expect(group.length).toBeGreaterThanOrEqual(49);
    expect(await state.get('during', 'k')).toBe('written');
    expect(await state.getGroup('before')).toHaveLength(49);
  });

  test('operations under way at the very moment are late, not failed', async () => {
    const { state } = await openState(reach);
    await Promise.all(Array.from({ length: 200 }, (_, i) => state.set('g', `k${i}`, i)));
    let going = true;
    let groups = 0;
    const reader = (async () => {
      for (; going; groups++) expect((await state.getGroup('g')).length).toBeGreaterThanOrEqual(200);
    })();
    const writer = (async () => {
      for (let i = 0; going; i++) {
        await state.set('w', `k${i % 10}`, i);
        if (i % 5 === 0) await state.delete('w', 'k0');
      }
    })();
    for (let i = 0; i < 3; i++) {
      await sleep(100);
      await harness.crash(50);
    }
    await sleep(200);
    going = false;
    await Promise.all([reader, writer]);
    expect(groups).toBeGreaterThan(5);
  });
});
