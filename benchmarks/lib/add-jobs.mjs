// How the queue benchmark adds its jobs, word for word the same in a handler of ours and in BullMQ's producer.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} AddOrder
 * @property {number} count
 * @property {number} [window] so many adds are under way at a time, as fast as they go
 * @property {number} [perSecond] instead: each job at its moment, whether the ones before are stored or not
 */

/** Milliseconds since 1970, finer than Date.now(). */
export const now = () => performance.timeOrigin + performance.now();

/**
 * @param {AddOrder} order
 * @param {(job: { id: number, sentAt: number }) => Promise<unknown>} add resolves when the job is stored
 * @returns {Promise<{ startedAt: number, storedAt: number }>}
 */
export async function addJobs({ count, window, perSecond }, add) {
  const startedAt = now();
  let next = 0;
  const addNext = () => add({ id: next++, sentAt: now() });
  if (perSecond) {
    const adds = [];
    for (; next < count; await sleep(1)) {
      const due = Math.min(count, ((now() - startedAt) / 1000) * perSecond);
      while (next < due) adds.push(addNext());
    }
    await Promise.all(adds);
  } else {
    const lane = async () => {
      while (next < count) await addNext();
    };
    await Promise.all(Array.from({ length: window }, lane));
  }
  return { startedAt, storedAt: now() };
}
