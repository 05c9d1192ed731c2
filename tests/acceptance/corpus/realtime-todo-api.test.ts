/** Made for 0.9: everything in a realtime stream, which a client of that time follows. */
import { Stream } from '@motiadev/stream-client-node';
import { expect } from 'vitest';
import { waitFor } from '../../helpers/wait-for.ts';
import { call, corpusTest } from './corpus.ts';

corpusTest('realtime-todo-api', { packages: { zod: 'zod3' } }, async ({ cli }) => {
  expect(cli.logs({ action: 'project_warning' })).toEqual([]);
  const stream = new Stream(cli.url.replace('http', 'ws'));
  const inbox = stream.subscribeGroup<{ id: string; description: string }>('todo', 'inbox');
  const descriptions = () => inbox.getState().map(({ description }) => description);

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

  await waitFor(() => descriptions().join() === 'buy oat milk', { what: 'the change at the client' });

  expect((await call(cli, 'PUT', '/todo/none', { description: 'x' })).status).toBe(404);
  expect((await call(cli, 'DELETE', `/todo/${id}`)).status).toBe(200);
  expect((await call(cli, 'DELETE', `/todo/${id}`)).status).toBe(404);
  await waitFor(() => descriptions().length === 0, { what: 'the removal at the client' });
  stream.close();
});
