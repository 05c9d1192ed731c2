/** Notices that this process stood still: it was frozen, or its machine was. */

const BEAT_MS = 250;
/** Shorter than any ack wait: what is handed to us during a shorter one is still ours after it. */
const STALL_MS = 2_000;
/** What lay in the socket's buffers is read within this time. */
const DISTRUST_MS = 500;

export class StallWatch {
  readonly #onStall: (ms: number) => void;
  readonly #timer: NodeJS.Timeout;
  /** The wall clock, since others stop while a machine sleeps. */
  #aliveAt = Date.now();
  #distrustUntil = 0;

  constructor(onStall: (ms: number) => void) {
    this.#onStall = onStall;
    this.#timer = setInterval(() => this.#check(), BEAT_MS).unref();
  }

  /** Whether a message that arrives now may have been sent long ago, and be with somebody else by now. */
  mayBeStale(): boolean {
    return this.#check() < this.#distrustUntil;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): number {
    const now = Date.now();
    const silence = now - this.#aliveAt;
    this.#aliveAt = now;
    if (silence > STALL_MS) {
      this.#distrustUntil = now + DISTRUST_MS;
      this.#onStall(silence);
    }
    return now;
  }
}
