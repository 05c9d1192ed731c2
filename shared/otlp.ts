/** Export of spans over OTLP/HTTP, by the OpenTelemetry SDK. Imported only when an exporter is configured. */
import { hostname } from 'node:os';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { TelemetryEnvironment } from './config.ts';
import type { RecordedSpan } from './recorded-span.ts';
import type { Service } from './tracing.ts';

export interface SpanExport {
  /** What the exporter says of the process with each span. */
  resource: ReadableSpan['resource'];
  onEnd(span: RecordedSpan): void;
  /** Exports what is left. */
  close(): Promise<void>;
}

export function createOtlpExport(settings: TelemetryEnvironment, service: Service): SpanExport {
  const resource = resourceFromAttributes({
    'service.name': settings.serviceName ?? service.name,
    'service.instance.id': `${hostname()}-${process.pid}`,
    'motia.role': service.role,
    ...settings.resourceAttributes,
  });
  const exporter = new OTLPTraceExporter({ url: settings.tracesUrl as string, headers: settings.headers });
  const processor = new BatchSpanProcessor(exporter);
  return {
    resource,
    onEnd: (span) => processor.onEnd(span),
    close: () => processor.shutdown(),
  };
}
