/** Reads and writes of a KV bucket's entries over the reply mux: one round trip each, rejected at once on a disconnect. */
import type { Msg } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import { checkStored, readAnswer, toHeaders } from './publish.ts';
import { rideOut } from './retry.ts';

/** A stored entry as the broker gives it back. */
export interface Entry {
  /** The key within the bucket. */
  key: string;
  data: Uint8Array;
  /** Its sequence in the bucket. */
  revision: number;
  /** A header of the entry, or `''`. */
  header(name: string): string;
}

const RIDE_OUT_MS = 15_000;
/** Entries per request when a group is paged. */
const PAGE = 1_000;
const NOT_FOUND = 404;
const TOO_MANY = 413;
const END_OF_BATCH = 204;
const WRONG_LAST_SEQUENCE = 10071;

/** The entry of a key, or `undefined`. */
export async function readEntry(broker: Broker, bucket: string, key: string): Promise<Entry | undefined> {
  return (await readLast(broker, bucket, key)).entry;
}

/**
 * The entry of a key, if there is one, and the revision of what was stored last under it (0 for nothing): that may be the mark
 * of its removal by another tool.
 */
export async function readLast(
  broker: Broker,
  bucket: string,
  key: string,
): Promise<{ entry?: Entry; revision: number }> {
  const msg = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$JS.API.DIRECT.GET.KV_${bucket}.$KV.${bucket}.${key}`, ''),
  );
  if (codeOf(msg) === NOT_FOUND) return { revision: 0 };
  if (codeOf(msg) !== 0) throw refused(msg);
  const entry = toEntry(key, msg);
  return isRemoved(msg) ? { revision: entry.revision } : { entry, revision: entry.revision };
}

/** Stores an entry. */
export async function writeEntry(
  broker: Broker,
  bucket: string,
  key: string,
  data: Uint8Array | string,
  entryHeaders?: Record<string, string>,
): Promise<void> {
  const options = entryHeaders ? { headers: toHeaders(entryHeaders) } : {};
  await rideOut(broker, RIDE_OUT_MS, () => broker.mux.request(`$KV.${bucket}.${key}`, data, options, checkStored));
}

/**
 * Stores an entry if the present one has just that revision, 0 for none.
 * @returns its new revision, or `undefined` if the present one had another. After a lost connection that may be this very
 * write: read again.
 */
export function replaceEntry(
  broker: Broker,
  bucket: string,
  key: string,
  data: Uint8Array | string,
  revision: number,
  entryHeaders: Record<string, string> = {},
): Promise<number | undefined> {
  const headers = toHeaders({ ...entryHeaders, 'Nats-Expected-Last-Subject-Sequence': String(revision) });
  return rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$KV.${bucket}.${key}`, data, { headers }, (reply) => {
      if (reply.json<{ error?: { err_code?: number } }>().error?.err_code === WRONG_LAST_SEQUENCE) return undefined;
      return readAnswer<{ seq: number }>(reply).seq;
    }),
  );
}

/** All entries whose key matches `filter` (a key, or a pattern such as `group.*`), in no promised order. */
export async function readEntries(broker: Broker, bucket: string, filter: string): Promise<Entry[]> {
  const subject = `$KV.${bucket}.${filter}`;
  const all = await readBatch(broker, bucket, { multi_last: [subject] });
  if (all !== 'too many') return toEntries(bucket, all);
  // Paged by sequence. A key that is written meanwhile comes again, further on: its last value counts.
  const latest = new Map<string, Msg>();
  for (let seq = 1; ; ) {
    const page = await readBatch(broker, bucket, { seq, next_by_subj: subject, batch: PAGE });
    if (page === 'too many' || page.length === 0) return toEntries(bucket, latest.values());
    for (const msg of page) latest.set(header(msg, SUBJECT), msg);
    seq = Number(header(page.at(-1) as Msg, SEQUENCE)) + 1;
  }
}

const SUBJECT = 'Nats-Subject';
const SEQUENCE = 'Nats-Sequence';

/** One direct get for several messages: they come one by one, and then a status. */
async function readBatch(broker: Broker, bucket: string, query: object): Promise<Msg[] | 'too many'> {
  const replies = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.requestMany(`$JS.API.DIRECT.GET.KV_${bucket}`, JSON.stringify(query), (msg) => codeOf(msg) !== 0),
  );
  const status = replies.pop() as Msg;
  const code = codeOf(status);
  if (code === TOO_MANY) return 'too many';
  if (code !== END_OF_BATCH && code !== NOT_FOUND) throw refused(status);
  return replies;
}

function toEntries(bucket: string, msgs: Iterable<Msg>): Entry[] {
  const prefix = `$KV.${bucket}.`.length;
  return [...msgs].filter((msg) => !isRemoved(msg)).map((msg) => toEntry(header(msg, SUBJECT).slice(prefix), msg));
}

function toEntry(key: string, msg: Msg): Entry {
  return { key, data: msg.data, revision: Number(header(msg, SEQUENCE)), header: (name) => header(msg, name) };
}

/** Removes every entry whose key matches, without leaving markers. */
export async function purgeEntries(broker: Broker, bucket: string, filter: string): Promise<void> {
  const request = JSON.stringify({ filter: `$KV.${bucket}.${filter}` });
  await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$JS.API.STREAM.PURGE.KV_${bucket}`, request, {}, readAnswer),
  );
}

function isRemoved(msg: Msg): boolean {
  const operation = header(msg, 'KV-Operation');
  return operation === 'DEL' || operation === 'PURGE';
}

const header = (msg: Msg, name: string): string => msg.headers?.get(name) ?? '';

const codeOf = (msg: Msg): number => msg.headers?.code ?? 0;

const refused = (msg: Msg) =>
  new MotiaError('BROKER_REFUSED', `the broker refused a read: ${msg.headers?.description}`);
