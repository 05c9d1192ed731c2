/** A real nats-server for each test file, and connections that end with the test. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Broker, type BrokerEvents, connectBroker } from '../../../shared/broker/connect.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '../../../testing/nats-server.ts';

export interface Harness {
  readonly server: NatsServer;
  connect(events?: BrokerEvents): Promise<Broker>;
  /** A connection, and the topology of an app that no other test has. */
  app(events?: BrokerEvents): Promise<{ broker: Broker; names: Names }>;
  /** kill -9, `downMs` of silence, and a new start. */
  crash(downMs?: number): Promise<void>;
}

let apps = 0;

/** Call it once at the top of a test file. */
export function useNatsServer(options: NatsServerOptions = {}): Harness {
  let server: NatsServer;
  const connections: Broker[] = [];
  let appInUse: Broker | undefined;
  beforeAll(async () => {
    server = await startNatsServer(options);
  });
  afterEach(async () => {
    // The size limits of streams are reserved on the server's disk: it has no room for the apps of many tests.
    if (appInUse) for (const name of await streamNames(appInUse)) await appInUse.jsm.streams.delete(name);
    appInUse = undefined;
    await Promise.all(connections.splice(0).map((broker) => broker.close()));
  });
  afterAll(() => server.stop());

  const connect = async (events: BrokerEvents = {}) => {
    const broker = await connectBroker({ servers: server.url }, { name: 'test', ...events });
    connections.push(broker);
    return broker;
  };
  return {
    get server() {
      return server;
    },
    connect,
    async app(events) {
      const broker = await connect(events);
      const names = createNames(`app${++apps}`);
      await ensureTopology(broker, names);
      appInUse = broker;
      return { broker, names };
    },
    async crash(downMs = 100) {
      await server.kill('SIGKILL');
      await sleep(downMs);
      await server.restart();
    },
  };
}

/** The broker streams that there are. */
export async function streamNames(broker: Broker): Promise<string[]> {
  const names: string[] = [];
  for await (const name of broker.jsm.streams.names()) names.push(name);
  return names.sort();
}
