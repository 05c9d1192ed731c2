/**
 * Metrics and health on the gateway's own port, where no step has those paths. Load balancers may ask for health; metrics are for
 * those who may use the admin API.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HEALTH_PATHS, METRICS_PATH, type Ops } from '../shared/ops.ts';
import type { AdminAccess } from './admin/access.ts';
import { refuseStranger } from './admin/refusals.ts';
import type { OwnRoute } from './step-route.ts';

/** @returns what answers a request to one of these paths. */
export function createOpsRoute(ops: Ops, access: AdminAccess): (method: string, path: string) => OwnRoute | undefined {
  const answer = async (path: string, { headers }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const found = await ops.answer(path, headers.accept);
    if (found) reply.code(found.status).type(found.contentType).header('cache-control', 'no-store').send(found.body);
  };
  return (method, path) => {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    if (HEALTH_PATHS.has(path)) return (request, reply) => answer(path, request, reply);
    if (path !== METRICS_PATH) return undefined;
    return async (request, reply) => {
      if (!refuseStranger(access, request, reply)) await answer(path, request, reply);
    };
  };
}
