/** From when on new records are asked for, so that none is missed and none is shown twice. Pure. */
import type { LogRecord } from '../../api/types.ts';
import { keyOf, type LogEntry, readKey } from './log-entry.ts';

/** Processes publish their records every 200 ms, so those of an earlier time may come later. */
const OVERLAP_MS = 2_000;

export interface Overlap {
  /** ISO 8601. */
  since: string;
  /** Keys of what will be told again, with how often. */
  known: Map<string, number>;
}

/**
 * A moment before the newest record, but never before what is loaded: what is older comes as one scrolls.
 *
 * @param entries that are loaded, the newest first, those of several processes in order within a moment.
 * @param unshown records that came and are not among them.
 * @param hasMore whether there are older ones than `entries`.
 */
export function overlapOf(entries: readonly LogEntry[], unshown: readonly LogRecord[], hasMore: boolean): Overlap {
  const times = [entries[0]?.record, unshown.at(-1)].flatMap((record) => (record ? [Date.parse(record.time)] : []));
  const newest = times.length > 0 ? Math.max(...times) : Date.now();
  const oldest = entries.at(-1)?.record.time;
  const loadedFrom = hasMore && oldest !== undefined ? Date.parse(oldest) + 1 : 0;
  const since = Math.max(newest - OVERLAP_MS, loadedFrom);
  const known = new Map<string, number>();
  const know = (key: string) => known.set(key, (known.get(key) ?? 0) + 1);
  for (const record of unshown) if (Date.parse(record.time) >= since) know(keyOf(record));
  for (const { key, record } of entries) {
    const time = Date.parse(record.time);
    if (time < since - OVERLAP_MS) break;
    if (time >= since) know(readKey(key).first);
  }
  return { since: new Date(since).toISOString(), known };
}
