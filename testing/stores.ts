/** State and streams of an app under test, as its handlers have them. */
import type { StateStore } from '../shared/broker/state.ts';
import type { StreamStore } from '../shared/broker/streams.ts';
import type {
  MotiaStream,
  Page,
  PageOptions,
  SetOptions,
  StateEntry,
  StateManager,
  UpdateChange,
} from '../shared/types.ts';
import type { ParseJson } from './http.ts';
import { changed } from './memory-stores.ts';

/** @param parse makes the objects of the test's own realm. */
export function createState(store: StateStore, parse: ParseJson): StateManager {
  const own = async <T>(value: Promise<unknown>) => parse(JSON.stringify(await value)) as T;
  return {
    get: <T>(group: string, key: string) => own<T | null>(store.get(group, key)),
    getEntry: <T>(group: string, key: string) => own<StateEntry<T> | null>(store.getEntry(group, key)),
    set: async <T>(group: string, key: string, value: T, options?: SetOptions) => {
      await store.set(group, key, value, options);
      return value;
    },
    update: <T>(group: string, key: string, change: UpdateChange<T | null, T>) =>
      own<T>(store.update(group, key, (current) => changed(current, change))),
    delete: <T>(group: string, key: string) => own<T | null>(store.delete(group, key)),
    getGroup: <T>(group: string) => own<T[]>(store.getGroup(group)),
    getGroupPage: <T>(group: string, options?: PageOptions) =>
      own<Page<StateEntry<T> & { key: string }>>(store.getGroupPage(group, options)),
    listGroups: (options) => store.listGroups(options),
    clear: (group) => store.clear(group),
  };
}

export function createStream<Item>(store: StreamStore, name: string, parse: ParseJson): MotiaStream<Item> {
  const own = async <T>(value: Promise<unknown>) => parse(JSON.stringify(await value)) as T;
  return {
    get: (group, id) => own(store.get(name, group, id)),
    set: (group, id, item) => own(store.set(name, group, id, item)),
    update: (group, id, change) => own(store.update(name, group, id, (current) => changed(current, change))),
    delete: (group, id) => own(store.delete(name, group, id)),
    getGroup: (group) => own(store.getGroup(name, group)),
    send: ({ groupId, id }, event) => store.send(name, groupId, id, event),
  };
}
