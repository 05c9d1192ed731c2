/**
 * What waits for its time in an app under test: delayed events, and events between two attempts. Each is taken out of the broker's
 * schedules as soon as it is there, so time stands still for it until it is released, on the path that it takes when it is due.
 */
import type { Broker } from '../shared/broker/connect.ts';
import { type FedMessage, OrderedFeed } from '../shared/broker/ordered-feed.ts';
import { readAnswer, toHeaders } from '../shared/broker/publish.ts';
import { topicOfTarget } from '../shared/broker/queue-admin.ts';
import { countOn } from '../shared/broker/stored-messages.ts';
import { decodeTopic } from '../shared/protocol/encoding.ts';
import { Header } from '../shared/protocol/headers.ts';
import { type Names, partsOfSubscription } from '../shared/protocol/subjects.ts';
import type { Present } from './clock.ts';
import type { EventFeed } from './event-feed.ts';

/** One event that waits. */
export interface Wait {
  kind: 'delay' | 'retry';
  /** When its time comes by the tester's clock. */
  at: Date;
  topic: string;
  /** Of an event that waits in one subscription only: the name of its step. */
  step?: string;
  /** The attempt that is to be made then, from 1. */
  attempt: number;
}

interface Held extends Wait {
  order: number;
  target: string;
  headers: Record<string, string>;
  data: Uint8Array;
}

/** Headers that speak of the schedule, and not of the event. */
const OF_SCHEDULE = /^nats-(schedule|msg-id|expected|rollup)/i;

/** Between what a handler asked for and what the broker has stored, some milliseconds have passed. */
const ROUNDED_MS = 100;

export class Waits {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #events: EventFeed;
  readonly #time: Present;
  readonly #feed: OrderedFeed;
  readonly #held: Held[] = [];
  /** Messages that are being taken out. */
  #taking = 0;

  /** @param time the tester's. */
  constructor(broker: Broker, names: Names, events: EventFeed, time: Present) {
    this.#broker = broker;
    this.#names = names;
    this.#events = events;
    this.#time = time;
    this.#feed = new OrderedFeed(broker, {
      stream: names.streams.scheduled,
      filter: names.schedules,
      onMessage: (message) => {
        this.#taking++;
        void this.#takeOut(message).finally(() => this.#taking--);
      },
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

  /** The earliest first. */
  all(): Wait[] {
    return this.#held.map(({ kind, at, topic, step, attempt }) => ({
      ...{ kind, at, topic, attempt },
      ...(step !== undefined && { step }),
    }));
  }

  /** When the first one is due, in ms since 1970. */
  get next(): number {
    return this.#held[0]?.at.getTime() ?? Number.POSITIVE_INFINITY;
  }

  /** Whether nothing is left in the broker's hands. */
  async hasAll(): Promise<boolean> {
    const { count } = await countOn(this.#broker, this.#names.streams.scheduled, this.#names.schedules);
    return count === 0 && this.#taking === 0;
  }

  /** Lets go of the first one; resolves when its event is where those are that are due. */
  async release(): Promise<void> {
    const held = this.#held.shift();
    if (!held) return;
    const options = { headers: toHeaders(held.headers) };
    const { seq } = await this.#broker.mux.request(held.target, held.data, options, readAnswer<{ seq: number }>);
    await this.#events.arrival(seq);
  }

  forget(): void {
    this.#held.length = 0;
  }

  async #takeOut({ sequence, headers, data, time }: FedMessage): Promise<void> {
    const header = (name: string) => headers?.get(name) ?? '';
    const dueAt = Date.parse(header('Nats-Schedule').replace(/^@at /, ''));
    const target = header('Nats-Schedule-Target');
    const waits = Math.ceil(Math.max(0, dueAt - time) / ROUNDED_MS) * ROUNDED_MS;
    const at = new Date(this.#time.now + waits);
    const subject = `$JS.API.STREAM.MSG.DELETE.${this.#names.streams.scheduled}`;
    const answer = await this.#broker.mux.request(subject, JSON.stringify({ seq: sequence, no_erase: true }));
    if (answer.json<{ error?: unknown }>().error) return; // the broker was faster: its time was now
    const kept = [...(headers?.keys() ?? [])].filter((name) => !OF_SCHEDULE.test(name));
    this.#held.push({
      ...this.#describe(target, header),
      at,
      order: sequence,
      target,
      headers: Object.fromEntries(kept.map((name) => [name, header(name)])),
      data,
    });
    this.#held.sort((a, b) => a.at.getTime() - b.at.getTime() || a.order - b.order);
  }

  #describe(target: string, header: (name: string) => string): Omit<Wait, 'at'> {
    const attempt = Number(header(Header.attempt)) || 1;
    const durable = target.startsWith(this.#names.fireRetry(''))
      ? target.slice(this.#names.fireRetry('').length)
      : undefined;
    if (durable === undefined) return { kind: 'delay', topic: decodeTopic(topicOfTarget(target)), attempt };
    const topic = decodeURIComponent(header(Header.topic));
    return { kind: attempt > 1 ? 'retry' : 'delay', topic, step: partsOfSubscription(durable).step, attempt };
  }
}
