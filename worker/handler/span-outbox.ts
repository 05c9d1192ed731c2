/** The ended spans of a handler thread, handed to the broker thread in batches: that one stores them. */
import type { RecordedSpan, SpanSink } from '../../shared/recorded-span.ts';
import { TelemetryBuffer } from '../../shared/telemetry-buffer.ts';
import { spanLine } from '../../shared/telemetry-records.ts';
import { post } from './outbox.ts';

const FLUSH_MS = 200;
/** Beyond it the oldest are dropped, and counted. */
const MOST_SPANS = 5_000;

export class SpanOutbox {
  readonly #spans = new TelemetryBuffer<RecordedSpan | string>(() => 0, { records: MOST_SPANS });
  #timer: NodeJS.Timeout | undefined;

  readonly add: SpanSink = (span) => this.#add(span);

  /** Tells of a span that still goes on. */
  announce(span: RecordedSpan): void {
    if (span.sampled && !span.ended) this.#add(spanLine(span));
  }

  /** Hands over what is left. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { records, dropped } = this.#spans.take();
    if (records.length === 0) return;
    post({ t: 'spans', lines: records.map((span) => (typeof span === 'string' ? span : spanLine(span))), dropped });
  }

  #add(span: RecordedSpan | string): void {
    this.#spans.add(span);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }
}
