/** The HTTP server's assembly. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Ops } from '../shared/ops.ts';
import { type AdminOptions, mountAdmin } from './admin/admin.ts';
import { createEmitRoute, EMIT_PATH } from './admin/events.ts';
import { answerFailure, createBareFastify } from './bare-fastify.ts';
import { createOpsRoute } from './ops-route.ts';
import { watchSilentConnections } from './silent-connections.ts';
import { createStepRoute, type OwnRoute, type StepRouteOptions } from './step-route.ts';
import { mountWorkbench, showWorkbench } from './workbench/pages.ts';

/** How long a client may take to send a request, which is also Node's own default. */
const REQUEST_TIMEOUT_MS = 300_000;

/** What is no HTTP request gets 400, but for these errors of Node's parser. */
const CLIENT_ERRORS: ReadonlyMap<string | undefined, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

/** Methods beyond those that fastify knows are 404 without reaching a step. */
export function createApp(
  options: Omit<StepRouteOptions, 'closing' | 'ownRoute'> & {
    admin: AdminOptions;
    ops: Ops;
    /** Folder of the built Workbench; `undefined` when there is to be none. */
    workbench: string | undefined;
  },
): FastifyInstance {
  const { access, services } = options.admin;
  const emit = createEmitRoute(access, services.emits);
  const opsRoute = createOpsRoute(options.ops, access);
  const page = showWorkbench(options.workbench !== undefined);
  const ownRoute = (method: string, path: string, request: FastifyRequest): OwnRoute | undefined =>
    method === 'POST' && path === EMIT_PATH && options.served()
      ? emit
      : (opsRoute(method, path) ?? page(method, path, request));
  const route = createStepRoute({ ...options, ownRoute, closing: () => options.ops.health.draining });
  const app = createBareFastify(options.log, {
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    clientErrorHandler: ({ code }, socket) => {
      const status = CLIENT_ERRORS.get(code) ?? '400 Bad Request';
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    },
    // A URL that fastify cannot decode is ours to judge, as any other.
    frameworkErrors: (_error, request: FastifyRequest, reply: FastifyReply) => {
      route(request, reply).catch((error) => answerFailure(options.log, error, request, reply));
    },
  });
  const endSilentConnections = watchSilentConnections(app.server);
  app.addHook('preClose', async () => endSilentConnections());
  mountAdmin(app, options.admin);
  mountWorkbench(app, options.workbench);
  app.all('/*', route);
  return app;
}
