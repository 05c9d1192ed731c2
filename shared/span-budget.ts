/**
 * Keeps what is stored of a busy process affordable: so many spans of each second are described, whichever traces they are of. One trace may have thousands of runs.
 */
const MOST_PER_SECOND = 500;
const SECOND_MS = 1_000;

export class SpanBudget {
  readonly #most: number;
  #left: number;
  #until = 0;

  /** @param most spans in a second. */
  constructor(most = MOST_PER_SECOND) {
    this.#most = most;
    this.#left = most;
  }

  /** Whether there is room for one more. */
  take(): boolean {
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    const now = performance.now();
    if (now < this.#until) return false;
    this.#until = now + SECOND_MS;
    this.#left = this.#most - 1;
    return true;
  }
}
