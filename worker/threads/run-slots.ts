/**
 * Memory that the broker thread shares with one handler thread: for each run in flight whether it has started, until when
 * its message is surely ours, how long that waited, and the run's span. It works while the handler thread computes and cannot answer.
 */

const FREE = 0;
const QUEUED = 1;
const STARTED = 2;
const WITHDRAWN = 3;
const ENDED = 4;

/** Runs in flight in one handler thread at most. */
export const SLOTS_PER_THREAD = 1024;
const TRACEPARENT_BYTES = 55;
const BYTES_PER_SLOT = 28 + TRACEPARENT_BYTES;

export class RunSlots {
  readonly buffer: SharedArrayBuffer;
  readonly #state: Int32Array;
  readonly #lease: Float64Array;
  readonly #startedAt: Float64Array;
  readonly #storedAt: Float64Array;
  readonly #current: Int32Array;
  readonly #spans: Buffer;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(SLOTS_PER_THREAD * BYTES_PER_SLOT + 4)) {
    this.buffer = buffer;
    this.#lease = new Float64Array(buffer, 0, SLOTS_PER_THREAD);
    this.#startedAt = new Float64Array(buffer, SLOTS_PER_THREAD * 8, SLOTS_PER_THREAD);
    this.#storedAt = new Float64Array(buffer, SLOTS_PER_THREAD * 16, SLOTS_PER_THREAD);
    this.#state = new Int32Array(buffer, SLOTS_PER_THREAD * 24, SLOTS_PER_THREAD);
    this.#current = new Int32Array(buffer, SLOTS_PER_THREAD * 28, 1);
    this.#spans = Buffer.from(buffer, SLOTS_PER_THREAD * 28 + 4);
  }

  /** Broker thread: the run is on its way to the handler thread. @param storedAt when its message was stored, ms since 1970. */
  queue(slot: number, leaseUntil: number, storedAt: number): void {
    this.#lease[slot] = leaseUntil;
    this.#startedAt[slot] = 0;
    this.#storedAt[slot] = storedAt;
    this.#spans[slot * TRACEPARENT_BYTES] = 0;
    Atomics.store(this.#state, slot, QUEUED);
  }

  /** Handler thread: takes the run, unless it has been withdrawn meanwhile. */
  tryStart(slot: number): boolean {
    const mine = Atomics.compareExchange(this.#state, slot, QUEUED, STARTED) === QUEUED;
    if (mine) {
      this.#startedAt[slot] = Date.now();
      Atomics.store(this.#current, 0, slot);
    }
    return mine;
  }

  /** Broker thread: when the run started, ms since 1970; 0 if it has not. */
  startedAt(slot: number): number {
    return this.#startedAt[slot] as number;
  }

  /** Handler thread: how long the message had been stored when its run started, in ms. The broker's clock may differ from ours. */
  waitedMs(slot: number): number {
    return Math.max(0, (this.#startedAt[slot] as number) - (this.#storedAt[slot] as number));
  }

  /** Handler thread: the run's span, as `traceparent`. */
  tellSpan(slot: number, traceparent: string): void {
    this.#spans.write(traceparent, slot * TRACEPARENT_BYTES, TRACEPARENT_BYTES, 'latin1');
  }

  /** Broker thread: `traceparent` of the run's span, if it was told. */
  span(slot: number): string | undefined {
    const at = slot * TRACEPARENT_BYTES;
    return this.#spans[at] === 0 ? undefined : this.#spans.toString('latin1', at, at + TRACEPARENT_BYTES);
  }

  /**
   * Either thread: the run does not count as going on any more, because it is over or given up.
   * @returns whether this call ended it: exactly one does.
   */
  tryEnd(slot: number): boolean {
    return Atomics.compareExchange(this.#state, slot, STARTED, ENDED) === STARTED;
  }

  /** Broker thread: takes the run back, unless it has started meanwhile. */
  tryWithdraw(slot: number): boolean {
    return Atomics.compareExchange(this.#state, slot, QUEUED, WITHDRAWN) === QUEUED;
  }

  /** Broker thread: the run is over, or the handler thread has seen that it was withdrawn. */
  free(slot: number): void {
    Atomics.store(this.#state, slot, FREE);
  }

  /** Broker thread: the message is ours until then (ms since 1970); 0 fences the run off. */
  lease(slot: number, until: number): void {
    this.#lease[slot] = until;
  }

  /** Handler thread: whether the run may still act. */
  leased(slot: number, now: number): boolean {
    return (this.#lease[slot] as number) > now;
  }

  /** Handler thread: this run has the processor now. */
  enter(slot: number): void {
    Atomics.store(this.#current, 0, slot);
  }

  /** Broker thread: the run that had the processor last, which is the one that blocks a silent thread. */
  current(): number {
    return Atomics.load(this.#current, 0);
  }
}
