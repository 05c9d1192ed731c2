/** Notices that this process stood still: it was frozen, or its machine was. */

const BEAT_MS = 250;
/** Shorter than most ack waits: what is handed to us during a shorter one is still ours after it. */
const STALL_MS = 2_000;
/** Half of the shortest ack wait. */
const SHORTEST_STALL_MS = 500;
/** What lay in the socket's buffers is read within this time. */
const DISTRUST_MS = 500;

export class StallWatch {
  readonly #onStall: (ms: number) => void;
  readonly #timer: NodeJS.Timeout;
  /** The wall clock, since others stop while a machine sleeps. */
  #aliveAt = Date.now();
  #distrustUntil = 0;
  /** How long the latest silence was, while it is distrusted. */
  #silenceMs = 0;

  constructor(onStall: (ms: number) => void) {
    this.#onStall = onStall;
    this.#timer = setInterval(() => this.#check(), BEAT_MS).unref();
  }

  /** Whether a message that arrives now may have been sent so long ago that, with this ack wait, somebody else has it by now. */
  mayBeStale(ackWaitMs: number): boolean {
    return this.#check() < this.#distrustUntil && this.#silenceMs > Math.min(STALL_MS, ackWaitMs / 2);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): number {
    const now = Date.now();
    const silence = now - this.#aliveAt;
    this.#aliveAt = now;
    if (silence > SHORTEST_STALL_MS) {
      this.#silenceMs = now < this.#distrustUntil ? Math.max(this.#silenceMs, silence) : silence;
      this.#distrustUntil = now + DISTRUST_MS;
    }
    if (silence > STALL_MS) this.#onStall(silence);
    return now;
  }
}
