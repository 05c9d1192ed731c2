/** An app with realtime streams: a worker, several gateways, and a hand on what is stored. */
import { type Broker, connectBroker } from '../../shared/broker/connect.ts';
import { StreamStore } from '../../shared/broker/streams.ts';
import { createNames } from '../../shared/protocol/subjects.ts';
import { startNatsServer } from '../../testing/nats-server.ts';
import { type RunningCli, startCli } from './cli.ts';
import { createProject } from './project.ts';

export interface StreamApp extends AsyncDisposable {
  /** Changes items and sends events, as handlers do. */
  readonly store: StreamStore;
  startGateway(): Promise<RunningCli>;
  readonly worker: RunningCli;
  /** WebSocket addresses of gateways. */
  addresses(...gateways: RunningCli[]): string[];
}

const BOARD = `
import { z } from 'zod';
export const config = {
  name: 'board',
  schema: z.object({ id: z.string(), n: z.number() }),
  baseConfig: { storageType: 'default' },
};
`;
const SECRET = `
export const config = {
  name: 'secret',
  schema: { type: 'object' },
  baseConfig: { storageType: 'default' },
  canAccess: () => false,
};
`;
/** A project has steps. */
const STEP = `
export const config = { type: 'api', name: 'Hello', method: 'GET', path: '/hello', emits: [] };
export const handler = async () => ({ status: 200, body: {} });
`;

/**
 * Has the stream `board`. Ends with the test file at the latest.
 *
 * @param files of the project, besides those.
 */
export async function startStreamApp(files: Record<string, string> = {}): Promise<StreamApp> {
  const project = await createProject({
    files: {
      'package.json': '{ "name": "streams", "type": "module" }',
      'steps/board.stream.ts': BOARD,
      'steps/secret.stream.ts': SECRET,
      'steps/hello.step.ts': STEP,
      ...files,
    },
  });
  const server = await startNatsServer();
  const env = { NATS_URL: server.url };
  const worker = await startCli('worker', project, { env });
  const broker: Broker = await connectBroker({ servers: server.url }, { name: 'test' });
  const gateways = new Set<RunningCli>();
  return {
    worker,
    store: new StreamStore(broker, createNames('streams')),
    async startGateway() {
      const gateway = await startCli('gateway', project, { env });
      gateways.add(gateway);
      void gateway.exited.then(() => gateways.delete(gateway));
      return gateway;
    },
    addresses: (...of) => of.map(({ url }) => url.replace('http', 'ws')),
    async [Symbol.asyncDispose]() {
      await Promise.all([worker, ...gateways].map((cli) => cli.stop()));
      await broker.close();
      await server.stop();
      await project[Symbol.asyncDispose]();
    },
  };
}

/**
 * Changes items of groups, and sends events with rising numbers to their item `i1`, until told to end, and some more.
 * @returns how many numbers there were, from 0. At last `i1` has that as its `n`.
 */
export async function changeUntil(store: StreamStore, groups: string[], isOver: () => boolean): Promise<number> {
  let left = 50;
  let n = 0;
  for (const late = Date.now() + 30_000; left > 0 && Date.now() < late; n++) {
    if (isOver()) left--;
    for (const group of groups) {
      const id = `i${n % 7}`;
      if (n % 5 === 4) await store.delete('board', group, `i${(n + 3) % 7}`);
      await store.set('board', group, id, { n });
      await store.send('board', group, 'i1', { type: 'nudge', data: n });
    }
  }
  for (const group of groups) await store.set('board', group, 'i1', { n });
  return n;
}
