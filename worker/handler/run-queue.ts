/** The runs that a handler thread was sent and has not started, and when it is each one's turn. */
import type { Gate, Gates } from '../threads/gates.ts';
import type { RunMessage } from '../threads/messages.ts';
import { flush } from './outbox.ts';

/** A run that gives the processor back within this time is quick. */
const QUICK_MS = 2;
const MOST_PER_TURN = 128;
const GATE_RETRY_MS = 1;

export class RunQueue {
  readonly #gates: Gates;
  readonly #start: (message: RunMessage) => void;
  readonly #waiting: RunMessage[] = [];
  /** Runs whose step has as many going on as it may, by gate. */
  readonly #gated = new Map<number, RunMessage[]>();
  /** Whether the last run of a step was quick. */
  readonly #quick = new Map<string, boolean>();
  #scheduled = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(gates: Gates, start: (message: RunMessage) => void) {
    this.#gates = gates;
    this.#start = start;
  }

  push(message: RunMessage): void {
    this.#waiting.push(message);
    this.#schedule();
  }

  /** A run is over: one of the same step may begin. */
  leave(gate: Gate): void {
    this.#gates.leave(gate);
    this.#release(gate.index);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#startNext());
  }

  /**
   * Starts what waits. A run that may compute without a pause gets a turn of the event loop to itself, after the answers of
   * earlier ones have left: it holds up nothing that is finished. Steps that have shown to be quick share a turn.
   */
  #startNext(): void {
    this.#scheduled = false;
    flush();
    this.#startOne(MOST_PER_TURN);
  }

  /** @param left how many more may start in this turn. */
  #startOne(left: number): void {
    const next = this.#nextAllowed(left < MOST_PER_TURN);
    if (next) {
      const began = performance.now();
      this.#start(next);
      const isQuick = performance.now() - began < QUICK_MS;
      this.#quick.set(next.run.step, isQuick);
      if (isQuick && left > 1 && this.#waiting.length > 0) {
        // Between two starts, runs that wait for nothing come to their end: so they do not fill the gate of their step.
        queueMicrotask(() => this.#startOne(left - 1));
        return;
      }
    }
    if (this.#waiting.length > 0) this.#schedule();
  }

  /** Takes the next run whose step has not as many going on as it may. */
  #nextAllowed(onlyQuick: boolean): RunMessage | undefined {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (onlyQuick && !this.#quick.get(next.run.step)) return undefined;
      this.#waiting.shift();
      if (!next.gate || this.#mayEnter(next.gate, next)) return next;
    }
    return undefined;
  }

  #mayEnter(gate: Gate, message: RunMessage): boolean {
    if (this.#gates.tryEnter(gate)) return true;
    const gated = this.#gated.get(gate.index);
    if (gated) gated.push(message);
    else this.#gated.set(gate.index, [message]);
    // Runs of other threads count too, and these cannot tell us when one ends.
    this.#retry ??= setTimeout(() => this.#retryAll(), GATE_RETRY_MS);
    return false;
  }

  #release(gateIndex: number): void {
    const gated = this.#gated.get(gateIndex);
    const next = gated?.shift();
    if (gated?.length === 0) this.#gated.delete(gateIndex);
    if (next) this.push(next);
  }

  #retryAll(): void {
    this.#retry = undefined;
    for (const gateIndex of [...this.#gated.keys()]) this.#release(gateIndex);
    if (this.#gated.size > 0) this.#retry = setTimeout(() => this.#retryAll(), GATE_RETRY_MS);
  }
}
