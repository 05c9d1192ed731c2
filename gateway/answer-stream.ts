/** The body of an answer that comes in chunks: none may be missing, and the worker is told how much of it the client has taken. */
import type { ServerResponse } from 'node:http';
import { STREAM_WINDOW } from '../shared/protocol/frames.ts';
import { CallFailed } from './call-failed.ts';

/** A worker hears of what was taken when it is this much. */
const TELL_AFTER = STREAM_WINDOW / 4;

export class AnswerStream {
  /** Subject that tells the worker how far the client is, and no other worker has: it stands for the run. */
  readonly from: string;
  /** Resolves when nothing comes any more, for whichever reason. */
  readonly over: Promise<void>;
  readonly #tell: (taken: number) => void;
  #resolveOver = () => {};
  readonly #waiting: Buffer[] = [];
  #next = 1;
  #received = 0;
  #taken = 0;
  #told = 0;
  #ended = false;
  #error: CallFailed | undefined;
  #wake = () => {};

  /** Says that nobody wants the rest. */
  readonly cancel: () => void;

  /** @param tell tells the worker how many bytes the client has taken so far. */
  constructor(from: string, tell: (taken: number) => void, cancel: () => void) {
    this.from = from;
    this.cancel = cancel;
    this.#tell = tell;
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  /** Whether nothing is missing before what has this number. */
  isNext(n: number | undefined): boolean {
    return n === this.#next;
  }

  /** @returns whether it is the next chunk, and no more than may be on its way. */
  add(n: number, chunk: Buffer): boolean {
    if (!this.isNext(n) || this.#received + chunk.length - this.#taken > STREAM_WINDOW) return false;
    this.#next++;
    this.#received += chunk.length;
    this.#waiting.push(chunk);
    this.#wake();
    return true;
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#resolveOver();
    this.#wake();
  }

  /** Nothing more comes, although there was more. */
  cutOff(error: CallFailed): void {
    this.#error ??= error;
    this.#resolveOver();
    this.#wake();
  }

  /** Tells the worker again what it may have missed. */
  repeat(): void {
    this.#told = this.#taken;
    this.#tell(this.#taken);
  }

  /**
   * Passes all chunks on as they come, as fast as the client takes them. Resolves when it has had, or will have, all of them.
   * @throws {CallFailed} when the rest does not come, and the client has had what did, or when it has left.
   */
  async sendTo(client: ServerResponse): Promise<void> {
    client.on('drain', () => this.#wake()).on('close', () => this.#wake());
    while (!client.destroyed) {
      const chunk = client.writableNeedDrain ? undefined : this.#waiting.shift();
      if (chunk) {
        client.write(chunk, (error) => {
          if (!error) this.#take(chunk.length);
        });
        continue;
      }
      if (this.#ended && this.#waiting.length === 0) return;
      if (this.#error && this.#taken === this.#received) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    throw this.#error ?? new CallFailed(503, 'The caller is gone');
  }

  #take(length: number): void {
    this.#taken += length;
    if (this.#error) this.#wake();
    else if (this.#taken - this.#told >= TELL_AFTER && !this.#ended) this.repeat();
  }
}
