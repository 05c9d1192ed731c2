/** How long things of one kind have taken: plain numbers, which become a histogram when somebody asks. */

/** One of the things that were counted, as an example. */
export interface Exemplar {
  traceparent: string;
  seconds: number;
  /** When it was counted, ms since 1970. */
  at: number;
}

export class Durations {
  readonly bounds: readonly number[];
  /** Things up to each bound and above the one before, and last those above all of them. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #traceparents: (string | undefined)[];
  readonly #seconds: Float64Array;
  readonly #times: Float64Array;

  /** @param bounds in seconds, rising. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
    this.#traceparents = new Array(bounds.length + 1).fill(undefined);
    this.#seconds = new Float64Array(bounds.length + 1);
    this.#times = new Float64Array(bounds.length + 1);
  }

  /** @param traceparent of the thing, which makes it the newest example of its bucket. */
  add(seconds: number, traceparent?: string): void {
    let bucket = 0;
    while (bucket < this.bounds.length && seconds > (this.bounds[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += seconds;
    if (traceparent === undefined) return;
    this.#traceparents[bucket] = traceparent;
    this.#seconds[bucket] = seconds;
    this.#times[bucket] = Date.now();
  }

  /** The newest of a bucket whose trace is known. */
  exemplar(bucket: number): Exemplar | undefined {
    const traceparent = this.#traceparents[bucket];
    if (traceparent === undefined) return undefined;
    return { traceparent, seconds: this.#seconds[bucket] as number, at: this.#times[bucket] as number };
  }
}
