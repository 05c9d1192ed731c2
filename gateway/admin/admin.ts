/** The admin API: what people and tools do with a running app, under `/__motia/api/v1`. */
import type { FastifyInstance } from 'fastify';
import type { AdminAccess } from './access.ts';
import { cronRoutes } from './cron.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { eventRoutes } from './events.ts';
import { logRoutes } from './logs.ts';
import { queueRoutes } from './queues.ts';
import { notFound, refuseFor, refuseStranger } from './refusals.ts';
import type { AdminServices } from './services.ts';
import { traceRoutes } from './traces.ts';

export interface AdminOptions {
  access: AdminAccess;
  services: AdminServices;
}

/** Paths below this are never those of steps. */
export const RESERVED = '/__motia/';

/** Serves the admin API, and 404 for whatever else is below the reserved path. */
export function mountAdmin(app: FastifyInstance, { access, services }: AdminOptions): void {
  app.all(`${RESERVED}*`, (request, reply) => notFound(reply, request.url));
  void app.register(
    async (api) => {
      api.addHook('onRequest', async (request, reply) => {
        if (refuseStranger(access, request, reply)) return reply;
      });
      api.setErrorHandler((error, _request, reply) => refuseFor(error, reply));
      cronRoutes(api, services.cron);
      deadLetterRoutes(api, services.deadLetters);
      eventRoutes(api, services.emits);
      queueRoutes(api, services.queues, services.findEvent);
      traceRoutes(api, services.telemetry);
      logRoutes(api, services.telemetry);
      api.get('/orphans', services.orphans);
    },
    { prefix: `${RESERVED}api/v1` },
  );
}
