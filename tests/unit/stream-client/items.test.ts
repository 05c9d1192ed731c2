import { expect, test } from 'vitest';
import { nextItems, sorted } from '../../../stream-client/src/items.ts';
import type { Item, StreamEvent } from '../../../stream-client/src/protocol.ts';

const item = (id: string, value: unknown = id): Item => ({ id, value }) as Item;
const [a, b] = [item('a'), item('b')];
const after = (items: readonly Item[], ...events: StreamEvent[]) => events.reduce(nextItems, items);

test('a sync has all that there is, of a group or of an item', () => {
  expect(after([a], { type: 'sync', data: [b] })).toEqual([b]);
  expect(after([a, b], { type: 'sync', data: [] })).toEqual([]);
  expect(after([item('a', 1)], { type: 'sync', data: item('a', 2) })).toEqual([item('a', 2)]);
  expect(after([a], { type: 'sync', data: null })).toEqual([]);
});

test('what is created comes last, what is updated stays in its place, what is deleted goes', () => {
  expect(after([], { type: 'create', data: a }, { type: 'create', data: b })).toEqual([a, b]);
  expect(after([a, b], { type: 'update', data: item('a', 2) })).toEqual([item('a', 2), b]);
  expect(after([a, b], { type: 'delete', data: a })).toEqual([b]);
});

test('changes that come at once all count', () => {
  const changes: StreamEvent[] = [1, 2, 3].map((value) => ({ type: 'update', data: item('a', value) }));
  expect(after([a], ...changes)).toEqual([item('a', 3)]);
  const again: StreamEvent[] = [
    { type: 'delete', data: a },
    { type: 'create', data: item('a', 4) },
  ];
  expect(after([a, b], ...again)).toEqual([b, item('a', 4)]);
});

test('of what was missed the latest change is enough: each item is where a server has it', () => {
  const made = (id: string, _createdAt: number, value = id) => ({ id, _createdAt, value }) as Item;
  expect(after([a], { type: 'update', data: b })).toEqual([a, b]);
  const [one, two, three] = [made('one', 1), made('two', 2), made('three', 3)];
  const items = [one, two, three];
  expect(after(items, { type: 'update', data: made('two', 2, 'x') })).toEqual([one, made('two', 2, 'x'), three]);
  expect(after(items, { type: 'create', data: made('one', 4) })).toEqual([two, three, made('one', 4)]);
  const anew: StreamEvent[] = [made('two', 6), made('one', 5)].map((data) => ({ type: 'update', data }));
  expect(after(items, ...anew)).toEqual([three, made('one', 5), made('two', 6)]);
  expect(after([made('b', 1)], { type: 'create', data: made('a', 1) })).toEqual([made('a', 1), made('b', 1)]);
});

test('what changes nothing gives the same list', () => {
  const items = [a];
  const nothing: StreamEvent[] = [
    { type: 'delete', data: b },
    { type: 'delete', data: null },
    { type: 'resumed' },
    { type: 'event', event: { type: 'typing', data: { id: 'a' } } },
  ];
  for (const event of nothing) expect(nextItems(items, event)).toBe(items);
  const none: Item[] = [];
  expect(nextItems(none, { type: 'sync', data: null })).toBe(none);
});

test('numbers are sorted by size, texts by language, and what has no value comes last', () => {
  const by = (values: unknown[]) =>
    sorted(
      values.map((value, n) => ({ id: String(n), value })),
      'value',
    ).map(({ value }) => value);
  expect(by([10, 9, 0, -1, 100])).toEqual([-1, 0, 9, 10, 100]);
  expect(by(['b', 'Ä', 'a', ''])).toEqual(['', 'a', 'Ä', 'b']);
  expect(by([undefined, true, 'x', null, 3, false])).toEqual([3, 'x', false, true, undefined, null]);
});

test('equals keep their order, and the list that was given is left alone', () => {
  const items = [3, 1, 1, 2].map((rank, n) => ({ id: `${n}`, rank }));
  expect(sorted(items, 'rank').map(({ id }) => id)).toEqual(['1', '2', '3', '0']);
  expect(items.map(({ id }) => id)).toEqual(['0', '1', '2', '3']);
});
