/** The items of a group, or one item, as clients have been told of them. Pure. */
import type { ItemChange } from '../../shared/broker/item-changes.ts';
import { isJsonObject, parseJson } from '../../shared/json-values.ts';
import { decodeToken } from '../../shared/protocol/encoding.ts';

interface ViewedItem {
  id: string;
  json: string;
  createdAt: number;
  sequence: number;
}

/** What a change is to who has been told of all before it. */
export type ViewedChange = { type: 'create' | 'update' | 'delete'; id: string; json: string } | undefined;

export class ItemView {
  readonly #items = new Map<string, ViewedItem>();
  /** Of all items together, in characters. */
  size = 0;
  /** When the newest of its changes was stored. */
  time = 0;

  constructor(present: ItemChange[] = []) {
    for (const change of present) this.apply(change);
  }

  /**
   * Takes in a change. The broker keeps the last change of an item only, so it is told by what was known before, and not by what
   * it was to the store: the creation before an update may have been left out.
   */
  apply(change: ItemChange): ViewedChange {
    const before = this.#items.get(change.key);
    if (change.sequence <= (before?.sequence ?? 0)) return undefined;
    if (change.kind !== 'delete' && change.json === undefined) return undefined; // its successor follows
    this.time = Math.max(this.time, change.time);
    if (change.kind === 'delete') {
      if (!before) return undefined;
      this.#items.delete(change.key);
      this.size -= before.json.length;
      return { type: 'delete', id: before.id, json: before.json };
    }
    const item = readItem(change);
    if (!item) return undefined;
    this.#items.set(change.key, item);
    this.size += item.json.length - (before?.json.length ?? 0);
    return { type: before ? 'update' : 'create', id: item.id, json: item.json };
  }

  /** The id of the item with this key, if it is there. */
  idOf(key: string): string | undefined {
    return this.#items.get(key)?.id;
  }

  /** The JSON of the only item, if it is there. */
  one(): string | undefined {
    return this.#items.values().next().value?.json;
  }

  /** The JSON of all: the oldest first, those of the same millisecond by their ids. */
  all(): string {
    const items = [...this.#items.values()].sort(byAge);
    return `[${items.map(({ json }) => json).join(',')}]`;
  }
}

function byAge(a: ViewedItem, b: ViewedItem): number {
  return a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt - b.createdAt;
}

/** What a client gets of an item: all but `__motia`, which only handlers see. `undefined` for what is no item. */
export function readItem({ key, sequence, json = '{}' }: ItemChange): ViewedItem | undefined {
  const parsed = parseJson(json); // any client of the broker may write what it likes
  if (!isJsonObject(parsed)) return undefined;
  const { __motia, ...item } = parsed;
  const hasId = typeof item.id === 'string';
  if (!hasId) item.id = decodeToken(key.split('.')[2] ?? '') ?? '';
  return {
    id: item.id as string,
    json: hasId && __motia === undefined ? json : JSON.stringify(item),
    createdAt: typeof item._createdAt === 'number' ? item._createdAt : 0,
    sequence,
  };
}
