/** Dead letters in the admin API. */
import type { FastifyInstance } from 'fastify';
import type { DeadLetterAdmin } from '../../shared/broker/dead-letter-admin.ts';
import { choiceOf, numberOf, type Query, textOf } from './query.ts';

interface One {
  Params: { id: string };
}

export function deadLetterRoutes(api: FastifyInstance, letters: () => Promise<DeadLetterAdmin>): void {
  api.get<Query>('/dead-letters', async ({ query }) =>
    (await letters()).list({
      step: textOf(query, 'step'),
      after: textOf(query, 'after'),
      limit: numberOf(query, 'limit'),
      data: choiceOf(query, 'data', ['true']) !== undefined,
    }),
  );
  api.get<One>('/dead-letters/:id', async ({ params }) => (await letters()).show(params.id));
  api.post<One>('/dead-letters/:id/retry', async ({ params }, reply) =>
    reply.code(202).send(await (await letters()).retry(params.id)),
  );
  api.post<Query>('/dead-letters/retry', async ({ query }, reply) => {
    const which = { step: textOf(query, 'step'), after: textOf(query, 'after'), until: textOf(query, 'until') };
    return reply.code(202).send(await (await letters()).retryAll(which));
  });
  api.delete<One>('/dead-letters/:id', async ({ params }, reply) => {
    await (await letters()).remove(params.id);
    return reply.code(204).send();
  });
  api.delete<Query>('/dead-letters', async ({ query }, reply) => {
    const step = textOf(query, 'step');
    // Nobody means all of them by leaving something out.
    if (step === undefined && textOf(query, 'all') !== 'true') {
      return reply.code(400).send({ error: 'Which dead letters? ?step=<step> or ?all=true' });
    }
    return { purged: await (await letters()).purge(step) };
  });
}
