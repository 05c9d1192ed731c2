/** State: JSON values by group and key in a KV bucket. Any string is a valid group and key. */
import { MotiaError } from '../errors.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import { BlobStore } from './blobs.ts';
import type { Broker } from './connect.ts';
import { type Entry, purgeEntries, readEntries, readEntry, writeEntry } from './key-value.ts';

export class StateStore {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #bucket: string;
  readonly #blobs: BlobStore;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    this.#bucket = names.buckets.state;
    this.#blobs = new BlobStore(broker, names.buckets.values);
  }

  /** The value, or `null`. */
  async get(group: string, key: string): Promise<unknown> {
    const entry = await readEntry(this.#broker, this.#bucket, this.#names.stateKey(group, key));
    return entry ? this.#decode(entry) : null;
  }

  /** @throws {MotiaError} `INVALID_VALUE` for what JSON cannot say, `STORE_FULL` when the broker has no room. */
  async set(group: string, key: string, value: unknown): Promise<void> {
    const json = toJson(value);
    const name = this.#names.stateKey(group, key);
    if (!this.#blobs.needed(Buffer.byteLength(json))) {
      await writeEntry(this.#broker, this.#bucket, name, json);
      return;
    }
    const blob = await this.#blobs.put(Buffer.from(json), `${name}.`);
    await writeEntry(this.#broker, this.#bucket, name, '', { [Header.blob]: blob });
  }

  /** Removes the value and gives it back, or `null`. */
  async delete(group: string, key: string): Promise<unknown> {
    const name = this.#names.stateKey(group, key);
    const entry = await readEntry(this.#broker, this.#bucket, name);
    if (!entry) return null;
    const value = await this.#decode(entry);
    await purgeEntries(this.#broker, this.#bucket, name);
    await this.#free(entry);
    return value;
  }

  /** All values of a group, in no promised order. */
  async getGroup(group: string): Promise<unknown[]> {
    const entries = await this.#entries(group);
    return Promise.all(entries.map((entry) => this.#decode(entry)));
  }

  /** Removes all values of a group. */
  async clear(group: string): Promise<void> {
    const entries = await this.#entries(group);
    await purgeEntries(this.#broker, this.#bucket, this.#names.stateGroup(group));
    await Promise.all(entries.map((entry) => this.#free(entry)));
  }

  /**
   * Removes large values that no entry points to any more: overwritten ones, and those of a process that ended between
   * storing the value and its entry. `olderThanMs` spares a write that is under way.
   */
  async sweep(olderThanMs: number): Promise<number> {
    let removed = 0;
    for (const blob of await this.#blobs.list(olderThanMs)) {
      const entry = await readEntry(this.#broker, this.#bucket, blob.slice(0, blob.lastIndexOf('.')));
      if (entry?.header(Header.blob) === blob) continue;
      await this.#blobs.delete(blob);
      removed++;
    }
    return removed;
  }

  #entries(group: string): Promise<Entry[]> {
    return readEntries(this.#broker, this.#bucket, this.#names.stateGroup(group));
  }

  async #decode(entry: Entry): Promise<unknown> {
    const blob = entry.header(Header.blob);
    const json = blob
      ? await this.#blobs.get(blob)
      : Buffer.from(entry.data.buffer, entry.data.byteOffset, entry.data.byteLength);
    return JSON.parse(json.toString('utf8')) as unknown;
  }

  async #free(entry: Entry): Promise<void> {
    const blob = entry.header(Header.blob);
    if (blob) await this.#blobs.delete(blob);
  }
}

/**
 * JSON of a value that a handler stores or emits.
 * @throws {MotiaError} `INVALID_VALUE` for `undefined`, functions, cycles and big integers.
 */
export function toJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new MotiaError('INVALID_VALUE', `the value cannot be written as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (json === undefined) throw new MotiaError('INVALID_VALUE', `${typeof value} is not a value that can be stored`);
  return json;
}
