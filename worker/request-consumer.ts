/**
 * Takes the API calls of one step from the broker and sends the replies.
 *
 * A call of a safe method is acked when it is answered: if this worker is lost, another one answers. Any other call is acked
 * before it starts: nobody may run it twice, so a lost worker leaves its caller with "outcome unknown".
 *
 * From the first frame of a streamed answer on, no call is had twice, and it takes as long as its caller and its handler want.
 */
import type pino from 'pino';
import type { Broker } from '../shared/broker/connect.ts';
import { REQUEST_ACK_WAIT_MS, requestSource } from '../shared/broker/consumers.ts';
import type { Delivery } from '../shared/broker/delivery.ts';
import { PullConsumer } from '../shared/broker/pull-consumer.ts';
import type { Metrics } from '../shared/metrics/metrics.ts';
import { type Credit, decodeFrame, encodeFrame, type ReplyMeta, type RequestMeta } from '../shared/protocol/frames.ts';
import { PROTOCOL_VERSION } from '../shared/protocol/headers.ts';
import { isSafe } from '../shared/protocol/safe-methods.ts';
import type { Names } from '../shared/protocol/subjects.ts';
import type { StepEntry } from '../shared/steps/manifest.ts';
import { newSpanId } from '../shared/trace-ids.ts';
import { Bag } from './bag.ts';
import type { CreditAddress, CreditInbox } from './credit-inbox.ts';
import { identityOf } from './run-identity.ts';
import { RunMetrics } from './run-metrics.ts';
import { RunTime } from './run-time.ts';
import { type Job, type JobEnd, renewLease } from './threads/handler-thread.ts';
import type { ThreadPool } from './threads/thread-pool.ts';

export interface ConsumerServices {
  broker: Broker;
  names: Names;
  pool: ThreadPool;
  credits: CreditInbox;
  log: pino.Logger;
  metrics: Metrics;
}

/** Calls of one step that this worker has at a time. */
const CONCURRENCY = 512;
/** A call that takes longer than this is reported as started, so that its caller can tell 504 and 502 from 503. */
const STARTED_AFTER_MS = 250;
/** How often a caller hears that a worker still has its call. */
const BEAT_MS = 1_000;
const TICK_MS = 125;

interface Call {
  place: number;
  meta: RequestMeta;
  delivery: Delivery;
  safe: boolean;
  takenAt: number;
  /** When the caller heard of us last; 0 for never. */
  heardAt: number;
  /** When the broker was last asked to keep the message for us. */
  renewedAt: number;
  /** It went to a thread: from then on an unsafe call is nobody else's. */
  begun: boolean;
  /** Of an answer that is streamed: where its caller says how far it is, and the number of the next frame. */
  stream?: { credit: CreditAddress; next: number };
  job?: Job;
}

export class RequestConsumer {
  readonly kind = 'api';
  readonly step: StepEntry;
  readonly source: ReturnType<typeof requestSource>;
  readonly puller: PullConsumer;
  readonly #services: ConsumerServices;
  readonly #calls = new Bag<Call>();
  readonly #runTime = new RunTime();
  readonly #metrics: RunMetrics;
  #ticker: NodeJS.Timeout | undefined;

  constructor(services: ConsumerServices, step: StepEntry, onGone: () => void) {
    this.step = step;
    this.#services = services;
    this.#metrics = new RunMetrics(services.metrics, step.id, 'api');
    this.source = requestSource(services.names, step.id);
    this.puller = new PullConsumer(services.broker, {
      stream: this.source.stream,
      durable: this.source.durable,
      ackWaitMs: this.source.ackWaitMs,
      room: () => CONCURRENCY - this.#calls.size,
      onDelivery: (delivery) => this.#take(delivery),
      onGone,
    });
  }

  /** Calls that are not answered yet. */
  get load(): number {
    return this.#calls.size;
  }

  /** Cuts the answers off that are being streamed: their callers are told so. */
  cutOffStreams(reason: string): void {
    for (const call of this.#calls.all()) {
      if (!call.stream) continue;
      this.#reply(call, { t: 'error', status: 502, message: 'The rest of the answer is lost' });
      this.#abort(call, reason);
    }
  }

  /** The caller of this request is gone. */
  cancel(requestId: string): void {
    this.#abort(this.#find(requestId), 'the caller is gone');
  }

  #find(requestId: string): Call | undefined {
    return this.#calls.find(({ meta }) => meta.id === requestId);
  }

  #take(delivery: Delivery): void {
    const meta = this.#read(delivery);
    if (!meta) return;
    if (meta.v > PROTOCOL_VERSION) {
      delivery.handBack(1_000);
      this.#services.log.error(
        { action: 'protocol_too_new', step: this.step.name, version: meta.v },
        'A newer gateway sent a call that this worker cannot read',
      );
      return;
    }
    if (Date.now() >= meta.startBy) {
      delivery.ack(); // nobody waits any more
      return;
    }
    const known = this.puller.mayRepeat(delivery) ? this.#find(meta.id) : undefined;
    if (known) {
      // We had not renewed it in time, and it has come back to us.
      known.delivery = delivery;
      renew(known, delivery.receivedAt);
      return;
    }
    const call: Call = {
      place: 0,
      meta,
      delivery,
      safe: isSafe(meta.method, meta.headers),
      takenAt: delivery.receivedAt,
      heardAt: 0,
      renewedAt: delivery.receivedAt,
      begun: false,
    };
    this.#calls.add(call);
    this.#metrics.taken(delivery);
    call.job = this.#toJob(call);
    this.#services.pool.dispatch(call.job);
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #read(delivery: Delivery): RequestMeta | undefined {
    try {
      return decodeFrame<RequestMeta>(delivery.data).meta;
    } catch (error) {
      delivery.terminate();
      this.#services.log.error(
        { action: 'frame_malformed', step: this.step.name, err: error },
        'A call that is no valid frame was dropped',
      );
      return undefined;
    }
  }

  #toJob(call: Call): Job {
    return {
      run: { kind: 'api', step: this.step.id, frame: call.delivery.data },
      leaseUntil: call.delivery.receivedAt + REQUEST_ACK_WAIT_MS,
      storedAt: call.delivery.storedAt,
      expectedMs: this.#runTime.briefMs,
      restartable: call.safe,
      displacements: 0,
      onDispatch: () => {
        if (call.begun) return;
        call.begun = true;
        if (call.job) call.job.leaseUntil = Number.POSITIVE_INFINITY; // an unsafe one is acked, a safe one may be had twice
        // The ack is on the socket before the call leaves for the thread: the pool sees to that.
        if (!call.safe) call.delivery.ack();
      },
      onFrame: (frame) => this.#pass(call, frame),
      onEnd: (end, tookMs, emits) => {
        this.#runTime.add(tookMs);
        this.#metrics.ended(end, tookMs, emits, call.meta.traceparent);
        this.#end(call, end);
      },
    };
  }

  #pass(call: Call, frame: Uint8Array): void {
    call.stream ??= this.#beginStream(call);
    call.stream.next++;
    call.heardAt = Date.now();
    this.#services.broker.send(call.meta.reply, frame, call.stream.credit.subject);
  }

  #beginStream(call: Call): Call['stream'] & {} {
    if (call.safe) call.delivery.ack();
    call.safe = false;
    if (call.job) call.job.restartable = false;
    return { credit: this.#services.credits.open((credit) => this.#onCredit(call, credit)), next: 0 };
  }

  #onCredit(call: Call, credit: Credit): void {
    if ('gone' in credit) this.#abort(call, 'the caller is gone');
    else call.job?.at?.thread.credit(call.job.at.slot, credit.taken);
  }

  #end(call: Call, end: JobEnd): void {
    if (this.#calls.delete(call)) this.#answer(call, end); // otherwise it has been given up
    call.stream?.credit.close();
    this.puller.pull();
  }

  #answer(call: Call, end: JobEnd): void {
    if (end.status === 'lost') return; // whoever has its message answers
    if (end.status === 'replied') {
      this.#services.broker.send(call.meta.reply, end.frame, call.stream?.credit.subject);
      if (call.safe) call.delivery.ack();
    } else if (end.status === 'unknown') {
      if (call.safe) call.delivery.ack();
      this.#reply(call, { t: 'error', status: 404, message: 'Not found' }); // the step was removed a moment ago
    } else if (end.status === 'displaced') {
      this.#reply(call, { t: 'error', status: 502, message: 'The outcome of this call is unknown' });
    } else {
      const id = newSpanId();
      const reason = end.status === 'failed' ? end.error : undefined;
      this.#services.log.error(
        {
          action: 'request_failed',
          errorId: id,
          ...identityOf(this.step, call.job?.span, call.meta.traceparent),
          err: reason,
        },
        `${this.step.name} failed: ${reason?.message}`,
      );
      this.#reply(call, { t: 'error', status: 500, message: 'Internal server error', id });
      if (call.safe) call.delivery.ack();
    }
  }

  #reply(call: Call, meta: ReplyMeta): void {
    call.heardAt = Date.now();
    this.#services.broker.send(call.meta.reply, encodeFrame(meta), call.stream?.credit.subject);
  }

  /** Keeps callers informed and messages ours, and gives up on what nobody waits for. */
  #tick(): void {
    const now = Date.now();
    for (const call of this.#calls.all()) {
      if (!call.stream && now >= (call.begun ? call.meta.deadline : call.meta.startBy)) {
        this.#abort(call, 'its deadline is over');
        continue;
      }
      if (now - call.renewedAt >= BEAT_MS && (call.safe || !call.begun) && isOurs(call)) {
        call.renewedAt = now;
        call.delivery.working().then(
          () => isOurs(call) && renew(call, now),
          () => {}, // without a confirmation the lease runs out, and the call does not begin
        );
      }
      if (!call.begun) continue; // waits for a thread
      if (call.heardAt === 0 ? now - call.takenAt >= STARTED_AFTER_MS : now - call.heardAt >= BEAT_MS) {
        if (call.stream) this.#reply(call, { t: 'beat', n: call.stream.next });
        else this.#reply(call, { t: call.heardAt === 0 ? 'started' : 'beat' });
      }
    }
    if (this.#calls.size > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #abort(call: Call | undefined, reason: string): void {
    if (!call) return;
    this.#calls.delete(call);
    if (call.begun) this.#metrics.abandoned(Date.now() - call.takenAt, call.meta.traceparent);
    call.stream?.credit.close();
    if (call.job?.at) call.job.at.thread.giveUp(call.job.at.slot, reason);
    else if (call.job) this.#services.pool.withdraw(call.job);
    if (call.safe || !call.begun) call.delivery.ack();
    this.puller.pull();
  }
}

/** Its lease has not run out. One that has is not renewed, for the reason that {@link HeldMessages.renew} gives. */
const isOurs = ({ job }: Call): boolean => job !== undefined && job.leaseUntil > Date.now();

/** The message is ours since `at`, for another ack wait. */
function renew(call: Call, at: number): void {
  if (call.job && !call.begun) renewLease(call.job, at + REQUEST_ACK_WAIT_MS);
}
