/**
 * The one scheduler that fires, among those that run. It holds a lease on the broker, which ends by itself when it is not
 * renewed. A leader that was stopped and woken knows by its own clock that the lease may be over.
 */
import { randomUUID } from 'node:crypto';
import type pino from 'pino';
import type { Broker } from '../shared/broker/connect.ts';
import { readLast, replaceEntry } from '../shared/broker/key-value.ts';
import type { Names } from '../shared/protocol/subjects.ts';

/** A lost leader is replaced within this time and one beat. */
export const LEASE_MS = 3_000;
const BEAT_MS = 500;
/** The leader has three tries within its lease. */
const RENEW_MS = LEASE_MS / 3;

export class Leader {
  readonly #broker: Broker;
  readonly #bucket: string;
  readonly #key: string;
  readonly #log: pino.Logger;
  readonly #id = randomUUID();
  /** Revision of our lease; 0 without one. */
  #revision = 0;
  #until = 0;
  #term = 0;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(broker: Broker, names: Names, log: pino.Logger) {
    this.#broker = broker;
    this.#bucket = names.buckets.leases;
    this.#key = names.schedulerLease;
    this.#log = log;
  }

  /** Begins to compete. */
  start(): void {
    this.#beating = this.#beat().finally(() => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), this.leads() ? RENEW_MS : BEAT_MS).unref();
    });
  }

  /** Whether this process leads, as surely as it can know. */
  leads(): boolean {
    return Date.now() < this.#until;
  }

  /** Number of times that this process has become the leader. What it knew in an earlier term may be out of date. */
  get term(): number {
    return this.#term;
  }

  /** Another leader is at work. */
  stepDown(): void {
    this.#revision = 0;
    this.#until = 0;
  }

  /** Gives the lease back, so that another one need not wait for its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.#broker.connected()) await this.#beating;
    const revision = this.#revision;
    this.stepDown();
    if (revision === 0 || !this.#broker.connected()) return; // it ends by itself
    await replaceEntry(this.#broker, this.#bucket, this.#key, '', revision, { 'KV-Operation': 'DEL' });
  }

  async #beat(): Promise<void> {
    try {
      const began = Date.now(); // the lease counts from before it was asked for
      const led = this.leads();
      const revision = await this.#takeOrRenew();
      if (revision === undefined) {
        if (led) this.#log.warn({ action: 'leader_lost' }, 'Another scheduler leads now');
        this.stepDown();
        return;
      }
      this.#revision = revision;
      this.#until = began + LEASE_MS;
      if (led) return;
      this.#term++;
      this.#log.info({ action: 'leader' }, 'This scheduler leads');
    } catch (error) {
      this.#log.warn(
        { action: 'lease_failed', err: error },
        'The lease of the leader could not be renewed; trying again',
      );
    }
  }

  /** @returns the revision of our lease, or `undefined` if another one has it. */
  async #takeOrRenew(): Promise<number | undefined> {
    const renewed = this.#revision > 0 ? await this.#write(this.#revision) : undefined;
    if (renewed !== undefined) return renewed;
    const { entry, revision } = await readLast(this.#broker, this.#bucket, this.#key);
    const isOurs = entry !== undefined && Buffer.from(entry.data).toString('utf8') === this.#id;
    return entry === undefined || isOurs ? this.#write(revision) : undefined;
  }

  #write(revision: number): Promise<number | undefined> {
    return replaceEntry(this.#broker, this.#bucket, this.#key, this.#id, revision, { 'Nats-TTL': `${LEASE_MS}ms` });
  }
}
