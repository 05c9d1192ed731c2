/** Where an event is, and why it waits. Only looks, at no more than a bounded number of messages. */
import type { ConsumerInfo } from '@nats-io/jetstream';
import { MotiaError } from '../errors.ts';
import { decodeTopic } from '../protocol/encoding.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import { AttemptMarks } from './attempt-marks.ts';
import type { Broker } from './connect.ts';
import { decodeText, readEnvelope } from './events.ts';
import { askHoldings, describeWorker, type WorkerIdentity } from './holdings.ts';
import { QueueAdmin, topicOfTarget } from './queue-admin.ts';
import { readLastOnEach, readMessage, readPage, type StoredMessage } from './stored-messages.ts';
import { backoffOf, type Subscription, whyWaiting } from './why-waiting.ts';

/** One place where an event is. An event with several subscribers is in several. */
export interface EventPlace {
  /** Id of the step; absent while an event with a delay waits for all of them. */
  step?: string;
  topic: string;
  /**
   * `scheduled`, `backoff`, `running`, `dead`, or while it waits for a worker what for: `paused`, `behind`, `concurrency limit`, `rate limit`,
   * `next`, `busy`, `no worker`, `no consumer`.
   */
  state: string;
  /** The same for people. */
  why: string;
  /** Number of the attempt that is made, or comes next, or was the last one. */
  attempt?: number;
  /** Until when it waits, ISO 8601 in UTC. */
  until?: string;
  /** The worker that has it, if one says so. */
  worker?: WorkerIdentity;
  /** Since when that has it, ISO 8601 in UTC. */
  since?: string;
  /** Id of the dead letter. */
  deadLetter?: string;
}

export interface EventSearch {
  eventId: string;
  /** Empty: it has been handled by all, or never was there, unless the search was cut. */
  places: EventPlace[];
  /** Where there was more than was looked at. */
  cut: ('waiting' | 'scheduled' | 'dead')[];
}

/** What is looked at in each broker stream: the oldest of what waits, the newest of what is dead. */
const MOST_SEARCHED = 5_000;
const MOST_BYTES = 32 * 1024 ** 2;
const PAGE = 500;
/** Attempts whose waits are looked for. */
const MOST_ATTEMPTS = 100;
const LONGEST_ID = 1_024;

/** @param names with the app's number of partitions. @throws {MotiaError} `INVALID_VALUE` for what is no id. */
export async function findEvent(broker: Broker, names: Names, eventId: string): Promise<EventSearch> {
  if (eventId === '' || eventId.length > LONGEST_ID)
    throw new MotiaError('INVALID_VALUE', 'this is not the id of an event');
  const subscriptions = await new QueueAdmin(broker, names).subscriptions();
  const found = await Promise.all([
    findWaiting(broker, names, eventId, subscriptions),
    findDelayed(broker, names, eventId),
    findInBackoff(broker, names, eventId, subscriptions),
    findDead(broker, names, eventId),
  ]);
  return { eventId, places: found.flatMap(({ places }) => places), cut: found.flatMap(({ cut }) => cut ?? []) };
}

interface Found {
  places: EventPlace[];
  cut?: EventSearch['cut'][number];
}

/** Among the events themselves. */
async function findWaiting(
  broker: Broker,
  names: Names,
  eventId: string,
  subscriptions: readonly Subscription[],
): Promise<Found> {
  const { events } = names.streams;
  const { messages, cut } = await search(broker, events, '>', 1, (message) => isEvent(message, events, eventId));
  // An event without an id is known by its place.
  const place = eventId.startsWith(`${events}:`) ? Number(eventId.slice(events.length + 1)) : 0;
  if (cut && messages.length === 0 && place > 0) {
    const message = await readMessage(broker, events, place);
    if (message) messages.push(message);
  }
  const places: EventPlace[] = [];
  for (const message of messages) {
    const takers = takersOf(names, message, subscriptions);
    for (const taker of takers) {
      const found = await placeIn(broker, names, message, taker, takers.length);
      if (found) places.push(found);
    }
  }
  return { places, ...(cut && { cut: 'waiting' as const }) };
}

type Taker = { subscription: Subscription; durable: string; info: ConsumerInfo | undefined };

/** The consumers that a stored event is for. */
function takersOf(names: Names, { subject, headers }: StoredMessage, subscriptions: readonly Subscription[]): Taker[] {
  const [, , partition = ''] = subject.split('.');
  const onlyFor = headers?.get(Header.step);
  const may = onlyFor ? subscriptions.filter(({ step }) => step.id === decodeText(onlyFor)) : subscriptions;
  return may.flatMap((subscription) =>
    subscription.sources
      .filter(({ durable, partition: own }) => {
        if (subject === names.retry(durable)) return true;
        return subject === names.partitionFilter(subscription.topic, own ?? partition);
      })
      .map(({ durable, info }) => ({ subscription, durable, info })),
  );
}

/** @returns nothing if it has been handled there. */
async function placeIn(
  broker: Broker,
  names: Names,
  message: StoredMessage,
  { subscription, durable, info }: Taker,
  takers: number,
): Promise<EventPlace | undefined> {
  const { step, topic } = subscription;
  const { attempt } = readEnvelope(message, names.streams.events, topic);
  const identity = { step: step.id, topic };
  if (!info || message.sequence > info.delivered.stream_seq) {
    const { state, why } = await whyWaiting(broker, names, subscription, info);
    return { ...identity, attempt, state, why: await withNeighbour(broker, names, state, why, info) };
  }
  const isOrdered = step.infrastructure?.queue?.type === 'fifo';
  const isDone =
    message.sequence <= info.ack_floor.stream_seq ||
    info.num_ack_pending === 0 ||
    (isOrdered && message.sequence !== info.delivered.stream_seq);
  if (isDone) return undefined;
  const mark = isOrdered ? await new AttemptMarks(broker, names, durable).read(message.sequence) : undefined;
  const waits = backoffOf(info, mark);
  if (waits) return inBackoff(identity, waits.attempt, waits.notBefore);
  const running = { ...identity, attempt: mark?.attempt ?? attempt, state: 'running' };
  const question = { consumers: [durable], sequence: message.sequence };
  const { held, silent } = await askHoldings(broker, names, question);
  const [holder] = held;
  if (holder) {
    const [worker, since] = [holder.by, new Date(holder.since).toISOString()];
    return {
      ...running,
      attempt: holder.attempt,
      why: `with the ${describeWorker(worker)}, since ${since}`,
      worker,
      since,
    };
  }
  // Of what several take, the broker does not say who has acked it.
  const orDone = takers > 1 && !isOrdered ? ', or handled already while another step has not' : '';
  const why = silent > 0 ? 'with a worker that does not say so' : 'with a worker that has just ended, or was lost';
  return { ...running, why: `${why}${orDone}` };
}

/** Names the event that an ordered one waits for. */
async function withNeighbour(broker: Broker, names: Names, state: string, why: string, info: ConsumerInfo | undefined) {
  if (state !== 'behind' || !info) return why;
  const { events } = names.streams;
  const held = await readMessage(broker, events, info.delivered.stream_seq);
  return held ? `${why}: ${readEnvelope(held, events, '').id}` : why;
}

/** Among those that were emitted with a delay. */
async function findDelayed(broker: Broker, names: Names, eventId: string): Promise<Found> {
  const { scheduled } = names.streams;
  // One with an id of its emitter's is stored under that.
  const [direct] = await readLastOnEach(broker, scheduled, [names.delayed(eventId)]);
  const { messages, cut } = direct
    ? { messages: [direct], cut: false }
    : await search(broker, scheduled, names.allDelayed, 1, (message) => isEvent(message, '', eventId));
  const places = messages.map((message): EventPlace => {
    const target = topicOfTarget(message.headers?.get('Nats-Schedule-Target') ?? '');
    const until = dueOf(message);
    return { topic: decodeTopic(target), state: 'scheduled', why: `scheduled for ${until}`, until };
  });
  return { places, ...(cut && places.length === 0 && { cut: 'scheduled' as const }) };
}

/** Among those that wait for their time in one subscription. */
async function findInBackoff(
  broker: Broker,
  names: Names,
  eventId: string,
  subscriptions: readonly Subscription[],
): Promise<Found> {
  const attempts = Array.from({ length: MOST_ATTEMPTS }, (_, n) => names.schedulesWith(`${eventId}:${n + 1}`));
  const messages = await readLastOnEach(broker, names.streams.scheduled, attempts);
  const places = messages.flatMap((message) => {
    const [, , durable] = message.subject.split('.');
    const { attempt, topic } = readEnvelope(message, '', decodeText(message.headers?.get(Header.topic) ?? ''));
    const step = subscriptions.find(({ name }) => name === durable)?.step.id ?? durable;
    return inBackoff({ ...(step !== undefined && { step }), topic }, attempt, Date.parse(dueOf(message)));
  });
  return { places };
}

function inBackoff(identity: { step?: string; topic: string }, attempt: number, due: number): EventPlace {
  const until = new Date(due).toISOString();
  const why = attempt === 1 ? `held back until ${until}` : `waits until ${until} for attempt ${attempt}`;
  return { ...identity, state: attempt === 1 ? 'scheduled' : 'backoff', why, attempt, until };
}

/** Among the newest dead letters. */
async function findDead(broker: Broker, names: Names, eventId: string): Promise<Found> {
  const { dead } = names.streams;
  const { state } = await broker.jsm.streams.info(dead);
  const from = Math.max(state.first_seq, state.last_seq - MOST_SEARCHED + 1);
  const { messages, cut } = await search(broker, dead, names.deads, from, (message) => isEvent(message, dead, eventId));
  const places = messages.map((message): EventPlace => {
    const get = (name: string) => decodeText(message.headers?.get(name) ?? '');
    const { attempt, topic } = readEnvelope(message, dead, get(Header.topic));
    const deadLetter = String(message.sequence);
    const why = `dead after ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}: motia dlq show ${deadLetter}`;
    return { step: get(Header.step), topic, state: 'dead', why, attempt, deadLetter };
  });
  const isCut = cut || from > state.first_seq;
  return { places, ...(isCut && places.length === 0 && { cut: 'dead' as const }) };
}

/** Looks through messages from a sequence on, up to the limits. */
async function search(
  broker: Broker,
  stream: string,
  subject: string,
  from: number,
  isWanted: (message: StoredMessage) => boolean,
): Promise<{ messages: StoredMessage[]; cut: boolean }> {
  const messages: StoredMessage[] = [];
  for (let seen = 0, bytes = 0; seen < MOST_SEARCHED && bytes < MOST_BYTES; ) {
    const page = await readPage(broker, stream, subject, from, PAGE);
    messages.push(...page.messages.filter(isWanted));
    if (page.left === 0) return { messages, cut: false };
    seen += page.messages.length;
    bytes += page.messages.reduce((sum, { data }) => sum + data.length, 0);
    from = (page.messages.at(-1)?.sequence ?? from) + 1;
  }
  return { messages, cut: true };
}

const isEvent = (message: StoredMessage, stream: string, eventId: string): boolean =>
  readEnvelope(message, stream, '').id === eventId;

/** When a schedule fires, as ISO 8601. */
export function dueOf({ headers }: StoredMessage): string {
  return new Date((headers?.get('Nats-Schedule') ?? '').replace('@at ', '')).toISOString();
}
