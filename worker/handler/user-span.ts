/** A span as user code has it: OpenTelemetry's interface, in front of one of our own. */
import type { Attributes, AttributeValue, Exception, Link, Span, SpanStatus, TimeInput } from '@opentelemetry/api';
import { RecordedSpan } from '../../shared/recorded-span.ts';
import { parseTraceparent } from '../../shared/trace-ids.ts';
import type { Attributes as OurAttributes, Span as OurSpan } from '../../shared/tracing.ts';

const MOST_ATTRIBUTES = 128;
const ERROR = 2;

export class UserSpan implements Span {
  readonly #span: OurSpan;
  /** Whose end is not the user's to say: of a run, or of its middleware. */
  readonly #isRun: boolean;

  constructor(span: OurSpan, isRun = false) {
    this.#span = span;
    this.#isRun = isRun;
  }

  /** The span of a run or of its middleware, which ends when that does. */
  static of(span: OurSpan): UserSpan {
    return new UserSpan(span, true);
  }

  get traceId(): string {
    return this.#span.traceId;
  }

  get traceparent(): string {
    return this.#span.traceparent;
  }

  get context() {
    const { traceId, spanId, traceparent } = this.#span;
    return { traceId, spanId, traceFlags: parseTraceparent(traceparent)?.sampled ? 1 : 0 };
  }

  spanContext() {
    return this.context;
  }

  isRecording(): boolean {
    return this.#recorded !== undefined;
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.setAttributes({ [key]: value });
  }

  setAttributes(attributes: Attributes): this {
    const span = this.#recorded;
    if (span && Object.keys(span.attributes).length < MOST_ATTRIBUTES) span.set(toAttributes(attributes));
    return this;
  }

  addEvent(name: string, second?: Attributes | TimeInput, third?: TimeInput): this {
    const [attributes, time] = isTime(second) ? [{}, second] : [second ?? {}, third];
    this.#recorded?.addEvent(String(name), toAttributes(attributes), toEpoch(time));
    return this;
  }

  addLink(link: Link): this {
    return this.addLinks([link]);
  }

  addLinks(links: Link[]): this {
    const span = this.#recorded;
    if (span && span.links.length + links.length <= MOST_ATTRIBUTES) span.links = [...span.links, ...links];
    return this;
  }

  setStatus({ code, message }: SpanStatus): this {
    const span = this.#recorded;
    if (span && !this.#isRun) span.status = code === ERROR ? { code, message: message ?? '' } : { code };
    return this;
  }

  updateName(name: string): this {
    const span = this.#recorded;
    if (span && !this.#isRun) span.name = String(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { name, message, stack } = typeof exception === 'string' ? { message: exception } : exception;
    this.#recorded?.recordException(
      {
        ...(name !== undefined && { name }),
        ...(message !== undefined && { message }),
        ...(stack !== undefined && { stack }),
      },
      toEpoch(time),
    );
  }

  end(time?: TimeInput): void {
    const span = this.#recorded;
    if (span && !this.#isRun) span.end(time === undefined ? undefined : toSinceStart(time));
  }

  /** While it may be changed. */
  get #recorded(): RecordedSpan | undefined {
    return this.#span instanceof RecordedSpan && !this.#span.ended ? this.#span : undefined;
  }
}

/** Those that can be told, up to a number. */
export function toAttributes(attributes: Attributes | undefined): OurAttributes {
  const told: OurAttributes = {};
  let left = MOST_ATTRIBUTES;
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (left-- <= 0) break;
    if (/^(string|number|boolean)$/.test(typeof value)) told[key] = value as string;
    else if (Array.isArray(value)) told[key] = value.filter((item) => item !== null && item !== undefined).map(String);
  }
  return told;
}

const isTime = (value: unknown): value is TimeInput =>
  typeof value === 'number' || value instanceof Date || Array.isArray(value);

/** Ms since 1970. A small number counts from the start of the process, as `performance.now()` does. */
function toEpoch(time: TimeInput | undefined): number {
  if (time === undefined) return Date.now();
  if (time instanceof Date) return time.getTime();
  if (Array.isArray(time)) return time[0] * 1_000 + time[1] / 1e6;
  return time < performance.timeOrigin ? performance.timeOrigin + time : time;
}

/** Ms since the process began. */
export const toSinceStart = (time: TimeInput): number => toEpoch(time) - performance.timeOrigin;
