/** The items of realtime streams as who follows them needs them: each with the sequence and the time of its last change. */
import type { MsgHdrs } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import { isJsonObject, parseJson } from '../json-values.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import { BlobStore } from './blobs.ts';
import type { Broker } from './connect.ts';
import { type Entry, readEntries, readEntry } from './key-value.ts';
import type { FedMessage } from './ordered-feed.ts';
import { toTime } from './store-time.ts';
import { readPage } from './stored-messages.ts';

/** One change of an item. */
export interface ItemChange {
  /** The item's key in the bucket: tokens of stream, group and id. */
  key: string;
  sequence: number;
  /** When it was stored, in ms since 1970 with a fraction. */
  time: number;
  kind: 'create' | 'update' | 'delete';
  /** The item; of one that was removed what it was last. Absent when a large one has been replaced meanwhile. */
  json?: string;
}

/** What was sent and not kept. */
export interface SentMessage {
  /** Tokens of stream and group, and of the item if it was sent to one. */
  key: string;
  sequence: number;
  /** `{ type, data }` */
  json: string;
}

export class ItemChanges {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #blobs: BlobStore;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    this.#blobs = new BlobStore(broker, names.buckets.items);
  }

  /** The items that are there now, whose key is or matches this. */
  async present(filter: string): Promise<ItemChange[]> {
    const entries = await readEntries(this.#broker, this.#names.buckets.streams, filter);
    const changes = await Promise.all(entries.map((entry) => this.#present(entry)));
    return changes.filter((change) => change !== undefined);
  }

  /** What was changed last of each item after a sequence, removals included, in order; or that it is more than `most`. */
  async after(filter: string, sequence: number, most: number): Promise<ItemChange[] | 'too many'> {
    const bucket = this.#names.buckets.streams;
    const messages = await this.#readAfter(`KV_${bucket}`, `$KV.${bucket}.${filter}`, sequence, most);
    if (messages === 'too many') return messages;
    const changes: ItemChange[] = [];
    for (const message of messages) changes.push(await this.read(message));
    return changes;
  }

  /** What was sent after a sequence to any of these subjects, as far as the broker has it still, in order. */
  async sentAfter(subjects: string[], sequence: number, most: number): Promise<SentMessage[] | 'too many'> {
    const all: SentMessage[] = [];
    for (const subject of subjects) {
      const messages = await this.#readAfter(this.#names.streams.sent, subject, sequence, most - all.length);
      if (messages === 'too many') return messages;
      all.push(...messages.map((message) => this.readSent(message)).filter((sent) => sent !== undefined));
    }
    return all.sort((a, b) => a.sequence - b.sequence);
  }

  /** Whether {@link read} has to fetch a large item. */
  isLarge({ headers }: FedMessage): boolean {
    return (headers?.get(Header.blob) ?? '') !== '' && !isRemoval(headers);
  }

  /** What a message of the bucket says, if its item is no large one. */
  readSmall({ subject, sequence, time, headers, data }: FedMessage): ItemChange {
    const key = subject.slice(`$KV.${this.#names.buckets.streams}.`.length);
    const change = { key, sequence, time, kind: kindOf(headers) };
    return data.length === 0 ? change : { ...change, json: toText(data) };
  }

  async read(message: FedMessage): Promise<ItemChange> {
    const change = this.readSmall(message);
    const blob = message.headers?.get(Header.blob) ?? '';
    if (blob === '') return change;
    const json = await this.#fetch(blob);
    return json === undefined ? change : { ...change, json };
  }

  /** `undefined` for what is no event: any client of the broker may send what it likes. */
  readSent({ subject, sequence, data }: FedMessage): SentMessage | undefined {
    const json = toText(data);
    const event = parseJson(json);
    if (!isJsonObject(event) || typeof event.type !== 'string') return undefined;
    return { key: subject.slice(this.#names.sent.length - 1), sequence, json };
  }

  async #present(entry: Entry): Promise<ItemChange | undefined> {
    const blob = entry.header(Header.blob);
    const json = blob === '' ? toText(entry.data) : await this.#fetch(blob);
    if (json === undefined) {
      const newer = await readEntry(this.#broker, this.#names.buckets.streams, entry.key);
      return newer && newer.revision !== entry.revision ? this.#present(newer) : undefined;
    }
    const time = toTime(entry.header('Nats-Time-Stamp'));
    const kind = entry.header(Header.change) === 'create' ? 'create' : 'update';
    return { key: entry.key, sequence: entry.revision, time, kind, json };
  }

  /** A large item, unless another one has taken its place. */
  async #fetch(blob: string): Promise<string | undefined> {
    try {
      return (await this.#blobs.get(blob)).toString('utf8');
    } catch (error) {
      if (error instanceof MotiaError && error.code === 'INVALID_VALUE') return undefined;
      throw error;
    }
  }

  async #readAfter(
    stream: string,
    subject: string,
    sequence: number,
    most: number,
  ): Promise<FedMessage[] | 'too many'> {
    const found: FedMessage[] = [];
    for (let from = sequence + 1; ; ) {
      const { messages, left } = await readPage(this.#broker, stream, subject, from, PAGE);
      if (found.length + messages.length + left > most) return 'too many';
      for (const message of messages) {
        found.push({ ...message, time: toTime(message.headers?.get('Nats-Time-Stamp') ?? '') });
      }
      const last = messages.at(-1);
      if (!last || left === 0) return found;
      from = last.sequence + 1;
    }
  }
}

const PAGE = 1_000;

function isRemoval(headers: MsgHdrs | undefined): boolean {
  return (headers?.get('KV-Operation') ?? '') !== '';
}

function kindOf(headers: MsgHdrs | undefined): ItemChange['kind'] {
  if (isRemoval(headers)) return 'delete';
  return headers?.get(Header.change) === 'create' ? 'create' : 'update';
}

const toText = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
