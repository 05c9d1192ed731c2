/** Writes the spans of a thread out as they end, and hands them to the thread that exports them. */
import type { TelemetryEnvironment } from '../config.ts';
import type { RecordedSpan } from '../recorded-span.ts';
import { SpanCounts, type SpanIntake, type SpanParcel } from './parcel.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { encodeSpan } from './span-encoding.ts';

/** Spans do not wait longer for others of their block. */
const SEND_AFTER_MS = 200;

export class SpanSender {
  readonly #port: SpanIntake['port'];
  readonly #counts: SpanCounts;
  readonly #settings: Pick<TelemetryEnvironment, 'waitingSpans' | 'exportedTogether'>;
  readonly #writer = new ProtobufWriter();
  #parcel: SpanParcel | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ port, counts }: SpanIntake, settings: TelemetryEnvironment) {
    this.#port = port;
    this.#counts = new SpanCounts(counts);
    this.#settings = settings;
  }

  /** Takes a span that has ended. */
  add(span: RecordedSpan): void {
    if (this.#counts.waiting >= this.#settings.waitingSpans) {
      this.#counts.drop();
      return;
    }
    const { block, start, end } = encodeSpan(span, this.#writer);
    if (this.#parcel && this.#parcel.block !== block.buffer) this.#send(); // that block was full
    this.#parcel ??= { block: block.buffer as ArrayBuffer, ranges: [] };
    const { ranges } = this.#parcel;
    const scope = span.instrumentationScope;
    const last = ranges.at(-1);
    if (last && last.scope === scope && last.count < this.#settings.exportedTogether) {
      last.end = end;
      last.count++;
    } else ranges.push({ scope, start, end, count: 1 });
    this.#timer ??= setTimeout(() => this.#sendAll(), SEND_AFTER_MS).unref();
  }

  /** Hands over what is left. */
  close(): void {
    this.#sendAll();
    this.#port.close();
  }

  #sendAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#parcel) return;
    this.#writer.leaveBlock();
    this.#send();
  }

  #send(): void {
    const { block, ranges } = this.#parcel as SpanParcel;
    this.#parcel = undefined;
    this.#counts.addWaiting(ranges.reduce((sum, { count }) => sum + count, 0));
    this.#port.postMessage({ block, ranges } satisfies SpanParcel, [block]);
  }
}
