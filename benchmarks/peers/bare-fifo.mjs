// The bare client for events in order, one of several processes: partitions made by the broker, a consumer with one message out at a
// time for each. argv: NATS url, partitions, file that is appended to.
import fs from 'node:fs';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { emitOrdered } from '../lib/emit-ordered.mjs';
import { connect, Inbox, publishStored } from './bare.mjs';

const [, , servers, partitions, handledFile] = process.argv;
const STREAM = 'ORDERED';
const nc = await connect(servers);
const inbox = new Inbox(nc);
const { streams, consumers } = await jetstreamManager(nc);
await streams.add({
  name: STREAM,
  subjects: ['grouped.*', 'partition.*'],
  subject_transform: { src: 'grouped.*', dest: `partition.{{partition(${partitions},1)}}` },
  storage: 'file',
  retention: 'interest',
});

const handled = fs.openSync(handledFile, 'a');
const handle = async ({ group, number }) => void fs.writeSync(handled, `${group} ${number} ${Date.now()}\n`);

for (let partition = 0; partition < Number(partitions); partition++) {
  const durable_name = `p${partition}`;
  const filter_subject = `partition.${partition}`;
  await consumers.add(STREAM, { durable_name, filter_subject, ack_policy: 'explicit', max_ack_pending: 1 });
  const consumer = await jetstream(nc).consumers.get(STREAM, durable_name);
  await consumer.consume({
    max_messages: 256,
    callback: async (message) => {
      await handle(message.json());
      message.ack();
    },
  });
}

process.on('disconnect', () => process.exit());
process.on('message', async (order) => {
  const emit = (group, data) => publishStored(nc, inbox, `grouped.${group}`, JSON.stringify(data));
  process.send(await emitOrdered(order, emit));
});
process.send('ready');
