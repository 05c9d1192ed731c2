/** Every name this framework gives to something on the broker, made in this one file. */
import { decodeToken, encodeToken, encodeTopic } from './encoding.ts';

/** Message groups are spread over this many partitions, unless `MOTIA_PARTITIONS` says otherwise. */
export const DEFAULT_PARTITIONS = 64;

/** What the inboxes of a user with this public key begin with: nobody else may listen there. */
export const inboxPrefix = (publicKey: string): string => `_INBOX_${publicKey.slice(0, 16)}`;

/** Names of one app. `app` must already be sanitised to `[A-Za-z0-9_-]`. */
export type Names = ReturnType<typeof createNames>;

/**
 * Makes the names of one app's broker streams, buckets, subjects and consumers.
 * @param partitions of message groups. It cannot change while an app has events: they stay where they are.
 */
export function createNames(app: string, partitions = DEFAULT_PARTITIONS) {
  return {
    app,

    /** Broker streams. */
    streams: {
      requests: `${app}_REQUESTS`,
      events: `${app}_EVENTS`,
      scheduled: `${app}_SCHED`,
      dead: `${app}_DEAD`,
      sent: `${app}_SENT`,
      cron: `${app}_CRON`,
      telemetry: `${app}_TELEMETRY`,
    },

    /** KV buckets and object stores. */
    buckets: {
      state: `${app}_state`,
      streams: `${app}_streams`,
      manifest: `${app}_manifest`,
      leases: `${app}_leases`,
      delivery: `${app}_delivery`,
      bodies: `${app}_bodies`,
      payloads: `${app}_payloads`,
      values: `${app}_values`,
      items: `${app}_items`,
      /** Both: answers to calls with an `Idempotency-Key`, and their bodies when these are large. */
      answers: `${app}_answers`,
    },

    /** API calls of one step wait here. */
    request: (stepId: string) => `${app}.req.${encodeToken(stepId)}`,
    requests: `${app}.req.*`,
    /** A gateway tells here the id of a request whose caller is gone. Not stored. */
    cancel: `${app}.cancel`,
    /** Whoever wants to know which events workers have asks here; each of them answers. Not stored. */
    holdings: `${app}.holdings`,

    /** Events of a topic are emitted to this; in the stream one of a message group is under its partition, see `toPartition`. */
    event: (topic: string, group?: string) =>
      group === undefined
        ? `${app}.ev._.${encodeTopic(topic)}`
        : `${app}.grouped.${encodeToken(group)}.${encodeTopic(topic)}`,
    grouped: `${app}.grouped.>`,
    /** Where events of a topic are emitted to that are of any message group. */
    groupedEvents: (topic: string) => `${app}.grouped.*.${encodeTopic(topic)}`,
    /** The broker stores what comes as the first as the second: only it knows which group is in which partition. */
    toPartition: { from: `${app}.grouped.*.>`, to: `${app}.ev.{{partition(${partitions},1)}}.>` },
    /** Tokens of the partitions; events without a group have one of their own. */
    partitions: ['_', ...Array.from({ length: partitions }, (_, n) => String(n))],
    /** What an ordered subscription listens to in one partition. */
    partitionFilter: (topic: string, partition: string) => `${app}.ev.${partition}.${encodeTopic(topic)}`,
    /** What a subscription listens to. */
    eventFilter: (topic: string) => `${app}.ev.*.${encodeTopic(topic)}`,
    events: `${app}.ev.>`,

    /** An event that waits for an attempt in one subscription arrives here when its time has come. */
    retry: (durable: string) => `${app}.retry.${durable}`,
    retries: `${app}.retry.>`,

    /** A schedule: the broker publishes to its target at the set time. The subject is the schedule's identity. */
    schedule: (durable: string, id: string) => `${app}.sched.${durable}.${encodeToken(id)}`,
    schedules: `${app}.sched.>`,
    /** The same of an event that was emitted with a delay; its target reaches every subscription, as `ev.<…>`. */
    delayed: (id: string) => `${app}.sched.ev.${encodeToken(id)}`,
    allDelayed: `${app}.sched.ev.*`,
    /** The schedules of one subscription; those with one id in any subscription. */
    schedulesOf: (durable: string) => `${app}.sched.${durable}.*`,
    schedulesWith: (id: string) => `${app}.sched.*.${encodeToken(id)}`,
    fireEvent: (topic: string, group?: string) =>
      group === undefined
        ? `${app}.fire.ev._.${encodeTopic(topic)}`
        : `${app}.fire.grouped.${encodeToken(group)}.${encodeTopic(topic)}`,
    fireEvents: `${app}.fire.ev.>`,
    fireGrouped: `${app}.fire.grouped.>`,
    /** Target of the schedules of one subscription; the events stream sources it as `retry.<durable>`. */
    fireRetry: (durable: string) => `${app}.fire.retry.${durable}`,
    fireRetries: `${app}.fire.retry.>`,
    fires: `${app}.fire.>`,

    /** Whoever may not make schedules has a scheduler make them, by a booking: its subject says what the target is. */
    bookEvent: (topic: string, group?: string) =>
      group === undefined
        ? `${app}.book.ev._.${encodeTopic(topic)}`
        : `${app}.book.grouped.${encodeToken(group)}.${encodeTopic(topic)}`,
    bookGroupedEvents: (topic: string) => `${app}.book.grouped.*.${encodeTopic(topic)}`,
    bookRetry: (durable: string) => `${app}.book.retry.${durable}`,
    bookings: `${app}.book.>`,
    /** The broker stream of bookings, which only apps have that were provisioned. */
    bookingStream: `${app}_BOOKINGS`,

    /** Dead letters of one step. */
    dead: (stepId: string) => `${app}.dead.${encodeToken(stepId)}`,
    deads: `${app}.dead.*`,

    /** Ticks of one cron step wait here. */
    tick: (stepId: string) => `${app}.cron.${encodeToken(stepId)}`,
    ticks: `${app}.cron.*`,

    /** Spans or log records of traces that have just begun, and log records of none, as one process tells them. */
    telemetry: (kind: TelemetryKind, node: string) => `${app}.tel.now.${kind}.${encodeToken(node)}`,
    /** The same of older traces, whoever tells them. */
    lateTelemetry: (kind: TelemetryKind, traceId: string) => `${app}.tel.late.${kind}.${lateBucket(traceId)}`,
    /** All of one kind; all of young traces; what may be of one older trace. */
    telemetryOf: (kind: TelemetryKind) => `${app}.tel.*.${kind}.*`,
    youngTelemetry: `${app}.tel.now.>`,
    lateOf: (traceId: string) => `${app}.tel.late.*.${lateBucket(traceId)}`,
    lateSpans: `${app}.tel.late.spans.*`,
    allTelemetry: `${app}.tel.>`,

    /** Durable consumer that takes the API calls of one step. */
    requestConsumer: (stepId: string) => encodeToken(stepId),
    /** Durable consumer of one subscription. `=_` is never the outcome of an encoding, so the pair stays readable. */
    subscription: (stepId: string, topic: string) => `${encodeToken(stepId)}=_${encodeToken(topic)}`,
    /** The same of an ordered subscription, which has one for each partition. */
    orderedSubscription: (stepId: string, topic: string, partition: string) =>
      `${encodeToken(stepId)}=_${encodeToken(topic)}${partition === '_' ? '' : `=_${partition}`}`,

    /** Where the bucket `delivery` keeps which attempt the first event of an ordered consumer is at. */
    markKey: (durable: string) => `mark.${durable}`,
    allMarks: 'mark.*',
    /** Where it keeps from where on a subscription that was ordered runs the events of groups itself. */
    boundaryKey: (durable: string) => `boundary.${durable}`,
    boundaryKeys: 'boundary.*',
    /** Where it keeps when the next run of a step with a rate limit may start. */
    rateKey: (stepId: string) => `rate.${encodeToken(stepId)}`,

    /** Durable consumer that takes the ticks of one cron step. */
    tickConsumer: (stepId: string) => encodeToken(stepId),

    /** Lease of a worker. */
    workerLease: (id: string) => `worker.${id}`,
    workerLeases: 'worker.*',

    /** Lease of the leader among the schedulers. */
    schedulerLease: 'scheduler',
    /** The last runs of a cron step. */
    cronRuns: (stepId: string) => `cron.${encodeToken(stepId)}`,
    allCronRuns: 'cron.*',
    /** The last tick of a cron step that a scheduler has dealt with. */
    cronPosition: (stepId: string) => `fired.${encodeToken(stepId)}`,
    cronPositions: 'fired.*',
    /** There while a cron step is paused. */
    cronPause: (stepId: string) => `paused.${encodeToken(stepId)}`,
    cronPauses: 'paused.*',

    /** Where the answer to a call with an `Idempotency-Key` is. */
    answerKey: (stepId: string, key: string) => `${encodeToken(stepId)}.${encodeToken(key)}`,

    /** State key. */
    stateKey: (group: string, key: string) => `${encodeToken(group)}.${encodeToken(key)}`,
    stateGroup: (group: string) => `${encodeToken(group)}.*`,

    /** Key of a stream's item. */
    itemKey: (stream: string, group: string, id: string) =>
      `${encodeToken(stream)}.${encodeToken(group)}.${encodeToken(id)}`,
    itemGroup: (stream: string, group: string) => `${encodeToken(stream)}.${encodeToken(group)}.*`,
    itemsOf: (stream: string) => `${encodeToken(stream)}.*.*`,

    /** What is sent through a stream without being stored in it: to whoever follows a group, or one item. */
    sentToGroup: (stream: string, group: string) => `${app}.sent.${encodeToken(stream)}.${encodeToken(group)}`,
    sentToItem: (stream: string, group: string, id: string) =>
      `${app}.sent.${encodeToken(stream)}.${encodeToken(group)}.${encodeToken(id)}`,
    sentToItems: (stream: string, group: string) => `${app}.sent.${encodeToken(stream)}.${encodeToken(group)}.*`,
    sentThrough: (stream: string) => `${app}.sent.${encodeToken(stream)}.>`,
    sent: `${app}.sent.>`,
  };
}

export type TelemetryKind = 'spans' | 'logs';

const LATE_BUCKETS = 64;

/** Where what is told late of a trace goes: by the random end of its id. */
const lateBucket = (traceId: string) => Number.parseInt(traceId.slice(-2), 16) % LATE_BUCKETS;

/** Whether a stored event is one of a message group, by its subject. */
export function isGrouped(subject: string): boolean {
  const [, kind, partition] = subject.split('.');
  return kind === 'ev' && partition !== '_';
}

/** What a subscription was made for, by the name of its consumer; a shortened name stays as it is. */
export function partsOfSubscription(durable: string): { step: string; topic: string } {
  const [step = '', topic = ''] = durable.split('=_');
  return { step: decodeToken(step) ?? step, topic: decodeToken(topic) ?? topic };
}

/** Whether a consumer is that of one partition of message groups. */
export const isPartition = (durable: string): boolean => wholeOf(durable) !== durable;

/** What the schedule of a booking has as its target; of a retry the consumer too. `undefined` for what is no booking. */
export function partsOfBooking(
  names: Pick<Names, 'app'>,
  subject: string,
): { target: string; durable?: string } | undefined {
  const tail = subject.startsWith(`${names.app}.book.`) ? subject.slice(names.app.length + '.book.'.length) : '';
  if (!/^(ev\._|grouped\.[^.]+|retry)\.[^.]/.test(tail)) return undefined;
  const target = `${names.app}.fire.${tail}`;
  return tail.startsWith('retry.') ? { target, durable: tail.slice('retry.'.length) } : { target };
}

/** The consumer of the whole subscription that one of its partitions belongs to; any other name stays as it is. */
export const wholeOf = (durable: string): string => /^(.*=_.*)=_\d+$/.exec(durable)?.[1] ?? durable;
