/** What steps are doing, in the admin API: counts that many pages may ask for again and again, and news. */
import type { FastifyInstance } from 'fastify';
import type { QueueDepth } from '../../shared/broker/queue-admin.ts';
import { ACTIVITY_MS } from '../../shared/broker/telemetry-activity.ts';
import { type Query, timeOf } from './query.ts';
import { createFollow } from './server-sent-events.ts';
import type { AdminServices } from './services.ts';

/** Who asks sooner is told the same. */
const FRESH_MS = 1_000;

export function activityRoutes(api: FastifyInstance, { queues, telemetry }: AdminServices): void {
  const follow = createFollow(api, 'the activity');
  let depths: Promise<QueueDepth[]> | undefined;
  const askDepths = () => {
    depths ??= queues()
      .then((admin) => admin.depths())
      .finally(() => setTimeout(() => (depths = undefined), FRESH_MS).unref());
    return depths;
  };

  api.get<Query>('/activity', async ({ query }) => {
    const [now, asked] = [Date.now(), timeOf(query, 'since')];
    const since = Math.max(asked ?? 0, now - ACTIVITY_MS);
    const activity = (await telemetry()).activity();
    const [steps, waiting] = await Promise.all([activity.list(since), askDepths()]);
    return { since: new Date(since).toISOString(), steps, queues: waiting };
  });
  api.get('/activity/follow', async (_request, reply) => {
    const activity = (await telemetry()).activity();
    return follow(reply, (signal) => activity.follow(signal));
  });
}
