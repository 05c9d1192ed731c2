/** State with more keys than the broker tells at once. */
import { expect, test } from 'vitest';
import { StateStore } from '../../shared/broker/state.ts';
import type { PageOptions } from '../../shared/types.ts';
import { useNatsServer } from '../integration/broker/harness.ts';

const harness = useNatsServer();
const KEYS = 100_000;

test('100,000 keys of a group come in pages and as a whole, and all groups are listed', async () => {
  const { broker, names } = await harness.app();
  const state = new StateStore(broker, names);
  await Promise.all(Array.from({ length: 20 }, (_, n) => state.set(`group ${n}`, 'k', n)));
  for (let at = 0; at < KEYS; at += 5_000) {
    await Promise.all(Array.from({ length: 5_000 }, (_, n) => state.set('big', `k${at + n}`, at + n)));
  }
  const seen = new Set<unknown>();
  for await (const { key, value } of pages((options) => state.getGroupPage('big', options), 1_000)) {
    if (key !== `k${value}`) expect(key).toBe(`k${value}`);
    seen.add(value);
  }
  expect(seen.size).toBe(KEYS);
  expect(new Set(await state.getGroup('big')).size).toBe(KEYS);

  const groups: unknown[] = [];
  for await (const group of pages((options) => state.listGroups(options), 8)) groups.push(group);
  const others = Array.from({ length: 20 }, (_, n) => `group ${n}`).sort();
  expect(groups).toEqual([{ group: 'big', keys: KEYS }, ...others.map((group) => ({ group, keys: 1 }))]);
  await state.clear('big');
  expect((await state.listGroups({ limit: 1_000 })).items).toHaveLength(20);
  const { state: info } = await broker.jsm.streams.info(`KV_${names.buckets.state}`);
  expect(info.consumer_count).toBe(0);
}, 300_000);

async function* pages<Item>(
  read: (options: PageOptions) => Promise<{ items: Item[]; next?: string }>,
  limit: number,
): AsyncGenerator<Item> {
  let after: string | undefined;
  do {
    const page = await read({ limit, after });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
