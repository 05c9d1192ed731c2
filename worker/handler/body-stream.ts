/** The body of an answer on its way from a run to the caller, bit by bit, and no faster than the caller takes it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeFrame, LARGEST_CHUNK, type ReplyMeta, STREAM_WINDOW } from '../../shared/protocol/frames.ts';
import type { ChunkSource } from '../http/chunk-source.ts';
import { InvalidResponse } from '../http/response.ts';
import type { ActiveRun } from './active-run.ts';

/** A source that never waits gives way to others this often, and what it has given leaves. */
const LONGEST_TURN_MS = 5;
const FIRST_HALF_OF_A_PAIR = /[\ud800-\udbff]$/;

export class BodyStream {
  readonly #run: ActiveRun;
  readonly #send: (frame: Uint8Array) => void;
  /** What was given in this turn of the event loop: it becomes one chunk. */
  #pieces: Buffer[] = [];
  #size = 0;
  #flushing: NodeJS.Immediate | undefined;
  /** Of a character whose halves come in two texts. */
  #firstHalf = '';
  #next = 1;
  #sent = 0;
  #taken = 0;
  #onCredit = () => {};
  #onAbort = () => {};

  /** @param send sends a frame to the caller. */
  constructor(run: ActiveRun, send: (frame: Uint8Array) => void) {
    this.#run = run;
    this.#send = send;
    run.signal.addEventListener('abort', () => this.#onAbort(), { once: true });
  }

  /** The caller has taken so many bytes of the body by now. */
  credit(taken: number): void {
    this.#taken = Math.max(this.#taken, taken);
    this.#onCredit();
  }

  /**
   * Sends the head, and all that the source gives.
   * @param settle has to be done before the end is sent.
   * @returns the last frame.
   * @throws what the source throws; {@link InvalidResponse} if it gives anything but text and bytes; the reason of the run's signal when
   * nobody waits any more. The source is closed then, and nothing more is sent.
   */
  async pass(
    head: Extract<ReplyMeta, { t: 'head' }>,
    source: ChunkSource,
    settle: () => Promise<void>,
  ): Promise<Uint8Array> {
    this.#send(encodeFrame(head));
    try {
      await this.#passAll(source);
      await settle();
    } catch (error) {
      this.#flush();
      await this.#close(source);
      throw error;
    }
    if (this.#firstHalf) this.#add(Buffer.from(this.#firstHalf));
    this.#flush();
    return encodeFrame({ t: 'end', n: this.#next });
  }

  async #passAll(source: ChunkSource): Promise<void> {
    let turnBegan = performance.now();
    for (;;) {
      this.#run.enter();
      const { done, value } = await this.#unlessAborted(() => source.next());
      if (done) return;
      const bytes = this.#toBytes(value);
      for (let start = 0; start < bytes.length; start += LARGEST_CHUNK) {
        const piece = bytes.subarray(start, start + LARGEST_CHUNK);
        while (this.#sent + this.#size + piece.length - this.#taken > STREAM_WINDOW) await this.#credited();
        this.#add(piece);
      }
      if (performance.now() - turnBegan < LONGEST_TURN_MS) continue;
      this.#flush();
      await nextTurn();
      turnBegan = performance.now();
    }
  }

  #toBytes(value: unknown): Buffer {
    if (typeof value === 'string') {
      const text = this.#firstHalf + value;
      this.#firstHalf = FIRST_HALF_OF_A_PAIR.exec(text)?.[0] ?? '';
      return Buffer.from(this.#firstHalf ? text.slice(0, -1) : text);
    }
    if (!(value instanceof Uint8Array)) {
      const found = value === null ? 'null' : typeof value;
      throw new InvalidResponse(`A body that is streamed consists of text and bytes. Found: ${found}.`);
    }
    const lost = this.#firstHalf;
    this.#firstHalf = '';
    return lost ? Buffer.concat([Buffer.from(lost), value]) : Buffer.from(value); // whose it is may use it again
  }

  #add(piece: Buffer): void {
    if (this.#size + piece.length > LARGEST_CHUNK) this.#flush();
    this.#pieces.push(piece);
    this.#size += piece.length;
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    if (this.#size === 0 || this.#run.signal.aborted) return;
    this.#send(encodeFrame({ t: 'chunk', n: this.#next++ }, Buffer.concat(this.#pieces)));
    this.#sent += this.#size;
    this.#pieces = [];
    this.#size = 0;
  }

  #credited(): Promise<void> {
    return this.#unlessAborted(
      () =>
        new Promise((resolve) => {
          this.#onCredit = resolve;
        }),
    );
  }

  #unlessAborted<T>(wait: () => Promise<T> | T): Promise<T> {
    const { signal } = this.#run;
    return new Promise((resolve, reject) => {
      this.#onAbort = () => reject(signal.reason);
      if (signal.aborted) reject(signal.reason);
      else Promise.resolve(wait()).then(resolve, reject);
    });
  }

  /** What closing throws is of interest only if nothing else was thrown, and nobody has asked for it by the signal. */
  async #close(source: ChunkSource): Promise<void> {
    try {
      await source.close();
    } catch (error) {
      const { aborted, reason } = this.#run.signal;
      if (aborted && error !== reason && (error as Error | undefined)?.name !== 'AbortError') throw error;
    }
  }
}
