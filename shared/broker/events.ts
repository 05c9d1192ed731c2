/** Events on the broker: emitted, waiting for another attempt, dead. */
import type { ErrorRecord } from '../errors.ts';
import { Header, PROTOCOL_VERSION } from '../protocol/headers.ts';
import { isPartition, type Names } from '../protocol/subjects.ts';
import { BlobStore } from './blobs.ts';
import type { Broker } from './connect.ts';
import type { Delivery } from './delivery.ts';
import { publishFirst, publishStored } from './publish.ts';
import { schedule } from './schedule.ts';

/** An event as a step's worker reads it from a delivery. */
export interface EventEnvelope {
  id: string;
  topic: string;
  attempt: number;
  emittedAt: number;
  traceparent: string;
  /** Major version of the protocol that the message speaks, if it says so. */
  protocol?: number;
  group?: string;
  /** Name of the payload in the object store, when it is too large for a message. */
  blob?: string | undefined;
  /** Of a dead letter that was retried: the sequence that it had among the dead letters. */
  retriedFrom?: number;
  /** Of the same: `traceparent` of the emit. */
  link?: string;
  /** Id of the only step that is to run it; every subscription of the topic without. */
  onlyFor?: string;
}

/** One subscription that an event is for. */
export interface Target {
  /** Id of its step. */
  step: string;
  /** Its consumer, or that of one partition, which is there: what nobody listens to is not kept. */
  durable: string;
}

export interface NewEvent {
  id: string;
  /** What the broker knows its repetitions by. Default: the id. */
  messageId?: string | undefined;
  topic: string;
  /** JSON of the payload. */
  json: string;
  traceparent: string;
  group?: string | undefined;
  /** When it is to be delivered, ms since 1970; at once without. */
  at?: number | undefined;
  /** When it was emitted, ms since 1970; now without. */
  emittedAt?: number | undefined;
}

/** Why an event is dead. */
export interface DeadReason {
  step: string;
  durable: string;
  /** JSON of an `ErrorRecord`. */
  error: string;
}

const MOST_SUBJECTS = 1_000;

export class EventStore {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #payloads: BlobStore;
  /** Subjects of the topics seen first; there are not many. */
  readonly #subjects = new Map<string, string>();

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    this.#payloads = new BlobStore(broker, names.buckets.payloads);
  }

  /**
   * Stores an event; resolves when the broker has it. The same message id within two minutes is stored once; with a delay, also for as
   * long as the first one waits.
   */
  emit(event: NewEvent): Promise<void> {
    const headers: Record<string, string> & { 'Nats-Msg-Id': string } = {
      [Header.messageId]: event.messageId ?? event.id,
      [Header.traceparent]: event.traceparent,
    };
    // What comes again after the time that repetitions are known for is another event.
    if (event.messageId !== undefined) headers[Header.eventId] = event.id;
    if (event.group !== undefined) headers[Header.group] = encodeURIComponent(event.group);
    if (!this.#payloads.needed(Buffer.byteLength(event.json))) return this.#publish(event, event.json, headers);
    return this.#payloads.put(Buffer.from(event.json)).then((blob) => {
      return this.#publish(event, '', { ...headers, [Header.blob]: blob });
    });
  }

  #publish(event: NewEvent, json: string, headers: Record<string, string> & { 'Nats-Msg-Id': string }): Promise<void> {
    const { id, messageId = id, topic, group, at } = event;
    if (at === undefined) {
      const subject = group === undefined ? this.#subjectOf(topic) : this.#names.event(topic, group);
      return publishStored(this.#broker, subject, json, headers);
    }
    const delayed = {
      ...headers,
      [Header.eventId]: id, // the message id stays with the schedule
      [Header.emittedAt]: String(event.emittedAt ?? Date.now()),
    };
    if (this.#broker.locked) return this.#book(this.#names.bookEvent(topic, group), json, delayed, at);
    return publishFirst(this.#broker, this.#names.delayed(messageId), json, {
      ...delayed,
      ...schedule(at, this.#names.fireEvent(topic, group)),
    });
  }

  /** Has a scheduler store what this process may not, see `bookings.ts`. */
  #book(
    subject: string,
    data: Uint8Array | string,
    headers: Record<string, string> & { 'Nats-Msg-Id': string },
    at: number,
  ): Promise<void> {
    return publishStored(this.#broker, subject, data, { ...headers, [Header.deliverAt]: String(at) });
  }

  #subjectOf(topic: string): string {
    let subject = this.#subjects.get(topic);
    if (subject === undefined) {
      subject = this.#names.event(topic);
      if (this.#subjects.size < MOST_SUBJECTS) this.#subjects.set(topic, subject);
    }
    return subject;
  }

  /** Stores an event for the attempt that it says, in one subscription, to be delivered at `at`, ms since 1970. */
  async scheduleAttempt(durable: string, event: EventEnvelope, data: Uint8Array, at: number): Promise<void> {
    const headers = {
      ...toEventHeaders(event),
      [Header.messageId]: `${durable}:${lifeOf(event)}:${event.attempt}`,
    };
    if (this.#broker.locked) return this.#book(this.#names.bookRetry(durable), data, headers, at);
    await publishStored(this.#broker, this.#names.schedule(durable, `${event.id}:${event.attempt}`), data, {
      ...headers,
      ...schedule(at, this.#names.fireRetry(durable)),
    });
  }

  /** The same, for the attempt after the one that it says. */
  scheduleRetry(durable: string, event: EventEnvelope, data: Uint8Array, at: number): Promise<void> {
    return this.scheduleAttempt(durable, { ...event, attempt: event.attempt + 1 }, data, at);
  }

  /** Stores an event with the reason of its end. */
  async bury(event: EventEnvelope, data: Uint8Array, reason: DeadReason): Promise<void> {
    // A payload of its own, since the event's will end a set time after the emit.
    const blob = event.blob === undefined ? undefined : await this.#payloads.put(await this.#payloads.get(event.blob));
    await publishStored(this.#broker, this.#names.dead(reason.step), data, {
      ...toEventHeaders({ ...event, blob }),
      [Header.messageId]: `${reason.durable}:${lifeOf(event)}`,
      [Header.step]: encodeURIComponent(reason.step),
      [Header.error]: encodeError(reason.error),
    });
  }

  /**
   * Has the one subscription that a dead letter died in try it again, from its first attempt; resolves when the broker has it.
   * A dead letter is retried once, however often this is asked for within two minutes.
   */
  retryDead(target: Target, event: EventEnvelope & { retriedFrom: number }, data: Uint8Array): Promise<void> {
    return this.emitTo(target, event, data);
  }

  /**
   * Stores an event for one subscription, for its first attempt. In a partition it takes its place among the other events of its
   * group, and says whose it is: a consumer with one filter costs the broker less than one with two.
   */
  async emitTo({ step, durable }: Target, { onlyFor, ...event }: EventEnvelope, data: Uint8Array): Promise<void> {
    const inPlace = isPartition(durable);
    const subject = inPlace ? this.#names.event(event.topic, event.group) : this.#names.retry(durable);
    await publishStored(this.#broker, subject, data, {
      ...toEventHeaders({ ...event, attempt: 1, ...(inPlace && { onlyFor: step }) }),
      [Header.messageId]: `${durable}:${lifeOf(event)}`,
    });
  }

  /** The payload of an event as JSON text. */
  async payload(event: EventEnvelope, data: Uint8Array): Promise<Uint8Array> {
    return event.blob === undefined ? data : this.#payloads.get(event.blob);
  }
}

/** What tells the runs of a retried dead letter from those before: the broker would take their messages for repetitions. */
const lifeOf = ({ id, retriedFrom }: EventEnvelope): string =>
  retriedFrom === undefined ? id : `${id}/${retriedFrom}`;

/** Room that the error of a dead letter has among its headers: half of what a message has for all of them. */
const LONGEST_ERROR = 32 * 1024;

/** A long error is cut: with a payload that just fits, its message would be refused for ever. */
function encodeError(json: string): string {
  const whole = encodeURIComponent(json);
  if (whole.length <= LONGEST_ERROR) return whole;
  const { name, message, stack, code } = JSON.parse(json) as ErrorRecord;
  const start = (text: string | undefined, most: number) => text?.slice(0, most); // each takes up to nine characters
  const cut = {
    name: start(name, 100),
    message: start(message, 1_200),
    stack: start(stack, 1_200),
    code: start(code, 100),
  };
  return encodeURIComponent(JSON.stringify(cut));
}

/** Reads an event's headers; what was left out has a default. `topic` is the one that the subscription listens to. */
export function readEnvelope(
  delivery: Pick<Delivery, 'headers' | 'sequence' | 'storedAt'>,
  stream: string,
  topic: string,
): EventEnvelope {
  const event: EventEnvelope = { id: '', topic, attempt: 1, emittedAt: delivery.storedAt, traceparent: '' };
  let messageId = '';
  for (const [name, [value = '']] of delivery.headers ?? []) {
    if (name === Header.messageId) messageId = value;
    else if (name === Header.traceparent) event.traceparent = value;
    else if (name === Header.eventId) event.id = value;
    else if (name === Header.attempt) event.attempt = Math.max(1, Number(value) || 1);
    else if (name === Header.emittedAt) event.emittedAt = Number(value) || delivery.storedAt;
    else if (name === Header.group) event.group = decodeText(value);
    else if (name === Header.blob) event.blob = value;
    else if (name === Header.protocol) event.protocol = Number(value);
    else if (name === Header.retriedFrom) event.retriedFrom = Number(value) || 0;
    else if (name === Header.link) event.link = value;
    else if (name === Header.step) event.onlyFor = decodeText(value);
  }
  event.id ||= messageId || `${stream}:${delivery.sequence}`;
  return event;
}

function toEventHeaders(event: EventEnvelope): Record<string, string> {
  const headers: Record<string, string> = {
    [Header.protocol]: String(PROTOCOL_VERSION),
    [Header.eventId]: event.id,
    [Header.topic]: encodeURIComponent(event.topic),
    [Header.attempt]: String(event.attempt),
    [Header.emittedAt]: String(event.emittedAt),
  };
  if (event.traceparent) headers[Header.traceparent] = event.traceparent;
  if (event.group !== undefined) headers[Header.group] = encodeURIComponent(event.group);
  if (event.blob !== undefined) headers[Header.blob] = event.blob;
  if (event.retriedFrom !== undefined) headers[Header.retriedFrom] = String(event.retriedFrom);
  if (event.link !== undefined) headers[Header.link] = event.link;
  if (event.onlyFor !== undefined) headers[Header.step] = encodeURIComponent(event.onlyFor);
  return headers;
}

/** Header values are ASCII: names and texts are percent-encoded in them. */
export function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
