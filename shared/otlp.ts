/** Spans recorded by the OpenTelemetry SDK and exported over OTLP/HTTP. Imported only when an exporter is configured. */
import { hostname } from 'node:os';
import type { Span as OtelSpan } from '@opentelemetry/api';
import {
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { TelemetryEnvironment } from './config.ts';
import { formatTraceparent, parseTraceparent } from './trace-ids.ts';
import type { Attributes, Span, SpanOptions, Tracing } from './tracing.ts';

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Tracing that records and exports. */
export function createOtlpTracing(settings: TelemetryEnvironment, service: { name: string; role: string }): Tracing {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': settings.serviceName ?? service.name,
      'service.instance.id': `${hostname()}-${process.pid}`,
      'motia.role': service.role,
      ...settings.resourceAttributes,
    }),
    sampler: createSampler(settings),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: settings.tracesUrl as string, headers: settings.headers })),
    ],
  });
  const tracer = provider.getTracer('motia');
  return {
    recording: true,
    startSpan(name, options) {
      const links = (options?.links ?? []).flatMap((link) => toSpanContext(link) ?? []);
      return new RecordedSpan(
        tracer.startSpan(
          name,
          {
            kind: KINDS[options?.kind ?? 'internal'],
            ...(options?.attributes && { attributes: options.attributes }),
            ...(links.length > 0 && { links: links.map((context) => ({ context })) }),
          },
          parentContext(options),
        ),
      );
    },
    close: () => provider.shutdown(),
  };
}

function createSampler({ sampler, samplerRatio }: TelemetryEnvironment): Sampler {
  const root = sampler.endsWith('always_on')
    ? new AlwaysOnSampler()
    : sampler.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(samplerRatio);
  return sampler.startsWith('parentbased') ? new ParentBasedSampler({ root }) : root;
}

function parentContext(options: SpanOptions | undefined): Context {
  const parent = options?.parent === undefined ? undefined : toSpanContext(options.parent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

function toSpanContext(traceparent: string): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (!parsed) return undefined;
  const { traceId, spanId, sampled } = parsed;
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

class RecordedSpan implements Span {
  readonly #span: OtelSpan;
  readonly traceId: string;
  readonly spanId: string;

  constructor(span: OtelSpan) {
    this.#span = span;
    ({ traceId: this.traceId, spanId: this.spanId } = span.spanContext());
  }

  get traceparent(): string {
    const { traceId, spanId } = this;
    return formatTraceparent({ traceId, spanId, sampled: (this.#span.spanContext().traceFlags & 1) === 1 });
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
    if (error instanceof Error) this.#span.recordException(error);
  }

  end(): void {
    this.#span.end();
  }
}
