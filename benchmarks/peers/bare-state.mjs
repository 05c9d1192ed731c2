// The bare KV client doing what the state handlers do. argv: NATS url.
import { Kvm } from '@nats-io/kv';
import { timeOperations } from '../lib/time-operations.mjs';
import { connect } from './bare.mjs';

const bucket = await new Kvm(await connect(process.argv[2])).create('state', { history: 1, allow_direct: true });
const operations = {
  set: (key, value) => bucket.put(key, JSON.stringify(value)),
  get: async (key) => (await bucket.get(key)).json(),
};

process.on('disconnect', () => process.exit());
process.on('message', async ({ operation, count, concurrency }) => {
  process.send({ seconds: await timeOperations(operations[operation], count, concurrency) });
});
process.send('ready');
