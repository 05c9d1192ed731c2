/** Events that are emitted from outside: in the admin API, and by the path that Motia 0.17 has for it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EmitAdmin } from '../../shared/broker/emit-admin.ts';
import { isJsonObject } from '../../shared/json-values.ts';
import type { AdminAccess } from './access.ts';
import { readJson } from './read-json.ts';
import { refuseFor, refuseStranger } from './refusals.ts';

export function eventRoutes(api: FastifyInstance, emits: () => Promise<EmitAdmin>): void {
  api.post('/events', async (request, reply) => {
    const body = await readJson(request, reply);
    return body === undefined ? reply : reply.code(202).send(await (await emits()).emit(body.json));
  });
}

/** Path of Motia 0.17, which a step may have for itself. */
export const EMIT_PATH = '/emit';

/** `POST /emit`, for whom the admin API is open. */
export function createEmitRoute(access: AdminAccess, emits: () => Promise<EmitAdmin>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (refuseStranger(access, request, reply)) return;
    try {
      const body = await readJson(request, reply);
      if (body === undefined) return;
      const { topic, data } = isJsonObject(body.json) ? body.json : {};
      await (await emits()).emit({ topic, data });
      reply.send({ success: true, emitted: { topic, data } });
    } catch (error) {
      refuseFor(error, reply);
    }
  };
}
