/**
 * Spans. Ids are always made and carried, since `ctx.traceId` and logs need them; spans are recorded only when they are stored or
 * exported (`span-export/`).
 */
import type { TelemetryEnvironment } from './config.ts';
import { toErrorRecord } from './errors.ts';
import type { SpanSink } from './recorded-span.ts';
import type { SpanIntake } from './span-export/parcel.ts';
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent, type TraceContext } from './trace-ids.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
/** What a span may bear besides attributes: what it was given, and what came of it. */
export type SpanContent = 'payload' | 'response';
export type Attributes = Record<string, string | number | boolean | string[]>;

export interface SpanOptions {
  kind?: SpanKind;
  /** `traceparent` of the cause in the same trace. Without one a new trace begins. */
  parent?: string | undefined;
  /** `traceparent`s of related work in other traces. */
  links?: string[];
  attributes?: Attributes;
  /** Others, which are the same for many spans: one object for all of them, never changed. */
  common?: Attributes;
  /** Instead of `attributes`: makes them, for a span that is kept. */
  describe?: () => Attributes;
  /** Ms since the process began. Default: now. */
  startedAt?: number;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** To be sent along with whatever this span causes. */
  readonly traceparent: string;
  /** Whether it is kept. Otherwise what it causes is not told of, unless something fails. */
  readonly recorded: boolean;
  set(attributes: Attributes): void;
  /** Adds what was sent or answered to what is stored of a recorded span. */
  attach(name: SpanContent, record: object): void;
  /** Marks the span as failed. */
  fail(error: unknown): void;
  end(): void;
}

export interface Tracing {
  /** Whether spans go anywhere: lets callers skip the work of describing them. */
  readonly recording: boolean;
  startSpan(name: string, options?: SpanOptions): Span;
  /** Hands over what is left to be exported. */
  close(): void;
}

/** Where spans go; nowhere by default. */
export interface SpanTargets {
  /** Takes what is to be stored: the spans that are sampled, and those that failed. */
  store?: SpanSink | undefined;
  /** If several threads of this process store spans: what they count together, of `STORED_COUNT_BYTES`. */
  counts?: SharedArrayBuffer | undefined;
  /** Where all that are sampled are exported. */
  exportTo?: SpanIntake | undefined;
}

/** Tracing as configured: ids only, or spans that are exported over OTLP/HTTP, stored, or both. */
export async function createTracing(settings: TelemetryEnvironment, targets: SpanTargets): Promise<Tracing> {
  if (settings.disabled || !(targets.store || targets.exportTo)) return idsOnly;
  const { createRecordedTracing } = await import('./recorded-tracing.ts');
  return createRecordedTracing(settings, targets);
}

/** Makes and carries ids, records nothing. */
export const idsOnly: Tracing = {
  recording: false,
  startSpan: (_name, options) => new IdSpan(options?.parent),
  close: () => {},
};

/** Makes its ids when they are asked for: many runs ask for none but the trace's. */
export class IdSpan implements Span {
  readonly recorded = false;
  readonly #parent: string | undefined;
  #trace: Pick<TraceContext, 'traceId' | 'sampled'> | undefined;
  #spanId: string | undefined;

  /** @param trace that of `parent`, if it is known. */
  constructor(parent: string | undefined, trace?: Omit<TraceContext, 'spanId'>) {
    this.#parent = parent;
    this.#trace = trace;
  }

  get #ofTrace(): Pick<TraceContext, 'traceId' | 'sampled'> {
    this.#trace ??= parseTraceparent(this.#parent) ?? { traceId: newTraceId(), sampled: true };
    return this.#trace;
  }

  get traceId(): string {
    return this.#ofTrace.traceId;
  }

  get spanId(): string {
    this.#spanId ??= newSpanId();
    return this.#spanId;
  }

  get traceparent(): string {
    const { traceId, sampled } = this.#ofTrace;
    return formatTraceparent({ traceId, spanId: this.spanId, sampled });
  }

  set(_attributes: Attributes): void {}
  attach(_name: SpanContent, _record: object): void {}
  fail(_error: unknown): void {}
  end(): void {}
}

/** Runs an operation inside a span; a failure marks it. One promise more than without: emits come by the thousand. */
export function traced<T>(span: Span, operation: () => Promise<T>): Promise<T> {
  let running: Promise<T>;
  try {
    running = operation();
  } catch (error) {
    running = Promise.reject(error);
  }
  return running.then(
    (value) => {
      span.end();
      return value;
    },
    (error) => {
      span.fail(toErrorRecord(error).message);
      span.end();
      throw error;
    },
  );
}
