/** Lets events of a subscription go on to their runs no faster than the step's rate limit, which all workers share. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Starts } from '../shared/broker/run-rate.ts';

/** Starts are given out up to a second ahead. */
const ASK_BEFORE_MS = 500;

export class RateLimit {
  readonly #reserve: (wanted: number) => Promise<Starts>;
  #waiting: { start: () => void; fail: (error: unknown) => void }[] = [];
  #busy = false;

  /** @param reserve gets starts for this many runs, or less. */
  constructor(reserve: (wanted: number) => Promise<Starts>) {
    this.#reserve = reserve;
  }

  /** Resolves when one more run may start. Rejects if the broker cannot be asked. */
  turn(): Promise<void> {
    return new Promise((start, fail) => {
      this.#waiting.push({ start, fail });
      void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    await Promise.resolve(); // those of the same turn are asked for together
    while (this.#waiting.length > 0) {
      try {
        const { at, next } = await this.#reserve(this.#waiting.length);
        for (const [n, { start }] of this.#waiting.splice(0, at.length).entries()) {
          setTimeout(start, Math.max(0, (at[n] ?? 0) - Date.now()));
        }
        // The others ask again shortly before the next start: other workers wait for it, too.
        if (this.#waiting.length > 0) await sleep(Math.max(10, next - Date.now() - ASK_BEFORE_MS));
      } catch (error) {
        for (const { fail } of this.#waiting.splice(0)) fail(error);
      }
    }
    this.#busy = false;
  }
}
