/** When the next runs of a step may start, agreed upon by all its workers in one entry of the broker. */
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import { readLast, replaceEntry } from './key-value.ts';

/** Starts are given out this far ahead, so that the way to the broker costs none; those of a worker that is lost are lost. */
const AHEAD_MS = 1_000;

/** By this much the clocks of workers may differ. */
const CLOCKS_DIFFER_MS = 1_000;

export interface Starts {
  /** Ms since 1970, in order; as many as were asked for, or less. */
  at: number[];
  /** The first start that is not given out, ms since 1970. */
  next: number;
}

/** Gives out up to `wanted` starts, `spacingMs` apart, from `next` on. Pure. */
export function planStarts(next: number, now: number, wanted: number, spacingMs: number): Starts {
  // What is further away was left by a stricter limit, or by a clock that is wrong: nobody has to wait for it.
  const isOurs = next <= now + AHEAD_MS + spacingMs + CLOCKS_DIFFER_MS;
  let from = isOurs ? Math.max(next, now) : now;
  const at: number[] = [];
  for (; at.length < wanted && from <= now + AHEAD_MS; from += spacingMs) at.push(from);
  return { at, next: from };
}

/**
 * Gets up to `wanted` starts for runs of a step that no other worker gets.
 * @throws {MotiaError} `BROKER_*`; starts that it had got are lost then.
 */
export async function reserveStarts(
  broker: Broker,
  names: Names,
  stepId: string,
  wanted: number,
  spacingMs: number,
): Promise<Starts> {
  const [bucket, key] = [names.buckets.delivery, names.rateKey(stepId)];
  for (;;) {
    const { entry, revision } = await readLast(broker, bucket, key);
    const next = entry ? Number(Buffer.from(entry.data).toString('utf8')) || 0 : 0;
    const starts = planStarts(next, Date.now(), wanted, spacingMs);
    if (starts.at.length === 0) return starts;
    const replaced = await replaceEntry(broker, bucket, key, String(starts.next), revision);
    if (replaced !== undefined) return starts;
  }
}
