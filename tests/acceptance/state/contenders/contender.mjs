/** Adds 1 to a number of state again and again, in ten lanes: `<server url> <app> <group> <key> <times>`. */
import { connectBroker } from '../../../../dist/shared/broker/connect.js';
import { StateStore } from '../../../../dist/shared/broker/state.js';
import { createNames } from '../../../../dist/shared/protocol/subjects.js';

const [servers, app, group, key, times] = process.argv.slice(2);
const broker = await connectBroker({ servers }, { name: 'contender' });
const store = new StateStore(broker, createNames(app));
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
let left = Number(times);
const lane = async () => {
  while (left-- > 0) await store.update(group, key, (n) => (n ?? 0) + 1);
};
await Promise.all(Array.from({ length: 10 }, lane));
await broker.close();
process.exit(0);
