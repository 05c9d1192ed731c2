/** Puts what a backup has kept back into an app. */
import { BlobStore } from '../broker/blobs.ts';
import type { Broker } from '../broker/connect.ts';
import { JsonBucket } from '../broker/json-bucket.ts';
import { publishStored } from '../broker/publish.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import { storedDeadLetters } from './read-app.ts';
import { type BackupRecord, type DeadLetterRecord, type EntryRecord, noRecords, type RecordCounts } from './records.ts';

export interface RestoreOptions {
  /** Values and items that are there give way. Otherwise they stay. */
  replace?: boolean;
}

export interface Restored {
  restored: RecordCounts;
  /** There already. */
  kept: RecordCounts;
  /** Their time is over. */
  expired: number;
}

type Outcome = 'restored' | 'kept' | 'expired';

/** How many are on their way at a time. */
const AT_ONCE = 64;

/**
 * Can be done while the app runs, and again after it was cut off: what is there already is known.
 * @throws {MotiaError} `STORE_FULL` when the broker has no room.
 */
export async function restoreRecords(
  broker: Broker,
  names: Names,
  records: AsyncIterable<BackupRecord>,
  { replace = false }: RestoreOptions = {},
): Promise<Restored> {
  const { state, values, streams, items } = names.buckets;
  const buckets = {
    state: new JsonBucket(broker, { bucket: state, blobs: values }),
    item: new JsonBucket(broker, { bucket: streams, blobs: items, watched: true }),
  };
  const buried = await messageIds(broker, names);
  const payloads = new BlobStore(broker, names.buckets.payloads);
  const result: Restored = { restored: noRecords(), kept: noRecords(), expired: 0 };
  const put = async (record: BackupRecord) => {
    const outcome =
      record.kind === 'dead-letter'
        ? await bury(broker, names, payloads, buried, record)
        : await putEntry(buckets[record.kind], record, replace);
    if (outcome === 'expired') result.expired++;
    else result[outcome][record.kind]++;
  };
  // A key may come twice, so a batch is done before the next one; within one, the last of a key counts.
  for await (const batch of batches(records)) {
    const done = await Promise.allSettled(batch.map(put));
    for (const one of done) if (one.status === 'rejected') throw one.reason;
  }
  return result;
}

/** Records in their order; no batch has two of one key. */
async function* batches(records: AsyncIterable<BackupRecord>): AsyncGenerator<BackupRecord[]> {
  let batch = new Map<string, BackupRecord>();
  for await (const record of records) {
    const key = record.kind === 'dead-letter' ? `${batch.size}` : `${record.kind} ${record.key}`;
    if (batch.size === AT_ONCE || batch.has(key)) {
      yield [...batch.values()];
      batch = new Map();
    }
    batch.set(key, record);
  }
  yield [...batch.values()];
}

async function putEntry(
  bucket: JsonBucket,
  { key, json, names, expiresAt }: EntryRecord,
  replace: boolean,
): Promise<Outcome> {
  for (;;) {
    if (expiresAt !== undefined && expiresAt <= Date.now()) return 'expired';
    const stored = await bucket.load(key);
    if (stored.json !== undefined && !replace) return 'kept';
    if ((await bucket.replace(key, stored, json, { names, expiresAt })) !== undefined) return 'restored';
  }
}

async function bury(
  broker: Broker,
  names: Names,
  payloads: BlobStore,
  buried: ReadonlySet<string>,
  { step, headers, data, diedAt }: DeadLetterRecord,
): Promise<Outcome> {
  const id = headers[Header.messageId] ?? `${step}:${diedAt}`;
  if (buried.has(id)) return 'kept';
  const bytes = Buffer.from(data, 'base64');
  const blob = payloads.needed(bytes.length) ? await payloads.put(bytes) : undefined;
  await publishStored(broker, names.dead(step), blob === undefined ? bytes : '', {
    [Header.diedAt]: String(diedAt),
    ...headers,
    [Header.messageId]: id,
    ...(blob !== undefined && { [Header.blob]: blob }),
  });
  return 'restored';
}

async function messageIds(broker: Broker, names: Names): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { headers } of storedDeadLetters(broker, names)) ids.add(headers?.get(Header.messageId) ?? '');
  return ids;
}
