/** Emits events from outside of any handler, for people and other programs. */
import { randomUUID } from 'node:crypto';
import { toDelivery, toGroup, toMessageId } from '../emit-fields.ts';
import { MotiaError } from '../errors.ts';
import { isJsonObject, kindOf, toJson } from '../json-values.ts';
import type { Payloads } from '../payloads.ts';
import type { Names } from '../protocol/subjects.ts';
import { idsOnly, type Tracing, traced } from '../tracing.ts';
import type { Broker } from './connect.ts';
import { EventStore } from './events.ts';
import { readManifest } from './manifest-store.ts';

/** What was stored. */
export interface Emitted {
  eventId: string;
  traceId: string;
  topic: string;
  /** Ids of the steps that subscribe to the topic. */
  subscribers: string[];
  /** Something to know: nobody subscribes. */
  warning?: string;
}

const FIELDS: ReadonlySet<string> = new Set(['topic', 'data', 'id', 'delay', 'messageGroupId']);
/** The subject of an event has a limit, which is the broker's. */
const LONGEST_TOPIC = 1_024;

export class EmitAdmin {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #events: EventStore;
  readonly #tracing: Tracing;
  readonly #payloads: Payloads | undefined;

  /** @param payloads absent where they are not kept. */
  constructor(broker: Broker, names: Names, tracing: Tracing = idsOnly, payloads?: Payloads) {
    this.#payloads = payloads;
    this.#broker = broker;
    this.#names = names;
    this.#events = new EventStore(broker, names);
    this.#tracing = tracing;
  }

  /**
   * Stores an event, which begins a trace.
   * @param event `{ topic, data, id?, delay?, messageGroupId? }`, as `emit` of a handler takes it; from outside, so anything may be in it.
   * @throws {MotiaError} `INVALID_VALUE`, `STORE_FULL` or `BROKER_*`.
   */
  async emit(event: unknown): Promise<Emitted> {
    const { topic, data, id, delay, messageGroupId } = check(event);
    const eventId = randomUUID();
    const json = toJson(data === undefined ? null : data);
    const stored = { id: eventId, messageId: toMessageId(topic, id), topic, json, group: toGroup(messageGroupId) };
    const at = toDelivery(delay);
    const subscribers = await this.#subscribers(topic);
    const span = this.#tracing.startSpan(`send ${topic}`, {
      kind: 'producer',
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.type': 'send',
        'messaging.destination.name': topic,
        'messaging.message.id': eventId,
      },
    });
    if (span.recorded && this.#payloads) span.attach('payload', this.#payloads.json(json));
    await traced(span, () => this.#events.emit({ ...stored, at, traceparent: span.traceparent }));
    const warning = `no step subscribes to "${topic}": the event goes nowhere`;
    return { eventId, traceId: span.traceId, topic, subscribers, ...(subscribers.length === 0 && { warning }) };
  }

  async #subscribers(topic: string): Promise<string[]> {
    const manifest = await readManifest(this.#broker, this.#names);
    const steps = manifest?.steps.filter(({ subscribes }) => subscribes?.includes(topic)) ?? [];
    return steps.map(({ id }) => id);
  }
}

function check(event: unknown): Record<string, unknown> & { topic: string } {
  if (!isJsonObject(event)) throw invalid(`an event is an object { topic, data }, not ${kindOf(event)}`);
  const { topic } = event;
  if (typeof topic !== 'string') throw invalid('an event needs a text as topic');
  if (topic.length > LONGEST_TOPIC) throw invalid(`a topic has ${LONGEST_TOPIC} characters at most`);
  const unknown = Object.keys(event).find((name) => !FIELDS.has(name));
  if (unknown !== undefined)
    throw invalid(`an event has no "${unknown.slice(0, 100)}": it has ${[...FIELDS].join(', ')}`);
  return { ...event, topic };
}

const invalid = (message: string) => new MotiaError('INVALID_VALUE', message);
