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
    case 'update': // of an item that is not known, too: a resumed group has the latest change only
      return event.data ? placed(items, event.data) : items;
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

/** One that is known stays in its place, unless it was made anew meanwhile. */
function placed(items: readonly Item[], next: Item): readonly Item[] {
  const known = items.find(({ id }) => id === next.id);
  if (known && createdAt(known) === createdAt(next)) return items.map((item) => (item === known ? next : item));
  const others = without(items, next.id);
  const younger = others.findIndex((item) => isYounger(item, next));
  return younger < 0 ? [...others, next] : [...others.slice(0, younger), next, ...others.slice(younger)];
}

/** In the order that servers have: by the time of creation, at the same time by id. Servers that tell no time have them as they come. */
function isYounger(item: Item, other: Item): boolean {
  const [at, otherAt] = [createdAt(item), createdAt(other)];
  return at === otherAt
    ? at !== undefined && item.id > other.id
    : at !== undefined && otherAt !== undefined && at > otherAt;
}

function createdAt(item: Item): number | undefined {
  const { _createdAt } = item as { _createdAt?: unknown };
  return typeof _createdAt === 'number' ? _createdAt : undefined;
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
