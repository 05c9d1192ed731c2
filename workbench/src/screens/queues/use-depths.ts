/** How many events have waited lately, as far as the page has seen it. */
import { useRef } from 'react';
import type { QueueStatus } from '../../api/types.ts';

const KEPT = 60;

/** @param updatedAt of the answer, so that each one counts once. @returns depths by subscription, the newest last. */
export function useDepths(
  queues: readonly QueueStatus[] | undefined,
  updatedAt: number,
): ReadonlyMap<string, readonly number[]> {
  const seen = useRef({ at: 0, depths: new Map<string, number[]>() });
  if (queues && updatedAt !== seen.current.at) {
    const before = seen.current.depths;
    const depths = new Map(
      queues.map(({ subscription, waiting, inFlight }) => [
        subscription,
        [...(before.get(subscription) ?? []), waiting + inFlight].slice(-KEPT),
      ]),
    );
    seen.current = { at: updatedAt, depths };
  }
  return seen.current.depths;
}
