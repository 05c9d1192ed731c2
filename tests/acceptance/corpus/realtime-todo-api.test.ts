/** Made for 0.9: everything in a realtime stream. Its items are stored; that clients cannot subscribe yet has to be said. */
import { expect } from 'vitest';
import { call, corpusTest } from './corpus.ts';

corpusTest('realtime-todo-api', { packages: { zod: 'zod3' } }, async ({ cli }) => {
  expect(cli.logs({ action: 'project_warning' }).map(({ msg }) => msg)).toEqual([
    'The items of the stream "todo" are stored; clients cannot subscribe to it yet',
  ]);

  expect(await call(cli, 'POST', '/todo', { description: '' })).toEqual({
    status: 400,
    body: { error: 'Description is required' },
  });

  const created = await call(cli, 'POST', '/todo', { description: 'buy milk' });
  expect(created.status).toBe(200);
  const { id } = created.body;
  const __motia = { type: 'state-stream', streamName: 'todo', groupId: 'inbox', id };
  expect(created.body).toMatchObject({ description: 'buy milk', id: expect.any(String), __motia });

  const updated = await call(cli, 'PUT', `/todo/${id}`, { description: 'buy oat milk' });
  expect(updated.status).toBe(200);
  expect(updated.body).toMatchObject({ id, description: 'buy oat milk', _createdAt: created.body._createdAt, __motia });

  expect((await call(cli, 'PUT', '/todo/none', { description: 'x' })).status).toBe(404);
  expect((await call(cli, 'DELETE', `/todo/${id}`)).status).toBe(200);
  expect((await call(cli, 'DELETE', `/todo/${id}`)).status).toBe(404);
});
