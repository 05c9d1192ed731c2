/** JSON values in a KV bucket. Those above the broker's message limit are in an object store, and their entries are empty. */
import { Header } from '../protocol/headers.ts';
import { BlobStore } from './blobs.ts';
import type { Broker } from './connect.ts';
import { type Entry, type Last, purgeEntries, readEntries, readLast, replaceEntry, writeEntry } from './key-value.ts';

/** What is under a key, at one moment. */
export interface Stored {
  /** Absent for nothing. */
  json?: string;
  last: Last;
}

export interface JsonBucketOptions {
  bucket: string;
  /** Object store of the large values. */
  blobs: string;
  /** The bucket is watched: entries say whether they are new, and what is removed by {@link JsonBucket.replace} leaves a mark. */
  watched?: boolean;
}

/** Marks of removed entries are there for an hour. */
const MARK = { 'KV-Operation': 'DEL', 'Nats-TTL': '3600s' };
/** How often a large value may be replaced while it is read. */
const MOST_READS = 10;

export class JsonBucket {
  readonly #broker: Broker;
  readonly #bucket: string;
  readonly #watched: boolean;
  readonly #blobs: BlobStore;

  constructor(broker: Broker, { bucket, blobs, watched = false }: JsonBucketOptions) {
    this.#broker = broker;
    this.#bucket = bucket;
    this.#watched = watched;
    this.#blobs = new BlobStore(broker, blobs);
  }

  /** The JSON under a key, if there is any, and what it takes to replace it. */
  async load(key: string): Promise<Stored> {
    for (let reads = 1; ; reads++) {
      const last = await readLast(this.#broker, this.#bucket, key);
      if (!last.entry) return { last };
      try {
        return { json: await this.#jsonOf(last.entry), last };
      } catch (error) {
        // A value that has been replaced meanwhile took its blob along.
        const blob = last.entry.header(Header.blob);
        if (blob === '' || reads === MOST_READS || (await this.#isUsed(key, blob))) throw error;
      }
    }
  }

  /** All values whose key matches, as JSON. In no promised order. */
  async loadAll(filter: string): Promise<string[]> {
    const entries = await readEntries(this.#broker, this.#bucket, filter);
    const all = entries.map(async (entry) =>
      entry.header(Header.blob) === '' ? this.#jsonOf(entry) : (await this.load(entry.key)).json,
    );
    return (await Promise.all(all)).filter((json) => json !== undefined);
  }

  /** Stores a value, whatever is there. @throws {MotiaError} `STORE_FULL` when the broker has no room. */
  async write(key: string, json: string): Promise<void> {
    const { data, headers } = await this.#encode(key, json);
    await writeEntry(this.#broker, this.#bucket, key, data, headers);
  }

  /**
   * Stores a value, or removes it (`undefined`), if nothing has changed since `before` was loaded.
   * @returns whether it was so.
   */
  async replace(key: string, before: Stored, json: string | undefined): Promise<boolean> {
    if (json === undefined && before.json === undefined) return true;
    const { data, headers } = json === undefined ? this.#mark(before) : await this.#encode(key, json);
    const change = before.json === undefined ? 'create' : 'update';
    if (this.#watched && json !== undefined) headers[Header.change] = change;
    const { revision } = before.last;
    const replaced = (await replaceEntry(this.#broker, this.#bucket, key, data, revision, headers)) !== undefined;
    const old = (before.last.entry ?? before.last.removed)?.header(Header.blob) ?? '';
    const own = headers[Header.blob] ?? '';
    const unused = replaced ? old : own;
    // What cannot be freed now is swept later: the change itself is made.
    if (unused !== '' && old !== own) await this.#blobs.delete(unused).catch(() => {});
    return replaced;
  }

  /** Removes a value without leaving a mark. @returns its JSON, if there was any. */
  async remove(key: string): Promise<string | undefined> {
    const { json, last } = await this.load(key);
    if (!last.entry) return undefined;
    await purgeEntries(this.#broker, this.#bucket, key);
    await this.#free([last.entry]);
    return json;
  }

  /** Removes all values whose key matches, without leaving marks. */
  async purge(filter: string): Promise<void> {
    const entries = await readEntries(this.#broker, this.#bucket, filter);
    await purgeEntries(this.#broker, this.#bucket, filter);
    await this.#free(entries);
  }

  /**
   * Removes large values that no entry points to any more: overwritten ones, and those of a process that ended between
   * storing the value and its entry. `olderThanMs` spares a write that is under way.
   */
  async sweep(olderThanMs: number): Promise<number> {
    let removed = 0;
    for (const blob of await this.#blobs.list(olderThanMs)) {
      if (await this.#isUsed(blob.slice(0, blob.lastIndexOf('.')), blob)) continue;
      await this.#blobs.delete(blob);
      removed++;
    }
    return removed;
  }

  async #free(entries: Entry[]): Promise<void> {
    const blobs = entries.map((entry) => entry.header(Header.blob)).filter((blob) => blob !== '');
    await Promise.all(blobs.map((blob) => this.#blobs.delete(blob)));
  }

  /** Whether what was stored last under a key, be it the mark of a removal, points to a blob. */
  async #isUsed(key: string, blob: string): Promise<boolean> {
    const { entry, removed } = await readLast(this.#broker, this.#bucket, key);
    return (entry ?? removed)?.header(Header.blob) === blob;
  }

  async #encode(key: string, json: string): Promise<{ data: string; headers: Record<string, string> }> {
    if (!this.#blobs.needed(Buffer.byteLength(json))) return { data: json, headers: {} };
    const blob = await this.#blobs.put(Buffer.from(json), `${key}.`);
    return { data: '', headers: { [Header.blob]: blob } };
  }

  /** The mark of a removal has the last value, so that whoever watches can tell what is gone. */
  #mark({ json = '', last }: Stored): { data: string; headers: Record<string, string> } {
    const blob = last.entry?.header(Header.blob) ?? '';
    return blob === '' ? { data: json, headers: { ...MARK } } : { data: '', headers: { ...MARK, [Header.blob]: blob } };
  }

  async #jsonOf(entry: Entry): Promise<string> {
    const blob = entry.header(Header.blob);
    const bytes = blob
      ? await this.#blobs.get(blob)
      : Buffer.from(entry.data.buffer, entry.data.byteOffset, entry.data.byteLength);
    return bytes.toString('utf8');
  }
}
