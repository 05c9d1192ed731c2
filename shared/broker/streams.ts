/** Realtime streams: items by group and id in a KV bucket that hubs watch, and events that are sent and not kept. */
import { randomUUID } from 'node:crypto';
import { MotiaError } from '../errors.ts';
import { isJsonObject, kindOf, toJson } from '../json-values.ts';
import { encodeToken } from '../protocol/encoding.ts';
import { namesOf, toNamesHeader } from '../protocol/entry-names.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import type { Page, PageOptions, StreamEvent, StreamItem } from '../types.ts';
import { fitsMessage } from './blobs.ts';
import { type Change, ChangeQueue } from './change-queue.ts';
import type { Broker } from './connect.ts';
import { listGroups } from './group-list.ts';
import { JsonBucket } from './json-bucket.ts';
import { type Entry, type EntryPage, readPage } from './key-value.ts';
import { readManifest } from './manifest-store.ts';
import { toLimit, toPosition } from './page.ts';
import { publishStored } from './publish.ts';
import type { ValueChange } from './state.ts';

type Item = Record<string, unknown>;

/** How many removed items are passed over at a time. */
const MARKS_AT_ONCE = 100;

export class StreamStore {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #items: JsonBucket;
  readonly #changes: ChangeQueue;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    const { streams: bucket, items: blobs } = names.buckets;
    this.#items = new JsonBucket(broker, { bucket, blobs, watched: true });
    this.#changes = new ChangeQueue(this.#items);
  }

  /** Names of the streams that the current manifest has: those of all languages. */
  async definedNames(): Promise<string[]> {
    const manifest = await readManifest(this.#broker, this.#names);
    return (manifest?.streams ?? []).map(({ name }) => name);
  }

  /** The item, or `null`. */
  async get(stream: string, group: string, id: string): Promise<StreamItem | null> {
    const { json } = await this.#items.load(this.#names.itemKey(stream, group, id));
    return json === undefined ? null : asItem(json, stream, group);
  }

  /**
   * Stores an item under an id, whatever id it has itself.
   * @returns it as it is stored.
   * @throws {MotiaError} `INVALID_VALUE` for what is no object or what JSON cannot say, `STORE_FULL` when the broker has no room.
   */
  async set(stream: string, group: string, id: string, item: unknown): Promise<StreamItem> {
    const data = toData(item); // now, since the handler may change it before it is stored
    return this.#store(stream, group, id, () => data);
  }

  /**
   * Changes an item, whoever else does so at the same time.
   * @returns it as it is stored.
   * @throws what the change throws, and {@link set}. Then nothing is stored.
   */
  update(stream: string, group: string, id: string, change: ValueChange): Promise<StreamItem> {
    return this.#store(stream, group, id, async (current) => toData(await change(current)));
  }

  /** Removes an item and gives it back, or `null`. */
  async delete(stream: string, group: string, id: string): Promise<StreamItem | null> {
    let old: string | undefined;
    const remove = async (json: string | undefined) => {
      old = json;
      return undefined;
    };
    await this.#change(stream, group, id, remove);
    return old === undefined ? null : asItem(old, stream, group);
  }

  /** All items of a group: the oldest first, those of the same millisecond by their ids. */
  async getGroup(stream: string, group: string): Promise<StreamItem[]> {
    const all = await this.#items.loadAll(this.#names.itemGroup(stream, group));
    return all.map((json) => asItem(json, stream, group)).sort(byAge);
  }

  /**
   * Some of the items of a group: those first that were not changed for the longest time.
   * @throws {MotiaError} `INVALID_VALUE` for a wrong `limit` or `after`.
   */
  async getGroupPage(stream: string, group: string, options: PageOptions = {}): Promise<Page<StreamItem>> {
    const [after, limit] = [toPosition(options), toLimit(options)];
    const { items, next } = await this.#items.loadPage(this.#names.itemGroup(stream, group), after, limit);
    return {
      items: items.map(({ json }) => asItem(json, stream, group)),
      ...(next !== undefined && { next: String(next) }),
    };
  }

  /** Some of the groups of a stream that have items; a page may have fewer than asked for. @throws as {@link getGroupPage}. */
  async listGroups(stream: string, options: PageOptions = {}): Promise<Page<{ group: string }>> {
    const prefix = `${encodeToken(stream)}.`;
    const { groups, next } = await listGroups(this.#broker, this.#names.buckets.streams, prefix, options);
    const found = await Promise.all(groups.map(({ token }) => this.#anItem(`${prefix}${token}.*`)));
    const items = found.flatMap((entry) => (entry ? [{ group: groupOf(entry) }] : []));
    return { items, ...(next !== undefined && { next }) };
  }

  /** An entry that matches and is no mark of a removal. */
  async #anItem(filter: string): Promise<Entry | undefined> {
    let most = 1; // mostly the oldest is one
    for (let after: number | undefined = 0; after !== undefined; most = MARKS_AT_ONCE) {
      const page: EntryPage = await readPage(this.#broker, this.#names.buckets.streams, filter, after, most);
      if (page.entries[0]) return page.entries[0];
      after = page.next;
    }
    return undefined;
  }

  /**
   * Sends an event to whoever follows a group, or one item of it. It is not kept.
   * @throws {MotiaError} `INVALID_VALUE` for an event that does not fit into a message or that JSON cannot say.
   */
  async send(stream: string, group: string, id: string | undefined, { type, data }: StreamEvent): Promise<void> {
    if (typeof type !== 'string')
      throw new MotiaError('INVALID_VALUE', 'an event is an object { type, data } with a text as type');
    const json = toJson({ type, data: data === undefined ? null : data });
    if (!fitsMessage(this.#broker, Buffer.byteLength(json))) {
      throw new MotiaError(
        'INVALID_VALUE',
        `the event "${type}" is too large to be sent: store an item and send its id`,
      );
    }
    const { sentToGroup, sentToItem } = this.#names;
    const subject = id === undefined ? sentToGroup(stream, group) : sentToItem(stream, group, id);
    await publishStored(this.#broker, subject, json, { 'Nats-Msg-Id': randomUUID() });
  }

  /** What `make` gives is stored under the item's id, and with the time of its creation. */
  async #store(
    stream: string,
    group: string,
    id: string,
    make: (current: Item | null) => Item | Promise<Item>,
  ): Promise<StreamItem> {
    let next = '';
    await this.#change(stream, group, id, async (json) => {
      const current: Item | null = json === undefined ? null : JSON.parse(json);
      const createdAt = current?._createdAt; // before it is given away
      const data = await make(current);
      next = toJson({ ...data, id, _createdAt: data._createdAt ?? createdAt ?? Date.now() });
      return next;
    });
    return asItem(next, stream, group);
  }

  #change(stream: string, group: string, id: string, change: Change): Promise<void> {
    const key = this.#names.itemKey(stream, group, id);
    return this.#changes.apply(key, change, toNamesHeader(key, [stream, group, id]));
  }

  /** Removes large items that are not used any more, see {@link JsonBucket.sweep}. */
  sweep(olderThanMs: number): Promise<number> {
    return this.#items.sweep(olderThanMs);
  }
}

/** What a handler gives for an item, as plain data. */
function toData(value: unknown): Item {
  const data: unknown = JSON.parse(toJson(value ?? null));
  if (!isJsonObject(data))
    throw new MotiaError('INVALID_VALUE', `an item of a stream is an object, not ${kindOf(data)}`);
  const { __motia: _, ...item } = data; // of an item that was read
  return item;
}

const groupOf = (entry: Entry): string => namesOf(entry.key, entry.header(Header.names))[1] as string;

/** An item as handlers see it. */
function asItem(json: string, streamName: string, groupId: string): StreamItem {
  const item = JSON.parse(json) as Item & { id: string };
  return { ...item, __motia: { type: 'state-stream', streamName, groupId, id: item.id } };
}

function byAge(a: StreamItem, b: StreamItem): number {
  const [atA, atB] = [createdAt(a), createdAt(b)];
  return atA === atB ? (a.id < b.id ? -1 : 1) : atA - atB;
}

const createdAt = ({ _createdAt }: StreamItem) => (typeof _createdAt === 'number' ? _createdAt : 0);
