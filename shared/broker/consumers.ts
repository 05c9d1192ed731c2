/** The durable consumers behind steps. */
import { AckPolicy, type ConsumerInfo, type ConsumerUpdateConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import { isGrouped, type Names } from '../protocol/subjects.ts';
import { type AppPart, takesStep, takesTopic } from '../steps/app-part.ts';
import type { StepEntry } from '../steps/manifest.ts';
import type { Broker } from './connect.ts';
import { notProvisioned } from './provisioned.ts';
import { readAnswer } from './publish.ts';
import { apiCode } from './topology.ts';

/** A lost worker's event is handed out again after this, unless its step says otherwise; running ones renew it. */
export const ACK_WAIT_MS = 10_000;
/** What a step may say about it. */
const ACK_WAIT_LIMITS_MS = { least: 1_000, most: 30_000 };
/** The same for API calls of safe methods, whose caller waits. */
export const REQUEST_ACK_WAIT_MS = 3_000;
const MAX_ACK_PENDING = 20_000;
/** Answered when a consumer is there with other settings. */
const CONSUMER_EXISTS = 10148;
/** Answered when a consumer that is to be changed is not there. */
const CONSUMER_GONE = 10149;
/** The same when it is asked for. */
const CONSUMER_NOT_FOUND = 10014;
const STREAM_NOT_FOUND = 10059;
const GONE: ReadonlySet<number> = new Set([CONSUMER_NOT_FOUND, STREAM_NOT_FOUND]);

/** Where one subscription, API step or cron step takes its messages from. */
export interface Source {
  stream: string;
  durable: string;
  filters: string[];
  ackWaitMs: number;
  /** Messages that may be with workers at a time, unanswered. */
  maxAckPending: number;
  /** Of a FIFO step: the partition that this is the source of. One message after the other, in the order in which they were stored. */
  partition?: string;
  /** Of a partition of a step that has ceased to be FIFO: sequence of the last event that it is to run. */
  runsUntil?: number;
  /** Of the subscription of such a step: sequence after which it runs events of groups. */
  groupsAfter?: number;
}

/** The source of an API step's calls. */
export function requestSource(names: Names, stepId: string): Source {
  return {
    stream: names.streams.requests,
    durable: names.requestConsumer(stepId),
    filters: [names.request(stepId)],
    ackWaitMs: REQUEST_ACK_WAIT_MS,
    maxAckPending: MAX_ACK_PENDING,
  };
}

/** What an event step says about its deliveries, and its id. */
export type Subscriber = Pick<StepEntry, 'id' | 'infrastructure'>;

/**
 * The sources of one subscription: one, or of a FIFO step one for each partition, since all that one of them has waits for its first
 * message. The first is for events without a message group, and for what waited when the step was not FIFO yet.
 */
export function subscriptionSources(names: Names, step: Subscriber, topic: string): Source[] {
  const whole = subscriptionSource(names, step, topic);
  if (step.infrastructure?.queue?.type !== 'fifo') return [whole];
  return names.partitions.map((partition) => {
    const durable = names.orderedSubscription(step.id, topic, partition);
    return {
      ...whole,
      durable,
      // Only the first has retries of its own, see `EventStore.emitTo`.
      filters: [names.partitionFilter(topic, partition), ...(partition === '_' ? [names.retry(durable)] : [])],
      maxAckPending: 1,
      partition,
    };
  });
}

/** Whether a source is one of the partitions of a FIFO step that message groups are in. */
export const isOfGroups = ({ partition = '_' }: Source): boolean => partition !== '_';

/** Whether an event that a source delivers is run from another one: the step has ceased to be FIFO. */
export function isRunElsewhere(
  { runsUntil, groupsAfter }: Source,
  { sequence, subject }: { sequence: number; subject: string },
): boolean {
  if (runsUntil !== undefined) return sequence > runsUntil;
  return groupsAfter !== undefined && sequence <= groupsAfter && isGrouped(subject);
}

/** The source of a whole subscription: the topic, and the retries of this very subscription. */
export function subscriptionSource(names: Names, { id, infrastructure }: Subscriber, topic: string): Source {
  const durable = names.subscription(id, topic);
  const { visibilityTimeout, globalConcurrency } = infrastructure?.queue ?? {};
  return {
    stream: names.streams.events,
    durable,
    filters: [names.eventFilter(topic), names.retry(durable)],
    ackWaitMs: toAckWait(visibilityTimeout),
    // A worker asks only for what it may run, so that this many are what runs.
    maxAckPending: globalConcurrency ?? MAX_ACK_PENDING,
  };
}

function toAckWait(seconds: number | undefined): number {
  if (seconds === undefined) return ACK_WAIT_MS;
  return Math.min(Math.max(seconds * 1_000, ACK_WAIT_LIMITS_MS.least), ACK_WAIT_LIMITS_MS.most);
}

/** The source of a cron step's ticks. The broker hands out one at a time, so that no two runs overlap on any workers. */
export function tickSource(names: Names, { id, overlap }: Pick<StepEntry, 'id' | 'overlap'>): Source {
  return {
    stream: names.streams.cron,
    durable: names.tickConsumer(id),
    filters: [names.tick(id)],
    ackWaitMs: ACK_WAIT_MS,
    maxAckPending: overlap ? MAX_ACK_PENDING : 1,
  };
}

/** Where the messages of a step come from. */
export function sourcesOf(names: Names, step: StepEntry): Source[] {
  if (step.type === 'api') return [requestSource(names, step.id)];
  if (step.type === 'cron') return [tickSource(names, step)];
  if (step.type !== 'event') return [];
  return [...new Set(step.subscribes)].flatMap((topic) => subscriptionSources(names, step, topic));
}

/** Where the messages of a step come from that a worker takes which has this part of the app. */
export function sourcesTaken(names: Names, part: AppPart, step: StepEntry): Source[] {
  if (step.type !== 'event') return takesStep(part, step) ? sourcesOf(names, step) : [];
  const topics = [...new Set(step.subscribes)].filter((topic) => takesTopic(part, step, topic));
  return topics.flatMap((topic) => subscriptionSources(names, step, topic));
}

/**
 * Makes sure that a durable consumer exists with these settings, or that it exists where making it is left to others. What waits in an
 * existing one stays.
 */
export async function ensureConsumer(broker: Broker, source: Source, description: string): Promise<void> {
  if (broker.locked) return checkConsumer(broker, source, description);
  const settings: Partial<ConsumerUpdateConfig> = {
    ack_wait: nanos(source.ackWaitMs),
    // The number of attempts is ours to count: a message that reached the broker's own limit would stay for ever.
    max_deliver: -1,
    max_ack_pending: source.maxAckPending,
    filter_subjects: source.filters,
    description,
  };
  const { stream, durable } = source;
  try {
    const { consumers } = broker.jsm;
    await consumers
      .add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit, ...settings })
      .catch((error) => {
        if (apiCode(error) !== CONSUMER_EXISTS) throw error;
        return consumers.update(stream, durable, settings);
      });
  } catch (error) {
    if (apiCode(error) === CONSUMER_GONE) return ensureConsumer(broker, source, description); // taken away between the two
    throw new MotiaError(
      'BROKER_REFUSED',
      `the broker refused the consumer ${source.durable}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

async function checkConsumer(broker: Broker, { stream, durable }: Source, step: string): Promise<void> {
  const answer = await broker.mux.request(`$JS.API.CONSUMER.INFO.${stream}.${durable}`, '');
  const code = answer.json<{ error?: { err_code?: number } }>().error?.err_code;
  if (code !== undefined && GONE.has(code)) throw notProvisioned(`the broker has no consumer ${durable} for ${step}`);
  readAnswer(answer);
}

/** How a consumer is, if it is there. */
export async function findConsumer(broker: Broker, stream: string, durable: string): Promise<ConsumerInfo | undefined> {
  try {
    return await broker.jsm.consumers.info(stream, durable);
  } catch (error) {
    if (apiCode(error) !== CONSUMER_NOT_FOUND) throw error;
    return undefined;
  }
}

/** Takes a consumer away, with what waits in it. */
export async function deleteConsumer(broker: Broker, source: Pick<Source, 'stream' | 'durable'>): Promise<void> {
  await broker.jsm.consumers.delete(source.stream, source.durable).catch(() => {});
}
