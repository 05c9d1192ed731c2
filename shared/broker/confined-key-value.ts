/**
 * Entries of a bucket, for who may read and write some of its groups only. Whatever is asked names its key or its group in the subject of the request, since
 * that is what permissions of the broker are about: so several entries come by a consumer, and what is removed is removed by marks.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Msg, nanos } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import {
  ASKED,
  askAnyone,
  askCaughtUp,
  type Batch,
  CATCHES_UP_MS,
  type Entry,
  isReplicated,
  MOST_BYTES,
  MOST_ENTRIES,
  markRemoved,
  type Reach,
  RIDE_OUT_MS,
  readBatches,
  toLast,
  toPage,
  withoutMarks,
} from './key-value.ts';
import { readAnswer } from './publish.ts';
import { rideOut } from './retry.ts';

/** For who may do all with some groups, and nothing with others. */
export const OWN_GROUPS: Reach = {
  readLast: async (broker, bucket, key) =>
    toLast(await (isReplicated(broker) ? askCaughtUp : askAnyone)(broker, bucket, key)),
  readEntries: (broker, bucket, filter) => readBatches((seq) => readFrom(broker, bucket, filter, seq, MOST_ENTRIES)),
  readPage: async (broker, bucket, filter, after, most) =>
    toPage(await readFrom(broker, bucket, filter, after + 1, most)),
  remove: async (broker, bucket, key) => void (await markRemoved(broker, bucket, key)),
  removeGroup,
};

const AN_HOUR_S = 3_600;

/** All that was stored before the removal began comes before a mark that is stored at its beginning, on whichever server it is read. */
async function removeGroup(broker: Broker, bucket: string, filter: string): Promise<Entry[]> {
  const end = filter.replace(/\*$/, `${ASKED}-${randomUUID()}`);
  const upTo = await markRemoved(broker, bucket, end, AN_HOUR_S);
  const removed: Entry[] = [];
  let heardAt = Date.now();
  for (let seq = 1; seq <= upTo; ) {
    const { entries } = await readFrom(broker, bucket, filter, seq, MOST_ENTRIES);
    const present = withoutMarks(entries).filter(({ revision }) => revision < upTo);
    await Promise.all(present.map(({ key }) => markRemoved(broker, bucket, key)));
    removed.push(...present);
    const last = entries.at(-1);
    if (last) {
      heardAt = Date.now();
      seq = last.revision + 1;
    } else if (Date.now() - heardAt < RIDE_OUT_MS) await sleep(CATCHES_UP_MS);
    else throw new MotiaError('BROKER_TIMEOUT', `a server is behind the leader of ${bucket}`);
  }
  await markRemoved(broker, bucket, end);
  return removed;
}

const NO_MORE = 404;
const CONFLICT = 409;
/** How long a consumer stays that nobody could take away any more. */
const FORGOTTEN_AFTER_MS = 10_000;

/** Entries from a sequence on. The name of the consumer is random, and nobody may list them: so it serves nobody else. */
function readFrom(broker: Broker, bucket: string, filter: string, seq: number, batch: number): Promise<Batch> {
  const [stream, subject] = [`KV_${bucket}`, `$KV.${bucket}.${filter}`];
  // One entry that is larger than all may be together has to fit, too.
  const pull = JSON.stringify({ batch, no_wait: true, max_bytes: MOST_BYTES + broker.maxPayload() });
  return rideOut(broker, RIDE_OUT_MS, async () => {
    const name = randomUUID();
    const waiting = await createConsumer(broker, stream, {
      ...CONSUMER,
      name,
      filter_subject: subject,
      opt_start_seq: seq,
    });
    try {
      if (waiting === 0) return { entries: [], left: 0 };
      const replies = await broker.mux.requestDeliveries(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, pull, isStatus);
      return toBatch(bucket, replies);
    } finally {
      broker.mux.request(`$JS.API.CONSUMER.DELETE.${stream}.${name}`, '').catch(() => {}); // it goes by itself as well
    }
  });
}

const CONSUMER = {
  ...{ deliver_policy: 'by_start_sequence', ack_policy: 'none', mem_storage: true, num_replicas: 1 },
  inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
};

/** @returns how many entries wait in it. */
function createConsumer(
  broker: Broker,
  stream: string,
  config: typeof CONSUMER & { name: string; filter_subject: string; opt_start_seq: number },
): Promise<number> {
  const subject = `$JS.API.CONSUMER.CREATE.${stream}.${config.name}.${config.filter_subject}`;
  const request = JSON.stringify({ stream_name: stream, config, action: 'create' });
  return broker.mux.request(subject, request, {}, (reply) => readAnswer<{ num_pending: number }>(reply).num_pending);
}

const isStatus = ({ headers }: Msg): boolean => (headers?.code ?? 0) !== 0;

/** @throws {MotiaError} `BROKER_TIMEOUT` if the consumer was lost on the way, or some of what it delivered. */
function toBatch(bucket: string, replies: Msg[]): Batch {
  const { code, description } = replies.pop()?.headers ?? {};
  const isOver = code === NO_MORE || (code === CONFLICT && /batch|max.?bytes/i.test(description ?? ''));
  const prefix = `$KV.${bucket}.`.length;
  let left = 0;
  const entries = replies.map((msg, n): Entry => {
    // $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<number of the delivery>.<time>.<how many are left>
    const about = msg.reply?.split('.') ?? [];
    if (Number(about[6]) !== n + 1) throw lost(bucket);
    left = Number(about[8]);
    const header = (name: string) => msg.headers?.get(name) ?? '';
    return { key: msg.subject.slice(prefix), data: msg.data, revision: Number(about[5]), header };
  });
  if (!isOver || entries.length === 0) throw lost(bucket); // if all are gone by now, the next try finds none
  return { entries, left };
}

const lost = (bucket: string) => new MotiaError('BROKER_TIMEOUT', `not all of what was read of ${bucket} has arrived`);
