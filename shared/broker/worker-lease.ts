/** The lease of a worker: which consumers a live one serves. A version of the app is over when no lease has any of its own. */
import { randomUUID } from 'node:crypto';
import type pino from 'pino';
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import type { Source } from './consumers.ts';
import { markRemoved, readEntries, writeEntry } from './key-value.ts';

/** A worker that is lost is forgotten within this time. */
const TTL = { 'Nats-TTL': '30s' };
const RENEW_MS = 5_000;
/** For the end of a worker, which a lost broker must not hold up: a lease that nobody could take back runs out. */
const STOP_WITHIN_MS = 2_000;

type Served = Pick<Source, 'stream' | 'durable' | 'runsUntil'>;

/** How a lease names a consumer. */
export const toServed = ({ stream, durable }: Pick<Source, 'stream' | 'durable'>): string => `${stream}/${durable}`;

interface Lease {
  language?: string;
  /** Of the steps of its language, see `claimNewest`. */
  version?: string;
  /** What it serves. */
  serves: string[];
  /** What it takes the rest of: partitions of steps that have ceased to be FIFO. */
  drains?: string[];
}

/** What all live workers serve or take the rest of, or one of the two. */
export async function readLeases(broker: Broker, names: Names, of?: 'serves' | 'drains'): Promise<Set<string>> {
  const entries = await readEntries(broker, names.buckets.leases, names.workerLeases);
  return new Set(
    entries.flatMap(({ data }) => {
      const { serves, drains = [] } = JSON.parse(Buffer.from(data).toString('utf8')) as Lease;
      if (of === undefined) return [...serves, ...drains];
      return of === 'serves' ? serves : drains;
    }),
  );
}

/** The versions of one language that live workers have. */
export async function readVersions(broker: Broker, names: Names, language: string): Promise<Set<string>> {
  const entries = await readEntries(broker, names.buckets.leases, names.workerLeases);
  const leases = entries.map(({ data }) => JSON.parse(Buffer.from(data).toString('utf8')) as Lease);
  return new Set(leases.flatMap((lease) => (lease.language === language ? (lease.version ?? []) : [])));
}

/** Ids of live workers that serve one of these consumers, or take the rest of it. */
export async function readServingWorkers(
  broker: Broker,
  names: Names,
  durables: readonly string[],
): Promise<Set<string>> {
  const wanted = new Set(durables.map((durable) => toServed({ stream: names.streams.events, durable })));
  const entries = await readEntries(broker, names.buckets.leases, names.workerLeases);
  return new Set(
    entries
      .filter(({ data }) => {
        const { serves, drains = [] } = JSON.parse(Buffer.from(data).toString('utf8')) as Lease;
        return [...serves, ...drains].some((name) => wanted.has(name));
      })
      .map(({ key }) => key.slice(names.workerLease('').length)),
  );
}

export class WorkerLease {
  readonly id = randomUUID();
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #log: pino.Logger;
  readonly #key: string;
  readonly #serves: () => Iterable<Served>;
  #about: readonly Served[] = [];
  #version: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param serves what the worker serves at a moment. */
  constructor(broker: Broker, names: Names, log: pino.Logger, serves: () => Iterable<Served>) {
    this.#broker = broker;
    this.#names = names;
    this.#log = log;
    this.#serves = serves;
    this.#key = names.workerLease(this.id);
  }

  /**
   * Names what is served, and what is about to be. Resolves when the broker has it: only then may a consumer be relied upon to
   * stay.
   * @param version what it serves or is about to, by default the one named before.
   */
  name(about: readonly Served[] = [], version = this.#version): Promise<void> {
    this.#about = about;
    this.#version = version;
    this.#timer ??= setInterval(() => this.#renew(), RENEW_MS).unref();
    return this.#write();
  }

  /** What was served is no longer. Tells the broker, if that takes no longer than two seconds. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const told = (async () => {
      await this.#writing.catch(() => {});
      if (this.#broker.connected()) await markRemoved(this.#broker, this.#names.buckets.leases, this.#key);
    })();
    await Promise.race([told, new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref())]);
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
    return JSON.stringify({ language: 'node', version: this.#version, serves: named(false), drains: named(true) });
  }
}
