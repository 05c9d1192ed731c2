/** `motia create` from nothing to a running app, with every template. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { typeErrors } from '../../helpers/compiler.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { createProject, launch, motia, type Program, run } from './program.ts';

const execute = promisify(execFile);
const soon = { within: 20_000, every: 50 };

/** Has `motia create` make a project, and gives it the packages of this repository. */
async function created(template: string): Promise<string> {
  const root = createProject({});
  const { code, output } = await run(root, ['create', 'app', '-t', template, '--no-install', '--motia', REPOSITORY]);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('npm run dev') });
  mkdirSync(join(root, 'app/node_modules/@types'), { recursive: true });
  for (const [name, target] of [
    ['motia', '.'],
    ['zod', 'node_modules/zod'],
    ['@types/node', 'node_modules/@types/node'],
  ] as const) {
    symlinkSync(join(REPOSITORY, target), join(root, 'app/node_modules', name));
  }
  return join(root, 'app');
}

/** Starts it and gives what calls it with JSON. */
const served = (app: string, env: Record<string, string> = {}, framework?: string) =>
  callerOf(motia(app, ['dev', '--port', '0'], env, framework));

async function callerOf(program: Program) {
  const [, url = ''] = await program.until(/Ready at (http:\S+) in \d+ ms/);
  return async (method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  };
}

test.for([
  ['starter-typescript', 'greetingId', { name: 'Ada' }],
  ['starter-javascript', 'greetingId', { name: 'Ada' }],
  ['starter-python', 'greeting_id', { name: 'Ada' }],
  ['starter-multilang', 'greetingId', { name: 'Ada', letters: 3, done: true }],
] as const)('%s greets, and stores the greeting', async ([template, id, stored], context) => {
  const app = await created(template);
  if (!/javascript|python/.test(template)) expect(await typeErrors(app)).toBe('');
  const call = await served(app, /python|multilang/.test(template) ? await pythonEnvironment(context) : {});
  const answer = await waitFor(async () => {
    const answer = await call('GET', '/hello-world?name=Ada');
    return answer.status === 200 ? answer : undefined;
  }, soon);
  expect(answer.body.message).toBe('Hello, Ada!');
  await waitFor(async () => {
    expect(await call('GET', `/greetings/${answer.body[id]}`)).toEqual({
      status: 200,
      body: expect.objectContaining(stored),
    });
    return true;
  }, soon);
});

test('tutorial: an order is paid in the end, one with a bad card is refused, what is no order is a 400', async () => {
  const app = await created('tutorial');
  expect(await typeErrors(app)).toBe('');
  const call = await served(app);
  expect((await call('GET', '/hello-world')).status).toBe(200);
  expect((await call('POST', '/orders', { item: 'tea' })).status).toBe(400);
  for (const [card, status] of [
    ['4242', 'paid'],
    ['0000', 'refused'],
  ]) {
    const order = await call('POST', '/orders', { item: 'tea', quantity: 2, card });
    expect(order).toMatchObject({ status: 202, body: { status: 'waiting' } });
    await waitFor(async () => (await call('GET', `/orders/${order.body.id}`)).body.status === status, soon);
  }
});

test('realtime-chat: the page, and a message', async () => {
  const app = await created('realtime-chat');
  expect(await typeErrors(app)).toBe('');
  const call = await served(app);
  expect(await call('GET', '/hello-world')).toEqual({ status: 200, body: expect.stringContaining('<h1>Chat</h1>') });
  const message = { author: 'Ada', text: 'Good morning' };
  expect(await call('POST', '/rooms/lobby/messages', message)).toMatchObject({ status: 201, body: message });
  expect((await call('POST', '/rooms/lobby/messages', {})).status).toBe(400);
});

test('a project carries this package along, installs it, and runs by it', async () => {
  const root = createProject({});
  const { code, output } = await run(root, ['create', 'shop', '--cursor']);
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringMatching(
      /^Created shop .*\nInstalling packages with npm …\n\nNext:\n {2}cd shop\n {2}npm run dev\n/,
    ),
  });
  const app = join(root, 'shop');
  const { name, dependencies } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  expect({ name, motia: dependencies.motia }).toEqual({
    name: 'shop',
    motia: expect.stringMatching(/^file:motia-.*\.tgz$/),
  });
  expect(readFileSync(join(app, '.gitignore'), 'utf8')).toContain('.motia/');
  expect(readFileSync(join(app, 'AGENTS.md'), 'utf8')).toContain('config');
  await execute('npm', ['run', 'typecheck'], { cwd: app });
  const call = await served(app, {}, join(app, 'node_modules/motia'));
  expect((await call('GET', '/hello-world')).status).toBe(200);
}, 180_000);

test('with pnpm, whose node_modules show a project its own packages only', async (context) => {
  const tools = createProject({});
  const cache = { npm_config_store_dir: join(tools, 'store'), npm_config_cache_dir: join(tools, 'cache') };
  // 10 is the last that runs on Node 20.
  const added = await execute('npm', ['install', '--no-save', '--prefer-offline', 'pnpm@10'], { cwd: tools }).catch(
    (error) => error,
  );
  context.skip(added instanceof Error, `pnpm cannot be had: ${added.message}`);
  const env = {
    ...cache,
    PATH: `${join(tools, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    npm_config_user_agent: 'pnpm/10.0.0 npm/? node/v20.19.0',
  };
  const root = createProject({});
  const { code, output } = await run(root, ['create', 'shop'], env);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Installing packages with pnpm …') });
  const app = join(root, 'shop');
  expect(
    readdirSync(join(app, 'node_modules'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['@types', 'motia', 'typescript', 'zod']);
  await execute('pnpm', ['run', 'typecheck'], { cwd: app, env: { ...process.env, ...env } });
  const call = await callerOf(launch(app, 'pnpm', ['run', 'dev', '--port', '0'], env));
  const { status, body } = await call('GET', '/hello-world?name=Ada');
  expect({ status, message: body.message }).toEqual({ status: 200, message: 'Hello, Ada!' });
}, 180_000);

test('Yarn 1 is told not to refuse what needs no newer Node', async () => {
  const root = createProject({});
  const args = ['create', 'shop', '--no-install', '--motia', REPOSITORY];
  const { output } = await run(root, args, { npm_config_user_agent: 'yarn/1.22.22 npm/? node/v20.19.0' });
  expect(output).toContain('yarn install\n  yarn run dev');
  expect(readFileSync(join(root, 'shop/.yarnrc'), 'utf8')).toBe('ignore-engines true\n');
});

test('what is in the way stays as it is', async () => {
  const root = createProject({});
  mkdirSync(join(root, 'shop'));
  writeFileSync(join(root, 'shop/package.json'), '{}');
  const { code, output } = await run(root, ['create', 'shop']);
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringMatching(/shop has package\.json already: nothing was written\n$/),
  });
  expect(readFileSync(join(root, 'shop/package.json'), 'utf8')).toBe('{}');
});

test.each([
  [['create'], 2, 'Which name? motia create <name>'],
  [['create', '../x'], 2, '"../x" is no name'],
  [['create', 'x', '-t', 'cobol'], 1, 'There is no template "cobol". There are: starter-typescript'],
  [['create', '-i'], 2, '--interactive needs a terminal'],
])('%j says what is wrong', async (args, code, message) => {
  expect(await run(createProject({}), args)).toEqual({ code, output: expect.stringContaining(message) });
});

test('`motia rules pull` leaves what is there, but for --force', async () => {
  const root = createProject({ 'AGENTS.md': 'mine' });
  const first = await run(root, ['rules', 'pull']);
  expect(first).toEqual({ code: 0, output: expect.stringContaining('AGENTS.md is there already') });
  expect(readFileSync(join(root, 'AGENTS.md'), 'utf8')).toBe('mine');
  expect(readFileSync(join(root, '.cursor/rules/motia.mdc'), 'utf8')).toContain('## The context');
  await run(root, ['rules', 'pull', '--force']);
  expect(readFileSync(join(root, 'AGENTS.md'), 'utf8')).toContain('## The context');
});

test('`motia templates` lists them', async () => {
  const { output } = await run(createProject({}), ['templates', '--json']);
  expect(JSON.parse(output)).toContainEqual(
    expect.objectContaining({ name: 'starter-python', tryPath: '/hello-world' }),
  );
});
