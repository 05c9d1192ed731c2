/** Takes the events of one subscription from the broker, has them run, and does what the outcome asks for. */

import { AttemptMarks } from '../shared/broker/attempt-marks.ts';
import { isRunElsewhere, type Source } from '../shared/broker/consumers.ts';
import type { Delivery } from '../shared/broker/delivery.ts';
import { type EventEnvelope, type EventStore, readEnvelope } from '../shared/broker/events.ts';
import type { HeldEvent } from '../shared/broker/holdings.ts';
import { PullConsumer } from '../shared/broker/pull-consumer.ts';
import { reserveStarts } from '../shared/broker/run-rate.ts';
import { type ErrorRecord, MotiaError, toErrorRecord } from '../shared/errors.ts';
import { PROTOCOL_VERSION } from '../shared/protocol/headers.ts';
import type { StepEntry } from '../shared/steps/manifest.ts';
import { HeldMessage, HeldMessages } from './held-messages.ts';
import {
  decideOutcome,
  endFor,
  MOST_DELIVERIES,
  type Outcome,
  type RetryPolicy,
  type RunEnd,
  retryPolicyOf,
} from './outcome.ts';
import { RateLimit } from './rate-limit.ts';
import type { ConsumerServices } from './request-consumer.ts';
import { RunMetrics } from './run-metrics.ts';
import { RunTime } from './run-time.ts';
import { Settlement } from './settlement.ts';
import type { Gate } from './threads/gates.ts';
import type { Job, JobEnd } from './threads/handler-thread.ts';

export interface EventServices extends ConsumerServices {
  events: EventStore;
  /** Runs at a time of a step that says nothing about it. */
  concurrency: number;
  /** Events of ordered subscriptions do not wait in their place. */
  skipWaits?: boolean;
}

/** Waiting events are taken ahead of their run only as far as they will run within this time. */
const AHEAD_MS = 10;
const MOST_AHEAD = 256;

class Held extends HeldMessage {
  readonly event: EventEnvelope;
  timeout: NodeJS.Timeout | undefined;

  constructor(delivery: Delivery, ackWaitMs: number, event: EventEnvelope) {
    super(delivery, ackWaitMs);
    this.event = event;
  }
}

export class EventConsumer {
  readonly kind = 'event';
  readonly step: StepEntry;
  readonly source: Source;
  readonly puller: PullConsumer;
  readonly #services: EventServices;
  readonly #topic: string;
  readonly #policy: RetryPolicy;
  readonly #timeoutMs: number | undefined;
  readonly #delayMs: number;
  readonly #retrySubject: string;
  readonly #gate: Gate;
  readonly #rateLimit: RateLimit | undefined;
  /** Of an ordered subscription. */
  readonly #marks: AttemptMarks | undefined;
  readonly #settlement: Settlement;
  /** Whether what it holds is taken from what other workers may run: then it takes nothing ahead of its run. */
  readonly #takesFromOthers: boolean;
  readonly #held: HeldMessages<Held>;
  readonly #runTime = new RunTime();
  readonly #metrics: RunMetrics;

  constructor(services: EventServices, step: StepEntry, topic: string, source: Source, onGone: () => void) {
    this.step = step;
    this.source = source;
    this.#topic = topic;
    this.#held = new HeldMessages(source.ackWaitMs);
    this.#services = services;
    this.#metrics = new RunMetrics(services.metrics, step.id, 'event');
    const { queue, handler } = step.infrastructure ?? {};
    this.#gate = services.pool.gate(step.id, queue?.concurrency ?? services.concurrency);
    this.#retrySubject = services.names.retry(source.durable);
    this.#policy = retryPolicyOf(queue);
    this.#takesFromOthers = queue?.globalConcurrency !== undefined || queue?.rateLimit !== undefined;
    if (queue?.rateLimit) {
      const spacingMs = (queue.rateLimit.per * 1_000) / queue.rateLimit.limit;
      const { broker, names } = services;
      this.#rateLimit = new RateLimit((wanted) => reserveStarts(broker, names, step.id, wanted, spacingMs));
    }
    const skipsWaits = source.partition !== undefined && services.skipWaits === true;
    this.#delayMs = skipsWaits ? 0 : (queue?.delaySeconds ?? 0) * 1_000;
    if (source.partition !== undefined) {
      this.#marks = new AttemptMarks(services.broker, services.names, source.durable);
    }
    const { maxAttempts } = this.#policy;
    this.#settlement = new Settlement(services, {
      step,
      topic,
      durable: source.durable,
      maxAttempts,
      marks: this.#marks,
      skipsWaits,
    });
    this.#timeoutMs = handler?.timeout === undefined ? undefined : handler.timeout * 1_000;
    this.puller = new PullConsumer(services.broker, {
      stream: source.stream,
      durable: source.durable,
      ackWaitMs: source.ackWaitMs,
      room: () => (this.#marks ? 1 : this.#gate.limit + this.#ahead()) - this.#held.size,
      oneByOne: this.#marks !== undefined,
      onDelivery: (delivery) => this.#take(delivery),
      onGone,
    });
  }

  /** Events that this worker holds. */
  get load(): number {
    return this.#held.size;
  }

  /** The events that this worker holds. */
  get holdings(): HeldEvent[] {
    const { durable } = this.source;
    return this.#held.all().map(({ delivery, event }) => {
      return { durable, sequence: delivery.sequence, attempt: event.attempt, since: delivery.receivedAt };
    });
  }

  /** Tells the broker that the events are still being worked on. Call it several times per ack wait. */
  renew(): void {
    this.#held.renew();
  }

  /** More than may run at a time, if runs are short: the next one starts without a round trip to the broker. */
  #ahead(): number {
    if (this.#takesFromOthers) return 0;
    return Math.min(MOST_AHEAD, Math.floor((AHEAD_MS * this.#gate.limit) / this.#runTime.ms));
  }

  #take(delivery: Delivery): void {
    if (isRunElsewhere(this.source, delivery)) {
      this.puller.ackAndPull(delivery);
      return;
    }
    const event = readEnvelope(delivery, this.source.stream, this.#topic);
    if ((event.protocol ?? PROTOCOL_VERSION) > PROTOCOL_VERSION) {
      delivery.handBack(5_000);
      this.#services.log.error(
        { action: 'protocol_too_new', step: this.step.name },
        'An event of a newer version cannot be read by this worker; it was handed back',
      );
      return;
    }
    if (event.onlyFor !== undefined && event.onlyFor !== this.step.id) {
      this.puller.ackAndPull(delivery);
      return;
    }
    const held = new Held(delivery, this.source.ackWaitMs, event);
    if (!this.#held.hold(held, this.puller.mayRepeat(delivery))) return;
    this.#metrics.taken(delivery);
    if (this.#marks && delivery.deliveryCount > 1) void this.#recallAndBegin(held, this.#marks);
    else this.#begin(held, delivery.deliveryCount, 0);
  }

  /** The event may have failed before, and waits in its place. */
  async #recallAndBegin(held: Held, marks: AttemptMarks): Promise<void> {
    const { sequence, deliveryCount } = held.delivery;
    try {
      const mark = await marks.read(sequence);
      if (mark) held.event.attempt = mark.attempt;
      this.#begin(held, deliveryCount - (mark?.deliveries ?? 0), mark?.notBefore ?? 0);
    } catch {
      this.#end(held, { status: 'displaced' }, 0); // handed back, in its place
    }
  }

  #begin(held: Held, deliveries: number, notBefore: number): void {
    const { delivery, event } = held;
    if (deliveries > MOST_DELIVERIES) {
      const reason = `it was handed out ${deliveries - 1} times without a finished run: it may end its workers`;
      void this.#settle(held, endFor(this.#policy), toErrorRecord(new MotiaError('RUN_CUT_OFF', reason)));
      return;
    }
    const due = Math.max(notBefore, this.#dueAt(held));
    if (due > Date.now()) void this.#settle(held, { action: 'defer', at: due });
    else if (event.blob === undefined && !this.#rateLimit) this.#dispatch(held, delivery.data);
    else void this.#prepareAndDispatch(held);
  }

  /** When the step wants an event that has just been emitted, ms since 1970. One that has waited is due. */
  #dueAt({ delivery: { subject, storedAt }, event }: Held): number {
    const hasWaited = subject === this.#retrySubject || event.onlyFor !== undefined;
    return this.#delayMs > 0 && !hasWaited ? storedAt + this.#delayMs : 0;
  }

  async #prepareAndDispatch(held: Held): Promise<void> {
    if (!(await this.#mayStart())) {
      this.#end(held, { status: 'displaced' }, 0);
      return;
    }
    try {
      const payload = await this.#services.events.payload(held.event, held.delivery.data);
      if (!held.ended) this.#dispatch(held, payload); // it may have been handed back meanwhile
    } catch (error) {
      this.#end(held, { status: 'failed', error: toErrorRecord(error) }, 0);
    }
  }

  /** Waits until the rate limit allows one more run. False if the broker cannot be asked. */
  async #mayStart(): Promise<boolean> {
    try {
      await this.#rateLimit?.turn();
      return true;
    } catch {
      return false;
    }
  }

  /** The worker ends: what waits for its rate limit goes to others. */
  handBackWaiting(): void {
    if (!this.#rateLimit) return;
    for (const held of this.#held.all()) if (!held.job) this.#end(held, { status: 'displaced' }, 0);
  }

  #dispatch(held: Held, payload: Uint8Array): void {
    const { id, topic, attempt, traceparent, link } = held.event;
    const job: Job = {
      run: {
        kind: 'event',
        step: this.step.id,
        meta: { id, topic, attempt, traceparent, link },
        body: Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'),
      },
      gate: this.#gate,
      expectedMs: this.#runTime.briefMs,
      leaseUntil: held.leaseUntil,
      storedAt: held.delivery.storedAt,
      restartable: true,
      displacements: 0,
      onEnd: (end, tookMs, emits) => this.#end(held, end, tookMs, emits),
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

  #end(held: Held, end: JobEnd, tookMs: number, emits = 0): void {
    if (held.ended) return; // what a timed-out handler returns in the end
    held.ended = true;
    clearTimeout(held.timeout);
    this.#runTime.add(tookMs);
    this.#metrics.ended(end, tookMs, emits, held.event.traceparent);
    const runEnd = toRunEnd(end, held.isOurs);
    const outcome = decideOutcome(runEnd, held.event.attempt, this.#policy, Math.random());
    if (outcome.action === 'ack') {
      this.#settlement.count(outcome);
      this.#held.release(held);
      this.puller.ackAndPull(held.delivery);
    } else {
      void this.#settle(held, outcome, runEnd.status === 'failed' ? runEnd.error : undefined);
    }
  }

  async #settle(held: Held, outcome: Outcome, error?: ErrorRecord): Promise<void> {
    await this.#settlement.settle(held.delivery, held.event, outcome, error, held.job?.span);
    this.#held.release(held);
    this.puller.pull();
  }
}

/** A run that failed while its event was not surely ours may have failed because of that: it was refused what it wanted to do. */
function toRunEnd(end: JobEnd, isOurs: boolean): RunEnd {
  if (end.status === 'failed') return isOurs && end.error.code !== 'RUN_OVER' ? end : { status: 'lost' };
  if (end.status === 'lost') return { status: 'lost' };
  if (end.status === 'displaced' || end.status === 'unknown') return { status: 'displaced' };
  return { status: 'succeeded' };
}
