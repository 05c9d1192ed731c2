/** Runs that are had again, in the admin API. */
import type { FastifyInstance } from 'fastify';
import type { ReplayAdmin } from '../../shared/broker/replay-admin.ts';
import { MotiaError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json-values.ts';
import { formatIssues, toIssues } from '../../shared/steps/validation.ts';
import * as z from '../../shared/zod.ts';
import { readBody } from '../read-body.ts';
import type { RequestReplays } from '../request-replays.ts';

interface One {
  Params: { id: string; span: string };
}

const MOST_BYTES = 64 * 1024;
const options = z.strictObject({ headers: z.optional(z.record(z.string(), z.string())) });

export function replayRoutes(
  api: FastifyInstance,
  replays: () => Promise<ReplayAdmin>,
  requests: RequestReplays,
): void {
  api.post<One>('/traces/:id/spans/:span/replay', async (request, reply) => {
    const { id, span } = request.params;
    const body = await readBody(request.raw, MOST_BYTES);
    const told = options.safeParse(Buffer.isBuffer(body) && body.length > 0 ? parseJson(body.toString()) : {});
    if (!told.success) throw new MotiaError('INVALID_VALUE', formatIssues(toIssues(told.error)));
    const admin = await replays();
    const found = await admin.find(id, span);
    const done =
      found.kind === 'event'
        ? await admin.emit(found)
        : await requests.send(found.request, found.traceparent, told.data.headers);
    return reply.code(202).send(done);
  });
}
