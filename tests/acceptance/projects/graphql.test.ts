/** examples/graphql: a GraphQL API as one API step. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { typeErrors } from '../../helpers/compiler.ts';
import { createProject, REPOSITORY } from '../../helpers/project.ts';
import { eventually } from '../../helpers/wait-for.ts';

test('queries, mutations that emit, variables, and what is no query', async () => {
  const packages = { graphql: 'graphql', zod: 'zod', '@types/node': '@types/node' };
  const project = await createProject({ copyOf: join(REPOSITORY, 'examples/graphql'), packages });
  expect(await typeErrors(project.root)).toBe('');
  await using app = await startCli('dev', project);
  const ask = async (query: string, variables?: object) => {
    const body = JSON.stringify({ query, variables });
    const response = await app.fetch('/graphql', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    return { status: response.status, ...((await response.json()) as { data?: unknown; errors?: unknown }) };
  };
  const add = 'mutation Add($title: String!) { addBook(title: $title, author: "Austen") { id title } }';
  const added = await ask(add, { title: 'Emma' });
  expect(added).toEqual({ status: 200, data: { addBook: { id: expect.any(String), title: 'Emma' } } });
  expect(await ask(add, {})).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining('$title') }] });
  expect(await ask('{ books { title author } }')).toEqual({
    status: 200,
    data: { books: [{ title: 'Emma', author: 'Austen' }] },
  });
  await eventually(async () => {
    expect(await ask('{ author(name: "Austen") { books } }')).toEqual({ status: 200, data: { author: { books: 1 } } });
    return true;
  });
  expect(await ask('{ films { title } }')).toMatchObject({
    status: 400,
    errors: [{ message: 'Cannot query field "films" on type "Query".' }],
  });
});
