/** The admin API: what people and tools do with a running app, under `/__motia/api/v1`. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { CronAdmin } from '../../shared/broker/cron-admin.ts';
import type { Orphan } from '../../shared/broker/orphans.ts';
import { type ErrorCode, MotiaError } from '../../shared/errors.ts';
import { type AdminAccess, decideAccess } from './access.ts';
import { cronRoutes } from './cron.ts';

export interface AdminOptions {
  access: AdminAccess;
  /** Made when it is first asked for: most gateways are never asked. */
  cron: () => Promise<CronAdmin>;
  orphans: () => Promise<Orphan[]>;
}

/** Paths below this are never those of steps. */
export const RESERVED = '/__motia/';

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNKNOWN_STEP: 404,
  STORE_FULL: 503,
  BROKER_LOST: 503,
  BROKER_TIMEOUT: 503,
};

/** Serves the admin API, and 404 for whatever else is below the reserved path. */
export function mountAdmin(app: FastifyInstance, { access, cron, orphans }: AdminOptions): void {
  app.all(`${RESERVED}*`, (request, reply) => notFound(reply, request.url));
  void app.register(
    async (api) => {
      api.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const decision = decideAccess(access, request.headers, request.socket.remoteAddress);
        if (decision === 'granted') return;
        if (decision.status === 404) return notFound(reply, request.url);
        if (decision.status === 401) reply.header('www-authenticate', 'Bearer');
        return reply.code(decision.status).send({ error: decision.error });
      });
      api.setErrorHandler((error, _request, reply) => {
        const status = error instanceof MotiaError ? STATUS[error.code] : undefined;
        if (status === undefined) throw error;
        return reply.code(status).send({ error: (error as MotiaError).message });
      });
      cronRoutes(api, cron);
      api.get('/orphans', orphans);
    },
    { prefix: `${RESERVED}api/v1` },
  );
}

/** As for any other path that does not exist. */
function notFound(reply: FastifyReply, url: string): FastifyReply {
  return reply.code(404).send({ error: 'Not found', path: url.split('?', 1)[0] });
}
