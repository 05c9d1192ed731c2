// The bare client loop for events on file storage, one process: publishes windows of awaited messages, pulls them from a
// durable consumer, handles and acks each. argv: NATS url, file that the handled ids are appended to.
import fs from 'node:fs';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, Inbox, publishStored } from './bare.mjs';

const [, , servers, handledFile] = process.argv;
const nc = await connect(servers);
const inbox = new Inbox(nc);
const { streams, consumers } = await jetstreamManager(nc);
await streams.add({ name: 'EVENTS', subjects: ['events.>'], storage: 'file', retention: 'interest' });
await consumers.add('EVENTS', { durable_name: 'handler', ack_policy: 'explicit', max_ack_pending: 10_000 });

const handled = fs.openSync(handledFile, 'a');
const handle = async ({ id }) => void fs.writeSync(handled, `${id} ${Date.now()}\n`);

const consumer = await jetstream(nc).consumers.get('EVENTS', 'handler');
await consumer.consume({
  max_messages: 256,
  callback: async (message) => {
    await handle(message.json());
    message.ack();
  },
});

process.on('disconnect', () => process.exit());
process.on('message', async ({ count, window }) => {
  const startedAt = Date.now();
  for (let first = 0; first < count; first += window) {
    const ids = Array.from({ length: Math.min(window, count - first) }, (_, offset) => first + offset);
    await Promise.all(
      ids.map((id) => publishStored(nc, inbox, 'events.order', JSON.stringify({ id, sku: 'tea', price: 2.5 }))),
    );
  }
  process.send({ startedAt, storedAt: Date.now() });
});
process.send('ready');
