/** Realtime streams on a real broker: items, what whoever watches them can see, and events that are sent and not kept. */
import { readFileSync } from 'node:fs';
import { AckPolicy, type Consumer, jetstream } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { BlobStore } from '../../../shared/broker/blobs.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { type Entry, readLast } from '../../../shared/broker/key-value.ts';
import { StreamStore } from '../../../shared/broker/streams.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const LARGEST_MESSAGE = 256 * 1024;
const harness = useNatsServer({ maxPayload: LARGEST_MESSAGE });

async function open() {
  const { broker, names } = await harness.app();
  return { broker, names, streams: new StreamStore(broker, names) };
}

interface Golden {
  key: string;
  operations: {
    operation: 'set' | 'delete';
    arguments: unknown[];
    gives: unknown;
    entry?: { headers: Record<string, string>; body: unknown };
  }[];
}

/** What a hub sees that watches the bucket. */
async function watch(broker: Broker, names: Names) {
  const seen: { key: string; change: string; operation: string; ttl: string; body: unknown }[] = [];
  const consumer = await broker.jsm.consumers.add(`KV_${names.buckets.streams}`, {
    name: 'hub',
    ack_policy: AckPolicy.None,
  });
  const found: Consumer = await jetstream(broker.nc).consumers.get(`KV_${names.buckets.streams}`, consumer.name);
  const messages = await found.consume();
  void (async () => {
    for await (const message of messages) {
      const header = (name: string) => message.headers?.get(name) ?? '';
      seen.push({
        key: message.subject.slice(`$KV.${names.buckets.streams}.`.length),
        change: header('Motia-Change'),
        operation: header('KV-Operation'),
        ttl: header('Nats-TTL'),
        body: message.string() === '' ? '' : message.json(),
      });
    }
  })();
  return { seen, stop: () => messages.close() };
}

test('each change is seen by who watches: created, updated, removed with the last item, created again', async () => {
  const { broker, names, streams } = await open();
  const { seen, stop } = await watch(broker, names);
  const key = 'chat.room=2E1.a';
  const steps: [() => Promise<unknown>, object][] = [
    [() => streams.set('chat', 'room.1', 'a', { n: 1 }), { change: 'create', operation: '', body: { n: 1, id: 'a' } }],
    [() => streams.set('chat', 'room.1', 'a', { n: 2 }), { change: 'update', operation: '', body: { n: 2, id: 'a' } }],
    [() => streams.delete('chat', 'room.1', 'a'), { operation: 'DEL', ttl: '3600s', body: { n: 2, id: 'a' } }],
    [() => streams.set('chat', 'room.1', 'a', { n: 3 }), { change: 'create', operation: '', body: { n: 3, id: 'a' } }],
    [
      () => streams.update('chat', 'room.1', 'a', (item) => ({ ...(item as object), m: 1 })),
      { change: 'update', body: { n: 3, m: 1, id: 'a' } },
    ],
  ];
  for (const [n, [act, wanted]] of steps.entries()) {
    await act();
    await waitFor(() => seen.length === n + 1);
    expect(seen[n]).toMatchObject({ key, ...wanted });
  }
  await stop();
});

test('what is stored is what the golden file says', async () => {
  const { broker, names, streams } = await open();
  const { key, operations } = JSON.parse(
    readFileSync(new URL('../../../shared/protocol/golden/streams.json', import.meta.url), 'utf8'),
  ) as Golden;
  let revision = 0;
  for (const { operation, arguments: args, gives, entry } of operations) {
    const perform = (streams[operation] as (...args: unknown[]) => Promise<unknown>).bind(streams);
    expect(await perform('chat', 'room.1', 'a', ...args)).toEqual(gives);
    const last = await readLast(broker, names.buckets.streams, key);
    expect(last.revision > revision).toBe(entry !== undefined);
    revision = last.revision;
    if (!entry) continue;
    const stored = (last.entry ?? last.removed) as Entry;
    for (const header of ['Motia-Change', 'KV-Operation', 'Nats-TTL']) {
      expect(stored.header(header)).toBe(entry.headers[header] ?? '');
    }
    expect(JSON.parse(Buffer.from(stored.data).toString())).toEqual(entry.body);
  }
});

test('a removed item is not there any more, and to remove it again does nothing', async () => {
  const { broker, names, streams } = await open();
  await streams.set('chat', 'g', 'a', { n: 1 });
  expect(await streams.delete('chat', 'g', 'a')).toMatchObject({ n: 1, id: 'a' });
  expect(await streams.get('chat', 'g', 'a')).toBeNull();
  expect(await streams.getGroup('chat', 'g')).toEqual([]);
  const { revision } = await readLast(broker, names.buckets.streams, 'chat.g.a');
  expect(await streams.delete('chat', 'g', 'a')).toBeNull();
  expect(await streams.delete('chat', 'g', 'never there')).toBeNull();
  expect((await broker.jsm.streams.info(`KV_${names.buckets.streams}`)).state.last_seq).toBe(revision);
});

test('of several who store a new item at once just one has created it', async () => {
  const { broker, names } = await open();
  const { seen, stop } = await watch(broker, names);
  const stores = await Promise.all([1, 2, 3, 4].map(async () => new StreamStore(await harness.connect(), names)));
  const items = await Promise.all(stores.map((store, n) => store.set('chat', 'g', 'a', { n })));
  await waitFor(() => seen.length === 4);
  expect(seen.map(({ change }) => change)).toEqual(['create', 'update', 'update', 'update']);
  expect(new Set(items.map(({ _createdAt }) => _createdAt)).size).toBe(1);
  await stop();
});

test('items of more than a message, when they are replaced and removed', async () => {
  const { broker, names, streams } = await open();
  const blobs = new BlobStore(broker, names.buckets.items);
  const text = 'x'.repeat(2 * LARGEST_MESSAGE);
  await streams.set('chat', 'g', 'a', { text });
  await streams.set('chat', 'g', 'a', { text: `${text}y` });
  expect(await blobs.list(0)).toHaveLength(1);
  expect(await streams.delete('chat', 'g', 'a')).toMatchObject({ text: `${text}y` });
  expect(await streams.sweep(0)).toBe(0); // the mark of the removal has it
  await streams.set('chat', 'g', 'a', { text: 'small' });
  expect(await blobs.list(0)).toHaveLength(0);
});

test('what is sent is there for who listens, and has to fit into a message', async () => {
  const { broker, names, streams } = await open();
  const heard: [subject: string, body: string][] = [];
  broker.nc.subscribe(names.sent, { callback: (_, msg) => void heard.push([msg.subject, msg.string()]) });
  await broker.flush();
  await streams.send('chat', 'room.1', undefined, { type: 'typing', data: { by: 'é' } });
  await streams.send('chat', 'room.1', 'a:b', { type: 'seen', data: undefined });
  await waitFor(() => heard.length === 2);
  expect(heard).toEqual([
    [`${names.app}.sent.chat.room=2E1`, '{"type":"typing","data":{"by":"é"}}'],
    [`${names.app}.sent.chat.room=2E1.a=3Ab`, '{"type":"seen","data":null}'],
  ]);
  expect((await broker.jsm.streams.info(names.streams.sent)).state.messages).toBe(2);
  const tooLarge = streams.send('chat', 'g', undefined, { type: 'large', data: 'x'.repeat(LARGEST_MESSAGE) });
  await expect(tooLarge).rejects.toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining('"large"') });
});
