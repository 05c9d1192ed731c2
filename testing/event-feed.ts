/** Every event that an app under test stores, as it is stored; and the watchers of topics. */
import type { Broker } from '../shared/broker/connect.ts';
import { EventStore, readEnvelope } from '../shared/broker/events.ts';
import { type FedMessage, OrderedFeed } from '../shared/broker/ordered-feed.ts';
import { decodeTopic } from '../shared/protocol/encoding.ts';
import type { Names } from '../shared/protocol/subjects.ts';
import { parseTraceparent } from '../shared/trace-ids.ts';
import type { ParseJson } from './http.ts';

/** An event that was emitted. */
export interface CapturedEvent<Data = unknown> {
  topic: string;
  data: Data;
  traceId: string;
  /** The same in all its attempts. */
  id: string;
  messageGroupId?: string;
}

/** The events of a topic since it is watched. */
export interface Watcher<Data = unknown> {
  /** In the order in which the broker has stored them. All that were emitted before `waitEvents` resolved are among them. */
  getCapturedEvents(): CapturedEvent<Data>[];
  getLastCapturedEvent(): CapturedEvent<Data> | undefined;
  /** From 0. */
  getCapturedEvent(index: number): CapturedEvent<Data> | undefined;
  /** Forgets what was captured. */
  clear(): void;
}

export class EventFeed {
  readonly #stream: string;
  readonly #feed: OrderedFeed;
  readonly #events: EventStore;
  readonly #parse: ParseJson;
  readonly #watched = new Map<string, CapturedEvent[][]>();
  /** Events above the broker's message limit, on their way. */
  readonly #loading = new Set<Promise<void>>();
  /** Sequence, in the stream of schedules, of the last message that has come from there. They come in their order. */
  #lastArrived = 0;
  #onArrival = () => {};

  constructor(broker: Broker, names: Names, parse: ParseJson) {
    this.#stream = names.streams.events;
    this.#parse = parse;
    this.#events = new EventStore(broker, names);
    this.#feed = new OrderedFeed(broker, {
      stream: this.#stream,
      filter: `${names.app}.>`,
      onMessage: (message) => this.#onMessage(message),
      onReset: () => {},
      afterReset: 'next',
    });
  }

  start(): Promise<void> {
    return this.#feed.start();
  }

  close(): void {
    this.#feed.close();
  }

  /** Captures the events of a topic from now on. */
  watch<Data>(topic: string): Watcher<Data> {
    const captured: CapturedEvent<Data>[] = [];
    this.#watched.set(topic, [...(this.#watched.get(topic) ?? []), captured]);
    return {
      getCapturedEvents: () => [...captured],
      getLastCapturedEvent: () => captured.at(-1),
      getCapturedEvent: (index) => captured[index],
      clear: () => {
        captured.length = 0;
      },
    };
  }

  /** Whether everything up to a sequence was captured. */
  hasSeen(sequence: number): boolean {
    return this.#feed.position >= sequence && this.#loading.size === 0;
  }

  /** Resolves when the message of this sequence in the stream of schedules has come to that of events. */
  async arrival(sequence: number): Promise<void> {
    while (this.#lastArrived < sequence) {
      await new Promise<void>((resolve) => {
        this.#onArrival = resolve;
      });
    }
  }

  #onMessage(message: FedMessage): void {
    // What was sourced says from where: `<stream> <sequence> …`.
    const source = Number(message.headers?.get('Nats-Stream-Source').split(' ')[1]);
    if (source > this.#lastArrived) {
      this.#lastArrived = source;
      this.#onArrival();
    }
    const [, kind, , ...topic] = message.subject.split('.');
    if (kind === 'ev') this.#capture(decodeTopic(topic.join('.')), message);
  }

  #capture(topic: string, message: FedMessage): void {
    const watchers = this.#watched.get(topic);
    if (!watchers) return;
    const { headers, sequence, time, data } = message;
    const event = readEnvelope({ headers, sequence, storedAt: time }, this.#stream, topic);
    const add = (json: Uint8Array) => {
      const captured = {
        topic,
        data: this.#parse(Buffer.from(json).toString('utf8')),
        traceId: parseTraceparent(event.traceparent)?.traceId ?? '',
        id: event.id,
        ...(event.group !== undefined && { messageGroupId: event.group }),
      };
      for (const events of watchers) events.push(captured);
    };
    if (event.blob === undefined) {
      add(data);
      return;
    }
    const loading = this.#events
      .payload(event, data)
      .then(add)
      .finally(() => this.#loading.delete(loading));
    this.#loading.add(loading);
  }
}
