// A nats-server for one benchmark, with a store of its own.
import { once } from 'node:events';
import net from 'node:net';

/** @param {import('./processes.mjs').Scope} scope */
export async function startBroker(scope) {
  const { startNatsServer } = await import('../../dist/testing/nats-server.js'); // built by then
  const server = await startNatsServer();
  scope.defer(() => server.stop());
  return server;
}

/** The version that the server names in the first line it sends. @param {number} port */
export async function brokerVersion(port) {
  const socket = net.connect(port, '127.0.0.1');
  const [line] = await once(socket, 'data');
  socket.destroy();
  return JSON.parse(String(line).slice('INFO '.length)).version;
}
