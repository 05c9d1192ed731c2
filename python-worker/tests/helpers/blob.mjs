/** Writes or reads a large payload with the TypeScript code: `<server url> <bucket> put < data > name`, or `get <name> > data`. */
import { buffer } from 'node:stream/consumers';
import { BlobStore } from '../../../dist/shared/broker/blobs.js';
import { connectBroker } from '../../../dist/shared/broker/connect.js';

const [servers, bucket, operation, name] = process.argv.slice(2);
const broker = await connectBroker({ servers }, { name: 'blob' });
const blobs = new BlobStore(broker, bucket);
const output = operation === 'put' ? await blobs.put(await buffer(process.stdin)) : await blobs.get(name);
await new Promise((resolve) => process.stdout.write(output, resolve));
await broker.close();
