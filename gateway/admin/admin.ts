/** The admin API: what people and tools do with a running app, under `/__motia/api/v1`. */
import type { FastifyInstance } from 'fastify';
import type pino from 'pino';
import type { TelemetryEnvironment } from '../../shared/config.ts';
import type { Manifest } from '../../shared/steps/manifest.ts';
import { createBareFastify } from '../bare-fastify.ts';
import type { RequestReplays } from '../request-replays.ts';
import type { AdminAccess } from './access.ts';
import { activityRoutes } from './activity.ts';
import { appRoutes, type Installation } from './app.ts';
import { cronRoutes } from './cron.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { eventRoutes } from './events.ts';
import { flowRoutes } from './flows.ts';
import { logRoutes } from './logs.ts';
import { adminOpenApi } from './openapi.ts';
import { queueRoutes } from './queues.ts';
import { notFound, RESERVED, refuseFor, refuseStranger } from './refusals.ts';
import { replayRoutes } from './replays.ts';
import { scheduledRoutes } from './scheduled.ts';
import type { AdminServices } from './services.ts';
import { stateRoutes } from './state.ts';
import { stepRoutes } from './steps.ts';
import { streamRoutes } from './streams.ts';
import { traceRoutes } from './traces.ts';
import { tutorialRoutes } from './tutorial.ts';

export interface AdminOptions {
  /** Name of the app. */
  app: string;
  access: AdminAccess;
  log: pino.Logger;
  services: AdminServices;
  installation: Installation;
  telemetry: TelemetryEnvironment;
  requests: RequestReplays;
  /** How many clients of this gateway follow something of a realtime stream. */
  followers: (stream: string) => number;
  /** What is served now. */
  manifest: () => Manifest | undefined;
}

const PREFIX = `${RESERVED}api/v1`;

/** How much of a path is logged. */
const LONGEST_PATH = 500;

/**
 * Serves the admin API, and 404 for whatever else is below the reserved path. It is made when it is first asked for: it has many routes.
 * @param options asked for then.
 */
export function mountAdmin(app: FastifyInstance, options: () => AdminOptions): void {
  let admin: FastifyInstance | undefined;
  app.all(`${RESERVED}*`, async ({ raw: request }, reply) => {
    if (!admin) {
      const given = options();
      admin = createBareFastify(given.log);
      addAdminRoutes(admin, given);
    }
    await admin.ready();
    reply.hijack();
    admin.routing(request, reply.raw);
  });
  app.addHook('preClose', () => admin?.close()); // before connections are waited for: it ends those that follow something
}

/** The routes of the admin API, and 404 for all else that comes to this server. */
export function addAdminRoutes(admin: FastifyInstance, options: AdminOptions): void {
  const { access, services, log, manifest, installation, telemetry, requests } = options;
  const { root } = installation;
  admin.setNotFoundHandler((request, reply) => notFound(reply, request.url));
  void admin.register(
    async (api) => {
      api.addHook('onRequest', async (request, reply) => {
        if (refuseStranger(access, request, reply)) return reply;
      });
      api.addHook('onResponse', async ({ method, url, admin }, { statusCode: status }) => {
        if (method === 'GET' || method === 'HEAD' || status >= 400) return;
        const [path, query] = url.slice(0, LONGEST_PATH).split('?', 2);
        const what = { method, path, ...(query && { query }), status };
        log.info({ action: 'admin_change', ...admin, ...what }, 'A change was made through the admin API');
      });
      api.setErrorHandler((error, _request, reply) => refuseFor(error, reply));
      activityRoutes(api, services);
      appRoutes(api, installation, options.app, manifest, telemetry);
      cronRoutes(api, services.cron);
      deadLetterRoutes(api, services.deadLetters);
      eventRoutes(api, services.emits);
      flowRoutes(api, root);
      replayRoutes(api, services.replays, requests);
      queueRoutes(api, services.queues, services.findEvent);
      scheduledRoutes(api, services.scheduled);
      stateRoutes(api, services.state, services.telemetry);
      stepRoutes(api, manifest, installation);
      streamRoutes(api, services.streams, options.followers);
      traceRoutes(api, services.telemetry);
      tutorialRoutes(api, installation);
      logRoutes(api, services.telemetry);
      api.get('/orphans', services.orphans);
      api.get('/openapi.json', async () => adminOpenApi(PREFIX, '1'));
    },
    { prefix: PREFIX },
  );
}
