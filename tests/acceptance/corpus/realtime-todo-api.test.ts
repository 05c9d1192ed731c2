/** Made for 0.9: everything in a realtime stream. Streams are not served yet, which has to be said, and to whoever is concerned. */
import { expect } from 'vitest';
import { call, corpusTest } from './corpus.ts';

corpusTest('realtime-todo-api', { packages: { zod: 'zod3' } }, async ({ cli }) => {
  expect(cli.logs({ action: 'project_warning' }).map(({ msg }) => msg)).toEqual([
    'The stream "todo" is not served yet: operations on it are refused',
  ]);

  // What does not touch the stream works.
  expect(await call(cli, 'POST', '/todo', { description: '' })).toEqual({
    status: 400,
    body: { error: 'Description is required' },
  });

  const refused: [method: string, path: string, step: string, operation: string][] = [
    ['POST', '/todo', 'CreateTodo', 'set'],
    ['PUT', '/todo/1', 'UpdateTodo', 'get'],
    ['DELETE', '/todo/1', 'DeleteTodo', 'get'],
  ];
  for (const [method, path, step, operation] of refused) {
    const { status, body } = await call(cli, method, path, { description: 'buy milk' });
    expect({ status, body }).toEqual({
      status: 500,
      body: { error: 'Internal server error', errorId: expect.any(String) },
    });
    expect(await cli.waitForLog({ errorId: body.errorId })).toMatchObject({
      step,
      err: { code: 'NOT_SUPPORTED', message: `streams.todo.${operation}(): realtime streams are not served yet` },
    });
  }
});
