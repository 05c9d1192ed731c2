/** Makes an app's streams and buckets on a broker with the TypeScript code that does it in production: `<server url> <app>`. */
import { connectBroker } from '../../../dist/shared/broker/connect.js';
import { ensureTopology } from '../../../dist/shared/broker/topology.js';
import { createNames } from '../../../dist/shared/protocol/subjects.js';

const [servers, app] = process.argv.slice(2);
const broker = await connectBroker({ servers }, { name: 'topology' });
await ensureTopology(broker, createNames(app));
await broker.close();
