/** Calls listeners. */

/** Calls each one that is there now. What one throws is nobody's to catch, and keeps the others from nothing. */
export function tell<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
