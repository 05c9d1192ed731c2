/** The port on which a process answers those who run it. It is there before the broker is, and until the very end. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type pino from 'pino';
import { MotiaError } from './errors.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Ops } from './ops.ts';

/** Where metrics and health are served. */
export interface OpsAddress {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Nobody has asked for this very port: if it is taken, the process goes on without. */
  optional: boolean;
}

const REQUEST_WITHIN_MS = 5_000;
const LONGEST_HEAD = 8 * 1024;
const MOST_CONNECTIONS = 64;

/**
 * Serves `ops` if there is an address, until the rest of the lifecycle is closed.
 * @throws {MotiaError} `PORT_BUSY`
 */
export async function serveOps(
  ops: Ops,
  address: OpsAddress | undefined,
  lifecycle: Lifecycle,
  log: pino.Logger,
): Promise<void> {
  if (!address) return;
  const server = createServer(
    { maxHeaderSize: LONGEST_HEAD, requestTimeout: REQUEST_WITHIN_MS, keepAliveTimeout: REQUEST_WITHIN_MS },
    (request, response) => {
      const { method, url = '', headers } = request;
      const answer =
        method === 'GET' || method === 'HEAD' ? ops.answer(url.split('?')[0] ?? '', headers.accept) : undefined;
      Promise.resolve(answer).then(
        (found) => {
          const { status, contentType, body } = found ?? {
            status: 404,
            contentType: 'text/plain',
            body: 'Not found\n',
          };
          response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
          response.end(method === 'HEAD' ? undefined : body);
        },
        (error) => {
          log.error({ action: 'metrics_failed', err: error }, 'Metrics could not be collected');
          response.writeHead(500).end();
        },
      );
      request.resume();
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  try {
    await listen(server, address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const busy = `port ${address.port} for metrics and health is in use on ${address.host}: choose another one with MOTIA_METRICS_PORT`;
    if (!address.optional) throw new MotiaError('PORT_BUSY', busy, { cause: error });
    log.warn({ action: 'metrics_off' }, `No metrics and health of this process: ${busy}`);
    return;
  }
  server.unref();
  lifecycle.defer('metrics and health', () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  log.info({ action: 'metrics', port }, `Metrics and health are served on port ${port}`);
}

function listen(server: Server, { host, port }: OpsAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
