/** What a trace is known by in a list: worked out of its spans, as they are read. */
import type { SpanRecord, TraceStatus } from '../telemetry-records.ts';

export interface TraceSummary {
  traceId: string;
  /** Name of the span that began it; of the first one that is known until then. */
  name: string;
  status: TraceStatus;
  startedAt: string;
  /** Up to the last span that has ended. */
  durationMs: number;
  /** In the order in which they began. */
  steps: string[];
  flows: string[];
  spans: number;
  errors: number;
  /** Of the first span that failed. */
  error?: string;
}

/** All that a list may be narrowed by; what is given has to hold. */
export interface TraceFilter {
  status?: TraceSummary['status'] | undefined;
  step?: string | undefined;
  flow?: string | undefined;
  /** Ms since 1970: when it began. */
  since?: number | undefined;
  until?: number | undefined;
  minDurationMs?: number | undefined;
  maxDurationMs?: number | undefined;
  /** In the id, the name, the names of steps, or the error; in any case. */
  text?: string | undefined;
}

const MOST_NAMES = 100;
const LONGEST_ERROR = 500;

/** Folds spans of one trace. */
export class FoldedTrace {
  readonly traceId: string;
  start = Number.POSITIVE_INFINITY;
  #end = 0;
  #name = '';
  #hasRoot = false;
  #spans = 0;
  #errors = 0;
  #error: string | undefined;
  #firstErrorAt = Number.POSITIVE_INFINITY;
  /** When the first span of each began. */
  readonly #steps = new Map<string, number>();
  readonly #flows = new Set<string>();
  /** Spans that were said to go on, and those that ended before that was read: batches are read in any order. */
  readonly #open = new Set<string>();
  readonly #closed = new Set<string>();

  constructor(traceId: string) {
    this.traceId = traceId;
  }

  add(span: SpanRecord): void {
    const { spanId, start, end, attributes = {}, error } = span;
    if (end === undefined && !this.#closed.has(spanId)) this.#open.add(spanId);
    if (end !== undefined) {
      this.#spans++;
      this.#end = Math.max(this.#end, end);
      if (this.#open.delete(spanId) || end - start >= LONG_MS) this.#closed.add(spanId);
    }
    const isRoot = span.parentId === undefined;
    if (isRoot || (!this.#hasRoot && start < this.start)) this.#name = span.name;
    this.#hasRoot ||= isRoot;
    this.start = Math.min(this.start, start);
    const step = attributes['motia.step.name'];
    if (typeof step === 'string' && (this.#steps.has(step) || this.#steps.size < MOST_NAMES)) {
      this.#steps.set(step, Math.min(this.#steps.get(step) ?? start, start));
    }
    const flows = attributes['motia.step.flows'];
    if (Array.isArray(flows))
      for (const flow of flows) if (this.#flows.size < MOST_NAMES) this.#flows.add(String(flow));
    if (error !== undefined && end !== undefined) {
      this.#errors++;
      if (start < this.#firstErrorAt) {
        this.#firstErrorAt = start;
        this.#error = error.slice(0, LONGEST_ERROR);
      }
    }
  }

  get status(): TraceSummary['status'] {
    return this.#errors > 0 ? 'failed' : this.#open.size > 0 ? 'running' : 'completed';
  }

  get durationMs(): number {
    return Math.max(this.#end - this.start, 0);
  }

  fits({ status, step, flow, since, until, minDurationMs, maxDurationMs, text }: TraceFilter): boolean {
    const { durationMs } = this;
    return (
      (since === undefined || this.start >= since) &&
      (until === undefined || this.start <= until) &&
      (status === undefined || this.status === status) &&
      (step === undefined || this.#steps.has(step)) &&
      (flow === undefined || this.#flows.has(flow)) &&
      (minDurationMs === undefined || durationMs >= minDurationMs) &&
      (maxDurationMs === undefined || durationMs <= maxDurationMs) &&
      (text === undefined || this.#says(text.toLowerCase()))
    );
  }

  toSummary(): TraceSummary {
    return {
      traceId: this.traceId,
      name: this.#name,
      status: this.status,
      startedAt: new Date(this.start).toISOString(),
      durationMs: Math.round(this.durationMs * 1_000) / 1_000,
      steps: [...this.#steps].sort(([, a], [, b]) => a - b).map(([step]) => step),
      flows: [...this.#flows],
      spans: this.#spans,
      errors: this.#errors,
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  #says(text: string): boolean {
    return [this.traceId, this.#name, this.#error ?? '', ...this.#steps.keys()].some((part) =>
      part.toLowerCase().includes(text),
    );
  }
}

/** Only spans that take so long are told of while they go on. */
const LONG_MS = 900;
