/** Reads what a backup keeps of an app, while the app goes on. */
import { BlobStore } from '../broker/blobs.ts';
import type { Broker } from '../broker/connect.ts';
import { describe } from '../broker/dead-letter.ts';
import { expiryOf, JsonBucket } from '../broker/json-bucket.ts';
import { readPage, type StoredMessage } from '../broker/stored-messages.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import type { BackupRecord, DeadLetterRecord, EntryRecord } from './records.ts';

/** How many are read at a time; a page ends earlier when they are large. */
const PAGE = 1_000;

/**
 * State, items of realtime streams and dead letters. Each is as it was at some moment of the reading; what is changed meanwhile may come a second time, as
 * it is then.
 */
export async function* readApp(broker: Broker, names: Names): AsyncGenerator<BackupRecord> {
  const { state, values, streams, items } = names.buckets;
  yield* readBucket('state', new JsonBucket(broker, { bucket: state, blobs: values }), '*.*');
  yield* readBucket('item', new JsonBucket(broker, { bucket: streams, blobs: items, watched: true }), '*.*.*');
  yield* readDeadLetters(broker, names);
}

async function* readBucket(kind: EntryRecord['kind'], bucket: JsonBucket, filter: string): AsyncGenerator<EntryRecord> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { items, next }: Awaited<ReturnType<JsonBucket['loadPage']>> = await bucket.loadPage(filter, after, PAGE);
    for (const { entry, json } of items) {
      const names = entry.header(Header.names);
      const expiresAt = expiryOf(entry);
      yield {
        kind,
        key: entry.key,
        ...(names !== '' && { names }),
        ...(expiresAt !== undefined && { expiresAt }),
        json,
      };
    }
    after = next;
  }
}

async function* readDeadLetters(broker: Broker, names: Names): AsyncGenerator<DeadLetterRecord> {
  const payloads = new BlobStore(broker, names.buckets.payloads);
  for await (const message of storedDeadLetters(broker, names)) {
    const headers = ownHeaders(message);
    const { [Header.blob]: blob, ...rest } = headers;
    const data = blob === undefined ? Buffer.from(message.data) : await payloads.get(blob);
    const { step, diedAt } = describe(message);
    yield { kind: 'dead-letter', step, headers: rest, data: data.toString('base64'), diedAt: Date.parse(diedAt) };
  }
}

/** All dead letters, the oldest first. */
export async function* storedDeadLetters(broker: Broker, names: Names): AsyncGenerator<StoredMessage> {
  for (let from = 1, left = 1; left > 0; ) {
    const page = await readPage(broker, names.streams.dead, names.deads, from, PAGE);
    yield* page.messages;
    left = page.left;
    from = (page.messages.at(-1)?.sequence ?? 0) + 1;
  }
}

/** The headers that whoever stored a message gave it. */
function ownHeaders({ headers }: StoredMessage): Record<string, string> {
  const all = [...(headers ?? [])].map(([name, [value = '']]) => [name, value] as const);
  return Object.fromEntries(all.filter(([name]) => name === Header.messageId || !name.startsWith('Nats-')));
}
