const SECOND_MS = 1_000;

/** What {@link firstOfEachSecond} remembers, in bytes. */
export const PER_SECOND_BYTES = 16;

/**
 * Says yes to the first so many of each second.
 * @param memory of threads that have them together; there are {@link PER_SECOND_BYTES} for this at its beginning.
 */
export function firstOfEachSecond(most: number, memory = new SharedArrayBuffer(PER_SECOND_BYTES)): () => boolean {
  const left = new Int32Array(memory, 0, 1);
  const until = new Float64Array(memory, 8, 1);
  return () => {
    if (Atomics.sub(left, 0, 1) > 0) return true;
    const now = monotonicMs();
    if (now < (until[0] as number)) return false;
    until[0] = now + SECOND_MS;
    Atomics.store(left, 0, most - 1);
    return true;
  };
}

/** The same clock in all threads. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * SECOND_MS + nanoseconds / 1e6;
}
