/** Whoever is told of realtime streams: a socket, or an SSE response. Bounds what waits for one that reads slowly. */
import type { Frame, Origin } from './frames.ts';

/** A client in one channel. */
export interface Follower {
  readonly client: Client;
  /** Sequences up to which it has had everything, though the feed may tell it once more. */
  had: { items: number; sent: number };
  /** What came while it is told of the past; absent when it is up to date. */
  held?: Frame[];
  /** Tells it the present state, after something was left out. `last` is the last frame of an item that was. */
  catchUp(last: Frame): void;
}

export abstract class Client {
  /** Whether it has asked for positions: then its frames carry them, and it is told that an item is missing. */
  positioned = false;
  readonly #maxBuffered: number;
  readonly #onEnd = new Set<() => void>();
  /** Who has missed something, and what last. */
  readonly #missed = new Map<Follower, Frame>();
  #last: Origin | undefined;
  #congested = false;
  #ended = false;

  constructor(maxBuffered: number) {
    this.#maxBuffered = maxBuffered;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get congested(): boolean {
    return this.#congested;
  }

  protected abstract write(frame: Frame): void;
  /** Bytes that wait to be sent. */
  protected abstract buffered(): number;

  /** Sends a frame of a channel. One that is in two channels of this client is sent once. */
  send(frame: Frame, follower: Follower): void {
    const { origin, event } = frame.fields;
    if (this.#congested) {
      // Events are not kept for anybody; of items the present state is told later.
      if (event.type !== 'event') this.#missed.set(follower, frame);
    } else if (origin === undefined || origin !== this.#last) {
      this.#last = origin;
      this.answer(frame);
    }
  }

  /** Sends what has no state that could be told later. */
  answer(frame: Frame): void {
    if (this.#ended || this.#congested) return;
    this.write(frame);
    if (this.buffered() <= this.#maxBuffered) return;
    this.#congested = true;
    this.onCongestion(true);
  }

  forget(follower: Follower): void {
    this.#missed.delete(follower);
  }

  /** Resolves when `work` does, or when this client is gone. */
  untilEnded(work: Promise<unknown>): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#onEnd.add(resolve);
      work.then(() => resolve(), reject).finally(() => this.#onEnd.delete(resolve));
    });
  }

  /** Called when too much waits, and when nothing does any more. */
  protected onCongestion(_congested: boolean): void {}

  /** To be called when nothing waits to be sent any more. */
  protected drained(): void {
    if (!this.#congested) return;
    this.#congested = false;
    for (const [follower, last] of this.#missed) {
      if (this.#congested) return;
      this.#missed.delete(follower);
      follower.catchUp(last);
    }
    if (!this.#congested) this.onCongestion(false);
  }

  /** To be called when it is gone. */
  protected end(): void {
    this.#ended = true;
    this.#missed.clear();
    for (const tell of this.#onEnd) tell();
    this.#onEnd.clear();
  }
}
