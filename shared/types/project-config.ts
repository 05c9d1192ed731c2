/** What `motia.config.ts` may say. */
import type { StreamAuthConfig } from './streams.ts';

/** `motia.config.ts`. Every setting is optional; flags and environment variables win over it. */
export interface MotiaConfig {
  /** Settings of the HTTP gateway. */
  http?: {
    /** Largest request body in bytes. Default 10 MB. */
    bodyLimit?: number;
    /** Origins that browsers may call from: `'*'` (default), one or more origins, or `false` for none. */
    cors?: { origins: '*' | false | readonly string[] };
    /** Seconds until a call that is not answered gets 504. Default 30. */
    timeout?: number;
    /** Seconds for which the answer to a call with an `Idempotency-Key` is kept, up to 7 days. Default 24 hours. */
    idempotencyWindow?: number;
    /** What happens to a body that does not fit `bodySchema`. Default `warn`. */
    validation?: 'enforce' | 'warn' | 'ignore';
  };
  /** Settings of the workers. */
  workers?: {
    /** Seconds until a handler that computes without a pause is ended, and its thread replaced. Default 30. */
    blockedTimeout?: number;
  };
  /** Who may follow streams, as far as that does not depend on the stream. Without it all clients are anonymous. */
  streamAuth?: StreamAuthConfig;
  /** What is stored of spans and log records. `MOTIA_TELEMETRY_DAYS` and `MOTIA_TELEMETRY_BYTES` win over it. */
  telemetry?: {
    /** How long they stay. Default 3 days. */
    days?: number;
    /** How many bytes of them, compressed. Default 1 GiB, or what the disk has room for. */
    bytes?: number;
    /** Whether spans of requests, their answers and events bear what was sent, up to 16 KB each. Default: in `motia dev` only. */
    payloads?: boolean;
  };
  /** What the Workbench shows. */
  workbench?: {
    /** Where a trace can be looked at besides, as `http://localhost:16686/trace/{traceId}` in Jaeger. */
    traceUrl?: string;
  };
  /** How requests are traced. */
  tracing?: {
    /** Requests with a `traceparent` go on with the trace of the caller's, who so chooses `traceId`. Default false: it is linked to. */
    trustIncoming?: boolean;
  };
  /** What logs tell. */
  logs?: {
    /**
     * Fields whose values are not told, besides those that never are, such as `password` and `authorization`. A name is meant wherever it is,
     * a path like `user.*.card` from the top.
     */
    redact?: readonly string[];
  };
  /** Keys of Motia 0.x that other parts of the framework explain or ignore. */
  plugins?: readonly unknown[];
  adapters?: Record<string, unknown>;
  redis?: unknown;
  app?: unknown;
}
