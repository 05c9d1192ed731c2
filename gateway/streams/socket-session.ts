/** One WebSocket: what its client asks for, done strictly in order. */
import type { Duplex } from 'node:stream';
import type pino from 'pino';
import type { WebSocket } from 'ws';
import type { StreamAccess } from './access.ts';
import type { Channel } from './channel.ts';
import { Client } from './client.ts';
import type { Connected } from './connected.ts';
import { type ClientMessage, errorFrame, type Frame, readMessage, type Target } from './frames.ts';
import type { StreamHub } from './hub.ts';
import type { StreamLimits } from './limits.ts';

export interface SessionOptions {
  hub: StreamHub;
  access: StreamAccess;
  limits: StreamLimits;
  /** Whether the app has a stream of that name. */
  isKnown: (stream: string) => boolean;
  log: pino.Logger;
}

interface Subscription {
  channel: Channel;
  /** The client's own; `''` for one that it did not number, and cannot leave. */
  ids: Set<string>;
}

/** Messages that may wait to be worked off before no more are read. */
const MOST_WAITING = 64;
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

export class SocketSession extends Client implements Connected {
  readonly #socket: WebSocket;
  readonly #options: SessionOptions;
  readonly #authContext: unknown;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Joins of streams that the app does not have, or not yet. */
  readonly #unknown: ClientMessage[] = [];
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #lives = true;
  #bufferedBefore = 0;

  /** @param raw the connection that the socket runs on. */
  constructor(socket: WebSocket, raw: Duplex, authContext: unknown, options: SessionOptions, onEnd: () => void) {
    super(options.limits.bufferedBytes);
    this.#socket = socket;
    this.#authContext = authContext;
    this.#options = options;
    raw.on('drain', () => this.drained());
    socket.on('error', () => {}); // it is closed as well, with a code that says why
    socket.on('pong', () => {
      this.#lives = true;
    });
    socket.on('message', (data, isBinary) => {
      this.#lives = true;
      this.#enqueue(() => this.#onMessage(isBinary ? '' : String(data)));
    });
    socket.on('close', () => {
      this.end();
      for (const { channel } of this.#subscriptions.values()) channel.leave(this);
      onEnd();
    });
  }

  /** Streams may have come to the app. */
  onManifest(): void {
    if (this.#unknown.length === 0) return;
    this.#enqueue(async () => {
      for (const message of this.#unknown.splice(0)) await this.#join(message);
    });
  }

  checkLife(): void {
    const buffered = this.buffered();
    // Its answer to a ping waits behind all that, or is not read.
    const isSlow = (buffered > 0 && buffered < this.#bufferedBefore) || this.#waiting > MOST_WAITING;
    this.#bufferedBefore = buffered;
    if (!this.#lives && !isSlow) {
      this.cutOff();
      return;
    }
    this.#lives = false;
    this.#socket.ping();
  }

  goAway(): void {
    this.#socket.resume(); // or its answer would not be read
    this.#socket.close(GOING_AWAY, 'The gateway is going away');
  }

  cutOff(): void {
    this.#socket.terminate();
  }

  protected write(frame: Frame): void {
    this.#socket.send(frame.bytes(this.positioned), { binary: false });
  }

  protected buffered(): number {
    return this.#socket.bufferedAmount;
  }

  protected override onCongestion(): void {
    this.#regulate();
  }

  #enqueue(task: () => Promise<void>): void {
    this.#waiting++;
    this.#regulate();
    this.#work = this.#work.then(async () => {
      try {
        if (!this.ended) await task();
      } catch (error) {
        this.#options.log.error({ action: 'stream_failed', err: error }, 'A client of realtime streams is cut off');
        this.#socket.close(INTERNAL_ERROR);
      }
      this.#waiting--;
      this.#regulate();
    });
  }

  /** Who does not read, or asks for more than can be done, is not listened to meanwhile. */
  #regulate(): void {
    if (this.congested || this.#waiting > MOST_WAITING) this.#socket.pause();
    else this.#socket.resume();
  }

  async #onMessage(text: string): Promise<void> {
    const message = readMessage(text);
    if (message === undefined) return;
    if (typeof message === 'string') this.answer(errorFrame('STREAM_INVALID_MESSAGE', message));
    else if (message.type === 'join') await this.#join(message);
    else this.#leave(message);
  }

  async #join(message: ClientMessage): Promise<void> {
    const { target, subscriptionId = '', resume } = message;
    const { hub, access, limits, isKnown } = this.#options;
    const key = keyOf(target);
    const known = this.#subscriptions.get(key);
    if (!known && this.#subscriptions.size + this.#unknown.length >= limits.subscriptions) {
      const text = `This connection follows ${limits.subscriptions} groups and items already`;
      this.answer(errorFrame('STREAM_TOO_MANY_SUBSCRIPTIONS', text, target));
      return;
    }
    if (!isKnown(target.streamName)) {
      this.#unknown.push(message);
      return;
    }
    const { streamName, groupId, id } = target;
    const wanted = { groupId, ...(id !== undefined && { id }) };
    if (!(await access.canAccess(streamName, wanted, this.#authContext))) {
      this.answer(errorFrame('STREAM_ACCESS_DENIED', 'Access denied', target));
      return;
    }
    const channel = await hub.follow(this, target, resume);
    if (!channel) return;
    if (this.ended) channel.leave(this);
    else this.#subscriptions.set(key, { channel, ids: (known?.ids ?? new Set()).add(subscriptionId) });
  }

  #leave({ target, subscriptionId }: ClientMessage): void {
    if (subscriptionId === undefined) return;
    const key = keyOf(target);
    const forgotten = this.#unknown.findIndex(
      (join) => join.subscriptionId === subscriptionId && keyOf(join.target) === key,
    );
    if (forgotten >= 0) this.#unknown.splice(forgotten, 1);
    const subscription = this.#subscriptions.get(key);
    if (!subscription?.ids.delete(subscriptionId) || subscription.ids.size > 0) return;
    this.#subscriptions.delete(key);
    subscription.channel.leave(this);
  }
}

const keyOf = ({ streamName, groupId, id }: Target) => JSON.stringify([streamName, groupId, id]);
