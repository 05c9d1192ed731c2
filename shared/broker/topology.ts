/** The app's streams and buckets on the broker, made or brought up to date. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import { checkProvisioned } from './provisioned.ts';

const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
const GIB = 1024 ** 3;
/** Unless the project or the environment says otherwise. */
export const TELEMETRY_DAYS = 3;

/** Without a limit of its own a stream stops silently at 1,000 consumers. */
const MAX_CONSUMERS = 100_000;
/** How many API calls of one step may wait; the next one is an honest 503. */
const MAX_WAITING_REQUESTS = 2_000;
/** How many ticks of one cron step may wait. */
const MAX_WAITING_TICKS = 200;

const STREAM_NAME_IN_USE = 10058;
/** Not enough storage, not enough memory, not enough on any server of a cluster. */
const NO_ROOM: ReadonlySet<number | undefined> = new Set([10047, 10028, 10023]);
/** The server could not make the store. For a moment that is so while it removes what was under that name before. */
const NO_STORE = 10049;
const STORE_TRIES = 10;
const STORE_AGAIN_MS = 50;
/** No suitable servers; replicas without a cluster. */
const TOO_FEW_SERVERS: ReadonlySet<number | undefined> = new Set([10005, 10074]);
/** Below this much room a stream is of no use. */
const LEAST_ROOM = 32 * 1024 ** 2;

/** Large payloads of events stay this long after the emit: longer than any wait, the longest retries and a dead letter take. */
const PAYLOADS_STAY_MS = 93 * DAY;

/** Large bodies of kept answers stay this long: longer than the longest window of an `Idempotency-Key`. */
const ANSWERS_STAY_MS = 8 * DAY;

/**
 * Makes sure of everything this app needs on the broker. Idempotent; run at every start and every reconnect.
 * @throws {MotiaError} `NOT_PROVISIONED` where that is left to others and they have not done it, or `BROKER_*`.
 */
export async function ensureTopology(broker: Broker, names: Names): Promise<void> {
  if (broker.locked) return checkProvisioned(broker, names);
  const ensureStream = (settings: StreamSettings) => ensure(broker, names, settings);
  await ensureStream(scheduledStream(names)); // before the events stream, which sources it
  const ensured = await Promise.allSettled([
    ...[requestsStream, eventsStream, deadStream, sentStream, cronStream].map((settings) =>
      ensureStream(settings(names)),
    ),
    ensureStream(keyValueStream(names.buckets.state)),
    ensureStream(keyValueStream(names.buckets.streams)),
    ensureStream(keyValueStream(names.buckets.manifest)),
    ensureStream(keyValueStream(names.buckets.leases)),
    ensureStream(keyValueStream(names.buckets.delivery)),
    ensureStream(keyValueStream(names.buckets.answers)),
    ensureStream({ ...objectStream(names.buckets.answers), max_age: nanos(ANSWERS_STAY_MS) }),
    ensureStream({ ...objectStream(names.buckets.bodies), max_age: nanos(5 * MINUTE) }),
    ensureStream({ ...objectStream(names.buckets.payloads), max_age: nanos(PAYLOADS_STAY_MS) }),
    ensureStream(objectStream(names.buckets.values)),
    ensureStream(objectStream(names.buckets.items)),
  ]);
  // Only now: a caller that hears of the failure finds nothing still being made.
  for (const result of ensured) if (result.status === 'rejected') throw result.reason;
  await ensureStream(telemetryStream(names)); // takes what room the others leave
}

/** Makes sure of what bookings are stored in. Only apps need it whose workers may make no schedules: those of `motia provision`. */
export const ensureBookings = (broker: Broker, names: Names): Promise<void> =>
  ensure(broker, names, {
    name: names.bookingStream,
    subjects: [names.bookings],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    duplicate_window: nanos(2 * MINUTE),
  });

/** API calls on their way to a worker. In memory: a caller that lost its connection asks again. */
function requestsStream(names: Names): StreamSettings {
  return {
    name: names.streams.requests,
    subjects: [names.requests],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.Memory,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: MAX_WAITING_REQUESTS,
    max_bytes: GIB / 4,
    max_age: nanos(MINUTE),
    duplicate_window: nanos(MINUTE),
  };
}

/** Events, kept until every subscription has acked its copy. A full stream refuses; it never drops what it acked. */
function eventsStream(names: Names): StreamSettings {
  return {
    name: names.streams.events,
    subjects: [names.events, names.grouped, names.retries],
    subject_transform: { src: names.toPartition.from, dest: names.toPartition.to },
    retention: RetentionPolicy.Interest,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_bytes: 2 * GIB,
    duplicate_window: nanos(2 * MINUTE),
    allow_direct: true,
    sources: [
      {
        name: names.streams.scheduled,
        subject_transforms: [{ src: names.fireRetries, dest: names.retries }],
      },
      {
        // An entry of its own: one that is changed begins anew, with what the other one has brought already.
        name: names.streams.scheduled,
        subject_transforms: [
          { src: names.fireEvents, dest: names.events },
          { src: names.fireGrouped, dest: names.grouped }, // and from there to its partition
        ],
      },
    ],
  };
}

/**
 * Delayed events and waiting retries. A stream of its own, because whoever may publish into a stream with schedules may target all of it,
 * and because an interest stream drops a schedule that no consumer filters.
 */
function scheduledStream(names: Names): StreamSettings {
  return {
    name: names.streams.scheduled,
    subjects: [names.schedules, names.fires],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // The broker allows no refusal when a stream with schedules is full; without a limit nothing is dropped either.
    discard: DiscardPolicy.Old,
    duplicate_window: nanos(2 * MINUTE),
    allow_msg_schedules: true,
    allow_msg_ttl: true,
    allow_direct: true,
  };
}

function deadStream(names: Names): StreamSettings {
  return {
    name: names.streams.dead,
    subjects: [names.deads],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(30 * DAY),
    duplicate_window: nanos(2 * MINUTE),
    allow_direct: true,
  };
}

/** What is sent through realtime streams. Only who listens in these seconds is to hear it. */
function sentStream(names: Names): StreamSettings {
  return {
    name: names.streams.sent,
    subjects: [names.sent],
    retention: RetentionPolicy.Limits,
    storage: StorageType.Memory,
    discard: DiscardPolicy.Old,
    max_bytes: GIB / 16,
    max_age: nanos(MINUTE / 2),
    duplicate_window: nanos(MINUTE / 2),
    allow_direct: true,
  };
}

/**
 * Ticks on their way to a worker. Several of one step may wait: those that a failover has made late come at once, and none of
 * them is to be lost. Which of them still run is decided by the worker that takes them. A full queue refuses: to drop the
 * oldest would drop the tick of the run that goes on, and with it what keeps the next one from overlapping.
 */
function cronStream(names: Names): StreamSettings {
  return {
    name: names.streams.cron,
    subjects: [names.ticks],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: MAX_WAITING_TICKS,
    max_age: nanos(30 * DAY),
    duplicate_window: nanos(2 * MINUTE),
  };
}

/** Spans and log records, for people to look at. What is too much goes, the oldest first. */
function telemetryStream(names: Names): StreamSettings {
  return {
    name: names.streams.telemetry,
    subjects: [names.allTelemetry],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(TELEMETRY_DAYS * DAY),
    max_bytes: GIB,
    max_msgs: 1_000_000,
    duplicate_window: nanos(2 * MINUTE),
    allow_direct: true,
  };
}

/** A KV bucket as the `@nats-io/kv` client and the `nats kv` tool know it, but for their purge of a key; with a consumer limit of our own. */
function keyValueStream(bucket: string): StreamSettings {
  return {
    name: `KV_${bucket}`,
    subjects: [`$KV.${bucket}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    duplicate_window: nanos(MINUTE / 2), // longer than a write is tried again
    allow_rollup_hdrs: false, // with it, whoever may write one key can remove all others
    deny_delete: true,
    allow_direct: true,
    allow_msg_ttl: true,
  };
}

/** An object store as the `@nats-io/obj` client and the `nats object` tool know it, with a consumer limit of our own. */
function objectStream(bucket: string): StreamSettings {
  return {
    name: `OBJ_${bucket}`,
    subjects: [`$O.${bucket}.C.>`, `$O.${bucket}.M.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
}

type StreamSettings = Partial<StreamConfig> & { name: string };

/** Makes a stream, or brings an existing one of ours up to date. On a small disk it gets as much room as there is. */
async function ensure(broker: Broker, names: Names, settings: StreamSettings): Promise<void> {
  const { jsm, replicas, inMemory } = broker;
  const wanted: StreamSettings = {
    max_bytes: -1, // said, because an update leaves alone what it does not name
    ...settings,
    ...(replicas !== undefined && { num_replicas: replicas }),
    ...(inMemory && { storage: StorageType.Memory }),
    max_consumers: MAX_CONSUMERS,
    metadata: { 'motia.app': names.app },
  };
  try {
    await addStream(jsm, wanted);
  } catch (error) {
    const code = apiCode(error);
    const half = (settings.max_bytes ?? 0) / 2;
    if (NO_ROOM.has(code) && half >= LEAST_ROOM) await ensure(broker, names, { ...settings, max_bytes: half });
    else if (code === STREAM_NAME_IN_USE) await updateStream(jsm, names, wanted);
    else throw refused(wanted, error);
  }
}

/** Succeeds as well when the stream is there with just these settings. */
async function addStream(jsm: JetStreamManager, wanted: StreamSettings): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await jsm.streams.add(wanted);
      return;
    } catch (error) {
      if (apiCode(error) !== NO_STORE || tries === STORE_TRIES) throw error;
      await sleep(STORE_AGAIN_MS);
    }
  }
}

async function updateStream(jsm: JetStreamManager, names: Names, wanted: StreamSettings): Promise<void> {
  const { config } = await jsm.streams.info(wanted.name);
  if (config.metadata?.['motia.app'] !== names.app) {
    throw new MotiaError(
      'BROKER_NAME_TAKEN',
      `the broker has a stream ${wanted.name} that is not ours: set MOTIA_APP to a name nobody else uses there`,
    );
  }
  const { dest: partitioned } = config.subject_transform ?? {};
  if (partitioned && partitioned !== wanted.subject_transform?.dest) {
    throw new MotiaError(
      'PARTITIONS_FIXED',
      `the events of this app are spread over ${countOf(partitioned)} partitions, not ${countOf(wanted.subject_transform?.dest)}, which cannot \
change: those of one group would be in two. Set MOTIA_PARTITIONS to ${countOf(partitioned)}, or MOTIA_APP to another name.`,
    );
  }
  try {
    // Where it has less room than wanted, that was fitted to the disk when it was made.
    const isFitted = config.max_bytes > 0 && config.max_bytes < (wanted.max_bytes ?? 0);
    const { max_bytes, max_age } = config;
    const kept = wanted.name === names.streams.telemetry ? { max_bytes, max_age } : isFitted ? { max_bytes } : {};
    await jsm.streams.update(wanted.name, { ...wanted, ...kept });
  } catch (error) {
    throw refused(wanted, error);
  }
}

/** Number of partitions of a transform's destination. */
const countOf = (dest = '') => /partition\((\d+)/.exec(dest)?.[1] ?? 'no';

function refused({ name, num_replicas: replicas }: StreamSettings, error: unknown): MotiaError {
  const { message } = error as Error;
  const advice = TOO_FEW_SERVERS.has(apiCode(error)) ? `. MOTIA_REPLICAS is ${replicas}: it needs as many servers` : '';
  return new MotiaError('BROKER_REFUSED', `the broker refused to set up ${name}: ${message}${advice}`, {
    cause: error,
  });
}

/** The JetStream error code of an API error, if it is one. */
export function apiCode(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number'
    ? error.code
    : undefined;
}
