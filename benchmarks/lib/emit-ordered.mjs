// How the FIFO benchmark emits, word for word the same in a handler of ours and in the bare client's process.

/**
 * @typedef {object} OrderedOrder
 * @property {number} count
 * @property {number} groups
 * @property {number} window so many emits are under way at a time; a divisor of `groups`, so that those of a group follow each other
 */

/**
 * @param {OrderedOrder} order
 * @param {(group: string, data: { group: string, number: number }) => Promise<unknown>} emit resolves when the event is stored
 * @returns {Promise<{ startedAt: number, storedAt: number }>}
 */
export async function emitOrdered({ count, groups, window }, emit) {
  const startedAt = Date.now();
  const lane = async (first) => {
    for (let index = first; index < count; index += window) {
      const group = `g${index % groups}`;
      await emit(group, { group, number: Math.floor(index / groups) });
    }
  };
  await Promise.all(Array.from({ length: window }, (_, first) => lane(first)));
  return { startedAt, storedAt: Date.now() };
}
