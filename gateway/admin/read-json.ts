/** Bodies of requests to the admin API. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MotiaError } from '../../shared/errors.ts';
import { readBody } from '../read-body.ts';

/** The same as the default of API steps. */
const BODY_LIMIT = 10 * 1024 ** 2;

/** Reads a body, whatever it calls itself. `undefined` when it has been answered, or nobody is left. */
export async function readJson(request: FastifyRequest, reply: FastifyReply): Promise<{ json: unknown } | undefined> {
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
