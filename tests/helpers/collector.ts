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
  /** Ns since 1970, in decimal. */
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  events: { name: string; attributes: Record<string, unknown> }[];
  /** Name of what made it. */
  scope: string;
  /** 2 for an error. */
  status: number;
  /** `service.name` and the other attributes of the process. */
  resource: Record<string, unknown>;
}

export interface Collector extends AsyncDisposable {
  url: string;
  /** For processes that are to export to it, without waiting for long. */
  env: Record<string, string>;
  spans: ExportedSpan[];
}

/** The part of opentelemetry/proto/collector/trace/v1/trace_service.proto that the tests read. */
const PROTO = `
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Event events = 11; repeated Link links = 13; Status status = 15;
  }
  message Event { string name = 2; repeated KeyValue attributes = 3; }
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
type RawSpan = Pairs &
  Omit<ExportedSpan, 'attributes' | 'events' | 'scope' | 'status' | 'resource'> & {
    events: (Pairs & { name: string })[];
    status?: { code: number };
  };

export async function startCollector(): Promise<Collector> {
  const spans: ExportedSpan[] = [];
  const server = createServer(async (request, response) => {
    spans.push(...readExport(await buffer(request)));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '200' },
    spans,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

/** The spans of one export. */
export function readExport(bytes: Buffer): ExportedSpan[] {
  const { resourceSpans } = Request.toObject(Request.decode(bytes), {
    bytes: Array,
    longs: String,
    defaults: true,
  }) as {
    resourceSpans: { resource: Pairs; scopeSpans: { scope: { name: string }; spans: RawSpan[] }[] }[];
  };
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) => spans.map((raw) => toSpan(raw, scope.name, toRecord(resource)))),
  );
}

function toSpan(
  { attributes, events, status, ...raw }: RawSpan,
  scope: string,
  resource: Record<string, unknown>,
): ExportedSpan {
  return {
    ...raw,
    scope,
    events: events.map(({ name, attributes: pairs }) => ({ name, attributes: toRecord({ attributes: pairs }) })),
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
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]));
}

/** The one that is set of `AnyValue`. */
function toValue(value: Record<string, unknown>): unknown {
  if (value.int !== undefined) return Number(value.int);
  if (value.array !== undefined) return (value.array as { values: Record<string, unknown>[] }).values.map(toValue);
  return Object.values(value)[0];
}

const hex = (bytes: unknown): string => Buffer.from(bytes as number[]).toString('hex');
