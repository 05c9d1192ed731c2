/** Ends the connections on which no request has come yet, when the server is to end: Node does not count them among the idle ones. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** @returns what ends them. */
export function watchSilentConnections(server: Server): () => void {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return () => {
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  };
}
