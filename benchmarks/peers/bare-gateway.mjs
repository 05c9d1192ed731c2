// The least a gateway over JetStream can do: every request goes through a memory queue to the worker process, the
// answer comes to our inbox. No routes, no deadlines, no traces. argv: NATS url, port, manner of publishing.
import { jetstreamManager } from '@nats-io/jetstream';
import Fastify from 'fastify';
import { connect, frame, Inbox, publishError, publisher, unframe } from './bare.mjs';

const [, , servers, port, manner] = process.argv;
const nc = await connect(servers);
const inbox = new Inbox(nc);
const publish = publisher(nc, manner);
const { streams, consumers } = await jetstreamManager(nc);
await streams.add({ name: 'HTTP', subjects: ['http'], storage: 'memory', retention: 'workqueue' });
await consumers.add('HTTP', { durable_name: 'worker', ack_policy: 'explicit', max_ack_pending: 10_000 });

const EMPTY = Buffer.alloc(0);
const PUB_ACK = '{'.charCodeAt(0); // a frame begins with a length below 2^24, so with 0

function call(head, body) {
  return new Promise((resolve, reject) => {
    // Acknowledgement and answer come to one subject. The answer proves that the request was stored, so only a
    // refusal is news.
    const reply = inbox.expect((data) => {
      const error = data.length === 0 || data[0] === PUB_ACK ? publishError(data) : undefined;
      if (error) reject(error);
      else if (data[0] !== PUB_ACK) resolve(unframe(data));
      else return;
      inbox.forget(reply);
    });
    publish('http', frame({ ...head, reply }, body), { reply });
  });
}

const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
app.all('/*', async ({ method, url, headers, body }, reply) => {
  const answer = await call({ method, url, headers }, body ?? EMPTY);
  return reply.code(answer.head.status).headers(answer.head.headers).send(answer.body);
});

await app.listen({ port: Number(port), host: '127.0.0.1' });
process.on('disconnect', () => process.exit());
process.send('ready');
