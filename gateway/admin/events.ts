/** Events that are emitted from outside: in the admin API, and by the path that Motia 0.17 has for it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EmitAdmin } from '../../shared/broker/emit-admin.ts';
import { MotiaError } from '../../shared/errors.ts';
import { isJsonObject } from '../../shared/json-values.ts';
import { readBody } from '../read-body.ts';
import type { AdminAccess } from './access.ts';
import { refuseFor, refuseStranger } from './refusals.ts';

/** The same as the default of API steps. */
const BODY_LIMIT = 10 * 1024 ** 2;

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

/** Reads a body, whatever it calls itself. `undefined` when it has been answered, or nobody is left. */
async function readJson(request: FastifyRequest, reply: FastifyReply): Promise<{ json: unknown } | undefined> {
  const body = await readBody(request.raw, BODY_LIMIT);
  if (body === 'gone') reply.hijack();
  else if (body === 'too large') {
    reply.header('connection', 'close'); // there may be more of it than was worth reading
    reply.code(413).send({ error: `The body is larger than ${BODY_LIMIT} bytes` });
  } else {
    try {
      return { json: JSON.parse(body.toString('utf8')) };
    } catch {
      throw new MotiaError('INVALID_VALUE', 'the body is not JSON');
    }
  }
  return undefined;
}
