/** State: JSON values by group and key in a KV bucket. Any string is a valid group and key. */
import { MotiaError } from '../errors.ts';
import { toJson } from '../json-values.ts';
import { decodeToken } from '../protocol/encoding.ts';
import { namesOf, toNamesHeader } from '../protocol/entry-names.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import type { Page, PageOptions, SetOptions, StateEntry } from '../types.ts';
import { ChangeQueue } from './change-queue.ts';
import type { Broker } from './connect.ts';
import { listGroups } from './group-list.ts';
import { expiryOf, JsonBucket } from './json-bucket.ts';
import { type Entry, type Reach, readPage, WHOLE_BUCKET } from './key-value.ts';
import { toLimit, toPosition } from './page.ts';

/** Makes the next value from the present one, `null` for nothing. May be called several times. */
export type ValueChange = (current: unknown) => unknown;

/** Ten years. */
const LONGEST_TTL_S = 315_360_000;

export class StateStore {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #values: JsonBucket;
  readonly #changes: ChangeQueue;

  /** @param reach what the broker lets this user do; to list groups takes all of it. */
  constructor(broker: Broker, names: Names, reach: Reach = WHOLE_BUCKET) {
    this.#broker = broker;
    this.#names = names;
    this.#values = new JsonBucket(broker, { bucket: names.buckets.state, blobs: names.buckets.values, reach });
    this.#changes = new ChangeQueue(this.#values);
  }

  /** The value, or `null`. */
  async get(group: string, key: string): Promise<unknown> {
    return parse((await this.#values.load(this.#names.stateKey(group, key))).json);
  }

  /** The value and what is known of it, or `null`. */
  async getEntry(group: string, key: string): Promise<StateEntry | null> {
    const { json, last } = await this.#values.load(this.#names.stateKey(group, key));
    return json === undefined || !last.entry ? null : toStateEntry(last.entry, json);
  }

  /**
   * Stores a value.
   * @returns its revision, 0 if it has been replaced already.
   * @throws {MotiaError} `INVALID_VALUE` for what JSON cannot say and for wrong options, `STORE_FULL` when the broker has no room,
   * `REVISION_CONFLICT` if what is there is not at `ifRevision`.
   */
  async set(group: string, key: string, value: unknown, options: SetOptions = {}): Promise<number> {
    const json = toJson(value);
    const { ttl, ifRevision } = check(options);
    const at = this.#names.stateKey(group, key);
    const expiresAt = ttl === undefined ? undefined : Date.now() + ttl * 1000;
    const fields = { names: toNamesHeader(at, [group, key]), expiresAt };
    return ifRevision === undefined
      ? this.#values.write(at, json, fields)
      : this.#values.writeIf(at, json, ifRevision, fields);
  }

  /**
   * Changes a value, whoever else does so at the same time.
   * @returns the new value.
   * @throws what the change throws, and {@link set}. Then nothing is stored.
   */
  async update(group: string, key: string, change: ValueChange): Promise<unknown> {
    let next = '';
    const at = this.#names.stateKey(group, key);
    const make = async (json: string | undefined) => {
      next = toJson(await change(parse(json)));
      return next;
    };
    await this.#changes.apply(at, make, toNamesHeader(at, [group, key]));
    return parse(next);
  }

  /** Removes the value and gives it back, or `null`. */
  async delete(group: string, key: string): Promise<unknown> {
    return parse(await this.#values.remove(this.#names.stateKey(group, key)));
  }

  /** All values of a group, in no promised order. */
  async getGroup(group: string): Promise<unknown[]> {
    return (await this.#values.loadAll(this.#names.stateGroup(group))).map(parse);
  }

  /**
   * Some of the values of a group, in the order of their revisions.
   * @throws {MotiaError} `INVALID_VALUE` for a wrong `limit` or `after`.
   */
  async getGroupPage(group: string, options: PageOptions = {}): Promise<Page<StateEntry & { key: string }>> {
    const [after, limit] = [toPosition(options), toLimit(options)];
    const { items, next } = await this.#values.loadPage(this.#names.stateGroup(group), after, limit);
    return {
      items: items.map(({ entry, json }) => ({ key: nameAt(entry, 1), ...toStateEntry(entry, json) })),
      ...(next !== undefined && { next: String(next) }),
    };
  }

  /** Some of the groups. @throws {MotiaError} `INVALID_VALUE` for a wrong `limit`. */
  async listGroups(options: PageOptions = {}): Promise<Page<{ group: string; keys: number }>> {
    const { groups, next } = await listGroups(this.#broker, this.#names.buckets.state, '', options);
    const items = groups.map(async ({ token, keys }) => ({ group: await this.#groupOf(token), keys }));
    return { items: await Promise.all(items), ...(next !== undefined && { next }) };
  }

  /** Removes all values of a group. */
  clear(group: string): Promise<void> {
    return this.#values.purge(this.#names.stateGroup(group));
  }

  /** Removes large values that are not used any more, see {@link JsonBucket.sweep}. */
  sweep(olderThanMs: number): Promise<number> {
    return this.#values.sweep(olderThanMs);
  }

  /** The name behind a token; if it was shortened, an entry of the group says it. */
  async #groupOf(token: string): Promise<string> {
    const known = decodeToken(token);
    if (known !== undefined) return known;
    const { entries } = await readPage(this.#broker, this.#names.buckets.state, `${token}.*`, 0, 1);
    return entries[0] ? nameAt(entries[0], 0) : token;
  }
}

function check(options: SetOptions): SetOptions {
  if (typeof options !== 'object' || options === null)
    throw new MotiaError('INVALID_VALUE', 'the options of set() are { ttl, ifRevision }');
  const { ttl, ifRevision } = options;
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 1 && ttl <= LONGEST_TTL_S)) {
    throw new MotiaError('INVALID_VALUE', `ttl is a whole number of seconds from 1 to ${LONGEST_TTL_S}`);
  }
  if (ifRevision !== undefined && !(Number.isSafeInteger(ifRevision) && ifRevision >= 0)) {
    throw new MotiaError('INVALID_VALUE', 'ifRevision is a revision, or 0 for nothing');
  }
  const unknown = Object.keys(options).find((name) => name !== 'ttl' && name !== 'ifRevision');
  if (unknown === undefined) return options;
  throw new MotiaError('INVALID_VALUE', `set() has no option "${unknown.slice(0, 100)}": it has ttl and ifRevision`);
}

function toStateEntry(entry: Entry, json: string): StateEntry {
  const expiresAt = expiryOf(entry);
  return { value: parse(json), revision: entry.revision, ...(expiresAt !== undefined && { expiresAt }) };
}

/** One of the names that an entry is under. */
const nameAt = (entry: Entry, position: number): string =>
  namesOf(entry.key, entry.header(Header.names))[position] as string;

const parse = (json: string | undefined): unknown => (json === undefined ? null : JSON.parse(json));
