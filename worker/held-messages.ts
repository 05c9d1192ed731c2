/** The messages of one consumer that this worker has. They stay its own as long as the broker hears of it in time. */
import type { Delivery } from '../shared/broker/delivery.ts';
import { Bag } from './bag.ts';
import { type Job, renewLease } from './threads/handler-thread.ts';

/** A message that this worker holds. */
export class HeldMessage {
  place = 0;
  delivery: Delivery;
  /** Until when the broker gives it to nobody else, ms since 1970. */
  leaseUntil: number;
  /** When the broker was last asked to keep it for us, ms since 1970. */
  renewedAt: number;
  job: Job | undefined;
  ended = false;

  constructor(delivery: Delivery, ackWaitMs: number) {
    this.delivery = delivery;
    this.leaseUntil = delivery.receivedAt + ackWaitMs;
    this.renewedAt = delivery.receivedAt;
  }

  /** The broker gives it to nobody else. */
  get isOurs(): boolean {
    return this.leaseUntil > Date.now();
  }

  /** It is ours for longer: the broker has confirmed that, or handed it to us again. */
  renew(until: number): void {
    if (this.ended) return;
    this.leaseUntil = until;
    if (this.job) renewLease(this.job, until);
  }
}

export class HeldMessages<Held extends HeldMessage> {
  readonly #ackWaitMs: number;
  readonly #held = new Bag<Held>();

  constructor(ackWaitMs: number) {
    this.#ackWaitMs = ackWaitMs;
  }

  get size(): number {
    return this.#held.size;
  }

  all(): Held[] {
    return this.#held.all();
  }

  /**
   * Holds what was delivered.
   * @param mayRepeat whether it may be here already.
   * @returns false if it is: then that one is ours for longer.
   */
  hold(held: Held, mayRepeat: boolean): boolean {
    const { delivery, leaseUntil } = held;
    const known = mayRepeat && this.#held.find((other) => other.delivery.sequence === delivery.sequence);
    if (!known) {
      this.#held.add(held);
      return true;
    }
    // Our renewals had not reached the broker, and it has come back to us.
    known.delivery = delivery;
    known.renewedAt = delivery.receivedAt;
    known.renew(leaseUntil);
    return false;
  }

  /** It is answered, or somebody else's. */
  release(held: Held): void {
    this.#held.delete(held);
  }

  /**
   * Tells the broker that the messages are still being worked on. Call it several times per ack wait. A lease that has run out
   * (the process stood still, the broker was away) stays so until the message comes to us again: the broker confirms whatever
   * it is told, also of a message that another worker has by now.
   */
  renew(): void {
    const now = Date.now();
    const until = now + this.#ackWaitMs;
    for (const held of this.#held.all()) {
      if (now - held.renewedAt < this.#ackWaitMs / 4 || !held.isOurs) continue;
      held.renewedAt = now;
      held.delivery.working().then(
        () => {
          if (held.isOurs) held.renew(until);
        },
        () => {}, // without a confirmation the lease runs out, and the run is fenced off
      );
    }
  }
}
