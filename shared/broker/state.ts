/** State: JSON values by group and key in a KV bucket. Any string is a valid group and key. */
import { toJson } from '../json-values.ts';
import type { Names } from '../protocol/subjects.ts';
import { ChangeQueue } from './change-queue.ts';
import type { Broker } from './connect.ts';
import { JsonBucket } from './json-bucket.ts';

/** Makes the next value from the present one, `null` for nothing. May be called several times. */
export type ValueChange = (current: unknown) => unknown;

export class StateStore {
  readonly #names: Names;
  readonly #values: JsonBucket;
  readonly #changes: ChangeQueue;

  constructor(broker: Broker, names: Names) {
    this.#names = names;
    this.#values = new JsonBucket(broker, { bucket: names.buckets.state, blobs: names.buckets.values });
    this.#changes = new ChangeQueue(this.#values);
  }

  /** The value, or `null`. */
  async get(group: string, key: string): Promise<unknown> {
    return parse((await this.#values.load(this.#names.stateKey(group, key))).json);
  }

  /** @throws {MotiaError} `INVALID_VALUE` for what JSON cannot say, `STORE_FULL` when the broker has no room. */
  async set(group: string, key: string, value: unknown): Promise<void> {
    await this.#values.write(this.#names.stateKey(group, key), toJson(value));
  }

  /**
   * Changes a value, whoever else does so at the same time.
   * @returns the new value.
   * @throws what the change throws, and {@link set}. Then nothing is stored.
   */
  async update(group: string, key: string, change: ValueChange): Promise<unknown> {
    let next = '';
    await this.#changes.apply(this.#names.stateKey(group, key), async (json) => {
      next = toJson(await change(parse(json)));
      return next;
    });
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

  /** Removes all values of a group. */
  clear(group: string): Promise<void> {
    return this.#values.purge(this.#names.stateGroup(group));
  }

  /** Removes large values that are not used any more, see {@link JsonBucket.sweep}. */
  sweep(olderThanMs: number): Promise<number> {
    return this.#values.sweep(olderThanMs);
  }
}

const parse = (json: string | undefined): unknown => (json === undefined ? null : JSON.parse(json));
