// A nats-server for one benchmark, with a store of its own.
import { once } from 'node:events';
import net from 'node:net';
import { freePort } from './processes.mjs';

/** @param {import('./processes.mjs').Scope} scope @param {import('../../testing/nats-server.ts').NatsServerOptions} [options] */
export async function startBroker(scope, options) {
  const { startNatsServer } = await import('../../dist/testing/nats-server.js'); // built by then
  const server = await startNatsServer(options);
  scope.defer(() => server.stop());
  return server;
}

/**
 * A cluster of three servers. It may take some seconds until it makes streams.
 *
 * @param {import('./processes.mjs').Scope} scope
 * @param {import('../../testing/nats-server.ts').NatsServerOptions} [options]
 */
export async function startCluster(scope, options) {
  const ports = await Promise.all([0, 1, 2].map(freePort));
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  const config = (n) => `server_name: n${n}\ncluster { name: c, listen: "127.0.0.1:${ports[n]}", routes: [${routes}] }`;
  const servers = await Promise.all([0, 1, 2].map((n) => startBroker(scope, { ...options, config: config(n) })));
  return { url: servers.map(({ url }) => url).join(',') };
}

/** The version that the server names in the first line it sends. @param {number} port */
export async function brokerVersion(port) {
  const socket = net.connect(port, '127.0.0.1');
  const [line] = await once(socket, 'data');
  socket.destroy();
  return JSON.parse(String(line).slice('INFO '.length)).version;
}
