/** Realtime streams: items by group and id in a KV bucket that hubs watch, and events that are sent and not kept. */
import { randomUUID } from 'node:crypto';
import { MotiaError } from '../errors.ts';
import { isJsonObject, kindOf, toJson } from '../json-values.ts';
import type { Names } from '../protocol/subjects.ts';
import type { StreamEvent, StreamItem } from '../types.ts';
import { fitsMessage } from './blobs.ts';
import { ChangeQueue } from './change-queue.ts';
import type { Broker } from './connect.ts';
import { JsonBucket } from './json-bucket.ts';
import { readManifest } from './manifest-store.ts';
import { publishStored } from './publish.ts';
import type { ValueChange } from './state.ts';

type Item = Record<string, unknown>;

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
    await this.#changes.apply(this.#names.itemKey(stream, group, id), async (json) => {
      old = json;
      return undefined;
    });
    return old === undefined ? null : asItem(old, stream, group);
  }

  /** All items of a group: the oldest first, those of the same millisecond by their ids. */
  async getGroup(stream: string, group: string): Promise<StreamItem[]> {
    const all = await this.#items.loadAll(this.#names.itemGroup(stream, group));
    return all.map((json) => asItem(json, stream, group)).sort(byAge);
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
    await this.#changes.apply(this.#names.itemKey(stream, group, id), async (json) => {
      const current: Item | null = json === undefined ? null : JSON.parse(json);
      const createdAt = current?._createdAt; // before it is given away
      const data = await make(current);
      next = toJson({ ...data, id, _createdAt: data._createdAt ?? createdAt ?? Date.now() });
      return next;
    });
    return asItem(next, stream, group);
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
