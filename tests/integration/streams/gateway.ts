/** The part of a gateway that serves realtime streams, in this process, on the test's real broker. */
import Fastify from 'fastify';
import pino from 'pino';
import type { StreamAccess } from '../../../gateway/streams/access.ts';
import type { StreamLimits } from '../../../gateway/streams/limits.ts';
import { startStreams } from '../../../gateway/streams/streams.ts';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { StreamStore } from '../../../shared/broker/streams.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { createManifest, type Manifest } from '../../../shared/steps/manifest.ts';
import { startProxy } from '../../acceptance/streams/proxy.ts';
import type { Harness } from '../broker/harness.ts';

export interface StreamGateway extends AsyncDisposable {
  readonly url: string;
  readonly broker: Broker;
  readonly names: Names;
  readonly store: StreamStore;
  /** Makes these the streams of the app. */
  serve(...streams: string[]): void;
  /** Cuts the gateway off from the broker, while others go on, until the function that it gives is called. */
  cutOff(): () => void;
  /** Consumers that there are for streams. */
  consumers(): Promise<number>;
}

const EVERYBODY: StreamAccess = { authenticate: async () => null, canAccess: async () => true };

let apps = 0;

export async function startStreamGateway(
  harness: Harness,
  options: { limits?: Partial<StreamLimits>; access?: StreamAccess } = {},
): Promise<StreamGateway> {
  const names = createNames(`streams${++apps}`);
  const proxy = await startProxy(harness.server.url);
  const broker = await connectBroker({ servers: harness.server.url }, { name: 'test' });
  const ofGateway = await connectBroker(
    { servers: proxy.url.replace('ws:', 'nats:') },
    {
      name: 'test gateway',
      onReconnect: () => {
        ensureTopology(ofGateway, names).catch(() => {});
      },
    },
  );
  await ensureTopology(broker, names);
  let manifest: Manifest | undefined;
  const app = Fastify({ forceCloseConnections: true });
  const { limits, access = EVERYBODY } = options;
  const log = pino({ level: 'silent' });
  const streams = startStreams(app, { broker: ofGateway, names, manifest: () => manifest, access, limits, log });
  const serve = (...wanted: string[]) => {
    manifest = createManifest({
      app: names.app,
      steps: [],
      streams: wanted.map((name) => ({ name, language: 'node', file: `${name}.stream.ts` })),
      settings: { bodyLimit: 1, corsOrigins: '*', timeoutMs: 1, validation: 'warn' },
    });
    streams?.onManifest();
  };
  serve('chat');
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    broker,
    names,
    store: new StreamStore(broker, names),
    serve,
    cutOff() {
      proxy.leadTo('nats://127.0.0.1:1'); // where nobody listens
      proxy.drop();
      return () => proxy.leadTo(harness.server.url);
    },
    async consumers() {
      const counts = [`KV_${names.buckets.streams}`, names.streams.sent].map(async (stream) => {
        const { state } = await broker.jsm.streams.info(stream);
        return state.consumer_count;
      });
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    },
    async [Symbol.asyncDispose]() {
      await streams?.close();
      await app.close();
      for await (const name of broker.jsm.streams.names()) await broker.jsm.streams.delete(name);
      await Promise.all([broker.close(), ofGateway.close()]);
      await proxy[Symbol.asyncDispose]();
    },
  };
}
