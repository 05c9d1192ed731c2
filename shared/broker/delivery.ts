/** One message taken from a durable consumer, and the answers it can get. */
import { type Msg, type MsgHdrs, nanos } from '@nats-io/transport-node';
import type { Broker } from './connect.ts';

const ACK = Buffer.from('+ACK');
const ACK_AND_ASK = '+NXT ';
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
  readonly receivedAt = Date.now();
  /** Where in the reply subject the time begins. */
  readonly #timeAt: number;

  /** Wraps a message that a consumer delivered. Its reply subject carries the delivery's numbers. */
  constructor(broker: Broker, msg: Msg) {
    this.#broker = broker;
    this.#msg = msg;
    // $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]
    const reply = this.#reply;
    let found = 0;
    for (let at = reply.indexOf('.'); at >= 0; at = reply.indexOf('.', at + 1)) dots[found++] = at;
    const first = found > 8 ? 5 : 3;
    this.deliveryCount = numberAt(reply, after(first));
    this.sequence = numberAt(reply, after(first + 1));
    this.#timeAt = after(first + 3);
  }

  /** When the broker stored it, ms since 1970. */
  get storedAt(): number {
    return Math.floor(numberAt(this.#reply, this.#timeAt) / 1e6);
  }

  /** How many more wait in the consumer. */
  get pending(): number {
    return numberAt(this.#reply, this.#reply.indexOf('.', this.#timeAt) + 1);
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

  /** Done, and asks for more, by a request for messages that are to come to `inbox`: one message to the broker instead of two. */
  ackAndAsk(request: string, inbox: string): void {
    this.#broker.send(this.#reply, ACK_AND_ASK + request, inbox);
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

/** Where the dots of a reply subject are: for one at a time, since every message needs it. */
const dots: number[] = [];
const after = (dot: number): number => (dots[dot] as number) + 1;

/** The number that begins there and ends at the next dot. */
const numberAt = (text: string, at: number): number => Number.parseInt(text.slice(at, at + MOST_DIGITS), 10);
const MOST_DIGITS = 20;
