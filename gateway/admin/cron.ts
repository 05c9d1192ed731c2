/** Cron steps in the admin API. */
import type { FastifyInstance } from 'fastify';
import type { CronAdmin } from '../../shared/broker/cron-admin.ts';

export function cronRoutes(api: FastifyInstance, cron: () => Promise<CronAdmin>): void {
  api.get('/cron', async () => (await cron()).list());
  for (const action of ['trigger', 'pause', 'resume'] as const) {
    api.post<{ Params: { step: string } }>(`/cron/:step/${action}`, async ({ params }, reply) => {
      await (await cron())[action](params.step);
      return reply.code(action === 'trigger' ? 202 : 204).send();
    });
  }
}
