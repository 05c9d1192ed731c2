/**
 * Changes that depend on what is stored: read, changed, and stored if nobody else was faster. In one process a key has one
 * round trip at a time: changes that are asked for meanwhile wait, and are applied together in the next one. Otherwise a key
 * that many want to change would see little but lost races.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MotiaError } from '../errors.ts';
import { expiryOf, type JsonBucket } from './json-bucket.ts';

/**
 * Makes the next value from the present one, as JSON; `undefined` for nothing. May be called several times, and throw: then
 * what is stored stays as it was.
 */
export type Change = (json: string | undefined) => Promise<string | undefined>;

interface Waiting {
  change: Change;
  names: string | undefined;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** A change that takes longer holds up all others of its key, or waits for one of them. */
const LONGEST_CHANGE_MS = 10_000;
const LONGEST_PAUSE_MS = 100;

export class ChangeQueue {
  readonly #bucket: JsonBucket;
  readonly #longestChangeMs: number;
  /** By key; a key is here as long as somebody works on it. */
  readonly #waiting = new Map<string, Waiting[]>();

  /** @param longestChangeMs how long a change may take before it is given up. */
  constructor(bucket: JsonBucket, longestChangeMs = LONGEST_CHANGE_MS) {
    this.#bucket = bucket;
    this.#longestChangeMs = longestChangeMs;
  }

  /**
   * Resolves when a change is stored. Rejects with what the change threw. When the entry goes stays as it is.
   * @param names of the entry, as in `EntryFields`.
   */
  apply(key: string, change: Change, names?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(key);
      if (waiting) {
        waiting.push({ change, names, resolve, reject });
        return;
      }
      const queue: Waiting[] = [{ change, names, resolve, reject }];
      this.#waiting.set(key, queue);
      void this.#work(key, queue);
    });
  }

  async #work(key: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) await this.#store(key, queue);
    this.#waiting.delete(key);
  }

  /** Stores what waits, and what comes until it has won the race for it. Never rejects. */
  async #store(key: string, queue: Waiting[]): Promise<void> {
    let open: Waiting[] = [];
    try {
      for (let races = 0; ; races++) {
        const before = await this.#bucket.load(key);
        const taken = [...open, ...queue.splice(0)];
        open = [];
        const expiresAt = expiryOf(before.last.entry);
        const isOver = expiresAt !== undefined && expiresAt <= Date.now(); // the broker takes it away within a second
        let json = isOver ? undefined : before.json;
        for (const one of taken) {
          try {
            json = await withinTime(this.#longestChangeMs, one.change(json));
            open.push(one);
          } catch (error) {
            one.reject(error);
          }
        }
        const fields = { names: open[0]?.names, expiresAt: isOver ? undefined : expiresAt };
        if (open.length === 0 || (await this.#bucket.replace(key, before, json, fields)) !== undefined) break;
        await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** races));
      }
      for (const { resolve } of open) resolve();
    } catch (error) {
      const failed = open.length > 0 ? open : queue.splice(0);
      for (const { reject } of failed) reject(error);
    }
  }
}

/** @throws {MotiaError} `INVALID_VALUE` if a change is not made in time. */
async function withinTime<T>(limitMs: number, change: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = limitMs / 1000;
      const advice = 'it has to be quick, and must not wait for another change of the same key';
      reject(
        new MotiaError('INVALID_VALUE', `the function that makes the new value took over ${seconds} s: ${advice}`),
      );
    }, limitMs);
  });
  try {
    return await Promise.race([change, late]);
  } finally {
    clearTimeout(timer);
  }
}
