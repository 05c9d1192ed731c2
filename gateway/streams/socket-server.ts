/** WebSockets on the gateway's port: any path and query is taken, and who comes is asked who it is. */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { admit } from './admission.ts';
import type { ConnectedClients } from './connected.ts';
import { type SessionOptions, SocketSession } from './socket-session.ts';

const require = createRequire(import.meta.url);

export interface SocketServerOptions extends SessionOptions {
  clients: ConnectedClients;
}

/** Serves the upgrades of an HTTP server. */
export function serveSockets(server: Server, options: SocketServerOptions): void {
  let sockets: WebSocketServer | undefined;
  server.on('upgrade', (request, raw, head) => {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return serveWithoutUpgrade(server, request, raw, head);
    raw.on('error', () => raw.destroy());
    sockets ??= createSocketServer(options.limits.messageBytes);
    void upgrade(sockets, options, request, raw, head);
  });
}

/** Its library is loaded for the first client: many apps have none, and start is what people wait for. */
function createSocketServer(maxPayload: number): WebSocketServer {
  const { WebSocketServer } = require('ws') as typeof import('ws');
  // Of the subprotocols that a client offers the library takes the first, as browsers want it.
  return new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload });
}

async function upgrade(
  sockets: WebSocketServer,
  options: SocketServerOptions,
  request: IncomingMessage,
  raw: Duplex,
  head: Buffer,
): Promise<void> {
  const { clients } = options;
  const admission = await admit(request, raw, options);
  if ('refused' in admission) return refuse(raw, admission.refused.status, admission.refused.text);
  sockets.handleUpgrade(request, raw, head, (socket) => {
    const session: SocketSession = new SocketSession(socket, raw, admission.authContext, options, () =>
      clients.remove(session),
    );
    clients.add(session);
  });
}

function refuse(raw: Duplex, status: number, text: string): void {
  if (!raw.writable) return;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: text/html\r\n`;
  raw.once('finish', () => raw.destroy()); // without waiting for the other side
  raw.end(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

/** Headers that concern an upgrade. */
const UPGRADE_HEADERS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings', 'connection']);

/**
 * A request that offers another protocol, as Java's clients do with HTTP/2, is served as if it did not. The server has taken it out
 * of its parser already: it is put back, without the offer.
 */
function serveWithoutUpgrade(server: Server, request: IncomingMessage, raw: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders, headers } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  if (/\bclose\b/i.test(headers.connection ?? '')) lines.push('connection: close');
  raw.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', raw);
}
