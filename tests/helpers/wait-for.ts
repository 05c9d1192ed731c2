/** Waits for what has no event to wait for. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What is waited for, for the message of the error. */
  what?: string;
  /** Milliseconds. Default 10,000. */
  within?: number;
  /** Milliseconds between two looks. Default 20. */
  every?: number;
}

/**
 * Calls `look` until it gives something that is neither falsy nor thrown, and resolves with that.
 *
 * @throws Error when the time is over, with what `look` threw last as its cause.
 */
export async function waitFor<T>(look: () => Promise<T> | T, options: WaitOptions = {}): Promise<NonNullable<T>> {
  const { what = 'a condition', within = 10_000, every = 20 } = options;
  let cause: unknown;
  for (const deadline = Date.now() + within; Date.now() < deadline; await sleep(every)) {
    try {
      const found = await look();
      if (found) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
  }
  const last = cause instanceof Error ? `: ${cause.message}` : '';
  throw new Error(`waited ${within} ms in vain for ${what}${last}`, { cause });
}

/** {@link waitFor} with 30 s: for what takes several processes, each of which may wait for a busy machine. */
export const eventually = <T>(look: () => Promise<T> | T, what?: string): Promise<NonNullable<T>> =>
  waitFor(look, { within: 30_000, ...(what !== undefined && { what }) });
