/** Events that wait for their time, in the admin API. */
import type { FastifyInstance } from 'fastify';
import type { ScheduledAdmin } from '../../shared/broker/scheduled-admin.ts';
import { pageOf, type Query } from './query.ts';

interface One {
  Params: { id: string };
}

export function scheduledRoutes(api: FastifyInstance, scheduled: () => Promise<ScheduledAdmin>): void {
  api.get<Query>('/scheduled', async ({ query }) => (await scheduled()).list(pageOf(query)));
  api.delete<One>('/scheduled/:id', async ({ params }, reply) => {
    await (await scheduled()).remove(params.id);
    return reply.code(204).send();
  });
  api.post<One>('/scheduled/:id/run', async ({ params }, reply) => {
    await (await scheduled()).run(params.id);
    return reply.code(202).send();
  });
}
