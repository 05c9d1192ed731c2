/** Tells when nothing is queued or running in an app under test, and what is when something stays. */
import type { Broker } from '../shared/broker/connect.ts';
import { readAnswer } from '../shared/broker/publish.ts';
import { QueueAdmin } from '../shared/broker/queue-admin.ts';
import { MotiaError } from '../shared/errors.ts';
import type { Names } from '../shared/protocol/subjects.ts';
import type { EventFeed } from './event-feed.ts';
import type { HttpClient } from './http.ts';
import type { Waits } from './waits.ts';

/** It is looked again after this time, should no ack have been heard. */
const LOOK_AGAIN_MS = 20;

interface StreamState {
  state: { messages: number; last_seq: number };
}

export interface Watched {
  broker: Broker;
  names: Names;
  http: HttpClient;
  events: EventFeed;
  waits: Waits;
}

export class Idle {
  readonly #watched: Watched;
  #onAck = () => {};
  readonly #acks: { unsubscribe(): void };

  constructor(watched: Watched) {
    this.#watched = watched;
    const { broker, names } = watched;
    // A run ends with an ack, which the broker passes on to whoever listens.
    this.#acks = broker.nc.subscribe(`$JS.ACK.${names.streams.events}.>`, { callback: () => this.#onAck() });
  }

  close(): void {
    this.#acks.unsubscribe();
  }

  /**
   * Resolves when nothing is queued or running. What waits for its time does not count.
   * @throws {MotiaError} `TEST_TIMEOUT` that says what still is.
   */
  async wait(timeoutMs: number): Promise<void> {
    const giveUp = performance.now() + timeoutMs;
    for (;;) {
      const ack = this.#nextAck();
      const isIdle = await this.#isIdle();
      if (isIdle || performance.now() > giveUp) ack.cancel();
      if (isIdle) return;
      if (performance.now() > giveUp) throw new MotiaError('TEST_TIMEOUT', await this.#describe(timeoutMs));
      await ack.come;
    }
  }

  /**
   * Work goes on from calls and ticks to events, from those to further events, and to what waits: in this order it is looked, so that
   * nothing slips through in between. An event is there until all its subscriptions have acked it, after they have emitted theirs.
   */
  async #isIdle(): Promise<boolean> {
    const { names, http, events, waits } = this.#watched;
    const hadCalls = http.inFlight > 0;
    const [ticks, calls] = await Promise.all(
      [names.streams.cron, names.streams.requests].map((name) => this.#state(name)),
    );
    const stored = await this.#state(names.streams.events);
    if (hadCalls || ticks?.messages !== 0 || calls?.messages !== 0 || stored.messages !== 0) return false;
    return events.hasSeen(stored.last_seq) && (await waits.hasAll());
  }

  async #state(stream: string): Promise<StreamState['state']> {
    const { mux } = this.#watched.broker;
    return (await mux.request(`$JS.API.STREAM.INFO.${stream}`, '', {}, readAnswer<StreamState>)).state;
  }

  #nextAck(): { come: Promise<void>; cancel: () => void } {
    let timer: NodeJS.Timeout | undefined;
    const come = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOOK_AGAIN_MS);
      this.#onAck = resolve;
    });
    return { come, cancel: () => clearTimeout(timer) };
  }

  async #describe(timeoutMs: number): Promise<string> {
    const { broker, names, http, waits } = this.#watched;
    const [queues, ticks] = await Promise.all([new QueueAdmin(broker, names).list(), this.#state(names.streams.cron)]);
    const busy = queues.flatMap(({ step, topic, waiting, inFlight, why }) => {
      if (waiting + inFlight === 0) return [];
      return [`${step} (${topic}): ${inFlight} running, ${waiting} queued${why === undefined ? '' : `: ${why}`}`];
    });
    if (ticks.messages > 0) busy.push(`cron steps: ${ticks.messages} running or queued`);
    if (http.inFlight > 0) busy.push(`HTTP: ${http.inFlight} requests without an answer`);
    const later = waits.all().length;
    if (later > 0) busy.push(`and ${later} events wait for their time, which does not hold this up`);
    return `after ${timeoutMs} ms there is still work:\n${busy.map((line) => `  - ${line}`).join('\n')}`;
  }
}
