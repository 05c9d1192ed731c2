/**
 * Spans as OpenTelemetry's protobuf messages. Each is written out when it ends, by thousands a second: as objects, those that wait for the next
 * export would be what the garbage collector is busy with. What is the same for many spans is written once.
 */
import type { Link } from '@opentelemetry/api';
import type { RecordedSpan, SpanEvent } from '../recorded-span.ts';
import type { Attributes } from '../tracing.ts';
import type { SpanRange } from './parcel.ts';
import { ProtobufWriter, type Written } from './protobuf-writer.ts';

/** Field numbers of opentelemetry/proto/trace/v1/trace.proto and common.proto, as far as they are needed. */
const REQUEST = { resourceSpans: 1 };
const RESOURCE_SPANS = { resource: 1, scopeSpans: 2 };
const RESOURCE = { attributes: 1 };
const SCOPE_SPANS = { scope: 1, spans: 2 };
const SCOPE = { name: 1, version: 2 };
const SPAN = {
  traceId: 1,
  spanId: 2,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  events: 11,
  links: 13,
  status: 15,
  flags: 16,
};
const EVENT = { time: 1, name: 2, attributes: 3 };
const LINK = { traceId: 1, spanId: 2, traceState: 3, attributes: 4, flags: 6 };
const STATUS = { message: 2, code: 3 };
const KEY_VALUE = { key: 1, value: 2 };
const ANY_VALUE = { string: 1, bool: 2, int: 3, double: 4, array: 5 };
const ARRAY_VALUE = { values: 1 };

/** Of a span's flags: whether its parent, or what it links to, is in another process is known; and that it is. */
const KNOWN = 0x100;
const REMOTE = 0x200;

/** Spans that wait for their export, with the block that they are in. */
export interface EncodedSpans extends Written, SpanRange {}

/** Attributes that many spans have, by the object that they share. */
const common = new WeakMap<Attributes, Written>();

/** Writes a span out, as a field of its scope's message. */
export function encodeSpan(span: RecordedSpan, writer: ProtobufWriter): Written {
  const shared = span.commonAttributes && commonOf(span.commonAttributes);
  const opened = writer.open(SCOPE_SPANS.spans);
  writer.hex(SPAN.traceId, span.traceId);
  writer.hex(SPAN.spanId, span.spanId);
  if (span.parentId !== undefined) writer.hex(SPAN.parentSpanId, span.parentId);
  writer.text(SPAN.name, span.name);
  writer.integer(SPAN.kind, span.kind + 1); // 0 would be a kind that is not told
  writer.nanoseconds(SPAN.start, span.startedAt);
  writer.nanoseconds(SPAN.end, span.endedAt ?? span.startedAt);
  if (shared) writer.written(shared);
  writeAttributes(SPAN.attributes, span.ownAttributes, writer);
  for (const event of span.events) writeEvent(event, writer);
  for (const link of span.links) writeLink(link, writer);
  const { code, message } = span.status;
  if (code !== 0) {
    const status = writer.open(SPAN.status);
    if (message) writer.text(STATUS.message, message);
    writer.integer(STATUS.code, code);
    writer.close(status);
  }
  writer.fixed32(SPAN.flags, flags(span.sampled ? 1 : 0, span.parentId !== undefined));
  writer.close(opened);
  return writer.take();
}

/** How many spans these are. */
export const countOf = (batch: EncodedSpans[]): number => batch.reduce((sum, { count }) => sum + count, 0);

/** The export of some spans, all of this process. @param resource what is said of the process. */
export function encodeRequest(resource: Attributes, batch: EncodedSpans[]): Uint8Array {
  const ofScopes = new Map<string, EncodedSpans[]>();
  let size = 1_024;
  for (const spans of batch) {
    const key = JSON.stringify([spans.scope.name, spans.scope.version]);
    const others = ofScopes.get(key);
    if (others) others.push(spans);
    else ofScopes.set(key, [spans]);
    size += spans.end - spans.start;
  }
  const request = new ProtobufWriter(size);
  const resourceSpans = request.open(REQUEST.resourceSpans);
  const told = request.open(RESOURCE_SPANS.resource);
  writeAttributes(RESOURCE.attributes, resource, request);
  request.close(told);
  for (const ofScope of ofScopes.values()) {
    const { name, version } = (ofScope[0] as EncodedSpans).scope;
    const scopeSpans = request.open(RESOURCE_SPANS.scopeSpans);
    const scope = request.open(SCOPE_SPANS.scope);
    request.text(SCOPE.name, name);
    if (version) request.text(SCOPE.version, version);
    request.close(scope);
    for (const spans of ofScope) request.written(spans);
    request.close(scopeSpans);
  }
  request.close(resourceSpans);
  const { block, start, end } = request.take();
  return block.subarray(start, end);
}

function commonOf(attributes: Attributes): Written {
  let written = common.get(attributes);
  if (!written) {
    const own = new ProtobufWriter(1_024);
    writeAttributes(SPAN.attributes, attributes, own);
    written = own.take();
    common.set(attributes, written);
  }
  return written;
}

function writeEvent({ name, time, attributes }: SpanEvent, writer: ProtobufWriter): void {
  const event = writer.open(SPAN.events);
  writer.nanoseconds(EVENT.time, time);
  writer.text(EVENT.name, name);
  writeAttributes(EVENT.attributes, attributes, writer);
  writer.close(event);
}

function writeLink({ context, attributes }: Link, writer: ProtobufWriter): void {
  const { traceId, spanId, traceFlags, traceState, isRemote } = context;
  const link = writer.open(SPAN.links);
  writer.hex(LINK.traceId, traceId);
  writer.hex(LINK.spanId, spanId);
  const state = traceState?.serialize();
  if (state) writer.text(LINK.traceState, state);
  if (attributes) writeAttributes(LINK.attributes, attributes, writer);
  writer.fixed32(LINK.flags, flags(traceFlags, isRemote === true));
  writer.close(link);
}

const flags = (traceFlags: number, isRemote: boolean): number => (traceFlags & 0xff) | KNOWN | (isRemote ? REMOTE : 0);

/** @param attributes those of users' links may have any values. */
function writeAttributes(field: number, attributes: Record<string, unknown>, to: ProtobufWriter): void {
  for (const key in attributes) {
    const pair = to.open(field);
    to.text(KEY_VALUE.key, key);
    writeValue(KEY_VALUE.value, attributes[key], to);
    to.close(pair);
  }
}

function writeValue(field: number, value: unknown, to: ProtobufWriter): void {
  const any = to.open(field);
  if (typeof value === 'string') to.text(ANY_VALUE.string, value);
  else if (typeof value === 'boolean') to.integer(ANY_VALUE.bool, value ? 1 : 0);
  else if (Number.isSafeInteger(value)) to.integer(ANY_VALUE.int, value as number);
  else if (typeof value === 'number') to.double(ANY_VALUE.double, value);
  else if (Array.isArray(value)) {
    const array = to.open(ANY_VALUE.array);
    for (const item of value) writeValue(ARRAY_VALUE.values, item, to);
    to.close(array);
  }
  to.close(any);
}
