/** How long an event of `lib/fail` has waited for each of its retries. */
import { expect } from 'vitest';
import type { World } from './world.ts';

export interface Retry {
  /** From attempt to attempt, in ms. A busy machine adds to it. */
  wait: number;
  /** What the worker had the broker wait, in ms. */
  planned: number;
}

export async function retriesOf({ notes, worker }: World, id: string): Promise<Retry[]> {
  const started = await notes(id, 'fail started');
  const planned = worker.logs({ action: 'run_failed', traceId: started[0]?.traceId as string });
  expect(planned).toHaveLength(started.length - 1);
  return planned.map(({ retryInMs }, n) => ({
    wait: (started[n + 1]?.at ?? 0) - (started[n]?.at ?? 0),
    planned: retryInMs as number,
  }));
}
