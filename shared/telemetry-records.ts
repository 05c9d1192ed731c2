/** The form in which spans and log records are stored: a line of JSON for each, the same from every language. */
import { isJsonObject, parseJson } from './json-values.ts';
import type { PayloadRecord, RequestRecord, ResponseRecord } from './payloads.ts';
import type { RecordedSpan } from './recorded-span.ts';
import { formatTraceparent } from './trace-ids.ts';
import type { Attributes } from './tracing.ts';

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'] as const;

/** How a trace stands. */
export const TRACE_STATUSES = ['failed', 'running', 'completed'] as const;
export type TraceStatus = (typeof TRACE_STATUSES)[number];

export interface SpanRecord {
  /** First in the line, since it is read without the rest. */
  traceId: string;
  spanId: string;
  parentId?: string;
  name: string;
  kind: (typeof KINDS)[number];
  /** Ms since 1970, with a fraction. */
  start: number;
  /** Absent while it goes on. */
  end?: number;
  /** Of a span that failed. */
  error?: string;
  attributes?: Attributes;
  events?: { name: string; time: number; attributes?: Attributes }[];
  /** `traceparent`s of related work. */
  links?: string[];
  /** Of an emit: what was emitted. Of a request: the request. */
  payload?: PayloadRecord | RequestRecord;
  /** Of a request: the answer. */
  response?: ResponseRecord;
}

/** As the logger writes it; see `shared/logger.ts`. */
export interface LogRecord {
  level: string;
  /** ISO 8601. */
  time: string;
  msg: string;
  traceId?: string;
  spanId?: string;
  step?: string;
  flows?: string[];
  [field: string]: unknown;
}

/** Longer records are cut down to what they must have. */
const LONGEST_RECORD = 128 * 1024;
const LONGEST_TEXT = 4_096;

/** The line of a span, ended or not. */
export function spanLine(span: RecordedSpan): string {
  const record: SpanRecord = {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId !== undefined && { parentId: span.parentId }),
    name: span.name,
    kind: KINDS[span.kind] ?? 'internal',
    start: round(span.startedAt),
  };
  if (span.endedAt !== undefined) record.end = round(span.endedAt);
  if (span.failed) record.error = (span.status.message ?? '').slice(0, LONGEST_TEXT);
  const { attributes, events, links } = span;
  const rest: Pick<SpanRecord, 'attributes' | 'events' | 'links'> = {};
  for (const _ in attributes) {
    rest.attributes = attributes;
    break;
  }
  if (events.length > 0) {
    rest.events = events.map(({ name, time: [seconds, nanos], attributes }) => ({
      name,
      time: round(seconds * 1_000 + nanos / 1e6),
      attributes: attributes as Attributes,
    }));
  }
  if (links.length > 0) {
    rest.links = links.map(({ context: { traceId, spanId, traceFlags } }) =>
      formatTraceparent({ traceId, spanId, sampled: (traceFlags & 1) === 1 }),
    );
  }
  const line = `${JSON.stringify({ ...record, ...rest }).slice(0, -1)}${span.attached}}`;
  return line.length <= LONGEST_RECORD ? line : JSON.stringify({ ...record, attributes: { 'motia.cut': true } });
}

/** A line of the log, not longer than what is stored of it. */
export function logLine(line: string): string {
  if (line.length <= LONGEST_RECORD) return line;
  try {
    const { level, time, step, flows, traceId, spanId, msg, action } = JSON.parse(line) as LogRecord;
    const text = String(msg).slice(0, LONGEST_TEXT);
    return JSON.stringify({ level, time, action, step, flows, traceId, spanId, cut: true, msg: text });
  } catch {
    return '';
  }
}

const TRACE_ID_AT = '{"traceId":"'.length;
const TRACE_ID_LENGTH = 32;
const TRACE_ID_KEY = '"traceId":"';

/** The trace of a span's line. */
export const traceOfSpan = (line: string): string => line.slice(TRACE_ID_AT, TRACE_ID_AT + TRACE_ID_LENGTH);

/** The trace of a log line, if it is of one. */
export function traceOfLog(line: string): string | undefined {
  const at = line.indexOf(TRACE_ID_KEY);
  if (at < 0) return undefined;
  if (line.indexOf(TRACE_ID_KEY, at + 1) < 0 && line.lastIndexOf('{', at) === 0) {
    return toTraceId(line.slice(at + TRACE_ID_KEY.length, at + TRACE_ID_KEY.length + TRACE_ID_LENGTH));
  }
  // Fields of the user's have such a key as well, or objects come before ours: only the record's own counts.
  const record = parseJson(line);
  return isJsonObject(record) ? toTraceId(record.traceId) : undefined;
}

const toTraceId = (value: unknown) => (/^[0-9a-f]{32}$/.test(String(value)) ? String(value) : undefined);

/** Microseconds are exact enough. */
const round = (ms: number) => Math.round(ms * 1_000) / 1_000;
