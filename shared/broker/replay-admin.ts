/** Finds out of its trace what a run was given, and has a step take an event again. */
import { randomUUID } from 'node:crypto';
import { MotiaError } from '../errors.ts';
import type { PayloadRecord, RequestRecord } from '../payloads.ts';
import type { Names } from '../protocol/subjects.ts';
import { formatTraceparent } from '../trace-ids.ts';
import { type Tracing, traced } from '../tracing.ts';
import type { Broker } from './connect.ts';
import { EventStore } from './events.ts';
import { readManifest } from './manifest-store.ts';
import { assertTaken } from './subscription-targets.ts';
import type { TelemetryAdmin } from './telemetry-admin.ts';
import type { SpanNode } from './telemetry-trace.ts';

/** What a span has of the work that it stands for. */
export type Replayable =
  | { kind: 'request'; traceparent: string; request: RequestRecord & { text: string } }
  | {
      kind: 'event';
      traceparent: string;
      step: string;
      file: string;
      topic: string;
      payload: PayloadRecord & { text: string };
    };

export class ReplayAdmin {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #events: EventStore;
  readonly #tracing: Tracing;
  readonly #telemetry: TelemetryAdmin;

  constructor(broker: Broker, names: Names, tracing: Tracing, telemetry: TelemetryAdmin) {
    this.#broker = broker;
    this.#names = names;
    this.#events = new EventStore(broker, names);
    this.#tracing = tracing;
    this.#telemetry = telemetry;
  }

  /**
   * @param spanId of a request, or of an attempt at an event.
   * @throws {MotiaError} `NOT_FOUND`, or `NOT_REPLAYABLE` with the reason.
   */
  async find(traceId: string, spanId: string): Promise<Replayable> {
    const path = pathTo((await this.#telemetry.trace(traceId)).roots, spanId);
    const span = path?.at(-1);
    if (!path || !span || span.missing) throw new MotiaError('NOT_FOUND', `trace ${traceId} has no span "${spanId}"`);
    const traceparent = formatTraceparent({ traceId, spanId, sampled: true });
    const { payload, attributes = {} } = span;
    if (span.kind === 'server') {
      return { kind: 'request', traceparent, request: complete(payload as RequestRecord | undefined) };
    }
    if (span.kind !== 'consumer') throw refused('only requests, and attempts at an event, can be had again');
    const [step, file, topic] = ['motia.step.name', 'code.file.path', 'messaging.destination.name'].map((name) =>
      String(attributes[name] ?? ''),
    ) as [string, string, string];
    const emit = path.findLast(({ kind, payload }) => kind === 'producer' && payload);
    return { kind: 'event', traceparent, step, file, topic, payload: complete(emit?.payload) };
  }

  /**
   * Stores an event for that step alone, as if it were emitted again. It begins a trace, which is linked to the one it came from.
   * @throws {MotiaError} `UNKNOWN_STEP` when the step does not subscribe to the topic any more.
   */
  async emit(event: Replayable & { kind: 'event' }): Promise<{ traceId: string; id: string }> {
    const { topic, payload, traceparent: link } = event;
    const manifest = await readManifest(this.#broker, this.#names);
    const step = manifest?.steps.find(({ name, file }) => name === event.step && file === event.file);
    const durable = this.#names.subscription(step?.id ?? event.step, topic);
    await assertTaken(this.#broker, this.#names, step, topic, durable);
    const id = randomUUID();
    const span = this.#tracing.startSpan(`replay ${topic}`, {
      kind: 'producer',
      links: [link],
      attributes: { 'motia.step.name': event.step, 'messaging.destination.name': topic, 'messaging.message.id': id },
    });
    if (span.recorded) span.attach('payload', { ...payload, value: undefined });
    const envelope = { id, topic, attempt: 1, emittedAt: Date.now(), traceparent: span.traceparent, link };
    await traced(span, () =>
      this.#events.emitTo({ step: step?.id ?? event.step, durable }, envelope, Buffer.from(payload.text)),
    );
    return { traceId: span.traceId, id };
  }
}

/** The spans that lead to one, itself the last. */
function pathTo(spans: readonly SpanNode[], spanId: string): SpanNode[] | undefined {
  for (const span of spans) {
    if (span.spanId === spanId) return [span];
    const below = pathTo(span.children, spanId);
    if (below) return [span, ...below];
  }
  return undefined;
}

function complete<Payload extends PayloadRecord>(payload: Payload | undefined): Payload & { text: string } {
  if (!payload) throw refused('what it was given is not recorded: see telemetry.payloads in motia.config');
  const { text, truncated, redacted } = payload;
  if (redacted) throw refused('there are secrets in what it was given, which are not recorded');
  if (text === undefined || truncated) throw refused('what it was given is not recorded whole');
  return { ...payload, text };
}

const refused = (why: string) => new MotiaError('NOT_REPLAYABLE', `this cannot be had again: ${why}`);
