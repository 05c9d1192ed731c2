/**
 * Request/reply over one inbox subscription. Unlike the client's own `request` it rejects everything in flight at once when
 * the connection drops, and costs no timer and no stack trace per call.
 */
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import { isNoResponders, openInbox } from './inbox.ts';
import { Pending } from './pending.ts';
import type { Send } from './sender.ts';

interface Waiting {
  subject: string;
  /** Takes a reply; `true` when it was the last one. */
  take: (reply: Msg) => boolean;
  reject: (error: Error) => void;
  expires: number;
  /** Milliseconds between two replies. */
  timeoutMs: number;
}

export interface RequestOptions {
  headers?: MsgHdrs;
  /** Milliseconds until `BROKER_TIMEOUT`. Default 5,000. */
  timeoutMs?: number;
}

const SWEEP_MS = 100;

export class ReplyMux {
  readonly #connection: Pick<Broker, 'nc' | 'newInbox'>;
  readonly #send: Send;
  readonly #prefix: string;
  readonly #waiting = new Pending<Waiting>();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(connection: Pick<Broker, 'nc' | 'newInbox'>, send: Send) {
    this.#connection = connection;
    this.#send = send;
    this.#prefix = openInbox(connection, (token, reply) => this.#settle(token, reply)).prefix;
  }

  /**
   * Publishes and waits for the first reply, or for what `read` makes of it.
   * @throws {MotiaError} `BROKER_TIMEOUT`, or `BROKER_LOST` when the connection dropped or nobody listens: in both cases
   * the outcome is unknown. And what `read` throws.
   */
  request(subject: string, data: Uint8Array | string, options?: RequestOptions): Promise<Msg>;
  request<T>(subject: string, data: Uint8Array | string, options: RequestOptions, read: (reply: Msg) => T): Promise<T>;
  request<T>(
    subject: string,
    data: Uint8Array | string,
    options: RequestOptions = {},
    read?: (reply: Msg) => T,
  ): Promise<T | Msg> {
    return new Promise((resolve, reject) => {
      const take = (reply: Msg) => {
        try {
          resolve(read ? read(reply) : reply);
        } catch (error) {
          reject(error);
        }
        return true;
      };
      this.#publish(subject, data, options, take, reject);
    });
  }

  /**
   * Publishes and gathers the replies up to the one that `isLast` tells, which is among them. The timeout is the longest silence
   * between two of them.
   * @throws {MotiaError} as {@link request}.
   */
  requestMany(
    subject: string,
    data: Uint8Array | string,
    isLast: (reply: Msg) => boolean,
    options: RequestOptions = {},
  ): Promise<Msg[]> {
    return new Promise((resolve, reject) => {
      this.#publish(subject, data, options, gather(isLast, resolve), reject);
    });
  }

  /** As {@link requestMany}, of what a consumer delivers: that keeps its subject, so it has to come to an inbox of its own. */
  async requestDeliveries(subject: string, data: string, isLast: (reply: Msg) => boolean): Promise<Msg[]> {
    const { nc, newInbox } = this.#connection;
    const inbox = newInbox();
    let token = '';
    const subscription = nc.subscribe(inbox, {
      callback: (error, msg) => {
        if (error === null) this.#settle(token, msg);
      },
    });
    try {
      return await new Promise((resolve, reject) => {
        token = this.#wait(subject, {}, gather(isLast, resolve), reject);
        this.#send(subject, data, inbox);
      });
    } finally {
      subscription.unsubscribe();
    }
  }

  /** Rejects everything in flight: the connection dropped, so no reply can be trusted to come. */
  rejectAll(reason: string): void {
    const waiting = this.#waiting.all();
    for (const [token] of waiting) this.#waiting.take(token);
    for (const [, { reject }] of waiting) reject(new MotiaError('BROKER_LOST', reason));
  }

  /** Rejects what was published to a subject that the broker does not let this user publish to: no reply will come. */
  refuse(subject: string): void {
    for (const [token, waiting] of this.#waiting.all()) {
      if (waiting.subject !== subject) continue;
      this.#waiting.take(token);
      const message = `the broker does not let this user publish to ${subject}: see its permissions there (motia nats-config writes them)`;
      waiting.reject(new MotiaError('BROKER_REFUSED', message));
    }
  }

  #publish(
    subject: string,
    data: Uint8Array | string,
    options: RequestOptions,
    take: Waiting['take'],
    reject: Waiting['reject'],
  ): void {
    this.#send(subject, data, this.#prefix + this.#wait(subject, options, take, reject), options.headers);
  }

  #wait(
    subject: string,
    { timeoutMs = 5_000 }: RequestOptions,
    take: Waiting['take'],
    reject: Waiting['reject'],
  ): string {
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    return this.#waiting.add(() => ({ subject, take, reject, expires: Date.now() + timeoutMs, timeoutMs }));
  }

  #settle(token: string, reply: Msg): void {
    const waiting = this.#waiting.get(token);
    if (!waiting) return;
    if (isNoResponders(reply)) {
      this.#waiting.take(token);
      waiting.reject(new MotiaError('BROKER_LOST', 'nothing on the broker listens to this subject (yet)'));
    } else if (waiting.take(reply)) {
      this.#waiting.take(token);
    } else {
      waiting.expires = Date.now() + waiting.timeoutMs;
    }
  }

  #sweep(): void {
    const now = Date.now();
    for (const [token, { reject, expires }] of this.#waiting.all()) {
      if (expires > now) continue;
      this.#waiting.take(token);
      reject(new MotiaError('BROKER_TIMEOUT', 'the broker did not answer in time'));
    }
    if (this.#waiting.size === 0) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    }
  }
}

/** Takes replies up to the last one. */
function gather(isLast: (reply: Msg) => boolean, resolve: (replies: Msg[]) => void): Waiting['take'] {
  const replies: Msg[] = [];
  return (reply) => {
    replies.push(reply);
    if (!isLast(reply)) return false;
    resolve(replies);
    return true;
  };
}
