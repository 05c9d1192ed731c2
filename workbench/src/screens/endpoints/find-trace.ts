/** Finds the trace of a request that was sent with a `traceparent` of ours: the gateway keeps that as a link, since ids of traces are its own. */
import { api } from '../../api/client.ts';
import type { Trace, TracePage } from '../../api/types.ts';

const TRIES = 8;
const WAIT_MS = 400;
const CLOCKS_MS = 2_000;

export function newTraceparent(): string {
  const hex = (bytes: number) =>
    [...crypto.getRandomValues(new Uint8Array(bytes))].map((one) => one.toString(16).padStart(2, '0')).join('');
  return `00-${hex(16)}-${hex(8)}-01`;
}

/** @param sentAt ms since 1970. @returns its id; `undefined` when there is none, since it was not recorded for example. */
export async function findTrace(step: string, traceparent: string, sentAt: number): Promise<string | undefined> {
  const [, ourId, ourSpan] = traceparent.split('-');
  const since = new Date(sentAt - CLOCKS_MS).toISOString();
  const looked = new Set<string>();
  for (let n = 0; n < TRIES; n++) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    const { traces } = await api<TracePage>('/traces', { query: { step, since, limit: 20 } });
    for (const { traceId } of traces) {
      if (traceId === ourId) return traceId;
      if (looked.has(traceId)) continue;
      looked.add(traceId);
      const { roots } = await api<Trace>(`/traces/${traceId}`);
      if (roots.some(({ links = [] }) => links.some((link) => link.includes(`${ourId}-${ourSpan}`)))) return traceId;
    }
  }
  return undefined;
}
