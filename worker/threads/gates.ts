/**
 * How many runs of each event step are going on, in memory shared by all handler threads of a worker. It lets the broker thread
 * send short runs ahead of time while a step's concurrency still holds, across threads.
 */

/** Event steps with a limit of their own at most; further ones share the last place. */
export const MOST_GATES = 4096;

/** Where a step counts its runs, and how many it may have at a time. */
export interface Gate {
  index: number;
  limit: number;
}

export class Gates {
  readonly buffer: SharedArrayBuffer;
  readonly #active: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(MOST_GATES * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#active = new Int32Array(buffer);
  }

  /** Counts a run in, unless the limit is reached. */
  tryEnter({ index, limit }: Gate): boolean {
    if (Atomics.add(this.#active, index, 1) < limit) return true;
    Atomics.sub(this.#active, index, 1);
    return false;
  }

  /** Counts a run out. */
  leave({ index }: Gate): void {
    Atomics.sub(this.#active, index, 1);
  }
}
