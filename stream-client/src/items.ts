/** What the frames of a stream make of its items; pure. Frames of one socket are in order, so their timestamps decide nothing. */
import type { Item, StreamEvent } from './protocol.ts';

/**
 * The items of a group, or the one item that is followed, after an event. Those that are left in place keep their order.
 *
 * @returns the same list when nothing has changed.
 */
export function nextItems(items: readonly Item[], event: StreamEvent): readonly Item[] {
  switch (event.type) {
    case 'sync':
      if (Array.isArray(event.data)) return event.data;
      return event.data ? [event.data] : without(items, undefined);
    case 'create':
      // One that is known was removed and made again while nobody looked: it is the youngest now.
      return event.data ? [...without(items, event.data.id), event.data] : items;
    case 'update':
      return event.data ? replaced(items, event.data) : items;
    case 'delete':
      return event.data ? without(items, event.data.id) : items;
    default:
      return items;
  }
}

/** @param id `undefined` for all of them. */
function without(items: readonly Item[], id: string | undefined): readonly Item[] {
  const left = id === undefined ? [] : items.filter((item) => item.id !== id);
  return left.length === items.length ? items : left;
}

/** An update of an item that is not known is all that is told of its creation: a resumed group has the latest value only. */
function replaced(items: readonly Item[], next: Item): readonly Item[] {
  const index = items.findIndex(({ id }) => id === next.id);
  return index < 0 ? [...items, next] : items.map((item, at) => (at === index ? next : item));
}

/**
 * The items in the order of one of their fields: numbers by size, texts by the language of the reader, `false` before `true`; of
 * different kinds first numbers, then texts, then truth values. Those without the field come last. Equals keep their order.
 */
export function sorted<T>(items: readonly T[], key: keyof T): T[] {
  return [...items].sort((one, other) => compare(one[key], other[key]));
}

function compare(one: unknown, other: unknown): number {
  const byKind = rank(one) - rank(other);
  if (byKind !== 0) return byKind;
  if (typeof one === 'string') return one.localeCompare(other as string);
  return rank(one) === NO_VALUE ? 0 : Number(one) - Number(other);
}

const NO_VALUE = 3;

function rank(value: unknown): number {
  const kind = ['number', 'string', 'boolean'].indexOf(typeof value);
  return kind < 0 ? NO_VALUE : kind;
}
