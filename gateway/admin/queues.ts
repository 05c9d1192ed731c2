/** Subscriptions in the admin API, and where an event is. */
import type { FastifyInstance } from 'fastify';
import type { EventSearch } from '../../shared/broker/event-search.ts';
import type { QueueAdmin } from '../../shared/broker/queue-admin.ts';

interface One {
  Params: { subscription: string };
}

export function queueRoutes(
  api: FastifyInstance,
  queues: () => Promise<QueueAdmin>,
  findEvent: (id: string) => Promise<EventSearch>,
): void {
  api.get('/queues', async () => (await queues()).list());
  api.get<One>('/queues/:subscription', async ({ params }) => (await queues()).show(params.subscription));
  api.post<One>('/queues/:subscription/pause', async ({ params }, reply) => {
    await (await queues()).pauseOne(params.subscription);
    return reply.code(204).send();
  });
  api.post<One>('/queues/:subscription/resume', async ({ params }, reply) => {
    await (await queues()).resumeOne(params.subscription);
    return reply.code(204).send();
  });
  api.get<{ Params: { id: string } }>('/events/:id', async ({ params }) => findEvent(params.id));
}
