/** Reads and writes of a KV bucket's entries over the reply mux: one round trip each, rejected at once on a disconnect. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Msg } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import { OVERTAKEN, readAnswer, toHeaders, WRONG_LAST_SEQUENCE } from './publish.ts';
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

export const RIDE_OUT_MS = 15_000;
/** While a bucket has no leader nobody answers: a read that is repeated often is there soon after the next one. */
const LEADER_ANSWERS_MS = 2_000;
/** A server that is behind the leader of a bucket is so for a moment. */
export const CATCHES_UP_MS = 10;
/** What one request tells: so many entries, and no more when they have this size. */
export const MOST_ENTRIES = 5_000;
export const MOST_BYTES = 8 * 1024 ** 2;
const NOT_FOUND = 404;
const TOO_MANY = 413;
const END_OF_BATCH = 204;
const CUT = 'Message Not Found';
const NO_MESSAGE = 10037;
const NO_STREAM = 10059;
/** First token of the keys that ask for the fate of a write; no encoded name is like it. */
export const ASKED = '=asked';

/** The entry of a key, or `undefined`. */
export async function readEntry(broker: Broker, bucket: string, key: string): Promise<Entry | undefined> {
  return (await readLast(broker, bucket, key)).entry;
}

/** What was stored last under a key. */
export interface Last {
  /** Absent when nothing is there, or not any more. */
  entry?: Entry;
  /** The mark of a removal. */
  removed?: Entry;
  /** Of either, 0 for nothing. */
  revision: number;
}

/** How a bucket is read, and how what is in it is removed: that depends on what the broker lets this user do. */
export interface Reach {
  /** The entry of a key, if there is one, and otherwise the mark that its removal may have left. */
  readLast(broker: Broker, bucket: string, key: string): Promise<Last>;
  /** All entries whose key matches `filter` (a key, or a pattern such as `group.*`), in no promised order. */
  readEntries(broker: Broker, bucket: string, filter: string): Promise<Entry[]>;
  /**
   * Some of them, in the order of their revisions.
   * @param after begins with the first one that has a higher revision.
   * @param most how many; a page has fewer when they are large, or when some of them are marks of removals.
   */
  readPage(broker: Broker, bucket: string, filter: string, after: number, most: number): Promise<EntryPage>;
  /** Removes the entry of a key. */
  remove(broker: Broker, bucket: string, key: string): Promise<void>;
  /** Removes the entries of a group, of which `filter` is the pattern. @returns those that were there. */
  removeGroup(broker: Broker, bucket: string, filter: string): Promise<Entry[]>;
}

/** For who may do all with the bucket: by requests that say in their body what they ask, and leave no marks. */
export const WHOLE_BUCKET: Reach = {
  readLast,
  readEntries,
  readPage,
  remove: purgeEntries,
  removeGroup: async (broker, bucket, filter) => {
    const entries = await readEntries(broker, bucket, filter);
    await purgeEntries(broker, bucket, filter);
    return entries;
  },
};

/** See {@link Reach.readLast}. */
export async function readLast(broker: Broker, bucket: string, key: string): Promise<Last> {
  return toLast(await (isReplicated(broker) ? askLeader : askAnyone)(broker, bucket, key));
}

/** Whether a server may be behind the leader of a bucket. */
export const isReplicated = ({ replicas = 1 }: Broker): boolean => replicas > 1;

export const toLast = (last: Entry | undefined): Last =>
  last ? { [isRemoved(last) ? 'removed' : 'entry']: last, revision: last.revision } : { revision: 0 };

/** By direct get, which any server answers that has the bucket: one that is not its leader may be behind. */
export async function askAnyone(broker: Broker, bucket: string, key: string): Promise<Entry | undefined> {
  const msg = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$JS.API.DIRECT.GET.KV_${bucket}.$KV.${bucket}.${key}`, ''),
  );
  if (codeOf(msg) === NOT_FOUND) return undefined;
  if (codeOf(msg) !== 0) throw refused(msg);
  return toEntry(key, msg);
}

/** From the leader of the bucket, who has whatever was acknowledged. */
function askLeader(broker: Broker, bucket: string, key: string): Promise<Entry | undefined> {
  const query = JSON.stringify({ last_by_subj: `$KV.${bucket}.${key}` });
  return rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$JS.API.STREAM.MSG.GET.KV_${bucket}`, query, { timeoutMs: LEADER_ANSWERS_MS }, (reply) => {
      const refusal = reply.json<{ error?: { err_code?: number } }>().error?.err_code;
      if (refusal === NO_MESSAGE) return undefined;
      if (refusal === NO_STREAM) throw new MotiaError('BROKER_TIMEOUT', `the broker has no bucket ${bucket} yet`);
      const { message } = readAnswer<{ message: { seq: number; data?: string; hdrs?: string } }>(reply);
      const head = Buffer.from(message.hdrs ?? '', 'base64').toString('utf8');
      return {
        key,
        data: Buffer.from(message.data ?? '', 'base64'),
        revision: message.seq,
        header: (name) => headerIn(head, name),
      };
    }),
  );
}

/** As {@link askLeader}, by subjects that name the key: from anyone who is not behind the leader any more. */
export async function askCaughtUp(broker: Broker, bucket: string, key: string): Promise<Entry | undefined> {
  for (const giveUp = Date.now() + RIDE_OUT_MS; ; await sleep(CATCHES_UP_MS)) {
    const revision = await revisionAtLeader(broker, bucket, key);
    if (revision === 0) return undefined;
    const entry = await askAnyone(broker, bucket, key);
    if (entry && entry.revision >= revision) return entry;
    if (Date.now() > giveUp) throw new MotiaError('BROKER_TIMEOUT', `a server is behind the leader of ${bucket}`);
  }
}

/** No sequence comes so far. */
const NEVER = String(Number.MAX_SAFE_INTEGER);

/** The revision of what is stored last under a key, 0 for nothing: a write that expects another one is refused with it. */
function revisionAtLeader(broker: Broker, bucket: string, key: string): Promise<number> {
  const options = { headers: toHeaders({ 'Nats-Expected-Last-Subject-Sequence': NEVER }) };
  return rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$KV.${bucket}.${key}`, '', options, (reply) => {
      const { error } = reply.json<{ error?: { err_code?: number; description: string } }>();
      const found = error?.err_code === WRONG_LAST_SEQUENCE ? /\d+$/.exec(error.description) : null;
      return found ? Number(found[0]) : readAnswer<never>(reply);
    }),
  );
}

/** The value of a header in the text of all of them, or `''`. */
function headerIn(head: string, name: string): string {
  const line = head.split('\r\n').find((each) => each.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() ?? '';
}

/** Stores an entry. @returns its revision. */
export async function writeEntry(
  broker: Broker,
  bucket: string,
  key: string,
  data: Uint8Array | string,
  entryHeaders?: Record<string, string>,
): Promise<number> {
  const options = entryHeaders ? { headers: toHeaders(entryHeaders) } : {};
  const { seq } = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$KV.${bucket}.${key}`, data, options, (reply) => readAnswer<{ seq: number }>(reply)),
  );
  return seq;
}

/**
 * Stores an entry if the present one has just that revision, 0 for none. A write whose answer was lost with the connection is
 * not taken for another's.
 * @returns its revision, 0 if another one has replaced it already, or `undefined` if the present one had another revision.
 */
export async function replaceEntry(
  broker: Broker,
  bucket: string,
  key: string,
  data: Uint8Array | string,
  revision: number,
  entryHeaders: Record<string, string> = {},
): Promise<number | undefined> {
  const write = randomUUID();
  const expected = { 'Nats-Msg-Id': write, 'Nats-Expected-Last-Subject-Sequence': String(revision) };
  const headers = toHeaders({ ...expected, ...entryHeaders });
  let tries = 0;
  const stored = await rideOut(broker, RIDE_OUT_MS, () => {
    tries++;
    return broker.mux.request(`$KV.${bucket}.${key}`, data, { headers }, (reply) => {
      const refusal = reply.json<{ error?: { err_code?: number } }>().error?.err_code;
      if (refusal === WRONG_LAST_SEQUENCE || refusal === OVERTAKEN) return undefined;
      return readAnswer<{ seq: number }>(reply).seq;
    });
  });
  if (stored !== undefined || tries === 1 || !(await wasStored(broker, bucket, write))) return stored;
  const last = await askCaughtUp(broker, bucket, key);
  return last?.header('Nats-Msg-Id') === write ? last.revision : 0;
}

/**
 * Whether a write was stored, though another one may have replaced it since. The broker remembers for a while which message ids
 * it has had: a message of the same id is stored only if the write was not. That one is of no other use, and goes soon.
 */
async function wasStored(broker: Broker, bucket: string, write: string): Promise<boolean> {
  const question = `${ASKED}.${write}`;
  const headers = toHeaders({ 'Nats-Msg-Id': write, 'KV-Operation': 'DEL', 'Nats-TTL': '60s' });
  const { duplicate } = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$KV.${bucket}.${question}`, '', { headers }, (reply) =>
      readAnswer<{ duplicate?: boolean }>(reply),
    ),
  );
  if (!duplicate) return false;
  // The id may be known from the question itself, if that had to be asked again.
  return (await revisionAtLeader(broker, bucket, question)) === 0;
}

/** See {@link Reach.readEntries}. */
export async function readEntries(broker: Broker, bucket: string, filter: string): Promise<Entry[]> {
  const subject = `$KV.${bucket}.${filter}`;
  const all = await readBatch(broker, bucket, { multi_last: [subject], max_bytes: MOST_BYTES });
  if (all && all.left === 0) return withoutMarks(all.entries);
  return readBatches((seq) => readFrom(broker, bucket, filter, seq, MOST_ENTRIES));
}

/** All entries, by sequence. A key that is written meanwhile comes again, further on: its last value counts. */
export async function readBatches(read: (seq: number) => Promise<Batch>): Promise<Entry[]> {
  const latest = new Map<string, Entry>();
  for (let seq = 1; ; ) {
    const { entries, left } = await read(seq);
    for (const entry of entries) latest.set(entry.key, entry);
    if (left === 0) return withoutMarks([...latest.values()]);
    seq = lastOf(entries) + 1;
  }
}

/** Some of the entries whose key matches, in the order of their revisions. */
export interface EntryPage {
  entries: Entry[];
  /** There are more: after this revision. */
  next?: number;
}

/** See {@link Reach.readPage}. */
export async function readPage(
  broker: Broker,
  bucket: string,
  filter: string,
  after: number,
  most: number,
): Promise<EntryPage> {
  return toPage(await readFrom(broker, bucket, filter, after + 1, most));
}

/** A page of what the broker has told at once. */
export function toPage({ entries: all, left }: Batch): EntryPage {
  const entries = withoutMarks(all);
  return left === 0 ? { entries } : { entries, next: lastOf(all) };
}

/** Some of the keys of a bucket: those of marks are among them. */
export interface KeyPage {
  /** How many messages there are under each key. */
  keys: Map<string, number>;
  /** How many keys there are in all. */
  total: number;
}

/** Keys that match, without their values. @param offset how many to leave out, in the order of their subjects. */
export async function readKeys(broker: Broker, bucket: string, filter: string, offset: number): Promise<KeyPage> {
  const query = JSON.stringify({ subjects_filter: `$KV.${bucket}.${filter}`, offset });
  const answer = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$JS.API.STREAM.INFO.KV_${bucket}`, query, {}, (reply) =>
      readAnswer<{ total?: number; state: { subjects?: Record<string, number> } }>(reply),
    ),
  );
  const prefix = `$KV.${bucket}.`.length;
  const subjects = Object.entries(answer.state.subjects ?? {});
  const keys = new Map(subjects.map(([subject, count]) => [subject.slice(prefix), count]));
  return { keys, total: answer.total ?? 0 };
}

const SUBJECT = 'Nats-Subject';
const SEQUENCE = 'Nats-Sequence';

async function readFrom(broker: Broker, bucket: string, filter: string, seq: number, batch: number): Promise<Batch> {
  const query = { seq, next_by_subj: `$KV.${bucket}.${filter}`, batch, max_bytes: MOST_BYTES };
  const read = await readBatch(broker, bucket, query);
  return read && read.entries.length > 0 ? read : { entries: [], left: 0 };
}

/** What the broker has told at once, marks of removals included. */
export interface Batch {
  entries: Entry[];
  /** How many there are besides, since the broker ends at some size. */
  left: number;
}

/** One direct get for several messages: they come one by one, and then a status. @returns `undefined` when they are too many. */
async function readBatch(broker: Broker, bucket: string, query: object): Promise<Batch | undefined> {
  const replies = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.requestMany(`$JS.API.DIRECT.GET.KV_${bucket}`, JSON.stringify(query), (msg) => codeOf(msg) !== 0),
  );
  const status = replies.pop() as Msg;
  const code = codeOf(status);
  if (code === TOO_MANY) return undefined;
  if (code !== END_OF_BATCH && code !== NOT_FOUND) throw refused(status);
  // One that was removed in the middle of a `multi_last` ends it, with another description than when there are none.
  const isCut = code === NOT_FOUND && status.headers?.description === CUT;
  const prefix = `$KV.${bucket}.`.length;
  const entries = replies.map((msg) => toEntry(header(msg, SUBJECT).slice(prefix), msg));
  return { entries, left: isCut ? 1 : Number(header(status, 'Nats-Num-Pending')) };
}

/** The revision of the last of some entries. */
const lastOf = (entries: Entry[]): number => (entries.at(-1) as Entry).revision;

export const withoutMarks = (entries: Entry[]): Entry[] => entries.filter((entry) => !isRemoved(entry));

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

/**
 * Removes the entry of a key by a mark that goes by itself. For who may write that key only: to purge a bucket is a permission for all
 * that is in it.
 * @returns the revision of the mark.
 */
export const markRemoved = (broker: Broker, bucket: string, key: string, ttlSeconds = 1): Promise<number> =>
  writeEntry(broker, bucket, key, '', { 'KV-Operation': 'DEL', 'Nats-TTL': `${ttlSeconds}s` });

/** Removes what is stored under a key, unless it has been written anew after this revision. */
export async function purgeRevision(broker: Broker, bucket: string, key: string, revision: number): Promise<void> {
  const request = JSON.stringify({ filter: `$KV.${bucket}.${key}`, seq: revision + 1 });
  await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$JS.API.STREAM.PURGE.KV_${bucket}`, request, {}, readAnswer),
  );
}

function isRemoved(entry: Entry): boolean {
  const operation = entry.header('KV-Operation');
  return operation === 'DEL' || operation === 'PURGE';
}

const header = (msg: Msg, name: string): string => msg.headers?.get(name) ?? '';

const codeOf = (msg: Msg): number => msg.headers?.code ?? 0;

const refused = (msg: Msg) =>
  new MotiaError('BROKER_REFUSED', `the broker refused a read: ${msg.headers?.description}`);
