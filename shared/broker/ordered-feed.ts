/**
 * What is stored on some subjects of a broker stream from a moment on: in order and without a gap, over lost connections and
 * restarts of the server. Its consumer is in the server's memory, and goes by itself when the process that reads it is gone.
 */
import { randomUUID } from 'node:crypto';
import { type Msg, type MsgHdrs, nanos, type Subscription } from '@nats-io/transport-node';
import type { Broker } from './connect.ts';
import { readAnswer } from './publish.ts';
import { toTime } from './store-time.ts';

/** A message as it was stored. */
export interface FedMessage {
  subject: string;
  sequence: number;
  /** When it was stored, in ms since 1970 with a fraction. */
  time: number;
  headers: MsgHdrs | undefined;
  data: Uint8Array;
}

export interface OrderedFeedOptions {
  stream: string;
  filter: string;
  onMessage(message: FedMessage): void;
  /**
   * What came after the last message cannot be told any more: the broker stream was made anew, has lost its end, or says only for
   * so long what was removed. The feed has begun again.
   */
  onReset(): void;
  /** Where to begin then: with what is there, or with what is stored from now on. */
  afterReset: 'first' | 'next';
  /** Ms without contact after which it is too late to go on. Default: never. */
  longestGapMs?: number;
}

const HEARTBEAT_MS = 5_000;
const SILENCE_MS = 2.5 * HEARTBEAT_MS;
/** The server removes the consumer of a process that is gone after this. */
const INACTIVE_MS = 10_000;
const TRY_AGAIN_MS = 250;
/** After so much work with messages something else has its turn: a change may concern thousands of clients. */
const SLICE_MS = 5;

interface StreamInfo {
  created: string;
  ts: string;
  state: { last_seq: number };
}

export class OrderedFeed {
  /** Sequence of the last message that was told, or after which the feed has begun. */
  position = 0;
  /** When the broker stream was made: another one begins to count anew. */
  incarnation = '';
  /** By the broker's clock, in ms since 1970: all that was stored before has been told. */
  heardAt = 0;
  readonly #broker: Broker;
  readonly #options: OrderedFeedOptions;
  /** Messages of the present consumer that are here. Those that control its flow are among them, so that it waits for us. */
  readonly #arrived: Msg[] = [];
  #atWork = false;
  #subscription: Subscription | undefined;
  #consumer = '';
  #consumerSequence = 0;
  /** What the broker's clock is ahead of ours. */
  #clockOffset = 0;
  #lastSign = 0;
  #opening: Promise<void> | undefined;
  #again = false;
  #watchdog: NodeJS.Timeout | undefined;
  #stopListening = () => {};
  #closed = false;

  constructor(broker: Broker, options: OrderedFeedOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  /** Begins with what is stored from now on. Resolves when nothing can be missed any more, or when it was closed. */
  start(): Promise<void> {
    this.#watchdog = setInterval(() => {
      if (this.#broker.connected() && performance.now() - this.#lastSign > SILENCE_MS) this.#restart();
    }, HEARTBEAT_MS).unref();
    this.#stopListening = this.#broker.listen({ onReconnect: () => this.#restart() });
    this.#restart();
    return this.#opening as Promise<void>;
  }

  /** The time by the broker's clock, in ms since 1970. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#watchdog);
    this.#stopListening();
    this.#drop();
  }

  /** Goes on after the last message with a new consumer. */
  #restart(): void {
    this.#again = true;
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = undefined;
    });
  }

  async #reopen(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      this.#drop();
      try {
        await this.#broker.whenConnected(SILENCE_MS);
        await this.#open();
      } catch {
        this.#again = true; // whatever it is, without the feed there is nothing to do but to try again
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
      }
    }
    if (this.#closed) this.#drop();
  }

  async #open(): Promise<void> {
    const { stream, filter, onReset, afterReset, longestGapMs = Number.POSITIVE_INFINITY } = this.#options;
    const info = await this.#broker.mux.request(`$JS.API.STREAM.INFO.${stream}`, '', {}, readAnswer<StreamInfo>);
    const now = toTime(info.ts);
    const last = info.state.last_seq;
    const isFirst = this.incarnation === '';
    const isReset =
      !isFirst && (info.created !== this.incarnation || last < this.position || now - this.heardAt > longestGapMs);
    if (isFirst) this.position = last;
    else if (isReset) this.position = afterReset === 'first' ? 0 : last;
    this.incarnation = info.created;
    this.#clockOffset = now - Date.now();
    const inbox = this.#broker.newInbox();
    const consumer = randomUUID();
    this.#consumer = consumer;
    this.#consumerSequence = 0;
    this.#subscription = this.#broker.nc.subscribe(inbox, {
      callback: (error, msg) => {
        if (error !== null || this.#consumer !== consumer) return;
        this.#lastSign = performance.now();
        this.#arrived.push(msg);
        if (!this.#atWork) this.#work();
      },
    });
    const config = {
      name: consumer,
      deliver_subject: inbox,
      filter_subject: filter,
      deliver_policy: 'by_start_sequence',
      opt_start_seq: this.position + 1,
      ack_policy: 'none',
      replay_policy: 'instant',
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    };
    if (isFirst || isReset) this.heardAt = now;
    this.#lastSign = performance.now();
    if (isReset) onReset(); // before the first message of the new time
    const request = JSON.stringify({ stream_name: stream, config, action: 'create' });
    await this.#broker.mux.request(`$JS.API.CONSUMER.CREATE.${stream}.${consumer}`, request, {}, readAnswer);
  }

  #drop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#arrived.length = 0;
    if (this.#consumer === '') return;
    if (this.#broker.connected())
      this.#broker.send(`$JS.API.CONSUMER.DELETE.${this.#options.stream}.${this.#consumer}`, '');
    this.#consumer = '';
  }

  #work(): void {
    this.#atWork = true;
    const until = performance.now() + SLICE_MS;
    let taken = 0;
    while (taken < this.#arrived.length) {
      this.#onMessage(this.#arrived[taken++] as Msg);
      if (performance.now() < until) continue;
      this.#arrived.splice(0, taken);
      setImmediate(() => this.#work());
      return;
    }
    this.#arrived.length = 0;
    this.#atWork = false;
  }

  #onMessage(msg: Msg): void {
    if ((msg.headers?.code ?? 0) !== 0) {
      this.#onStatus(msg);
      return;
    }
    // $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]
    const tokens = (msg.reply ?? '').split('.');
    const first = tokens.length > 9 ? 7 : 5;
    const consumerSequence = Number(tokens[first + 1]);
    if (consumerSequence !== this.#consumerSequence + 1) {
      this.#restart(); // one is missing
      return;
    }
    this.#consumerSequence = consumerSequence;
    this.position = Number(tokens[first]);
    const nanoseconds = tokens[first + 2] ?? '';
    const time = Number(`${nanoseconds.slice(0, -6)}.${nanoseconds.slice(-6)}`);
    this.heardAt = Math.max(this.heardAt, time);
    const { subject, headers, data } = msg;
    this.#options.onMessage({ subject, sequence: this.position, time, headers, data });
  }

  #onStatus({ headers, reply }: Msg): void {
    const stalled = headers?.get('Nats-Consumer-Stalled');
    if (reply) this.#broker.send(reply, '');
    else if (stalled) this.#broker.send(stalled, '');
    const last = headers?.get('Nats-Last-Consumer');
    if (!last) return;
    if (Number(last) !== this.#consumerSequence) this.#restart();
    else this.heardAt = Math.max(this.heardAt, this.now() - HEARTBEAT_MS);
  }
}
