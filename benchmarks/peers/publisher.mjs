// Stores events as handlers do, in a broker stream with settings of its own. argv: JSON of url, replicas and storage.
import { connectBroker } from '../../dist/shared/broker/connect.js';
import { publishStored } from '../../dist/shared/broker/publish.js';

const { url, replicas, storage } = JSON.parse(process.argv[2]);
const name = `durable-${replicas}-${storage}`;
const broker = await connectBroker({ servers: url }, { name });
const data = JSON.stringify({
  id: 'order-1',
  status: 'paid',
  total: 42.5,
  items: ['tea', 'milk'],
  note: 'x'.repeat(70),
});
let stored = 0;

async function makeStream() {
  const limits = { max_msgs: 20_000, duplicate_window: 120e9 };
  await broker.jsm.streams.add({ name, subjects: [name], num_replicas: replicas, storage, ...limits });
  return {};
}

async function store({ count, concurrency }) {
  const times = [];
  let left = count;
  const lane = async () => {
    while (left-- > 0) {
      const began = performance.now();
      await publishStored(broker, name, data, { 'Nats-Msg-Id': String(stored++) });
      times.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { seconds: (performance.now() - began) / 1000, times };
}

process.on('disconnect', () => process.exit());
process.on('message', async (order) => {
  const answer = order === 'make the stream' ? makeStream() : store(order);
  process.send(await answer.catch((error) => ({ error: error.message })));
});
process.send('ready');
