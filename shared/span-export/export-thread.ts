/** Entry of the thread that exports the spans of a process, by OpenTelemetry's exporter. */
import { hostname } from 'node:os';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { type IExportTraceServiceResponse, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Attributes } from '../tracing.ts';
import { ExportQueue } from './export-queue.ts';
import { SpanCounts, type SpanParcel } from './parcel.ts';
import { countOf, type EncodedSpans, encodeRequest } from './span-encoding.ts';
import type { ExportFailure, ExportSetup, ToExportThread } from './span-export.ts';

const { settings, service, counts: buffer } = workerData as ExportSetup;
const counts = new SpanCounts(buffer);
const resource: Attributes = {
  'service.name': settings.serviceName ?? service.name,
  'service.instance.id': `${hostname()}-${process.pid}`,
  'motia.role': service.role,
  ...settings.resourceAttributes,
};
const target = { url: settings.tracesUrl as string, headers: settings.headers };
const exporter = createOtlpHttpExportDelegate<EncodedSpans[], IExportTraceServiceResponse>(
  convertLegacyHttpOptions(target, 'TRACES', 'v1/traces', { 'Content-Type': 'application/x-protobuf' }),
  {
    serializeRequest: (batch) => encodeRequest(resource, batch),
    deserializeResponse: ProtobufTraceSerializer.deserializeResponse,
  },
  'otlp_http_span_exporter',
  { name: 'span', countItems: countOf },
  undefined,
);
const queue = new ExportQueue({ ...settings, exportBatch });
const intakes = new Set<MessagePort>();

parentPort?.on('message', (message: ToExportThread) => {
  if (message.t === 'close') void close();
  else open(message.port);
});

function open(intake: MessagePort): void {
  intakes.add(intake);
  intake.on('message', take);
  intake.on('close', () => intakes.delete(intake));
}

function take({ block: memory, ranges }: SpanParcel): void {
  const block = Buffer.from(memory);
  for (const range of ranges) queue.add({ block, ...range });
}

async function exportBatch(batch: EncodedSpans[]): Promise<void> {
  const { error } = await new Promise<{ error?: Error }>((resolve) => exporter.export(batch, resolve));
  counts.addWaiting(-countOf(batch));
  if (error) tell({ spans: countOf(batch), reason: error.message });
  const dropped = counts.takeDropped();
  if (dropped > 0)
    tell({ spans: dropped, reason: `more than ${settings.waitingSpans} waited (OTEL_BSP_MAX_QUEUE_SIZE)` });
}

function tell(failure: ExportFailure): void {
  parentPort?.postMessage(failure);
}

async function close(): Promise<void> {
  for (const intake of intakes) {
    for (let next = receiveMessageOnPort(intake); next; next = receiveMessageOnPort(intake)) take(next.message);
  }
  await queue.close();
  process.exit();
}
