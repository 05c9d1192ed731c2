/** A real cluster of three JetStream servers on loopback, each with a store of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type NatsServer, startNatsServer } from '../../testing/nats-server.ts';
import { freePort } from './free-port.ts';

const SIZE = 3;
const READY_WITHIN_MS = 20_000;

export interface NatsCluster extends AsyncDisposable {
  servers: NatsServer[];
  /** The addresses of all of them, for `NATS_URL`. */
  url: string;
}

/** Resolves when the servers have a leader that gives streams places on all three. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const ports = await Promise.all(Array.from({ length: SIZE }, freePort));
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  const servers = await Promise.all(
    ports.map((port, n) =>
      startNatsServer({
        config: `server_name: n${n}\ncluster { name: c, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
      }),
    ),
  );
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  const url = servers.map((server) => server.url).join(',');
  await whenReady(url).catch(async (error) => {
    await stop();
    throw error;
  });
  return { servers, url, [Symbol.asyncDispose]: stop };
}

async function whenReady(url: string): Promise<void> {
  const nc = await connect({ servers: url.split(',') });
  try {
    const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: 1_000 });
    for (const giveUp = Date.now() + READY_WITHIN_MS; ; await sleep(50)) {
      try {
        await jsm.streams.add({ name: 'ready', subjects: ['ready'], num_replicas: SIZE });
        await jsm.streams.delete('ready');
        return;
      } catch (error) {
        if (Date.now() > giveUp) throw error;
      }
    }
  } finally {
    await nc.close();
  }
}
