/** JSON values in a KV bucket. Those above the broker's message limit are in an object store, and their entries are empty. */
import { RevisionConflictError } from '../errors.ts';
import { Header } from '../protocol/headers.ts';
import { BlobStore } from './blobs.ts';
import type { Broker } from './connect.ts';
import { type Entry, type Last, type Reach, replaceEntry, WHOLE_BUCKET, writeEntry } from './key-value.ts';

/** What is under a key, at one moment. */
export interface Stored {
  /** Absent for nothing. */
  json?: string;
  last: Last;
}

/** What an entry has besides its value. */
export interface EntryFields {
  /** The names that its key was made of, if that does not say them; see `toNamesHeader`. */
  names?: string | undefined;
  /** When it goes by itself, ms since 1970. */
  expiresAt?: number | undefined;
}

/** Some of the values under keys that match, in the order of their revisions. */
export interface JsonPage {
  items: { entry: Entry; json: string }[];
  /** There may be more: after this revision. */
  next?: number;
}

export interface JsonBucketOptions {
  bucket: string;
  /** Object store of the large values. */
  blobs: string;
  /** The bucket is watched: entries say whether they are new, and what is removed by {@link JsonBucket.replace} leaves a mark. */
  watched?: boolean;
  /** What the broker lets this user do. Default: all with the whole bucket. */
  reach?: Reach;
}

/** Marks of removed entries are there for an hour. */
const MARK = { 'KV-Operation': 'DEL', 'Nats-TTL': '3600s' };
/** How often a large value may be replaced while it is read. */
const MOST_READS = 10;
/** A page ends at this size, whatever was asked for. */
const MOST_BYTES = 8 * 1024 ** 2;

export class JsonBucket {
  readonly #broker: Broker;
  readonly #bucket: string;
  readonly #watched: boolean;
  readonly #reach: Reach;
  readonly #blobs: BlobStore;

  constructor(broker: Broker, { bucket, blobs, watched = false, reach = WHOLE_BUCKET }: JsonBucketOptions) {
    this.#broker = broker;
    this.#bucket = bucket;
    this.#watched = watched;
    this.#reach = reach;
    this.#blobs = new BlobStore(broker, blobs);
  }

  /** The JSON under a key, if there is any, and what it takes to replace it. */
  async load(key: string): Promise<Stored> {
    for (let reads = 1; ; reads++) {
      const last = await this.#reach.readLast(this.#broker, this.#bucket, key);
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
    const entries = await this.#reach.readEntries(this.#broker, this.#bucket, filter);
    const all = entries.map(async (entry) =>
      entry.header(Header.blob) === '' ? this.#jsonOf(entry) : (await this.load(entry.key)).json,
    );
    return (await Promise.all(all)).filter((json) => json !== undefined);
  }

  /**
   * Values whose key matches.
   * @param after begins with the first one that has a higher revision.
   * @param most how many; a page has fewer when they are large.
   */
  async loadPage(filter: string, after: number, most: number): Promise<JsonPage> {
    const page = await this.#reach.readPage(this.#broker, this.#bucket, filter, after, most);
    const items: JsonPage['items'] = [];
    let bytes = 0;
    for (const entry of page.entries) {
      const isLarge = entry.header(Header.blob) !== '';
      const { json, last } = isLarge
        ? await this.load(entry.key)
        : { json: await this.#jsonOf(entry), last: { entry } };
      if (json === undefined || !last.entry) continue; // removed since
      items.push({ entry: last.entry, json });
      bytes += json.length;
      if (bytes >= MOST_BYTES) return { items, next: entry.revision };
    }
    return page.next === undefined ? { items } : { items, next: page.next };
  }

  /** Stores a value, whatever is there. @returns its revision. @throws {MotiaError} `STORE_FULL` when the broker has no room. */
  async write(key: string, json: string, fields: EntryFields = {}): Promise<number> {
    const { data, headers } = await this.#encode(key, json, fields);
    return writeEntry(this.#broker, this.#bucket, key, data, headers);
  }

  /**
   * Stores a value if what is there has just that revision; 0 means that nothing is there.
   * @returns its revision, 0 if it has been replaced already.
   * @throws {MotiaError} `REVISION_CONFLICT`
   */
  async writeIf(key: string, json: string, revision: number, fields: EntryFields): Promise<number> {
    for (;;) {
      const last = await this.#reach.readLast(this.#broker, this.#bucket, key);
      const present = last.entry?.revision ?? 0;
      if (present !== revision) throw new RevisionConflictError(revision, present);
      const stored = await this.replace(key, { last }, json, fields);
      if (stored !== undefined) return stored;
    }
  }

  /**
   * Stores a value, or removes it (`undefined`), if nothing has changed since `before` was loaded.
   * @returns its revision, 0 if another one has replaced it already, or `undefined` if something has changed.
   */
  async replace(
    key: string,
    { json: oldJson, last }: Stored,
    json: string | undefined,
    fields: EntryFields = {},
  ): Promise<number | undefined> {
    if (json === undefined && !last.entry) return last.revision;
    const { data, headers } =
      json === undefined ? this.#mark(oldJson, last, fields) : await this.#encode(key, json, fields);
    if (this.#watched && json !== undefined) headers[Header.change] = last.entry ? 'update' : 'create';
    const stored = await replaceEntry(this.#broker, this.#bucket, key, data, last.revision, headers);
    const old = (last.entry ?? last.removed)?.header(Header.blob) ?? '';
    const own = headers[Header.blob] ?? '';
    const unused = stored === undefined ? own : old;
    // What cannot be freed now is swept later: the change itself is made.
    if (unused !== '' && old !== own) await this.#blobs.delete(unused).catch(() => {});
    return stored;
  }

  /** Removes a value. @returns its JSON, if there was any. */
  async remove(key: string): Promise<string | undefined> {
    const { json, last } = await this.load(key);
    if (!last.entry) return undefined;
    await this.#reach.remove(this.#broker, this.#bucket, key);
    await this.#free([last.entry]);
    return json;
  }

  /** Removes all values of a group, whose pattern is `filter`. */
  async purge(filter: string): Promise<void> {
    await this.#free(await this.#reach.removeGroup(this.#broker, this.#bucket, filter));
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
    const { entry, removed } = await this.#reach.readLast(this.#broker, this.#bucket, key);
    return (entry ?? removed)?.header(Header.blob) === blob;
  }

  async #encode(
    key: string,
    json: string,
    fields: EntryFields,
  ): Promise<{ data: string; headers: Record<string, string> }> {
    const headers = toHeaders(fields);
    if (!this.#blobs.needed(Buffer.byteLength(json))) return { data: json, headers };
    headers[Header.blob] = await this.#blobs.put(Buffer.from(json), `${key}.`);
    return { data: '', headers };
  }

  /** The mark of a removal has the last value, so that whoever watches can tell what is gone. */
  #mark(json = '', { entry }: Last, { names }: EntryFields): { data: string; headers: Record<string, string> } {
    const blob = entry?.header(Header.blob) ?? '';
    const headers = { ...MARK, ...toHeaders({ names }) };
    return blob === '' ? { data: json, headers } : { data: '', headers: { ...headers, [Header.blob]: blob } };
  }

  async #jsonOf(entry: Entry): Promise<string> {
    const blob = entry.header(Header.blob);
    const bytes = blob
      ? await this.#blobs.get(blob)
      : Buffer.from(entry.data.buffer, entry.data.byteOffset, entry.data.byteLength);
    return bytes.toString('utf8');
  }
}

/** When an entry goes by itself, ms since 1970. */
export function expiryOf(entry: Entry | undefined): number | undefined {
  const text = entry?.header(Header.expires) ?? '';
  return text === '' ? undefined : Number(text);
}

/** Headers of an entry. The broker counts in whole seconds, and from when it stores the entry. */
export function toHeaders({ names, expiresAt }: EntryFields, now = Date.now()): Record<string, string> {
  const headers: Record<string, string> = {};
  if (names !== undefined) headers[Header.names] = names;
  if (expiresAt !== undefined) {
    headers[Header.expires] = String(expiresAt);
    headers['Nats-TTL'] = `${Math.max(1, Math.ceil((expiresAt - now) / 1000))}s`;
  }
  return headers;
}
