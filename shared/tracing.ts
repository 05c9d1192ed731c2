/**
 * Spans. Ids are always made and carried, since `ctx.traceId` and logs need them; spans are recorded only when an exporter is
 * configured, and the OpenTelemetry SDK is loaded only then.
 */
import type { TelemetryEnvironment } from './config.ts';
import { toErrorRecord } from './errors.ts';
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent, type TraceContext } from './trace-ids.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type Attributes = Record<string, string | number | boolean | string[]>;

export interface SpanOptions {
  kind?: SpanKind;
  /** `traceparent` of the cause in the same trace. Without one a new trace begins. */
  parent?: string | undefined;
  /** `traceparent`s of related work in other traces. */
  links?: string[];
  attributes?: Attributes;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** To be sent along with whatever this span causes. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** Marks the span as failed. */
  fail(error: unknown): void;
  end(): void;
}

export interface Tracing {
  /** Whether spans go anywhere: lets callers skip the work of describing them. */
  readonly recording: boolean;
  startSpan(name: string, options?: SpanOptions): Span;
  /** Exports what is left. */
  close(): Promise<void>;
}

/** Tracing as configured: ids only, or spans exported over OTLP/HTTP. */
export async function createTracing(
  settings: TelemetryEnvironment,
  service: { name: string; role: string },
): Promise<Tracing> {
  if (settings.disabled || settings.tracesUrl === undefined) return idsOnly;
  const { createOtlpTracing } = await import('./otlp.ts');
  return createOtlpTracing(settings, service);
}

/** Makes and carries ids, records nothing. */
export const idsOnly: Tracing = {
  recording: false,
  startSpan: (_name, options) => new IdSpan(parseTraceparent(options?.parent)),
  close: () => Promise.resolve(),
};

class IdSpan implements Span, TraceContext {
  readonly traceId: string;
  readonly spanId = newSpanId();
  readonly sampled: boolean;

  constructor(parent: TraceContext | undefined) {
    this.traceId = parent?.traceId ?? newTraceId();
    this.sampled = parent?.sampled ?? true;
  }

  get traceparent(): string {
    return formatTraceparent(this);
  }

  set(): void {}
  fail(): void {}
  end(): void {}
}

/** Runs an operation inside a span; a failure marks it. */
export async function traced<T>(span: Span, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    span.fail(toErrorRecord(error).message);
    throw error;
  } finally {
    span.end();
  }
}
