/** State of many keys and groups: in pages, whatever their names, whoever writes meanwhile. */
import { expect, test } from 'vitest';
import { writeEntry } from '../../../shared/broker/key-value.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { StreamStore } from '../../../shared/broker/streams.ts';
import type { Page, PageOptions } from '../../../shared/types.ts';
import { useNatsServer } from './harness.ts';

const LARGEST_MESSAGE = 1024 * 1024;
const harness = useNatsServer({ maxPayload: LARGEST_MESSAGE });

async function openState() {
  const { broker, names } = await harness.app();
  return { state: new StateStore(broker, names), broker, names };
}

/** All items of a list, and how many pages it took. */
async function readAll<Item>(read: (options: PageOptions) => Promise<Page<Item>>, limit?: number) {
  const items: Item[] = [];
  let after: string | undefined;
  for (let pages = 1; ; pages++) {
    const page: Page<Item> = await read({ limit, after });
    if (limit !== undefined) expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    after = page.next;
    if (after === undefined) return { items, pages };
  }
}

const LONG = [
  'é'.repeat(200),
  `${'é'.repeat(200)}!`,
  'x'.repeat(300),
  `a/b.c*>${' '.repeat(300)}`,
  '\ud800'.repeat(50),
];
const NAMES = ['', ' ', '.', '..', '*', '>', 'a.b', 'a', 'a-b', 'A', '=', '=asked', 'a/b', '%2F', '漢字', ...LONG];
const wellFormed = (name: string) => Buffer.from(name).toString();

test('11,000 keys of a group come in pages, and leave no consumer behind', async () => {
  const { state, broker, names } = await openState();
  const count = 11_000;
  await state.set('other', 'k', 'of another group');
  await Promise.all(Array.from({ length: count }, (_, n) => state.set('big', `k${n}`, n)));
  const { items, pages } = await readAll((options) => state.getGroupPage('big', options), 1_000);
  expect(pages).toBe(count / 1_000);
  expect(items.map(({ key, value }) => [key, value])).toEqual(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
  expect(new Set(await state.getGroup('big')).size).toBe(count);
  expect(await state.listGroups()).toEqual({
    items: [
      { group: 'big', keys: count },
      { group: 'other', keys: 1 },
    ],
  });
  await state.clear('big');
  expect(await state.getGroupPage('big')).toEqual({ items: [] });
  const { state: info } = await broker.jsm.streams.info(`KV_${names.buckets.state}`);
  expect(info.consumer_count).toBe(0);
});

test('groups and keys are listed under the names that they were given, however odd or long', async () => {
  const { state } = await openState();
  await Promise.all(NAMES.flatMap((group) => NAMES.map((key) => state.set(group, key, 'first'))));
  await Promise.all(NAMES.map((key) => state.update('', key, () => 'second')));
  const expected = NAMES.map(wellFormed).sort();
  for (const limit of [1, 4, undefined]) {
    const groups = await readAll((options) => state.listGroups(options), limit);
    expect(groups.items.map(({ group }) => group).sort()).toEqual(expected);
    expect(groups.items.every(({ keys }) => keys === NAMES.length)).toBe(true);
    for (const group of NAMES) {
      const { items } = await readAll((options) => state.getGroupPage(group, options), limit);
      expect(items.map(({ key }) => key).sort()).toEqual(expected);
    }
  }
});

test('no key is left out while others write, and one that changed comes with its new value', async () => {
  const { state } = await openState();
  await Promise.all(Array.from({ length: 300 }, (_, n) => state.set('g', `k${n}`, 'old')));
  const seen = new Map<string, unknown>();
  let after: string | undefined;
  for (let n = 0; n === 0 || after !== undefined; n++) {
    const page = await state.getGroupPage('g', { limit: 50, after });
    for (const { key, value } of page.items) seen.set(key, value);
    after = page.next;
    if (n < 5) await Promise.all([state.set('g', `k${299 - n}`, 'new'), state.set('g', `k${n}`, 'new')]);
    if (n === 0) await state.delete('g', 'k200');
  }
  expect(seen.size).toBe(299);
  for (const n of [0, 1, 4, 295, 299]) expect(seen.get(`k${n}`)).toBe('new');
});

test('a page of large values is no larger than a few megabytes, and their group comes whole', async () => {
  const { state } = await openState();
  const sizes = { large: { count: 3, bytes: 5 * 1024 ** 2, most: 2 }, small: { count: 12, bytes: 900_000, most: 10 } };
  for (const [group, { count, bytes, most }] of Object.entries(sizes)) {
    const text = 'x'.repeat(bytes);
    for (let n = 0; n < count; n++) await state.set(group, `k${n}`, text);
    const first = await state.getGroupPage(group);
    expect(first.items.length).toBeLessThanOrEqual(most);
    const rest = await state.getGroupPage(group, { after: first.next });
    const keys = [...first.items, ...rest.items].map(({ key }) => key);
    expect(keys).toEqual(Array.from({ length: count }, (_, n) => `k${n}`));
  }
  expect(await state.getGroup('small')).toHaveLength(sizes.small.count);
}, 60_000);

test('a page cannot be had with options that make no sense', async () => {
  const { state } = await openState();
  const invalid = { code: 'INVALID_VALUE' };
  for (const limit of [0, 1_001, 1.5, '5' as unknown as number]) {
    await expect(state.getGroupPage('g', { limit })).rejects.toMatchObject(invalid);
    await expect(state.listGroups({ limit })).rejects.toMatchObject(invalid);
  }
  for (const after of ['x', '-1', '', '1'.repeat(20)]) {
    await expect(state.getGroupPage('g', { after })).rejects.toMatchObject(invalid);
  }
});

test('the groups of a stream are those that have items, in pages', async () => {
  const { broker, names } = await harness.app();
  const streams = new StreamStore(broker, names);
  const groups = [...LONG.slice(0, 2), 'a', 'a-b', 'b', ''];
  for (const group of groups) {
    for (const id of ['1', LONG[2] as string]) await streams.set('chat', group, id, { text: id });
  }
  await streams.set('chats', 'other', '1', {});
  for (let n = 0; n < 3; n++) await streams.set('chat', 'left', String(n), {});
  for (let n = 0; n < 3; n++) await streams.delete('chat', 'left', String(n));
  for (const id of ['1', LONG[2] as string]) await streams.delete('chat', 'b', id);
  await streams.set('chat', 'b', '2', {}); // behind the marks of the others
  const listed = await readAll((options) => streams.listGroups('chat', options), 2);
  expect(listed.items.map(({ group }) => group).sort()).toEqual([...groups].sort());
  const { items } = await readAll((options) => streams.getGroupPage('chat', 'a', options), 1);
  expect(items.map(({ id }) => id)).toEqual(['1', LONG[2]]);
  expect(items[0]?.__motia).toEqual({ type: 'state-stream', streamName: 'chat', groupId: 'a', id: '1' });
});

test('an entry of another program that says nothing of its long name is listed by its token', async () => {
  const { state, broker, names } = await openState();
  await writeEntry(broker, names.buckets.state, names.stateKey('g', LONG[2] as string), '1');
  const { items } = await state.getGroupPage('g');
  expect(items).toEqual([{ key: expect.stringMatching(/^x{80}=-[0-9a-f]{16}$/), value: 1, revision: 1 }]);
});
