/** W3C trace context: ids and the `traceparent` header. */
import { randomFillSync } from 'node:crypto';

export interface TraceContext {
  /** 32 hex digits. */
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
  sampled: boolean;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** Reads a `traceparent`; anything malformed is `undefined`. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const match = header === undefined ? null : TRACEPARENT.exec(header);
  if (!match || match[1] === NO_TRACE || match[2] === NO_SPAN) return undefined;
  return {
    traceId: match[1] as string,
    spanId: match[2] as string,
    sampled: (Number.parseInt(match[3] as string, 16) & 1) === 1,
  };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Random bytes are drawn in bulk: one system call for hundreds of ids. */
const pool = Buffer.alloc(8192);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + bytes);
  used += bytes;
  return hex;
}

/** Digits of a trace id that say when the trace began. */
const TIME_DIGITS = 12;

/** Begins with the time, so that a trace is found where it was stored; 80 random bits follow. */
export const newTraceId = (): string => Date.now().toString(16).padStart(TIME_DIGITS, '0') + randomHex(10);
/** When a trace of ours began, ms since 1970. Of one that others began it may be anything. */
export const beganAt = (traceId: string): number => Number.parseInt(traceId.slice(0, TIME_DIGITS), 16);
export const newSpanId = (): string => randomHex(8);
