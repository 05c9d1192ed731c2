/** Projects in the module systems and layouts that people use. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

test('CommonJS and JavaScript: `exports.handler`, `require` of modules, packages and JSON, paths from the working folder', async () => {
  const project = await createProject({ copyOf: fixtureApp('cjs'), packages: { zod: 'zod3' } });
  const before = await project.hash();
  const cli = await startCli('dev', project);
  const answer = await send(`${cli.url}/greet`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"Ann"}',
  });
  const { traceId } = answer.json();
  expect({ status: answer.status, body: answer.json() }).toEqual({
    status: 200,
    body: {
      greeting: 'Hello Ann',
      currency: 'EUR',
      here: 'steps/greet.step.js',
      cwdIsRoot: true,
      traceId: expect.any(String),
    },
  });
  await cli.waitForLog({ msg: 'greeted', step: 'OnGreeted', name: 'Ann', traceId });
  expect((await send(`${cli.url}/greeted`)).json()).toEqual(['Ann, lazily']);
  expect(await cli.stop()).toBe(0);
  expect(await project.hash()).toEqual(before);
});

test('ES modules: `.js` in imports of `.ts` files, path aliases, JSON, dynamic imports, top-level await, both step folders', async () => {
  const project = await createProject({ copyOf: fixtureApp('esm'), files: { '.env': 'FROM_DOT_ENV=yes\n' } });
  const cli = await startCli('dev', project);
  expect(cli.logs({ level: 'error' })).toEqual([]);
  const answer = await send(`${cli.url}/price/10`);
  expect({ status: answer.status, body: answer.json() }).toEqual({
    status: 200,
    body: {
      gross: 11.9,
      loaded: 'after a top-level await',
      lazy: 'lazy import',
      rate: 0.19,
      sameInstance: true,
      variable: 'yes',
      file: true,
    },
  });
  expect((await send(`${cli.url}/ping`)).text).toBe('pong');
});

test('`motia start` serves the same project, and refuses one with a broken step', async () => {
  const project = await createProject({ copyOf: fixtureApp('cjs'), packages: { zod: 'zod3' } });
  const cli = await startCli('start', project, { args: ['--host', '127.0.0.1'] });
  expect((await send(`${cli.url}/greeted`)).json()).toEqual([]);
  expect(await cli.stop()).toBe(0);

  await project.write('steps/broken.step.js', 'exports.config = {');
  const broken = await startCli('start', project, { ready: false });
  expect(await broken.exited).toBe(1);
  expect(broken.output()).toContain('steps/broken.step.js:1:');
  await broken.stop();
});

test('what `motia dev` stored is there again after a restart', async () => {
  const project = await createProject({ copyOf: fixtureApp('cjs'), packages: { zod: 'zod3' } });
  for (const expected of [1, 2]) {
    await using cli = await startCli('dev', project);
    await send(`${cli.url}/greet`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"name":"n${expected}"}`,
    });
    await waitFor(async () => (await send(`${cli.url}/greeted`)).json().length === expected, {
      what: `${expected} stored values`,
    });
  }
});
