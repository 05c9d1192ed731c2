/** Does what was decided about an event: stores it for its next attempt, or as a dead letter, and answers the broker. */
import type pino from 'pino';
import type { Delivery } from '../shared/broker/delivery.ts';
import type { EventEnvelope, EventStore } from '../shared/broker/events.ts';
import type { ErrorRecord } from '../shared/errors.ts';
import type { StepEntry } from '../shared/steps/manifest.ts';
import type { Outcome } from './outcome.ts';

export class Settlement {
  readonly #events: EventStore;
  readonly #log: pino.Logger;
  readonly #step: StepEntry;
  readonly #durable: string;
  readonly #maxAttempts: number;

  constructor(events: EventStore, log: pino.Logger, step: StepEntry, durable: string, maxAttempts: number) {
    this.#events = events;
    this.#log = log;
    this.#step = step;
    this.#durable = durable;
    this.#maxAttempts = maxAttempts;
  }

  /** If the broker cannot be told, the event stays unacked and comes again after the ack wait. Never rejects. */
  async settle(delivery: Delivery, event: EventEnvelope, outcome: Outcome, error?: ErrorRecord): Promise<void> {
    this.#report(event, outcome, error);
    try {
      if (outcome.action === 'retry') {
        await this.#events.scheduleRetry(this.#durable, event, delivery.data, Date.now() + outcome.delayMs);
      } else if (outcome.action === 'defer') {
        await this.#events.scheduleAttempt(this.#durable, event, delivery.data, outcome.at);
      } else if (outcome.action === 'bury') {
        const reason = { step: this.#step.id, durable: this.#durable, error: JSON.stringify(error) };
        await this.#events.bury(event, delivery.data, reason);
      }
      if (outcome.action === 'handBack') delivery.handBack(0);
      else if (outcome.action !== 'leave') delivery.ack();
    } catch (failure) {
      this.#log.error(
        { action: 'settle_failed', step: this.#step.name, eventId: event.id, err: failure },
        'The outcome of an event could not be stored; the event will come again',
      );
    }
  }

  #report(event: EventEnvelope, outcome: Outcome, error: ErrorRecord | undefined): void {
    const { name } = this.#step;
    const identity = {
      step: name,
      traceId: event.traceparent.split('-')[1],
      topic: event.topic,
      eventId: event.id,
      attempt: event.attempt,
      err: error,
    };
    if (outcome.action === 'retry') {
      this.#log.warn(
        { action: 'run_failed', ...identity, retryInMs: outcome.delayMs },
        `${name} failed (attempt ${event.attempt} of ${this.#maxAttempts}): ${error?.message}`,
      );
    } else if (outcome.action === 'bury') {
      this.#log.error(
        { action: 'event_dead', ...identity },
        `${name} failed for good (attempt ${event.attempt}); the event is a dead letter now: ${error?.message}`,
      );
    } else if (outcome.action === 'drop') {
      this.#log.error(
        { action: 'event_dropped', ...identity },
        `${name} failed for good (attempt ${event.attempt}); the event was dropped: ${error?.message}`,
      );
    }
  }
}
