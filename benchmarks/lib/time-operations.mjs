// The loop that the state benchmark runs, word for word the same in a handler and in the bare client's process.

const KEYS = 1000;

/**
 * Runs `operation` `count` times, `concurrency` at a time, over 1000 keys.
 *
 * @param {(key: string, value: object) => Promise<unknown>} operation
 * @param {number} count
 * @param {number} concurrency
 * @returns {Promise<number>} seconds
 */
export async function timeOperations(operation, count, concurrency) {
  const startedAt = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const id = next++;
      await operation(`order-${id % KEYS}`, { id, status: 'paid', total: 42.5, items: ['tea', 'milk'] });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (performance.now() - startedAt) / 1000;
}
