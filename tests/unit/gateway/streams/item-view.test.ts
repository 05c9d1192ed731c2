/** What changes are to who has been told of all before, though the broker keeps only the last one of each item. */
import { expect, test } from 'vitest';
import { ItemView } from '../../../../gateway/streams/item-view.ts';
import type { ItemChange } from '../../../../shared/broker/item-changes.ts';

const change = (sequence: number, kind: ItemChange['kind'], item: object | string, id = 'a'): ItemChange => ({
  key: `chat.g.${id}`,
  sequence,
  time: sequence,
  kind,
  json: typeof item === 'string' ? item : JSON.stringify(item),
});

test('an update of what is unknown is its creation, and the creation of what is known is an update', () => {
  const view = new ItemView();
  expect(view.apply(change(2, 'update', { id: 'a', n: 1 }))?.type).toBe('create');
  expect(view.apply(change(4, 'create', { id: 'a', n: 2 }))?.type).toBe('update');
  expect(view.apply(change(5, 'delete', { id: 'a', n: 3 }))).toEqual({
    type: 'delete',
    id: 'a',
    json: '{"id":"a","n":2}',
  });
  expect(view.apply(change(6, 'delete', { id: 'a' }))).toBeUndefined();
  expect([view.all(), view.one(), view.size]).toEqual(['[]', undefined, 0]);
});

test('what is older than what was read is passed over', () => {
  const view = new ItemView([change(7, 'update', { id: 'a', n: 7 })]);
  expect(view.apply(change(6, 'create', { id: 'a', n: 6 }))).toBeUndefined();
  expect(view.apply(change(7, 'update', { id: 'a', n: 7 }))).toBeUndefined();
  expect(view.apply(change(5, 'delete', { id: 'a' }))).toBeUndefined();
  expect([view.one(), view.time]).toEqual(['{"id":"a","n":7}', 7]);
});

test('what is no item is passed over, what lacks an id gets that of its key, and `__motia` stays here', () => {
  const view = new ItemView();
  for (const json of ['', '{', '[]', 'null', '1']) expect(view.apply(change(1, 'create', json))).toBeUndefined();
  expect(view.apply(change(2, 'create', { n: 1, __motia: {} }, 'a=3Ab'))).toEqual({
    ...{ type: 'create', id: 'a:b' },
    json: '{"n":1,"id":"a:b"}',
  });
  expect(view.idOf('chat.g.a=3Ab')).toBe('a:b');
});

test('a large item that was replaced before it could be read is left to its successor', () => {
  const view = new ItemView();
  const { json: _, ...lost } = change(1, 'create', {});
  expect(view.apply(lost)).toBeUndefined();
  expect(view.apply(change(2, 'update', { id: 'a' }))?.type).toBe('create');
});
