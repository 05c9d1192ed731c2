/**
 * Keeps what is stored of a busy process affordable, however many traces are sampled for an exporter: above a rate only every second trace is
 * kept, or every fourth, and so on. Which ones is told by their ids, so that processes which are as busy keep the same.
 */
import { monotonicMs, PER_SECOND_BYTES } from './per-second.ts';

const MOST_PER_SECOND = 500;
const SECOND_MS = 1_000;
/** Beyond it one trace in 65,536 is kept. */
const MOST_LEVEL = 16;

/** What it remembers, in bytes. */
const THINNING_BYTES = 16;
/** What the threads of a process count together of the spans that they store: the first of each second, and what thinning remembers. */
export const STORED_COUNT_BYTES = PER_SECOND_BYTES + THINNING_BYTES;
const LEVEL = 0;
const COUNT = 1;

export class Thinning {
  readonly #most: number;
  readonly #numbers: Int32Array;
  readonly #since: Float64Array;

  /**
   * @param most spans in a second.
   * @param memory of threads that keep them together; there are 16 bytes for this from `offset` on.
   */
  constructor(most = MOST_PER_SECOND, memory = new SharedArrayBuffer(THINNING_BYTES), offset = 0) {
    this.#most = most;
    this.#numbers = new Int32Array(memory, offset, 2);
    this.#since = new Float64Array(memory, offset + 8, 1);
  }

  /** Whether a span of this trace is kept. */
  keeps(traceId: string): boolean {
    const count = Atomics.add(this.#numbers, COUNT, 1) + 1;
    if (count > this.#most || Atomics.load(this.#numbers, LEVEL) > 0) this.#look(count);
    const level = Atomics.load(this.#numbers, LEVEL);
    return level === 0 || Number.parseInt(traceId.slice(-4), 16) % 2 ** level === 0;
  }

  /** Where many come it looks after each so many, otherwise after a second: what was busy and has become quiet keeps everything again. */
  #look(count: number): void {
    const now = monotonicMs();
    const took = Math.max(now - (this.#since[0] as number), 1);
    if (count <= this.#most && took < SECOND_MS) return;
    this.#since[0] = now;
    if (Atomics.compareExchange(this.#numbers, COUNT, count, 0) !== count) return; // another thread is looking
    const perSecond = (count * SECOND_MS) / took;
    let level = Atomics.load(this.#numbers, LEVEL);
    if (perSecond / 2 ** level > this.#most) level = Math.min(level + 1, MOST_LEVEL);
    else while (level > 0 && perSecond / 2 ** level < this.#most / 4) level--;
    Atomics.store(this.#numbers, LEVEL, level);
  }
}
