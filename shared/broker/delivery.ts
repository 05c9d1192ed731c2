/** One message taken from a durable consumer, and the four answers it can get. */
import { type Msg, type MsgHdrs, nanos } from '@nats-io/transport-node';
import type { Broker } from './connect.ts';

const ACK = Buffer.from('+ACK');
const WORKING = '+WPI';

const HAND_BACK = '-NAK';
const TERMINATE = '+TERM';

export class Delivery {
  readonly #broker: Broker;
  readonly #msg: Msg;
  /** Sequence in the broker stream: with the stream's name the identity of the stored message. */
  readonly sequence: number;
  /** How often the broker has handed this message out, this time included. Not the attempt number. */
  readonly deliveryCount: number;
  /** How many more wait in the consumer. */
  readonly pending: number;
  /** When the broker stored it, ms since 1970. */
  readonly storedAt: number;
  readonly receivedAt = Date.now();

  /** Wraps a message that a consumer delivered. Its reply subject carries the delivery's numbers. */
  constructor(broker: Broker, msg: Msg) {
    this.#broker = broker;
    this.#msg = msg;
    // $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]
    const parts = this.#reply.split('.');
    const first = parts.length > 9 ? 6 : 4;
    this.deliveryCount = Number(parts[first]);
    this.sequence = Number(parts[first + 1]);
    this.storedAt = Math.floor(Number(parts[first + 3]) / 1e6);
    this.pending = Number(parts[first + 4]);
  }

  get headers(): MsgHdrs | undefined {
    return this.#msg.headers;
  }

  get subject(): string {
    return this.#msg.subject;
  }

  get data(): Uint8Array {
    return this.#msg.data;
  }

  /** Done: the broker forgets it. */
  ack(): void {
    this.#broker.send(this.#reply, ACK);
  }

  /** Not done: the broker hands it out again, at the earliest after `delayMs`. */
  handBack(delayMs?: number): void {
    this.#broker.send(this.#reply, delayMs === undefined ? HAND_BACK : `${HAND_BACK} {"delay":${nanos(delayMs)}}`);
  }

  /** Never again, for a message that cannot be read. */
  terminate(): void {
    this.#broker.send(this.#reply, TERMINATE);
  }

  /** Renews the ack wait; resolves when the broker has confirmed. */
  async working(): Promise<void> {
    await this.#broker.mux.request(this.#reply, WORKING, { timeoutMs: 2_000 });
  }

  get #reply(): string {
    return this.#msg.reply as string;
  }
}
