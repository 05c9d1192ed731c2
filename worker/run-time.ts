/** How long the runs of a step take, as a moving average. */

const BRIEF_MS = 1;
/** Share of the newest run in the average. */
const WEIGHT = 0.1;

export class RunTime {
  #ms = Number.POSITIVE_INFINITY;

  /** Milliseconds; infinite before the first run. */
  get ms(): number {
    return this.#ms;
  }

  /** The same if it is brief: such a run costs less than to send each to the least loaded thread. */
  get briefMs(): number | undefined {
    return this.#ms < BRIEF_MS ? this.#ms : undefined;
  }

  /** @param tookMs of one run; 0 if it is not known. */
  add(tookMs: number): void {
    if (tookMs <= 0) return;
    this.#ms = this.#ms === Number.POSITIVE_INFINITY ? tookMs : this.#ms + (tookMs - this.#ms) * WEIGHT;
  }
}
