// The least a worker can do: take a request, run its handler, reply. argv: NATS url, manner of publishing.
import { jetstream } from '@nats-io/jetstream';
import { connect, frame, publisher, unframe } from './bare.mjs';

const [, , servers, manner] = process.argv;
const nc = await connect(servers);
const publish = publisher(nc, manner);
const headers = { 'content-type': 'application/json; charset=utf-8' };

const handlers = {
  'GET /hello': async () => ({ message: 'hello' }),
  'POST /order': async (order) => ({ id: order.id, total: order.price * order.count }),
};

const consumer = await jetstream(nc).consumers.get('HTTP', 'worker');
await consumer.consume({
  max_messages: 256,
  callback: async (message) => {
    const { head, body } = unframe(message.data);
    message.ack();
    const answer = await handlers[`${head.method} ${head.url}`](body.length ? JSON.parse(body) : undefined);
    publish(head.reply, frame({ status: 200, headers }, Buffer.from(JSON.stringify(answer))));
  },
});

process.on('disconnect', () => process.exit());
process.send('ready');
