/** The lease of a worker: which consumers a live one serves. A version of the app is over when no lease has any of its own. */
import { randomUUID } from 'node:crypto';
import type pino from 'pino';
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import type { Source } from './consumers.ts';
import { purgeEntries, readEntries, writeEntry } from './key-value.ts';

/** A worker that is lost is forgotten within this time. */
const TTL = { 'Nats-TTL': '30s' };
const RENEW_MS = 5_000;

type Served = Pick<Source, 'stream' | 'durable' | 'runsUntil'>;

/** How a lease names a consumer. */
export const toServed = ({ stream, durable }: Pick<Source, 'stream' | 'durable'>): string => `${stream}/${durable}`;

interface Lease {
  /** What it serves. */
  serves: string[];
  /** What it takes the rest of: partitions of steps that have ceased to be FIFO. */
  drains?: string[];
}

/** What all live workers serve or take the rest of, or one of the two. */
export async function readLeases(broker: Broker, names: Names, of?: keyof Lease): Promise<Set<string>> {
  const entries = await readEntries(broker, names.buckets.leases, names.workerLeases);
  return new Set(
    entries.flatMap(({ data }) => {
      const { serves, drains = [] } = JSON.parse(Buffer.from(data).toString('utf8')) as Lease;
      if (of === undefined) return [...serves, ...drains];
      return of === 'serves' ? serves : drains;
    }),
  );
}

export class WorkerLease {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #log: pino.Logger;
  readonly #key: string;
  readonly #serves: () => Iterable<Served>;
  #about: readonly Served[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param serves what the worker serves at a moment. */
  constructor(broker: Broker, names: Names, log: pino.Logger, serves: () => Iterable<Served>) {
    this.#broker = broker;
    this.#names = names;
    this.#log = log;
    this.#serves = serves;
    this.#key = names.workerLease(randomUUID());
  }

  /**
   * Names what is served, and what is about to be. Resolves when the broker has it: only then may a consumer be relied upon to
   * stay.
   */
  name(about: readonly Served[] = []): Promise<void> {
    this.#about = about;
    this.#timer ??= setInterval(() => this.#renew(), RENEW_MS).unref();
    return this.#write();
  }

  /** What was served is no longer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing.catch(() => {});
    if (this.#broker.connected()) await purgeEntries(this.#broker, this.#names.buckets.leases, this.#key);
  }

  #renew(): void {
    this.#write().catch((error) => {
      this.#log.warn(
        { action: 'lease_failed', err: error },
        'The lease of this worker could not be renewed; trying again',
      );
    });
  }

  /** One write after the other: the newest is the last. */
  #write(): Promise<void> {
    const write = async () => {
      await writeEntry(this.#broker, this.#names.buckets.leases, this.#key, this.#describe(), TTL);
    };
    this.#writing = this.#writing.catch(() => {}).then(write);
    return this.#writing;
  }

  #describe(): string {
    const all = [...this.#serves(), ...this.#about];
    const named = (rest: boolean) => [
      ...new Set(all.filter(({ runsUntil }) => (runsUntil !== undefined) === rest).map(toServed)),
    ];
    return JSON.stringify({ language: 'node', serves: named(false), drains: named(true) });
  }
}
