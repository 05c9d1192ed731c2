/**
 * Consumers that no live version of the app has any more: neither does the current manifest name them, nor the lease of a worker.
 * Old and new versions may run side by side, so the manifest alone does not tell.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerInfo, MsgRequest } from '@nats-io/jetstream';
import { MotiaError, toErrorRecord } from '../errors.ts';
import { type Names, partsOfSubscription, wholeOf } from '../protocol/subjects.ts';
import { servedSteps } from '../steps/access-steps.ts';
import type { Broker } from './connect.ts';
import { deleteConsumer, findConsumer, sourcesOf } from './consumers.ts';
import type { Delivery } from './delivery.ts';
import { EventStore, readEnvelope } from './events.ts';
import { purgeEntries } from './key-value.ts';
import { readManifest } from './manifest-store.ts';
import { PullConsumer } from './pull-consumer.ts';
import { readLeases, toServed } from './worker-lease.ts';

export interface Orphan {
  stream: string;
  durable: string;
  /** Name of the step that it was made for. */
  step: string;
  /** Messages that wait in it or are with a worker, and events that wait for their next attempt. */
  waiting: number;
}

/** Events that are moved at a time. */
const AT_A_TIME = 64;
/** What a lost worker holds is here after the longest ack wait. */
const PATIENCE_MS = 35_000;
const CHECK_MS = 50;
const QUIET_MS = 500;

/** All orphans of an app; none as long as it has no manifest. */
export async function findOrphans(broker: Broker, names: Names): Promise<Orphan[]> {
  // In the opposite order a worker names them in its lease, makes them, publishes its manifest, and names fewer.
  const { events, requests, cron } = names.streams;
  const infos: ConsumerInfo[] = [];
  for (const stream of [events, requests, cron]) {
    for await (const info of broker.jsm.consumers.list(stream)) infos.push(info);
  }
  const isInUse = await readUse(broker, names);
  return Promise.all(infos.filter((info) => !isInUse(info)).map((info) => describe(broker, names, info)));
}

/** @returns whether a live version of the app has a consumer. Without a manifest nobody knows: all are in use. */
async function readUse(broker: Broker, names: Names): Promise<(info: ConsumerInfo) => boolean> {
  const served = await readLeases(broker, names);
  const manifest = await readManifest(broker, names);
  if (!manifest) return () => true;
  for (const source of servedSteps(manifest).flatMap((step) => sourcesOf(names, step))) served.add(toServed(source));
  return ({ stream_name: stream, name, config }) =>
    config.durable_name === undefined || // no one's of ours
    // What a step that is FIFO no longer has left is its workers' to finish.
    [name, wholeOf(name)].some((durable) => served.has(toServed({ stream, durable })));
}

async function describe(broker: Broker, names: Names, info: ConsumerInfo): Promise<Orphan> {
  const { stream_name: stream, name: durable, config, num_pending, num_ack_pending } = info;
  const waiting = num_pending + num_ack_pending + (await countRetries(broker, names, durable));
  return { stream, durable, step: config.description ?? durable, waiting };
}

/** Takes an orphan away if it still is one and nothing waits. @returns whether it was so */
export async function removeOrphan(broker: Broker, names: Names, orphan: Orphan): Promise<boolean> {
  const now = await findAgain(broker, names, orphan);
  if (now?.waiting !== 0) return false;
  await deleteConsumer(broker, orphan);
  await purgeEntries(broker, names.buckets.delivery, names.markKey(orphan.durable));
  return true;
}

/**
 * Makes dead letters of the events that wait in an orphan, and takes it away. Ticks and calls of a step that is gone stand for nothing
 * any more.
 * @returns how many messages there were, or `undefined` if it is no orphan any more.
 * @throws {MotiaError} `BROKER_TIMEOUT` if a worker keeps some of them.
 */
export async function emptyOrphan(broker: Broker, names: Names, orphan: Orphan): Promise<number | undefined> {
  const { stream, durable } = orphan;
  const found = await findAgain(broker, names, orphan);
  if (!found) return undefined;
  let moved = stream === names.streams.events ? 0 : found.waiting;
  if (stream === names.streams.events) {
    const { state } = await broker.jsm.streams.info(stream);
    const letters = new DeadLetters(broker, names, orphan, state.last_seq);
    for (const giveUp = Date.now() + PATIENCE_MS; ; ) {
      moved += (await letters.buryRetries()) + (await letters.buryWaiting());
      if (await letters.isDone()) break;
      if (Date.now() > giveUp) {
        throw new MotiaError('BROKER_TIMEOUT', `a worker still has events of ${durable}; try again when it has ended`);
      }
    }
    if (!(await findAgain(broker, names, orphan))) return undefined; // a worker has come meanwhile
    await purgeEntries(broker, names.buckets.delivery, names.markKey(durable));
  }
  const info = await broker.jsm.consumers.info(stream, durable);
  await deleteConsumer(broker, orphan);
  if (stream === names.streams.cron) {
    for (const filter of filtersOf(info)) await broker.jsm.streams.purge(stream, { filter });
  }
  return moved;
}

/** The same orphan as it is now, if it is there and still one. */
async function findAgain(broker: Broker, names: Names, { stream, durable }: Orphan): Promise<Orphan | undefined> {
  const info = await findConsumer(broker, stream, durable);
  if (!info || (await readUse(broker, names))(info)) return undefined;
  return describe(broker, names, info);
}

/** Events that wait for their next attempt in one subscription. */
async function countRetries(broker: Broker, names: Names, durable: string): Promise<number> {
  const filter = names.schedulesOf(durable);
  const { state } = await broker.jsm.streams.info(names.streams.scheduled, { subjects_filter: filter });
  return Object.keys(state.subjects ?? {}).length;
}

/** Moves what one subscription has to the dead letters: first stored there, then taken away here. */
class DeadLetters {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #orphan: Orphan;
  readonly #events: EventStore;
  /** Sequence of the last event that counts: on a busy topic there is no end to what comes after it. */
  readonly #last: number;
  #reached = 0;

  constructor(broker: Broker, names: Names, orphan: Orphan, last: number) {
    this.#broker = broker;
    this.#names = names;
    this.#orphan = orphan;
    this.#last = last;
    this.#events = new EventStore(broker, names);
  }

  async buryRetries(): Promise<number> {
    const { scheduled } = this.#names.streams;
    const filter = this.#names.schedulesOf(this.#orphan.durable);
    return this.#each(scheduled, filter, 1, (seq) => this.#broker.jsm.streams.deleteMessage(scheduled, seq));
  }

  async buryWaiting(): Promise<number> {
    const { stream, durable } = this.#orphan;
    const info = await this.#broker.jsm.consumers.info(stream, durable);
    if (info.num_pending + info.num_ack_pending === 0) return 0;
    if (info.config.max_ack_pending !== 1) return this.#pull(info);
    // One after the other: nothing beyond the floor is done, and what waits in its place could not be pulled.
    let moved = 0;
    for (const filter of filtersOf(info)) moved += await this.#each(stream, filter, info.ack_floor.stream_seq + 1);
    this.#reached = Number.POSITIVE_INFINITY;
    return moved;
  }

  /** Whether nothing is left of what there was at the beginning. */
  async isDone(): Promise<boolean> {
    const { stream, durable } = this.#orphan;
    if ((await countRetries(this.#broker, this.#names, durable)) > 0) return false;
    if (this.#reached === Number.POSITIVE_INFINITY) return true;
    const info = await this.#broker.jsm.consumers.info(stream, durable);
    return info.num_ack_pending === 0 && (info.num_pending === 0 || this.#reached > this.#last);
  }

  /** Buries the messages of a broker stream from a sequence on. */
  async #each(
    stream: string,
    filter: string,
    from: number,
    then: (seq: number) => Promise<unknown> = async () => {},
  ): Promise<number> {
    let moved = 0;
    for (let seq = from; ; moved++) {
      const message = await this.#broker.jsm.streams.getMessage(stream, { seq, next_by_subj: filter } as MsgRequest);
      if (!message) return moved;
      await this.#bury({
        headers: message.header,
        data: message.data,
        sequence: message.seq,
        storedAt: message.time.getTime(),
      });
      await then(message.seq);
      seq = message.seq + 1;
    }
  }

  /** Buries what can be pulled, until nothing comes for a while. */
  async #pull({ config }: ConsumerInfo): Promise<number> {
    const { stream, durable } = this.#orphan;
    let [moved, held] = [0, 0];
    let failure: unknown;
    let heardAt = Date.now();
    const puller = new PullConsumer(this.#broker, {
      ...{ stream, durable },
      ackWaitMs: (config.ack_wait ?? 0) / 1e6,
      room: () => (this.#reached > this.#last ? 0 : AT_A_TIME - held),
      onDelivery: (delivery) => {
        held++;
        heardAt = Date.now();
        this.#reached = Math.max(this.#reached, delivery.sequence);
        this.#bury(delivery)
          .then(() => {
            delivery.ack();
            moved++;
          })
          .catch((error) => {
            failure = error;
          })
          .finally(() => {
            held--;
            puller.pull();
          });
      },
      onGone: () => {},
    });
    puller.start();
    const mayCome = () => failure === undefined && this.#reached <= this.#last && Date.now() - heardAt < QUIET_MS;
    while (held > 0 || mayCome()) await sleep(CHECK_MS);
    puller.stop();
    await this.#broker.flush();
    puller.close();
    if (failure !== undefined) throw failure;
    return moved;
  }

  async #bury(message: Pick<Delivery, 'headers' | 'data' | 'sequence' | 'storedAt'>): Promise<void> {
    const { stream, durable } = this.#orphan;
    const { step, topic } = partsOfSubscription(durable);
    const event = readEnvelope(message, stream, topic);
    const error = JSON.stringify(toErrorRecord(new MotiaError('STEP_GONE', 'the step is gone')));
    await this.#events.bury(event, message.data, { step, durable, error });
  }
}

const filtersOf = ({ config }: ConsumerInfo): string[] => config.filter_subjects ?? [config.filter_subject ?? '>'];
