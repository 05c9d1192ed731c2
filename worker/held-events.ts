/** The events of one subscription that this worker has. They stay its own as long as the broker hears of it in time. */
import type { Delivery } from '../shared/broker/delivery.ts';
import type { EventEnvelope } from '../shared/broker/events.ts';
import { type Job, renewLease } from './threads/handler-thread.ts';

/** An event that this worker holds. */
export interface Held {
  delivery: Delivery;
  event: EventEnvelope;
  /** Until when the broker gives it to nobody else, ms since 1970. */
  leaseUntil: number;
  /** When the broker was last asked to keep it for us, ms since 1970. */
  renewedAt: number;
  job?: Job;
  timeout?: NodeJS.Timeout;
  ended?: boolean;
}

export class HeldEvents {
  readonly #ackWaitMs: number;
  /** By sequence in the broker stream. */
  readonly #held = new Map<number, Held>();

  constructor(ackWaitMs: number) {
    this.#ackWaitMs = ackWaitMs;
  }

  get size(): number {
    return this.#held.size;
  }

  [Symbol.iterator](): IterableIterator<Held> {
    return this.#held.values();
  }

  /** Holds what was delivered. `undefined` for an event that is here already. */
  hold(delivery: Delivery, event: EventEnvelope): Held | undefined {
    const { sequence, receivedAt } = delivery;
    const leaseUntil = receivedAt + this.#ackWaitMs;
    const known = this.#held.get(sequence);
    if (known) {
      // Our renewals had not reached the broker, and it has come back to us.
      known.delivery = delivery;
      known.renewedAt = receivedAt;
      renewHeld(known, leaseUntil);
      return undefined;
    }
    const held: Held = { delivery, event, leaseUntil, renewedAt: receivedAt };
    this.#held.set(sequence, held);
    return held;
  }

  /** It is answered, or somebody else's. */
  release({ delivery }: Held): void {
    this.#held.delete(delivery.sequence);
  }

  /** Tells the broker that the events are still being worked on. Call it several times per ack wait. */
  renew(): void {
    const now = Date.now();
    const until = now + this.#ackWaitMs;
    for (const held of this.#held.values()) {
      if (now - held.renewedAt < this.#ackWaitMs / 4) continue;
      held.renewedAt = now;
      held.delivery.working().then(
        () => renewHeld(held, until),
        () => {}, // without a confirmation the lease runs out, and the run is fenced off
      );
    }
  }
}

function renewHeld(held: Held, until: number): void {
  if (held.ended) return;
  held.leaseUntil = until;
  if (held.job) renewLease(held.job, until);
}
