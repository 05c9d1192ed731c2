/** What threads that make spans and the one that exports them hand over. */
import type { MessagePort } from 'node:worker_threads';
import type { RecordedSpan } from '../recorded-span.ts';

/** Some spans of one tracer, which lie one after the other in a block of memory. */
export interface SpanRange {
  scope: RecordedSpan['instrumentationScope'];
  start: number;
  end: number;
  /** How many spans these are. */
  count: number;
}

/** What lies in a block of memory, which goes along. */
export interface SpanParcel {
  block: ArrayBuffer;
  ranges: SpanRange[];
}

/** Where a thread hands in its spans. */
export interface SpanIntake {
  port: MessagePort;
  /** Of {@link SpanCounts}. */
  counts: SharedArrayBuffer;
}

/** What all threads of a process count together. */
export class SpanCounts {
  readonly buffer: SharedArrayBuffer;
  readonly #counts: Int32Array;

  constructor(buffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#counts = new Int32Array(buffer);
  }

  /** Spans that were handed in and are not exported yet. */
  get waiting(): number {
    return Atomics.load(this.#counts, 0);
  }

  addWaiting(more: number): void {
    Atomics.add(this.#counts, 0, more);
  }

  drop(): void {
    Atomics.add(this.#counts, 1, 1);
  }

  /** Spans that were dropped since the last call. */
  takeDropped(): number {
    return Atomics.exchange(this.#counts, 1, 0);
  }
}
