/** How late the event loop gets to its timers, at worst in the last half or whole minute. */

/** Rare enough to cost nothing, and often enough to notice what goes on for a while. */
const BEAT_MS = 1_000;
const WINDOW_MS = 30_000;

class LoopLag {
  #expectedAt = performance.now() + BEAT_MS;
  #windowEnd = performance.now() + WINDOW_MS;
  #worst = 0;
  #worstBefore = 0;

  constructor() {
    setInterval(() => this.#beat(), BEAT_MS).unref();
  }

  /** In seconds. */
  get worst(): number {
    return Math.max(this.#worst, this.#worstBefore) / 1_000;
  }

  #beat(): void {
    const now = performance.now();
    if (now > this.#windowEnd) {
      this.#worstBefore = this.#worst;
      this.#worst = 0;
      this.#windowEnd = now + WINDOW_MS;
    }
    this.#worst = Math.max(this.#worst, now - this.#expectedAt);
    this.#expectedAt = now + BEAT_MS;
  }
}

let ofProcess: LoopLag | undefined;

/** That of this process, measured from the first call on. */
export function loopLag(): LoopLag {
  ofProcess ??= new LoopLag();
  return ofProcess;
}
