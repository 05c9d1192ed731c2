/** What people do with subscriptions: see what waits in them and why, pause and resume them. Nothing here takes an event. */
import type { ConsumerInfo } from '@nats-io/jetstream';
import { MotiaError } from '../errors.ts';
import { encodeTopic } from '../protocol/encoding.ts';
import type { Names } from '../protocol/subjects.ts';
import type { AttemptMark } from './attempt-marks.ts';
import type { Broker } from './connect.ts';
import { subscriptionSources } from './consumers.ts';
import { askHoldings, type Holdings, type WorkerIdentity } from './holdings.ts';
import { readEntries } from './key-value.ts';
import { readManifest } from './manifest-store.ts';
import { countOn, readPage } from './stored-messages.ts';
import { backoffOf, isPaused, type Subscription, whyWaiting } from './why-waiting.ts';

/** A subscription as people see it. */
export interface QueueStatus {
  /** Its name on the broker. */
  subscription: string;
  /** Id of the step. */
  step: string;
  topic: string;
  /** Events that no worker has yet. */
  waiting: number;
  /** Events that are with workers. */
  inFlight: number;
  /** Who has how many of them, up to 1,000 each. Absent when none are in flight. */
  workers?: (WorkerIdentity & { events: number })[];
  /** Workers that serve the subscription and do not say what they have; absent when there are none, or none are in flight. */
  silentWorkers?: number;
  /** Events that wait for their time in this subscription: for the next attempt, or as `delaySeconds` says. */
  later: number;
  /** Events of the topic that were emitted with a delay, for all its subscriptions. */
  scheduled: number;
  /** There are more delayed events than were looked at: `scheduled` is the least. */
  scheduledCut?: true;
  /** When the oldest one was stored that waits or is in flight; ISO 8601 in UTC. */
  oldest?: string;
  /** Dead letters of the step, of all its topics. */
  dead: number;
  paused: boolean;
  /** Why events wait that do, if they do. */
  why?: string;
}

/** The least that is to be known of a subscription, without asking for more than the broker's list of consumers. */
export type QueueDepth = Pick<QueueStatus, 'subscription' | 'step' | 'topic' | 'waiting' | 'inFlight' | 'paused'>;

export type QueueCounts = Omit<QueueStatus, 'why'>;

interface Delayed {
  /** By the subject of their topic. */
  counts: ReadonlyMap<string, number>;
  /** There are more. */
  cut: boolean;
}

/** Delayed events that are looked at to count those of each topic. */
const MOST_DELAYED = 1_000;
/** Pauses end when they are ended: the broker wants a time. */
const FOR_EVER = new Date('2200-01-01T00:00:00Z');

export class QueueAdmin {
  readonly #broker: Broker;
  readonly #names: Names;

  /** @param names with the app's number of partitions. */
  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
  }

  /** All subscriptions, or those of one step or topic. */
  async list(which?: string): Promise<QueueStatus[]> {
    const [all, delayed, marks] = await Promise.all([this.subscriptions(), this.#delayed(), this.#marks()]);
    const wanted = all.filter(({ step, topic }) => which === undefined || which === step.id || which === topic);
    return Promise.all(wanted.map((one) => this.#describe(one, delayed, marks)));
  }

  /** All subscriptions, without why their events wait: to find that out takes longer than to count. */
  async counts(): Promise<QueueCounts[]> {
    const [all, delayed, marks] = await Promise.all([this.subscriptions(), this.#delayed(), this.#marks()]);
    return Promise.all(all.map((one) => this.#count(one, delayed, marks)));
  }

  /** How much waits, for those who ask often. What waits in its place for its next attempt counts as in flight. */
  async depths(): Promise<QueueDepth[]> {
    return (await this.subscriptions()).map(({ name, step, topic, sources }) => {
      const infos = sources.flatMap(({ info }) => (info ? [info] : []));
      return {
        ...{ subscription: name, step: step.id, topic },
        waiting: total(infos, 'num_pending'),
        inFlight: total(infos, 'num_ack_pending'),
        paused: infos.some(isPaused),
      };
    });
  }

  /** @param name as in `subscription`. @throws {MotiaError} `NOT_FOUND` */
  async show(name: string): Promise<QueueStatus> {
    const [one, delayed, marks] = await Promise.all([this.#find(name), this.#delayed(), this.#marks()]);
    return this.#describe(one, delayed, marks);
  }

  /**
   * Its events stay where they are until it is resumed; those that are with workers end. It outlives every process.
   * @returns the subscriptions of the step, or the one to the topic. @throws {MotiaError} `UNKNOWN_STEP`
   */
  async pause(step: string, topic?: string): Promise<string[]> {
    const chosen = await this.#choose(step, topic);
    for (const one of chosen) await this.#setPaused(one, true);
    return chosen.map(({ name }) => name);
  }

  /** @returns and throws as {@link pause}. */
  async resume(step: string, topic?: string): Promise<string[]> {
    const chosen = await this.#choose(step, topic);
    for (const one of chosen) await this.#setPaused(one, false);
    return chosen.map(({ name }) => name);
  }

  /** One subscription by its name. @throws {MotiaError} `NOT_FOUND` */
  async pauseOne(name: string): Promise<void> {
    await this.#setPaused(await this.#find(name), true);
  }

  /** @throws {MotiaError} `NOT_FOUND` */
  async resumeOne(name: string): Promise<void> {
    await this.#setPaused(await this.#find(name), false);
  }

  /** The subscriptions of the manifest, with what the broker knows of them. */
  async subscriptions(): Promise<Subscription[]> {
    const [manifest, infos] = await Promise.all([readManifest(this.#broker, this.#names), this.#infos()]);
    return (manifest?.steps ?? [])
      .filter(({ type }) => type === 'event')
      .flatMap((step) =>
        [...new Set(step.subscribes)].map((topic) => ({
          step,
          topic,
          name: this.#names.subscription(step.id, topic),
          sources: subscriptionSources(this.#names, step, topic).map((source) => ({
            ...source,
            info: infos.get(source.durable),
          })),
        })),
      );
  }

  async #describe(one: Subscription, delayed: Delayed, marks: ReadonlyMap<string, AttemptMark>): Promise<QueueStatus> {
    const counts = await this.#count(one, delayed, marks);
    const first = one.sources.find(({ info }) => !info || info.num_pending > 0);
    if (!first) return counts;
    return { ...counts, why: (await whyWaiting(this.#broker, this.#names, one, first.info)).why };
  }

  async #count(one: Subscription, delayed: Delayed, marks: ReadonlyMap<string, AttemptMark>): Promise<QueueCounts> {
    const { step, topic, name, sources } = one;
    const infos = sources.flatMap(({ info }) => (info ? [info] : []));
    const inPlace = infos.filter((info) => backoffOf(info, marks.get(this.#names.markKey(info.name)))).length;
    const [{ count: away }, { count: dead }, oldest] = await Promise.all([
      countOn(this.#broker, this.#names.streams.scheduled, this.#names.schedulesOf(name)),
      countOn(this.#broker, this.#names.streams.dead, this.#names.dead(step.id)),
      this.#oldest(sources),
    ]);
    const waiting = total(infos, 'num_pending');
    const held = total(infos, 'num_ack_pending');
    const inFlight = held - inPlace;
    return {
      ...{
        subscription: name,
        step: step.id,
        topic,
        waiting,
        inFlight,
        ...(inFlight > 0 && (await this.#holders(infos))),
      },
      later: away + inPlace,
      scheduled: delayed.counts.get(encodeTopic(topic)) ?? 0,
      ...(delayed.cut && { scheduledCut: true as const }),
      ...(oldest !== undefined && { oldest: iso(oldest) }),
      dead,
      paused: infos.some(isPaused),
    };
  }

  async #holders(infos: readonly ConsumerInfo[]): Promise<Pick<QueueStatus, 'workers' | 'silentWorkers'>> {
    const consumers = infos.filter(({ num_ack_pending }) => num_ack_pending > 0).map(({ name }) => name);
    const { held, silent } = await askHoldings(this.#broker, this.#names, { consumers });
    return { workers: countByWorker(held), ...(silent > 0 && { silentWorkers: silent }) };
  }

  /** When the first event was stored that is not done, ms since 1970. */
  async #oldest(sources: Subscription['sources']): Promise<number | undefined> {
    const looks = sources
      .filter(({ info }) => info !== undefined && info.num_pending + info.num_ack_pending > 0)
      .flatMap(({ filters, stream, info }) =>
        filters.map((filter) => readPage(this.#broker, stream, filter, (info?.ack_floor.stream_seq ?? 0) + 1, 1)),
      );
    const times = (await Promise.all(looks)).flatMap(({ messages }) => messages.map(({ storedAt }) => storedAt));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** How many events with a delay wait. */
  async #delayed(): Promise<Delayed> {
    const { messages, left } = await readPage(
      this.#broker,
      this.#names.streams.scheduled,
      this.#names.allDelayed,
      1,
      MOST_DELAYED,
    );
    const counts = new Map<string, number>();
    for (const { headers } of messages) {
      const topic = topicOfTarget(headers?.get('Nats-Schedule-Target') ?? '');
      counts.set(topic, (counts.get(topic) ?? 0) + 1);
    }
    return { counts, cut: left > 0 };
  }

  async #marks(): Promise<Map<string, AttemptMark>> {
    const entries = await readEntries(this.#broker, this.#names.buckets.delivery, this.#names.allMarks);
    return new Map(
      entries.map(({ key, data }) => [key, JSON.parse(Buffer.from(data).toString('utf8')) as AttemptMark]),
    );
  }

  async #infos(): Promise<Map<string, ConsumerInfo>> {
    const infos = new Map<string, ConsumerInfo>();
    for await (const info of this.#broker.jsm.consumers.list(this.#names.streams.events)) infos.set(info.name, info);
    return infos;
  }

  async #find(name: string): Promise<Subscription> {
    const found = (await this.subscriptions()).find((one) => one.name === name);
    if (found) return found;
    throw new MotiaError('NOT_FOUND', `there is no subscription "${name.slice(0, 300)}"`);
  }

  async #choose(step: string, topic: string | undefined): Promise<Subscription[]> {
    const all = await this.subscriptions();
    const chosen = all.filter((one) => one.step.id === step && (topic === undefined || one.topic === topic));
    if (chosen.length > 0) return chosen;
    const known = [...new Set(all.map((one) => one.step.id))];
    const there = known.length === 0 ? 'this app has none' : `there are ${known.join(', ')}`;
    const what =
      topic === undefined ? `no event step "${step}"` : `no event step "${step}" that subscribes to "${topic}"`;
    throw new MotiaError('UNKNOWN_STEP', `there is ${what}: ${there}`);
  }

  /** In a FIFO step there are many; should it fail in the middle, doing it again does the rest. */
  async #setPaused({ sources }: Subscription, paused: boolean): Promise<void> {
    const { consumers } = this.#broker.jsm;
    const there = sources.filter(({ info }) => info !== undefined);
    await Promise.all(
      there.map(({ stream, durable }) =>
        paused ? consumers.pause(stream, durable, FOR_EVER) : consumers.resume(stream, durable),
      ),
    );
  }
}

const total = (infos: readonly ConsumerInfo[], count: 'num_pending' | 'num_ack_pending') =>
  infos.reduce((all, info) => all + info[count], 0);

function countByWorker(held: Holdings['held']): (WorkerIdentity & { events: number })[] {
  const counts = new Map<string, WorkerIdentity & { events: number }>();
  for (const { by } of held) counts.set(by.worker, { ...by, events: (counts.get(by.worker)?.events ?? 0) + 1 });
  return [...counts.values()];
}

/** The subject of the topic: what follows `<app>.fire.ev._.`, or `<app>.fire.grouped.<group>.`. */
export const topicOfTarget = (target: string): string => target.split('.').slice(4).join('.');

const iso = (ms: number) => new Date(ms).toISOString();
