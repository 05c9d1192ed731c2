/** What people do with realtime streams: see which there are and what is in them, change items, send events. */
import { MotiaError } from '../errors.ts';
import { isJsonObject, kindOf } from '../json-values.ts';
import type { Names } from '../protocol/subjects.ts';
import type { StreamEntry } from '../steps/manifest.ts';
import type { Page, PageOptions, StreamEvent, StreamItem } from '../types.ts';
import type { Broker } from './connect.ts';
import { readManifest } from './manifest-store.ts';
import { StreamStore } from './streams.ts';

/** A stream of the project as people see it. */
export interface StreamStatus extends Omit<StreamEntry, 'canAccess'> {
  /** Its file has a function that says who may subscribe. */
  guarded: boolean;
}

export class StreamAdmin {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #store: StreamStore;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    this.#store = new StreamStore(broker, names);
  }

  /** The streams of the current manifest. */
  async list(): Promise<StreamStatus[]> {
    const manifest = await readManifest(this.#broker, this.#names);
    return (manifest?.streams ?? []).map(({ canAccess, ...stream }) => ({ ...stream, guarded: canAccess === true }));
  }

  /** @throws {MotiaError} `NOT_FOUND` if there is no such stream, as all below; `INVALID_VALUE` for a wrong `limit` or `after`. */
  async groups(stream: string, options?: PageOptions): Promise<Page<{ group: string }>> {
    await this.#check(stream);
    return this.#store.listGroups(stream, options);
  }

  async page(stream: string, group: string, options?: PageOptions): Promise<Page<StreamItem>> {
    await this.#check(stream);
    return this.#store.getGroupPage(stream, group, options);
  }

  /** @throws {MotiaError} `NOT_FOUND` if there is no such item, as {@link remove}. */
  async show(stream: string, group: string, id: string): Promise<StreamItem> {
    await this.#check(stream);
    return found(await this.#store.get(stream, group, id), id);
  }

  /** @returns the item as it is stored. @throws {MotiaError} `INVALID_VALUE` for what is no object. */
  async put(stream: string, group: string, id: string, item: unknown): Promise<StreamItem> {
    await this.#check(stream);
    return this.#store.set(stream, group, id, item);
  }

  async remove(stream: string, group: string, id: string): Promise<void> {
    await this.#check(stream);
    found(await this.#store.delete(stream, group, id), id);
  }

  /**
   * Sends an event to whoever follows a group, or one item of it.
   * @param event `{ type, data }`; from outside, so anything may be in it.
   * @throws {MotiaError} `INVALID_VALUE`
   */
  async send(stream: string, group: string, id: string | undefined, event: unknown): Promise<void> {
    await this.#check(stream);
    if (!isJsonObject(event)) {
      throw new MotiaError('INVALID_VALUE', `an event is an object { type, data }, not ${kindOf(event)}`);
    }
    await this.#store.send(stream, group, id, event as unknown as StreamEvent);
  }

  async #check(stream: string): Promise<void> {
    const known = await this.#store.definedNames();
    if (known.includes(stream)) return;
    const there = known.length === 0 ? 'this app has none' : `there are ${known.join(', ')}`;
    throw new MotiaError('NOT_FOUND', `there is no stream "${stream.slice(0, 200)}": ${there}`);
  }
}

function found(item: StreamItem | null, id: string): StreamItem {
  if (item) return item;
  throw new MotiaError('NOT_FOUND', `there is no item ${JSON.stringify(id.slice(0, 200))}`);
}
