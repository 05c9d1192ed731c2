/** Looks after consumers that no live version of the app has: takes away the empty ones, and tells of what waits in the others. */
import type pino from 'pino';
import type { Broker } from '../../shared/broker/connect.ts';
import { findOrphans, type Orphan, removeOrphan } from '../../shared/broker/orphans.ts';
import type { Names } from '../../shared/protocol/subjects.ts';

/** A rolling deployment has gaps in which nobody serves what is still wanted. */
export const ORPHAN_GRACE_MS = 60_000;
/** Each look costs the broker a list of all consumers. */
const LOOK_EVERY_MS = 15_000;

export class OrphanWatch {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #log: pino.Logger;
  readonly #graceMs: number;
  /** Since when each has been an orphan, as far as this process knows. */
  #since = new Map<string, number>();
  readonly #reported = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(broker: Broker, names: Names, log: pino.Logger, graceMs = ORPHAN_GRACE_MS) {
    this.#broker = broker;
    this.#names = names;
    this.#log = log;
    this.#graceMs = graceMs;
  }

  start(): void {
    const every = this.#since.size === 0 ? LOOK_EVERY_MS : Math.min(LOOK_EVERY_MS, this.#graceMs / 4);
    const wait = every * (1 + Math.random()); // gateways look at different times
    this.#timer = setTimeout(() => {
      this.look()
        .catch((error) => {
          this.#log.warn({ action: 'orphans_failed', err: error }, 'Unused consumers could not be looked for');
        })
        .finally(() => this.#stopped || this.start());
    }, wait).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Looks once. */
  async look(now = Date.now()): Promise<void> {
    if (!this.#broker.connected()) return;
    const before = this.#since;
    this.#since = new Map();
    for (const orphan of await findOrphans(this.#broker, this.#names)) {
      const key = `${orphan.stream}/${orphan.durable}`;
      const since = before.get(key) ?? now;
      this.#since.set(key, since);
      if (now - since < this.#graceMs) continue;
      if (orphan.waiting > 0) this.#report(key, orphan);
      else if (await removeOrphan(this.#broker, this.#names, orphan)) this.#tellRemoved(orphan);
    }
    for (const key of this.#reported) if (!this.#since.has(key)) this.#reported.delete(key);
  }

  #report(key: string, { stream, durable, step, waiting }: Orphan): void {
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#log.warn(
      { action: 'orphaned_consumer', stream, consumer: durable, step, waiting },
      `${waiting} messages wait for ${step} (${durable}), which no version of the app that runs has any more: bring the step back, \
or make dead letters of them with motia provision --remove-orphans --force`,
    );
  }

  #tellRemoved({ stream, durable, step }: Orphan): void {
    this.#log.info(
      { action: 'orphan_removed', stream, consumer: durable, step },
      `The unused consumer ${durable} is gone`,
    );
  }
}
