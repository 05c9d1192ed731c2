/**
 * Pulls messages of one durable consumer, only as many as there is room for. The client's own `consume()` prefetches a fixed
 * number, which lets attempts pass without a run and starves other workers.
 */
import { type Msg, nanos, type Subscription } from '@nats-io/transport-node';
import type { Broker } from './connect.ts';
import { Delivery } from './delivery.ts';

export interface PullConsumerOptions {
  stream: string;
  durable: string;
  /** The consumer's ack wait. */
  ackWaitMs: number;
  /** How many more messages this process can take right now, those already asked for included. */
  room: () => number;
  /** The broker hands out one message at a time, whoever asks for more: so several may be asked for when there is room for one. */
  oneByOne?: boolean;
  onDelivery: (delivery: Delivery) => void;
  /** The consumer may be gone from the broker, or the whole stream: then it is to be made again. Until it is there it is asked again and again. */
  onGone: () => void;
}

const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
const TRY_AGAIN_MS = 250;
/** Silence after which the broker is taken to have forgotten our request. */
const SILENCE_MS = 2.5 * HEARTBEAT_MS;
/** Most that is asked for at a time. */
const LARGEST_BATCH = 512;
/** The same of messages that come one by one. */
const LARGEST_SEQUENCE = 32;

export class PullConsumer {
  readonly #broker: Broker;
  readonly #options: PullConsumerOptions;
  readonly #subject: string;
  readonly #inbox: string;
  #subscription: Subscription | undefined;
  #asked = 0;
  #restarted = false;
  #heardAt = 0;
  #watchdog: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(broker: Broker, options: PullConsumerOptions) {
    this.#broker = broker;
    this.#options = options;
    this.#inbox = broker.newInbox();
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.durable}`;
  }

  start(): void {
    this.#stopped = false;
    this.#subscription = this.#broker.nc.subscribe(this.#inbox, {
      callback: (error, msg) => {
        if (error === null) this.#onMessage(msg);
      },
    });
    this.#watchdog = setInterval(() => this.#checkSilence(), HEARTBEAT_MS).unref();
    this.pull();
  }

  /** Stops asking, and takes back what was asked for. What the broker has sent meanwhile is handed back unstarted. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#watchdog);
    this.#asked = 0;
    // Otherwise what is handed back would come back here, until all that was asked for has come.
    this.#subscription?.drain().catch(() => {});
  }

  /** Ends the subscription too; call it when nothing can arrive any more (after a flush). */
  close(): void {
    this.stop();
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** Whether this may be one that is held here already: handed out once more, or by a consumer that was made again. */
  mayRepeat(delivery: Delivery): boolean {
    return this.#restarted || delivery.deliveryCount > 1;
  }

  /** Forgets what was asked for and asks anew: the connection was made again. */
  restart(): void {
    this.#restarted = true;
    this.#asked = 0;
    this.pull();
  }

  /** Asks for more if there is room. Call it whenever room has become free. */
  pull(): void {
    const request = this.#nextRequest();
    if (request !== undefined) this.#broker.send(this.#subject, request, this.#inbox);
  }

  /** Acks a message that takes no room any more, and asks for more if there is room. */
  ackAndPull(delivery: Delivery): void {
    const request = this.#nextRequest(this.#options.oneByOne ? delivery.pending : 0);
    if (request === undefined) delivery.ack();
    else delivery.ackAndAsk(request, this.#inbox);
  }

  /**
   * What asks for as many as there is room for, if that is to be asked for now.
   * @param sequence how many wait that will come one by one.
   */
  #nextRequest(sequence = 0): string | undefined {
    if (this.#stopped || !this.#broker.connected()) return undefined;
    const room = this.#options.room();
    const wanted = Math.min(room - this.#asked, LARGEST_BATCH);
    // Asking one by one would cost a request per message: wait until half the room is free, unless nothing is asked for.
    if (wanted <= 0 || (this.#asked > 0 && wanted < room / 2)) return undefined;
    if (this.#asked === 0) this.#heardAt = Date.now();
    if (sequence > 1) return this.#requestSequence(Math.min(sequence, LARGEST_SEQUENCE));
    this.#asked += wanted;
    return requestFor(wanted, EXPIRES_MS);
  }

  /**
   * It ends before the ack wait of what comes first: if this process stands still, others are asked for the rest as soon as they
   * get that one.
   */
  #requestSequence(length: number): string {
    this.#asked += length;
    return requestFor(length, Math.min(this.#options.ackWaitMs, EXPIRES_MS));
  }

  #onMessage(msg: Msg): void {
    this.#heardAt = Date.now();
    if (msg.reply === undefined || msg.reply === '' || !msg.reply.startsWith('$JS.ACK.')) {
      this.#onStatus(msg);
      return;
    }
    if (this.#asked > 0) this.#asked--;
    // Not handed back either: if it is with somebody else by now, that would hand it out once more.
    if (this.#broker.mayBeStale(this.#options.ackWaitMs)) return;
    const delivery = new Delivery(this.#broker, msg);
    if (this.#stopped) {
      delivery.handBack();
      return;
    }
    this.#options.onDelivery(delivery);
    if (this.#asked === 0) this.pull();
  }

  #onStatus(msg: Msg): void {
    const code = msg.headers?.code ?? 0;
    if (code === 100) return; // heartbeat
    const description = msg.headers?.description ?? '';
    if (code === 404 || code === 408 || (code === 409 && /batch|max.?bytes/i.test(description))) {
      const unserved = Number(msg.headers?.get('Nats-Pending-Messages') ?? '');
      this.#asked = Number.isFinite(unserved) && unserved > 0 ? Math.max(0, this.#asked - unserved) : 0;
      this.pull();
      return;
    }
    this.#asked = 0;
    if (this.#stopped) return;
    if (code === 503 || (code === 409 && /deleted/i.test(description))) {
      this.#restarted = true; // whoever makes it again
      this.#options.onGone();
    } // otherwise leader change, server shutdown, limits
    setTimeout(() => this.pull(), TRY_AGAIN_MS).unref();
  }

  #checkSilence(): void {
    if (this.#asked > 0 && Date.now() - this.#heardAt > SILENCE_MS && this.#broker.connected()) this.restart();
    else this.pull();
  }
}

const requestFor = (batch: number, expiresMs: number): string =>
  `{"batch":${batch},"expires":${nanos(expiresMs)},"idle_heartbeat":${nanos(Math.min(HEARTBEAT_MS, expiresMs / 2))}}`;
