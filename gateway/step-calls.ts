/**
 * Calls of API steps over the broker: stores the request, and waits for the reply frames in one inbox for all calls. Decides what
 * a caller is told when no answer comes.
 */
import type pino from 'pino';
import type { BlobStore } from '../shared/broker/blobs.ts';
import type { Broker } from '../shared/broker/connect.ts';
import { isNoResponders, openInbox, type Reply } from '../shared/broker/inbox.ts';
import { Pending } from '../shared/broker/pending.ts';
import { checkStored, isStillStored } from '../shared/broker/publish.ts';
import { MotiaError } from '../shared/errors.ts';
import {
  type AnswerMeta,
  type Credit,
  decodeFrame,
  encodeCredit,
  encodeFrame,
  type ReplyMeta,
  type RequestMeta,
} from '../shared/protocol/frames.ts';
import { PROTOCOL_VERSION } from '../shared/protocol/headers.ts';
import { isSafe } from '../shared/protocol/safe-methods.ts';
import type { Names } from '../shared/protocol/subjects.ts';
import { newSpanId } from '../shared/trace-ids.ts';
import { AnswerStream } from './answer-stream.ts';
import { CallFailed } from './call-failed.ts';

export interface StepRequest {
  stepId: string;
  method: string;
  /** Path and query as sent. */
  url: string;
  params: Record<string, string>;
  headers: Record<string, string | string[]>;
  body: Buffer;
  traceparent: string;
  timeoutMs: number;
  /** How long a worker may take to begin; by default half of `timeoutMs`. */
  startWithinMs?: number;
}

export interface StepResponse {
  status: number;
  headers: [name: string, value: string][];
  body: Uint8Array;
  /** In place of the body, if it comes bit by bit. */
  stream?: AnswerStream;
}

interface Call {
  meta: RequestMeta;
  subject: string;
  frame: Buffer;
  /** May be had twice. */
  safe: boolean;
  /** On its way: from here on only a safe call may be sent again. */
  sent: boolean;
  /** What the broker answered when it had stored the call. */
  stored?: Uint8Array;
  /** When the call was sent, or the broker was last asked for it. */
  askedAt: number;
  /** A worker has it. */
  started: boolean;
  /** When that worker was heard of last. */
  heardAt: number;
  /** Its answer has begun, and comes bit by bit: from here on it is had only once, and takes as long as it takes. */
  stream?: AnswerStream;
  resolve: (response: StepResponse) => void;
  reject: (error: CallFailed) => void;
}

const TICK_MS = 200;
/** A worker that has a call says so every second. */
const LOST_AFTER_MS = 3_500;
/** A worker that has a call says so after 250 ms, if it has not answered by then. */
const ASK_AFTER_MS = 1_500;
const RESEND_AFTER_MS = 50;
/** Of a call that a broker's server has taken along when it was lost, no acknowledgement comes. */
const UNSTORED_AFTER_MS = 3_000;
/** Before the token of a call in the subject of the broker's acknowledgement. Tokens have no capitals. */
const ACK_MARK = 'A';

const NOT_TAKEN = 'No worker took the call in time';
const UNKNOWN = 'The outcome of this call is unknown';
const CUT_OFF = 'The rest of the answer is lost';
const GONE = 'The caller is gone';
const NO_BYTES = new Uint8Array();

export class StepCalls {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #bodies: BlobStore;
  readonly #log: pino.Logger;
  readonly #inbox: string;
  readonly #calls = new Pending<Call>();
  /** Makes request ids unique over gateways. */
  readonly #origin = newSpanId();
  /** While there are calls. */
  #ticker: NodeJS.Timeout | undefined;

  constructor(broker: Broker, names: Names, bodies: BlobStore, log: pino.Logger) {
    this.#broker = broker;
    this.#names = names;
    this.#bodies = bodies;
    this.#log = log;
    this.#inbox = openInbox(broker, (token, reply) => this.#onReply(token, reply)).prefix;
  }

  /**
   * Calls a step. Resolves with the answer, or with the head of one that comes bit by bit.
   * @throws {CallFailed} with the status to tell the client.
   */
  async call(request: StepRequest, onStart?: (cancel: () => void) => void): Promise<StepResponse> {
    const { stepId, traceparent, method, url, params, headers, body, timeoutMs } = request;
    const { startWithinMs = timeoutMs / 2 } = request;
    const now = Date.now();
    const large = this.#bodies.needed(body.length);
    const blob = large ? await this.#bodies.put(body).catch((error) => this.#refuseBody(error)) : undefined;
    return new Promise((resolve, reject) => {
      const token = this.#calls.add((token) => {
        const meta: RequestMeta = {
          v: PROTOCOL_VERSION,
          id: this.#origin + token,
          reply: this.#inbox + token,
          startBy: now + startWithinMs,
          deadline: now + timeoutMs,
          traceparent,
          method,
          url,
          params,
          headers,
        };
        if (blob !== undefined) meta.blob = blob;
        return {
          meta,
          subject: this.#names.request(stepId),
          frame: encodeFrame(meta, large ? undefined : body),
          safe: isSafe(method, headers),
          sent: false,
          askedAt: now,
          started: false,
          heardAt: 0,
          resolve,
          reject,
        };
      });
      this.#ticker ??= setInterval(() => this.#tick(), TICK_MS).unref();
      onStart?.(() => this.#giveUp(token, 503, GONE));
      this.#send(token);
    });
  }

  /** The connection dropped, and with it perhaps replies. What may be had twice is sent again later. */
  onDisconnect(): void {
    for (const [token, call] of this.#calls.all()) {
      if (call.stream) this.#fail(token, new CallFailed(502, CUT_OFF));
      else if (call.safe) call.sent = false;
      else if (call.sent) this.#fail(token, new CallFailed(502, UNKNOWN));
    }
  }

  /** The connection is back, and the broker streams are in place. */
  onReconnect(): void {
    for (const [token, call] of this.#calls.all()) if (!call.sent) this.#send(token);
  }

  close(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** Calls that are not answered yet. */
  get size(): number {
    return this.#calls.size;
  }

  #send(token: string): void {
    const call = this.#calls.get(token);
    if (!call || !this.#broker.connected()) return;
    call.sent = true;
    // The broker's acknowledgement is asked for but not waited for: only a refusal is news.
    this.#broker.send(call.subject, call.frame, this.#inbox + ACK_MARK + token);
  }

  #onReply(token: string, reply: Reply): void {
    if (token.startsWith(ACK_MARK)) {
      this.#onAck(token.slice(ACK_MARK.length), reply);
      return;
    }
    const call = this.#calls.get(token);
    if (!call) {
      if (reply.reply) this.#tell(reply.reply, { gone: true });
      return;
    }
    const { meta, body } = decodeFrame<ReplyMeta>(reply.data);
    if (reply.reply) {
      this.#onStreamed(token, call, reply.reply, meta, body);
    } else if (call.stream) {
      return; // of another run of this call
    } else if (meta.t === 'started' || meta.t === 'beat') {
      call.started = true;
      call.heardAt = Date.now();
    } else if (meta.t === 'error') {
      this.#fail(token, new CallFailed(meta.status, meta.message, meta.id));
    } else if (meta.t === 'end' && meta.status !== undefined) {
      this.#calls.take(token);
      if (meta.blob === undefined) call.resolve({ status: meta.status, headers: meta.headers, body });
      else void this.#fetchBody(call, meta, meta.blob);
    }
  }

  /** Part of an answer that comes bit by bit. The subject for credit tells the runs of a call apart: the first one counts. */
  #onStreamed(token: string, call: Call, from: string, meta: ReplyMeta, body: Buffer): void {
    if (call.stream && call.stream.from !== from) {
      this.#tell(from, { gone: true });
      return;
    }
    call.heardAt = Date.now();
    const { stream } = call;
    if (meta.t === 'error') {
      this.#fail(token, new CallFailed(meta.status, meta.message, meta.id));
    } else if (!stream) {
      if (meta.t === 'head') this.#begin(token, call, from, meta);
      else this.#giveUp(token, 502, UNKNOWN); // the head is lost
    } else if (meta.t === 'beat' && stream.isNext(meta.n)) {
      stream.repeat();
    } else if (meta.t === 'end' && stream.isNext(meta.n)) {
      this.#calls.take(token);
      stream.end();
    } else if (meta.t !== 'chunk' || !stream.add(meta.n, body)) {
      this.#giveUp(token, 502, CUT_OFF);
    }
  }

  #begin(token: string, call: Call, from: string, { status, headers }: Extract<ReplyMeta, { t: 'head' }>): void {
    const stream = new AnswerStream(
      from,
      (taken) => this.#tell(from, { taken }),
      () => this.#giveUp(token, 503, GONE),
    );
    call.stream = stream;
    call.resolve({ status, headers, body: NO_BYTES, stream });
  }

  #tell(from: string, credit: Credit): void {
    this.#broker.send(from, encodeCredit(credit));
  }

  /** The broker stored the request, or refused it: then nobody will ever run it. */
  #onAck(token: string, reply: Reply): void {
    const call = this.#calls.get(token);
    if (!call) return;
    if (isNoResponders(reply)) {
      // The stream is made again after a restart of the broker.
      setTimeout(() => this.#send(token), RESEND_AFTER_MS).unref();
      return;
    }
    try {
      checkStored(reply);
      call.stored = reply.data;
    } catch (error) {
      this.#log.warn({ action: 'request_refused', subject: call.subject, err: error }, 'The broker refused a request');
      this.#fail(token, new CallFailed(503, 'Too many requests are waiting'));
    }
  }

  async #fetchBody(call: Call, meta: AnswerMeta, blob: string): Promise<void> {
    try {
      const body = await this.#bodies.get(blob);
      call.resolve({ status: meta.status, headers: meta.headers, body });
      await this.#bodies.delete(blob);
    } catch (error) {
      this.#log.error({ action: 'response_lost', err: error }, 'A large response could not be fetched');
      call.reject(new CallFailed(502, UNKNOWN));
    }
  }

  #refuseBody(error: unknown): never {
    this.#log.error({ action: 'body_not_stored', err: error }, 'A large request body could not be stored');
    throw new CallFailed(503, error instanceof MotiaError ? error.message : 'The request could not be stored');
  }

  #tick(): void {
    if (this.#calls.size === 0) {
      this.close();
      return;
    }
    const now = Date.now();
    for (const [token, call] of this.#calls.all()) {
      const { meta, started, safe, heardAt, askedAt } = call;
      const isLate = now >= meta.startBy;
      if (call.stream) {
        if (now - heardAt > LOST_AFTER_MS) this.#giveUp(token, 502, CUT_OFF);
      } else if (!started && !safe) {
        if (isLate || now - askedAt > ASK_AFTER_MS) void this.#ask(token, call, isLate);
      } else if (!started && isLate) {
        this.#giveUp(token, 503, NOT_TAKEN);
      } else if (!started && call.stored === undefined && now - askedAt > UNSTORED_AFTER_MS) {
        call.askedAt = now;
        this.#send(token); // a safe one: it may be had twice
      } else if (now >= meta.deadline) {
        this.#giveUp(token, 504, 'The step did not answer in time');
      } else if (started && !safe && now - heardAt > LOST_AFTER_MS) {
        this.#giveUp(token, 502, UNKNOWN); // a safe one goes to another worker
      }
    }
  }

  /**
   * Nothing was heard of a call that may be had only once. If the broker does not have it any more, a worker has taken it: from
   * then on its outcome is unknown until that one is heard of.
   */
  async #ask(token: string, call: Call, isLate: boolean): Promise<void> {
    if (call.askedAt === Number.POSITIVE_INFINITY) return; // it is being asked for
    call.askedAt = Number.POSITIVE_INFINITY;
    const waits = await this.#waits(call).catch(() => undefined);
    call.askedAt = Date.now();
    if (this.#calls.get(token) !== call || call.started) return;
    if (waits === false) {
      call.started = true;
      call.heardAt = call.askedAt;
    } else if (isLate) {
      if (waits) this.#giveUp(token, 503, NOT_TAKEN);
      else this.#giveUp(token, 502, UNKNOWN);
    }
  }

  /** Without the broker's answer the call is not stored: nobody begins it after its time. */
  async #waits({ stored }: Call): Promise<boolean> {
    return stored === undefined || isStillStored(this.#broker, this.#names.streams.requests, stored);
  }

  /** Ends the wait and tells the workers so. */
  #giveUp(token: string, status: number, message: string): void {
    const call = this.#calls.get(token);
    if (!call) return;
    this.#broker.send(this.#names.cancel, call.meta.id);
    this.#fail(token, new CallFailed(status, message));
  }

  #fail(token: string, error: CallFailed): void {
    const call = this.#calls.take(token);
    if (call?.stream) call.stream.cutOff(error);
    else call?.reject(error);
  }
}
