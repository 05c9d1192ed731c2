/**
 * Keeps what is stored of a busy process affordable, however many traces are sampled for an exporter: above a rate only every second trace is
 * kept, or every fourth, and so on. Which ones is told by their ids, so that processes which are as busy keep the same.
 */
const MOST_PER_SECOND = 2_000;
const SECOND_MS = 1_000;
/** Beyond it one trace in 65,536 is kept. */
const MOST_LEVEL = 16;

export class Thinning {
  readonly #most: number;
  #level = 0;
  #count = 0;
  #since = 0;

  /** @param most spans in a second. */
  constructor(most = MOST_PER_SECOND) {
    this.#most = most;
  }

  /** Whether a span of this trace is kept. */
  keeps(traceId: string): boolean {
    if (++this.#count > this.#most) this.#onMany();
    return this.#level === 0 || Number.parseInt(traceId.slice(-4), 16) % 2 ** this.#level === 0;
  }

  /** So many have come since the last look: that took a second or more, or it was too fast. */
  #onMany(): void {
    const now = performance.now();
    // How many would be kept of what comes in a second.
    const kept = (this.#count * SECOND_MS) / Math.max(now - this.#since, 1) / 2 ** this.#level;
    if (kept > this.#most) this.#level = Math.min(this.#level + 1, MOST_LEVEL);
    else if (kept < this.#most / 4) this.#level = Math.max(this.#level - 1, 0);
    this.#count = 0;
    this.#since = now;
  }
}
