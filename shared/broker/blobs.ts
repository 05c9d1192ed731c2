/** Claim checks: payloads above the broker's message limit travel through an object store, transparent to handlers. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ObjectStore } from '@nats-io/obj';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import { readBlob } from './read-blob.ts';
import { rideOut } from './retry.ts';

/** Room that headers and frame meta may take in a message. */
const MESSAGE_OVERHEAD = 64 * 1024;
const RIDE_OUT_MS = 15_000;

/** Whether a payload of this many bytes fits into a message, its headers included. */
export const fitsMessage = (broker: Broker, bytes: number): boolean => bytes + MESSAGE_OVERHEAD <= broker.maxPayload();

export class BlobStore {
  readonly #broker: Broker;
  readonly #bucket: string;
  #store: Promise<ObjectStore> | undefined;

  constructor(broker: Broker, bucket: string) {
    this.#broker = broker;
    this.#bucket = bucket;
  }

  /** Whether a payload of this many bytes has to go through the store. */
  needed(bytes: number): boolean {
    return !fitsMessage(this.#broker, bytes);
  }

  /** Stores bytes and gives their name: `prefix` and a random part without dots. */
  async put(bytes: Uint8Array, prefix = ''): Promise<string> {
    return this.#withStore(async (store) => {
      const name = prefix + randomUUID(); // what a failed try left under its name is not added to
      await store.putBlob({ name }, bytes);
      return name;
    });
  }

  /** @throws {MotiaError} `INVALID_VALUE` if there is nothing (any more) under that name. */
  async get(name: string): Promise<Buffer> {
    const bytes = await rideOut(this.#broker, RIDE_OUT_MS, () => readBlob(this.#broker, this.#bucket, name));
    if (!bytes) throw new MotiaError('INVALID_VALUE', 'a large payload is not in the object store any more');
    return bytes;
  }

  async delete(name: string): Promise<void> {
    await this.#withStore((store) => store.delete(name));
  }

  /** Names of the objects that were stored at least `olderThanMs` ago. */
  async list(olderThanMs: number): Promise<string[]> {
    const before = Date.now() - olderThanMs;
    const objects = await this.#withStore((store) => store.list());
    return objects.filter(({ mtime }) => Date.parse(mtime) <= before).map(({ name }) => name);
  }

  #withStore<T>(operation: (store: ObjectStore) => Promise<T>): Promise<T> {
    return rideOut(this.#broker, RIDE_OUT_MS, async () => operation(await this.#open()));
  }

  #open(): Promise<ObjectStore> {
    this.#store ??= openStore(this.#broker, this.#bucket).catch((error) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }
}

function openStore(broker: Broker, bucket: string): Promise<ObjectStore> {
  // Loaded here because few processes store large payloads.
  const { Objm }: typeof import('@nats-io/obj') = createRequire(import.meta.url)('@nats-io/obj');
  return new Objm(broker.nc).open(bucket);
}
