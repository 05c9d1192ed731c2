/** Takes the events of one subscription from the broker, has them run, and does what the outcome asks for. */

import { ACK_WAIT_MS, subscriptionSource } from '../shared/broker/consumers.ts';
import type { Delivery } from '../shared/broker/delivery.ts';
import type { EventEnvelope, EventStore } from '../shared/broker/events.ts';
import { readEnvelope } from '../shared/broker/events.ts';
import { PullConsumer } from '../shared/broker/pull-consumer.ts';
import { type ErrorRecord, MotiaError, toErrorRecord } from '../shared/errors.ts';
import { PROTOCOL_VERSION } from '../shared/protocol/headers.ts';
import type { StepEntry } from '../shared/steps/manifest.ts';
import { Bag } from './bag.ts';
import {
  DEFAULT_RETRY_POLICY,
  decideOutcome,
  MOST_DELIVERIES,
  type Outcome,
  type RetryPolicy,
  type RunEnd,
} from './outcome.ts';
import type { ConsumerServices } from './request-consumer.ts';
import { RunTime } from './run-time.ts';
import type { Gate } from './threads/gates.ts';
import { type Job, type JobEnd, renewLease } from './threads/handler-thread.ts';

export interface EventServices extends ConsumerServices {
  events: EventStore;
}

const DEFAULT_CONCURRENCY = 10;
/** Waiting events are taken ahead of their run only as far as they will run within this time. */
const AHEAD_MS = 10;
const MOST_AHEAD = 256;

/** An event that this worker holds. */
interface Held {
  place: number;
  delivery: Delivery;
  event: EventEnvelope;
  /** Until when the broker gives it to nobody else, ms since 1970. */
  leaseUntil: number;
  job?: Job;
  timeout?: NodeJS.Timeout;
  ended?: boolean;
}

export class EventConsumer {
  readonly step: StepEntry;
  readonly source: ReturnType<typeof subscriptionSource>;
  readonly puller: PullConsumer;
  readonly #services: EventServices;
  readonly #topic: string;
  readonly #policy: RetryPolicy;
  readonly #timeoutMs: number | undefined;
  readonly #gate: Gate;
  readonly #held = new Bag<Held>();
  readonly #runTime = new RunTime();

  constructor(services: EventServices, step: StepEntry, topic: string, onGone: () => void) {
    this.step = step;
    this.#topic = topic;
    this.#services = services;
    const { queue, handler } = step.infrastructure ?? {};
    this.#gate = services.pool.gate(step.id, queue?.concurrency ?? (queue?.type === 'fifo' ? 1 : DEFAULT_CONCURRENCY));
    this.#policy = {
      ...DEFAULT_RETRY_POLICY,
      ...(queue?.maxRetries !== undefined && { maxAttempts: queue.maxRetries + 1 }),
    };
    this.#timeoutMs = handler?.timeout === undefined ? undefined : handler.timeout * 1_000;
    this.source = subscriptionSource(services.names, step.id, topic);
    this.puller = new PullConsumer(services.broker, {
      stream: this.source.stream,
      durable: this.source.durable,
      room: () => this.#gate.limit + this.#ahead() - this.#held.size,
      onDelivery: (delivery) => this.#take(delivery),
      onGone,
    });
  }

  /** Events that this worker holds. */
  get load(): number {
    return this.#held.size;
  }

  /** Tells the broker that the events are still being worked on. Call it several times per ack wait. */
  renew(): void {
    const due = Date.now() - ACK_WAIT_MS / 4;
    for (const held of this.#held.all()) {
      if (held.delivery.receivedAt > due || held.ended) continue;
      const until = Date.now() + ACK_WAIT_MS;
      held.delivery.working().then(
        () => renewHeld(held, until),
        () => {}, // without a confirmation the lease runs out, and the run is fenced off
      );
    }
  }

  /** More than may run at a time, if runs are short: the next one starts without a round trip to the broker. */
  #ahead(): number {
    return Math.min(MOST_AHEAD, Math.floor((AHEAD_MS * this.#gate.limit) / this.#runTime.ms));
  }

  #take(delivery: Delivery): void {
    const event = readEnvelope(delivery, this.source.stream, this.#topic);
    if ((event.protocol ?? PROTOCOL_VERSION) > PROTOCOL_VERSION) {
      delivery.handBack(5_000);
      this.#services.log.error(
        { action: 'protocol_too_new', step: this.step.name },
        'An event of a newer version cannot be read by this worker; it was handed back',
      );
      return;
    }
    const leaseUntil = delivery.receivedAt + ACK_WAIT_MS;
    const known = this.puller.mayRepeat(delivery)
      ? this.#held.find((held) => held.delivery.sequence === delivery.sequence)
      : undefined;
    if (known) {
      // Our renewals had not reached the broker, and it has come back to us.
      known.delivery = delivery;
      renewHeld(known, leaseUntil);
      return;
    }
    const held: Held = { place: 0, delivery, event, leaseUntil };
    this.#held.add(held);
    if (delivery.deliveryCount > MOST_DELIVERIES) {
      const reason = `it was handed out ${delivery.deliveryCount - 1} times without a finished run: it may end its workers`;
      void this.#settle(held, { action: 'bury' }, toErrorRecord(new MotiaError('RUN_CUT_OFF', reason)));
      return;
    }
    if (held.event.blob === undefined) this.#dispatch(held, held.delivery.data);
    else void this.#fetchAndDispatch(held);
  }

  async #fetchAndDispatch(held: Held): Promise<void> {
    try {
      this.#dispatch(held, await this.#services.events.payload(held.event, held.delivery.data));
    } catch (error) {
      this.#end(held, { status: 'failed', error: toErrorRecord(error) }, 0);
    }
  }

  #dispatch(held: Held, payload: Uint8Array): void {
    const { id, topic, attempt, traceparent } = held.event;
    const job: Job = {
      run: {
        kind: 'event',
        step: this.step.id,
        meta: { id, topic, attempt, traceparent },
        body: Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'),
      },
      gate: this.#gate,
      expectedMs: this.#runTime.briefMs,
      leaseUntil: held.leaseUntil,
      restartable: true,
      displacements: 0,
      onEnd: (end, tookMs) => this.#end(held, end, tookMs),
    };
    held.job = job;
    this.#services.pool.dispatch(job);
    if (this.#timeoutMs !== undefined) this.#limitTime(held, this.#timeoutMs, this.#timeoutMs);
  }

  /** The time counts from the start of the handler, which may be later than the dispatch. */
  #limitTime(held: Held, timeoutMs: number, waitMs: number): void {
    held.timeout = setTimeout(() => {
      const at = held.job?.at;
      const startedAt = at?.thread.startedAt(at.slot) || Date.now();
      const left = startedAt + timeoutMs - Date.now();
      if (left > 0) {
        this.#limitTime(held, timeoutMs, left);
        return;
      }
      at?.thread.giveUp(at.slot, 'its timeout is over');
      const error = new MotiaError('RUN_TIMEOUT', `the handler did not end within ${timeoutMs / 1_000} s`);
      this.#end(held, { status: 'failed', error: toErrorRecord(error) }, timeoutMs);
    }, waitMs).unref();
  }

  #end(held: Held, end: JobEnd, tookMs: number): void {
    if (held.ended) return; // what a timed-out handler returns in the end
    held.ended = true;
    clearTimeout(held.timeout);
    this.#runTime.add(tookMs);
    const runEnd = toRunEnd(end, held.leaseUntil > Date.now());
    const outcome = decideOutcome(runEnd, held.event.attempt, this.#policy, Math.random());
    void this.#settle(held, outcome, runEnd.status === 'failed' ? runEnd.error : undefined);
  }

  /** Does what was decided. If the broker cannot be told, the event stays unacked and comes again after the ack wait. */
  async #settle(held: Held, outcome: Outcome, error: ErrorRecord | undefined): Promise<void> {
    const { delivery, event } = held;
    try {
      if (outcome.action === 'retry') {
        this.#report(held, outcome, error);
        await this.#services.events.scheduleRetry(
          this.source.durable,
          event,
          delivery.data,
          Date.now() + outcome.delayMs,
        );
      } else if (outcome.action === 'bury') {
        this.#report(held, outcome, error);
        await this.#services.events.bury(event, delivery.data, {
          step: this.step.id,
          durable: this.source.durable,
          error: JSON.stringify(error),
        });
      }
      if (outcome.action === 'handBack') delivery.handBack(0);
      else if (outcome.action !== 'leave') delivery.ack();
    } catch (failure) {
      this.#services.log.error(
        { action: 'settle_failed', step: this.step.name, eventId: event.id, err: failure },
        'The outcome of an event could not be stored; the event will come again',
      );
    } finally {
      this.#held.delete(held);
      this.puller.pull();
    }
  }

  #report({ event }: Held, outcome: Outcome, error: ErrorRecord | undefined): void {
    const identity = {
      step: this.step.name,
      traceId: event.traceparent.split('-')[1],
      topic: event.topic,
      eventId: event.id,
      attempt: event.attempt,
      err: error,
    };
    if (outcome.action === 'retry') {
      this.#services.log.warn(
        { action: 'run_failed', ...identity, retryInMs: outcome.delayMs },
        `${this.step.name} failed (attempt ${event.attempt} of ${this.#policy.maxAttempts}): ${error?.message}`,
      );
    } else {
      this.#services.log.error(
        { action: 'event_dead', ...identity },
        `${this.step.name} failed for good (attempt ${event.attempt}); the event is a dead letter now: ${error?.message}`,
      );
    }
  }
}

function renewHeld(held: Held, until: number): void {
  if (held.ended) return;
  held.leaseUntil = until;
  if (held.job) renewLease(held.job, until);
}

/** A run that failed while its event was not surely ours may have failed because of that: it was refused what it wanted to do. */
function toRunEnd(end: JobEnd, isOurs: boolean): RunEnd {
  if (end.status === 'failed') return isOurs && end.error.code !== 'RUN_OVER' ? end : { status: 'lost' };
  if (end.status === 'lost') return { status: 'lost' };
  if (end.status === 'displaced' || end.status === 'unknown') return { status: 'displaced' };
  return { status: 'succeeded' };
}
