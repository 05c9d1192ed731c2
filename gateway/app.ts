/** The HTTP server's assembly. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type pino from 'pino';
import type { Ops } from '../shared/ops.ts';
import { type AdminOptions, mountAdmin } from './admin/admin.ts';
import { createEmitRoute, EMIT_PATH } from './admin/events.ts';
import { answerFailure, createBareFastify } from './bare-fastify.ts';
import { createOpsRoute } from './ops-route.ts';
import { watchSilentConnections } from './silent-connections.ts';
import { createStepRoute, type StepRouteOptions } from './step-route.ts';
import { mountWorkbench, showWorkbench } from './workbench/pages.ts';

/** How long a client may take to send a request, which is also Node's own default. */
const REQUEST_TIMEOUT_MS = 300_000;

/** What is no HTTP request gets 400, but for these errors of Node's parser. */
const CLIENT_ERRORS: ReadonlyMap<string | undefined, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

type AppOptions = Omit<StepRouteOptions, 'closing' | 'ownRoute' | 'log'> & {
  admin: AdminOptions;
  ops: Ops;
};

export interface App {
  server: FastifyInstance;
  /** Gives it what its routes need. Once, before it listens. */
  serve(options: AppOptions): void;
}

/**
 * The server with its routes. To make it takes a while and needs no broker; what the routes need of that comes with `serve`.
 * @param workbench folder of the built Workbench; `undefined` when there is to be none.
 */
export function createApp(log: pino.Logger, workbench: string | undefined): App {
  let admin: AdminOptions | undefined;
  let route: ReturnType<typeof createStepRoute> = async () => {};
  const server = createBareFastify(log, {
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    clientErrorHandler: ({ code }, socket) => {
      const status = CLIENT_ERRORS.get(code) ?? '400 Bad Request';
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    },
    // A URL that fastify cannot decode is ours to judge, as any other.
    frameworkErrors: (_error, request: FastifyRequest, reply: FastifyReply) => {
      route(request, reply).catch((error) => answerFailure(log, error, request, reply));
    },
  });
  const endSilentConnections = watchSilentConnections(server.server);
  server.addHook('preClose', async () => endSilentConnections());
  mountAdmin(server, () => admin as AdminOptions);
  mountWorkbench(server, workbench);
  // Methods beyond those that fastify knows are 404 without reaching a step.
  server.all('/*', (request, reply) => route(request, reply));
  return {
    server,
    serve: (options) => {
      admin = options.admin;
      const closing = () => options.ops.health.draining;
      route = createStepRoute({ ...options, log, ownRoute: ownRoute(options, workbench !== undefined), closing });
    },
  };
}

/** What comes before the steps. */
function ownRoute(
  { admin: { access, services }, ops, served }: AppOptions,
  hasWorkbench: boolean,
): StepRouteOptions['ownRoute'] {
  const emit = createEmitRoute(access, services.emits);
  const opsRoute = createOpsRoute(ops, access);
  const page = showWorkbench(hasWorkbench);
  return (method, path, request) =>
    method === 'POST' && path === EMIT_PATH && served()
      ? emit
      : (opsRoute(method, path) ?? page(method, path, request));
}
