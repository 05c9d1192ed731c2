/** A span that nobody keeps unless it fails: until then it costs next to nothing. */
import type { RecordedSpan } from './recorded-span.ts';
import type { TraceContext } from './trace-ids.ts';
import { type Attributes, IdSpan, type SpanOptions } from './tracing.ts';

/** Makes the span that is kept. */
export type RecordSpan = (context: TraceContext, name: string, options: SpanOptions) => RecordedSpan;

export class QuietSpan extends IdSpan {
  readonly #record: RecordSpan;
  readonly #name: string;
  readonly #options: SpanOptions;
  readonly #sampled: boolean;
  readonly #startedAt: number;
  #attributes: Attributes | undefined;
  #failure: { error: unknown } | undefined;

  /** @param trace if it is known; otherwise that of `options.parent`, which is not sampled. */
  constructor(record: RecordSpan, name: string, options: SpanOptions, trace?: Omit<TraceContext, 'spanId'>) {
    super(options.parent, trace);
    this.#record = record;
    this.#name = name;
    this.#options = options;
    this.#sampled = trace?.sampled ?? false;
    this.#startedAt = options.startedAt ?? performance.now();
  }

  override set(attributes: Attributes): void {
    this.#attributes = this.#attributes ? { ...this.#attributes, ...attributes } : attributes;
  }

  override fail(error: unknown): void {
    this.#failure = { error };
  }

  override end(): void {
    if (!this.#failure) return;
    const context = { traceId: this.traceId, spanId: this.spanId, sampled: this.#sampled };
    const span = this.#record(context, this.#name, { ...this.#options, startedAt: this.#startedAt });
    if (this.#attributes) span.set(this.#attributes);
    span.fail(this.#failure.error);
    this.#failure = undefined; // only the first end counts
    span.end();
  }
}
