/** Takes what is exported over OTLP/HTTP and gives the spans, so that tests can ask for them by name. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs';

/** Ids are lower-case hex; of a root span `parentSpanId` is empty. */
export interface ExportedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  links: { traceId: string; spanId: string }[];
  attributes: Record<string, unknown>;
  /** 2 for an error. */
  status: number;
  /** `service.name` and the other attributes of the process. */
  resource: Record<string, unknown>;
}

export interface Collector extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string;
  spans: ExportedSpan[];
}

/** The part of opentelemetry/proto/collector/trace/v1/trace_service.proto that the tests read. */
const PROTO = `
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string = 1; bool bool = 2; int64 int = 3; double double = 4; ArrayValue array = 5; } }
  message ArrayValue { repeated AnyValue values = 1; }
`;
const Request = protobuf.parse(PROTO).root.lookupType('Request');

interface Pairs {
  attributes: { key: string; value: Record<string, unknown> }[];
}
type RawSpan = Pairs & Omit<ExportedSpan, 'attributes' | 'status' | 'resource'> & { status?: { code: number } };

export async function startCollector(): Promise<Collector> {
  const spans: ExportedSpan[] = [];
  const server = createServer(async (request, response) => {
    const message = Request.decode(await buffer(request));
    const { resourceSpans } = Request.toObject(message, { bytes: Array, longs: Number, defaults: true }) as {
      resourceSpans: { resource: Pairs; scopeSpans: { spans: RawSpan[] }[] }[];
    };
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const raw of scopeSpans.flatMap((scope) => scope.spans)) spans.push(toSpan(raw, toRecord(resource)));
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

function toSpan({ attributes, status, ...raw }: RawSpan, resource: Record<string, unknown>): ExportedSpan {
  return {
    ...raw,
    traceId: hex(raw.traceId),
    spanId: hex(raw.spanId),
    parentSpanId: hex(raw.parentSpanId),
    links: raw.links.map(({ traceId, spanId }) => ({ traceId: hex(traceId), spanId: hex(spanId) })),
    attributes: toRecord({ attributes }),
    status: status?.code ?? 0,
    resource,
  };
}

function toRecord({ attributes }: Pairs): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

const hex = (bytes: unknown): string => Buffer.from(bytes as number[]).toString('hex');
