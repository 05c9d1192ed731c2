/** One trace with all that was told of it: the spans of every process as a tree, and the log records. */
import { MotiaError } from '../errors.ts';
import { parseJson } from '../json-values.ts';
import { isJsonType, type PayloadRecord, type RequestRecord, type ResponseRecord } from '../payloads.ts';
import type { LogRecord, SpanRecord, TraceStatus } from '../telemetry-records.ts';
import { beganAt } from '../trace-ids.ts';
import { parseRecord, ReadBudget, type TelemetryBatch, type TelemetryReader } from './telemetry-reader.ts';
import { CLOCK_SKEW_MS, RETRY_FOR_MS, YOUNG_MS } from './telemetry-store.ts';

/** JSON that is there whole is also given as the value that it is. */
type WithValue<Payload> = Payload & { value?: unknown };

export interface SpanNode extends SpanRecord {
  payload?: WithValue<PayloadRecord | RequestRecord>;
  response?: WithValue<ResponseRecord>;
  /** The process that told it. */
  node: string;
  /** It goes on, or its process was lost. */
  running: boolean;
  /** It is known only from its children: it goes on, was not recorded, or is stored no more. */
  missing?: true;
  durationMs?: number;
  children: SpanNode[];
}

export interface Trace {
  traceId: string;
  status: TraceStatus;
  startedAt: string;
  /** Absent while it goes on. */
  endedAt?: string;
  durationMs: number;
  /** Whether everything stored of it was found: a trace may be too large to be looked through. */
  complete: boolean;
  /** Those that no other span of the trace has caused. */
  roots: SpanNode[];
  /** In the order of time. */
  logs: LogRecord[];
}

const MOST_SPANS = 10_000;
const MOST_LOGS = 5_000;
/** Until then what is told of a young trace is stored. */
const YOUNG_UNTIL_MS = YOUNG_MS + CLOCK_SKEW_MS + RETRY_FOR_MS;
const TRACE_ID = /^[0-9a-f]{32}$/;

/**
 * Reads a trace: what was stored in the first seconds after it began, and then what was told late of it.
 * @throws {MotiaError} `INVALID_VALUE`, or `NOT_FOUND` if nothing is stored of it.
 */
export async function readTrace(reader: TelemetryReader, traceId: string): Promise<Trace> {
  if (!TRACE_ID.test(traceId)) throw new MotiaError('INVALID_VALUE', 'a trace id has 32 hex digits');
  const found = new Found(traceId);
  const budget = new ReadBudget(20_000, 64 * 1024 ** 2);
  const began = beganAt(traceId);
  const isOurs = began < Date.now() + CLOCK_SKEW_MS;
  const start = isOurs ? await reader.sequenceAt(began - CLOCK_SKEW_MS) : 1;
  if (isOurs) {
    const end = began + YOUNG_UNTIL_MS;
    await found.add(reader.from(reader.names.youngTelemetry, start), budget, ({ storedAt }) => storedAt > end);
  }
  await found.add(reader.from(reader.names.lateOf(traceId), start), budget);
  return found.toTrace();
}

class Found {
  readonly #traceId: string;
  readonly #spans = new Map<string, SpanNode>();
  readonly #logs: LogRecord[] = [];
  #complete = true;

  constructor(traceId: string) {
    this.#traceId = traceId;
  }

  async add(
    pages: AsyncGenerator<TelemetryBatch[]>,
    budget: ReadBudget,
    isEnd: (batch: TelemetryBatch) => boolean = () => false,
  ): Promise<void> {
    for await (const batches of pages) {
      budget.spend(batches);
      for (const batch of batches) {
        if (isEnd(batch)) return;
        for (const line of await batch.lines()) if (line.includes(this.#traceId)) this.#addLine(batch, line);
      }
      if (budget.isSpent) {
        this.#complete = false;
        return;
      }
    }
  }

  #addLine({ kind, node }: TelemetryBatch, line: string): void {
    const record = parseRecord<SpanRecord & LogRecord>(line);
    if (record?.traceId !== this.#traceId) return;
    if (kind === 'logs') {
      if (this.#logs.length < MOST_LOGS) this.#logs.push(record);
      else this.#complete = false;
      return;
    }
    const known = this.#spans.get(record.spanId);
    if (known?.end !== undefined) return;
    if (!known && this.#spans.size >= MOST_SPANS) {
      this.#complete = false;
      return;
    }
    const running = record.end === undefined;
    const durationMs = record.end === undefined ? {} : { durationMs: round(record.end - record.start) };
    this.#spans.set(record.spanId, { ...withValues(record), node, running, ...durationMs, children: [] });
  }

  toTrace(): Trace {
    const spans = [...this.#spans.values()].sort((a, b) => a.start - b.start);
    const first = spans[0]?.start ?? Date.parse(this.#logs[0]?.time ?? '');
    if (Number.isNaN(first)) throw new MotiaError('NOT_FOUND', `nothing is stored of a trace ${this.#traceId}`);
    const roots = toTree(spans);
    const last = Math.max(first, ...spans.map(({ start, end }) => end ?? start));
    const isRunning = spans.some(({ running }) => running);
    const hasFailed = spans.some(({ error }) => error !== undefined);
    return {
      traceId: this.#traceId,
      status: hasFailed ? 'failed' : isRunning ? 'running' : 'completed',
      startedAt: new Date(first).toISOString(),
      ...(!isRunning && { endedAt: new Date(last).toISOString() }),
      durationMs: round(last - first),
      complete: this.#complete,
      roots,
      logs: this.#logs.sort((a, b) => Date.parse(a.time) - Date.parse(b.time)),
    };
  }
}

function withValues(span: SpanRecord): SpanRecord {
  const { payload, response } = span;
  if (!payload && !response) return span;
  return {
    ...span,
    ...(payload && { payload: withValue(payload) }),
    ...(response && { response: withValue(response) }),
  };
}

function withValue<Payload extends PayloadRecord>(payload: Payload): WithValue<Payload> {
  const { text, truncated, contentType } = payload;
  if (text === undefined || truncated || !isJsonType(contentType)) return payload;
  const value = parseJson(text);
  return value === undefined ? payload : { ...payload, value };
}

const round = (ms: number) => Math.round(ms * 1_000) / 1_000;

/** @param spans in the order of their start. */
function toTree(spans: readonly SpanNode[]): SpanNode[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const roots: SpanNode[] = [];
  for (const span of spans) {
    if (span.parentId === undefined) {
      roots.push(span);
      continue;
    }
    let parent = byId.get(span.parentId);
    if (!parent) {
      parent = missingSpan(span, span.parentId);
      byId.set(parent.spanId, parent);
      roots.push(parent);
    }
    parent.children.push(span);
  }
  return roots;
}

const missingSpan = ({ traceId, start }: SpanNode, spanId: string): SpanNode => ({
  ...{ traceId, spanId, name: '?', kind: 'internal', start, node: '' },
  ...{ running: false, missing: true, children: [] },
});
