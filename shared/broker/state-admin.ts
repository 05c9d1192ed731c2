/** What people do with state: see which groups and keys there are, read and change values. */
import { MotiaError } from '../errors.ts';
import type { Names } from '../protocol/subjects.ts';
import type { Page, PageOptions, SetOptions, StateEntry } from '../types.ts';
import type { Broker } from './connect.ts';
import { StateStore } from './state.ts';

export class StateAdmin {
  readonly #store: StateStore;

  constructor(broker: Broker, names: Names) {
    this.#store = new StateStore(broker, names);
  }

  /** @throws {MotiaError} `INVALID_VALUE` for a wrong `limit`; so do all that give pages. */
  groups(options?: PageOptions): Promise<Page<{ group: string; keys: number }>> {
    return this.#store.listGroups(options);
  }

  page(group: string, options?: PageOptions): Promise<Page<StateEntry & { key: string }>> {
    return this.#store.getGroupPage(group, options);
  }

  /** @throws {MotiaError} `NOT_FOUND` */
  async show(group: string, key: string): Promise<StateEntry> {
    const entry = await this.#store.getEntry(group, key);
    if (entry) return entry;
    throw new MotiaError('NOT_FOUND', `state has nothing under ${shorten(group)}, ${shorten(key)}`);
  }

  /** @returns the revision of the value, 0 if it has been replaced already. @throws {MotiaError} as `StateStore.set`. */
  async put(group: string, key: string, value: unknown, options?: SetOptions): Promise<{ revision: number }> {
    return { revision: await this.#store.set(group, key, value, options) };
  }

  /** @throws {MotiaError} `NOT_FOUND` */
  async remove(group: string, key: string): Promise<void> {
    await this.show(group, key);
    await this.#store.delete(group, key);
  }

  /** Removes all values of a group. @throws {MotiaError} `NOT_FOUND` */
  async clear(group: string): Promise<void> {
    const { items } = await this.page(group, { limit: 1 });
    if (items.length === 0) throw new MotiaError('NOT_FOUND', `state has no group ${shorten(group)}`);
    await this.#store.clear(group);
  }
}

const shorten = (name: string): string => JSON.stringify(name.slice(0, 200));
