/** Does what was decided about an event: stores it for its next attempt, or as a dead letter, and answers the broker. */
import type pino from 'pino';
import type { AttemptMarks } from '../shared/broker/attempt-marks.ts';
import type { Delivery } from '../shared/broker/delivery.ts';
import type { EventEnvelope, EventStore } from '../shared/broker/events.ts';
import type { ErrorRecord } from '../shared/errors.ts';
import type { Metrics } from '../shared/metrics/metrics.ts';
import type { StepEntry } from '../shared/steps/manifest.ts';
import type { Outcome } from './outcome.ts';
import { identityOf } from './run-identity.ts';
import { OutcomeMetrics } from './run-metrics.ts';

export class Settlement {
  readonly #events: EventStore;
  readonly #log: pino.Logger;
  readonly #step: StepEntry;
  readonly #durable: string;
  readonly #maxAttempts: number;
  readonly #marks: AttemptMarks | undefined;
  readonly #skipsWaits: boolean;
  readonly #outcomes: OutcomeMetrics;

  /**
   * @param marks of an ordered subscription: its events wait in their place, and all that come after them.
   * @param skipsWaits unless they do not wait.
   */
  constructor(
    { events, log, metrics }: { events: EventStore; log: pino.Logger; metrics: Metrics },
    {
      step,
      topic,
      durable,
      maxAttempts,
      marks,
      skipsWaits = false,
    }: {
      step: StepEntry;
      topic: string;
      durable: string;
      maxAttempts: number;
      marks?: AttemptMarks | undefined;
      skipsWaits?: boolean;
    },
  ) {
    this.#events = events;
    this.#log = log;
    this.#step = step;
    this.#durable = durable;
    this.#maxAttempts = maxAttempts;
    this.#marks = marks;
    this.#skipsWaits = skipsWaits;
    this.#outcomes = new OutcomeMetrics(metrics, step.id, topic);
  }

  /** Something became of an event. */
  count(outcome: Outcome): void {
    this.#outcomes.count(outcome);
  }

  /**
   * If the broker cannot be told, the event stays unacked and comes again after the ack wait. Never rejects.
   * @param span `traceparent` of the run's span, if it is known.
   */
  async settle(
    delivery: Delivery,
    event: EventEnvelope,
    outcome: Outcome,
    error?: ErrorRecord,
    span?: string,
  ): Promise<void> {
    const identity = { ...identityOf(this.#step, span, event.traceparent), eventId: event.id };
    this.#report(identity, event, outcome, error);
    try {
      if (this.#marks && (outcome.action === 'retry' || outcome.action === 'defer')) {
        await this.#keepInPlace(delivery, event, outcome, this.#marks);
        this.count(outcome);
        return;
      }
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
      this.count(outcome);
    } catch (failure) {
      this.#log.error(
        { action: 'settle_failed', ...identity, err: failure },
        'The outcome of an event could not be stored; the event will come again',
      );
    }
  }

  /** First the mark, then the answer: a crash in between costs the wait, but no attempt is made twice. */
  async #keepInPlace(
    delivery: Delivery,
    { attempt }: EventEnvelope,
    outcome: Extract<Outcome, { action: 'retry' | 'defer' }>,
    marks: AttemptMarks,
  ): Promise<void> {
    if (outcome.action === 'defer') {
      delivery.handBack(Math.max(0, outcome.at - Date.now()));
      return;
    }
    const { sequence, deliveryCount: deliveries } = delivery;
    const delayMs = this.#skipsWaits ? 0 : outcome.delayMs;
    await marks.write({ sequence, attempt: attempt + 1, notBefore: Date.now() + delayMs, deliveries });
    delivery.handBack(delayMs);
  }

  #report(run: Record<string, unknown>, event: EventEnvelope, outcome: Outcome, error: ErrorRecord | undefined): void {
    const { name } = this.#step;
    const identity = { ...run, topic: event.topic, attempt: event.attempt, err: error };
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
