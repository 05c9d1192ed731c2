/** Whether a client of realtime streams is let in, by whichever protocol it comes: there has to be room for it, and `streamAuth` is asked who it is. */
import type { IncomingMessage } from 'node:http';
import type pino from 'pino';
import { AccessRefused, type StreamAccess } from './access.ts';
import type { ConnectedClients } from './connected.ts';

export interface AdmissionOptions {
  access: StreamAccess;
  clients: ConnectedClients;
  log: pino.Logger;
}

export type Admission = { authContext: unknown } | { refused: { status: 401 | 503; text: string } };

/** The place that it takes is free again when its connection, or its response, is closed. */
export async function admit(
  request: IncomingMessage,
  closed: { once(event: 'close', listener: () => void): unknown },
  { access, clients, log }: AdmissionOptions,
): Promise<Admission> {
  const refused = (status: 401 | 503, text: string) => ({ refused: { status, text } });
  if (clients.closing) return refused(503, 'The gateway is going away');
  const giveBack = clients.takePlace(request.socket.remoteAddress ?? '');
  if (!giveBack) return refused(503, 'Too many clients');
  closed.once('close', giveBack);
  try {
    return { authContext: await access.authenticate({ headers: request.headers, url: request.url ?? '/' }) };
  } catch (error) {
    if (error instanceof AccessRefused) return refused(401, 'Authentication failed');
    log.error(
      { action: 'stream_auth_failed', err: error },
      'Who a client of realtime streams is could not be found out',
    );
    return refused(503, 'Authentication is not available');
  }
}
