/** Export of spans over OTLP/HTTP, by OpenTelemetry's processor and exporter. Imported only when an exporter is configured. */
import { hostname } from 'node:os';
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { type IExportTraceServiceResponse, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { TelemetryEnvironment } from './config.ts';
import type { RecordedSpan } from './recorded-span.ts';
import { type EncodedSpan, encodeRequest, encodeSpan } from './span-encoding.ts';
import type { Attributes, Service } from './tracing.ts';

export interface SpanExport {
  /** @param span one that is sampled. */
  onEnd(span: RecordedSpan): void;
  /** Exports what is left. */
  close(): Promise<void>;
}

export function createOtlpExport(settings: TelemetryEnvironment, service: Service): SpanExport {
  const resource: Attributes = {
    'service.name': settings.serviceName ?? service.name,
    'service.instance.id': `${hostname()}-${process.pid}`,
    'motia.role': service.role,
    ...settings.resourceAttributes,
  };
  const target = { url: settings.tracesUrl as string, headers: settings.headers };
  const delegate = createOtlpHttpExportDelegate<EncodedSpan[], IExportTraceServiceResponse>(
    convertLegacyHttpOptions(target, 'TRACES', 'v1/traces', { 'Content-Type': 'application/x-protobuf' }),
    {
      serializeRequest: (spans) => encodeRequest(resource, spans),
      deserializeResponse: ProtobufTraceSerializer.deserializeResponse,
    },
    'otlp_http_span_exporter',
    { name: 'span', countItems: ({ length }) => length },
    undefined,
  );
  const exporter: unknown = new OTLPExporterBase(delegate);
  const processor = new BatchSpanProcessor(exporter as SpanExporter, {
    maxQueueSize: settings.waitingSpans,
    maxExportBatchSize: settings.exportedTogether,
  });
  return {
    onEnd(span) {
      const { block, start, end, scope } = encodeSpan(span);
      processor.onEnd({ block, start, end, scope, spanContext, resource: KNOWN_RESOURCE } as unknown as ReadableSpan);
    },
    close: () => processor.shutdown(),
  };
}

/** What the processor wants to know of a span that it hands to the exporter: that it is sampled, and whether its resource is still to come. */
const spanContext = () => ({ traceFlags: 1 });
const KNOWN_RESOURCE = {};
