/** State and streams in memory, for handlers that are called by a test and not by an app. */
import { MotiaError, RevisionConflictError } from '../shared/errors.ts';
import { toJson } from '../shared/json-values.ts';
import type {
  MotiaStream,
  Page,
  SetOptions,
  StateEntry,
  StateManager,
  StreamItem,
  UpdateChange,
  UpdateOperation,
} from '../shared/types.ts';
import { applyOperations } from '../shared/update-operations.ts';

interface Stored {
  json: string;
  revision: number;
}

/** Values by group and key, copied on their way in and out as a broker does. */
class Groups {
  readonly #groups = new Map<string, Map<string, Stored>>();
  #revision = 0;

  read(group: string, key: string): unknown {
    return parse(this.entry(group, key)?.json);
  }

  entry(group: string, key: string): Stored | undefined {
    return this.#groups.get(group)?.get(key);
  }

  write(group: string, key: string, value: unknown): Stored {
    const stored = { json: toJson(value), revision: ++this.#revision };
    const values = this.#groups.get(group) ?? new Map<string, Stored>();
    this.#groups.set(group, values.set(key, stored));
    return stored;
  }

  /** @returns what was there, or `null`. */
  remove(group: string, key: string): unknown {
    const value = this.read(group, key);
    const values = this.#groups.get(group);
    values?.delete(key);
    if (values?.size === 0) this.#groups.delete(group);
    return value;
  }

  removeGroup(group: string): void {
    this.#groups.delete(group);
  }

  entries(group: string): [key: string, stored: Stored][] {
    return [...(this.#groups.get(group) ?? [])];
  }

  sizes(): { group: string; keys: number }[] {
    return [...this.#groups].map(([group, values]) => ({ group, keys: values.size }));
  }
}

export function createMemoryState(): StateManager {
  const groups = new Groups();
  const entryOf = <T>({ json, revision }: Stored): StateEntry<T> => ({ value: parse(json) as T, revision });
  return {
    get: async <T>(group: string, key: string) => groups.read(group, key) as T | null,
    getEntry: async <T>(group: string, key: string) => {
      const stored = groups.entry(group, key);
      return stored ? entryOf<T>(stored) : null;
    },
    set: async <T>(group: string, key: string, value: T, { ifRevision }: SetOptions = {}) => {
      const { revision = 0 } = groups.entry(group, key) ?? {};
      if (ifRevision !== undefined && ifRevision !== revision) throw new RevisionConflictError(ifRevision, revision);
      groups.write(group, key, value);
      return value;
    },
    update: async <T>(group: string, key: string, change: UpdateChange<T | null, T>) => {
      const next = await changed(groups.read(group, key), change);
      groups.write(group, key, next);
      return next as T;
    },
    delete: async <T>(group: string, key: string) => groups.remove(group, key) as T | null,
    getGroup: async <T>(group: string) => groups.entries(group).map(([, { json }]) => parse(json) as T),
    getGroupPage: async <T>(group: string): Promise<Page<StateEntry<T> & { key: string }>> => ({
      items: groups.entries(group).map(([key, stored]) => ({ key, ...entryOf<T>(stored) })),
    }),
    listGroups: async () => ({ items: groups.sizes() }),
    clear: async (group) => groups.removeGroup(group),
  };
}

export function createMemoryStream(name: string): MotiaStream<Record<string, unknown>> {
  const groups = new Groups();
  const itemOf = (groupId: string, value: unknown): StreamItem | null => {
    if (value === null) return null;
    const item = value as StreamItem;
    return { ...item, __motia: { type: 'state-stream', streamName: name, groupId, id: item.id } };
  };
  const store = (groupId: string, id: string, value: unknown) => {
    const before = groups.read(groupId, id) as StreamItem | null;
    const item = value as Record<string, unknown>;
    groups.write(groupId, id, { ...item, id, _createdAt: item._createdAt ?? before?._createdAt ?? Date.now() });
    return itemOf(groupId, groups.read(groupId, id)) as StreamItem;
  };
  return {
    get: async (groupId, id) => itemOf(groupId, groups.read(groupId, id)),
    set: async (groupId, id, item) => store(groupId, id, item),
    update: async (groupId, id, change) => {
      const current = itemOf(groupId, groups.read(groupId, id));
      return store(groupId, id, await changed(current, change));
    },
    delete: async (groupId, id) => itemOf(groupId, groups.remove(groupId, id)),
    getGroup: async (groupId) =>
      groups.entries(groupId).map(([, { json }]) => itemOf(groupId, parse(json)) as StreamItem),
    send: async () => {},
  };
}

/** The value that `update` makes. @throws {MotiaError} `INVALID_VALUE` */
export async function changed(current: unknown, change: UpdateChange<never, unknown>): Promise<unknown> {
  if (typeof change !== 'function') return applyOperations(current, change as readonly UpdateOperation[]);
  const next = await change(current as never);
  if (next !== undefined) return next;
  throw new MotiaError(
    'INVALID_VALUE',
    'the function given to update() returned nothing: it has to return the new value',
  );
}

const parse = (json: string | undefined): unknown => (json === undefined ? null : JSON.parse(json));
