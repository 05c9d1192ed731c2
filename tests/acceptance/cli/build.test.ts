/** `motia build`: what it makes, what it refuses, and that what it made runs alone. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { hashTree } from '../../helpers/tree.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { createProject, HELLO_STEP, motia, run } from './program.ts';

const SHOP = {
  'package.json': '{"name":"built-shop","type":"module"}',
  'motia.config.ts': `
import { defineConfig } from 'motia';
export default defineConfig({ http: { bodyLimit: 2000 }, streamAuth: { authenticate: () => ({ user: 'ada' }) } });
`,
  'assets/terms/en.txt': 'These are the terms.',
  'src/lib/prices.json': '{ "tea": 3 }',
  'src/lib/guard.ts': `
import type { ApiMiddleware } from 'motia';
export const guard: ApiMiddleware = async (req, ctx, next) =>
  req.headers['x-key'] === 'k' ? next() : { status: 403, body: {} };
`,
  'src/lib/fail.ts': `
// line 2
export function fail(): never {
  throw new RangeError('as asked'); // line 4
}
`,
  'src/page.html': '<h1>Shop</h1>',
  'src/orders/create-order.step.ts': `
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NonRetriableError, type ApiRouteConfig } from 'motia';
import { z } from 'zod';
import { fail } from '../lib/fail.js';
import { guard } from '../lib/guard';
import prices from '../lib/prices.json';
export const config: ApiRouteConfig = {
  type: 'api', name: 'CreateOrder', method: 'POST', path: '/orders', emits: ['order.created'], middleware: [guard],
  bodySchema: z.object({ item: z.string() }), includeFiles: ['../../assets/**/*.txt'],
};
export const handler = async (req, { emit, traceId, streams }) => {
  if (req.body.item === 'nothing') fail();
  await streams.board.set('all', traceId, { item: req.body.item });
  await emit({ topic: 'order.created', data: { id: traceId, price: prices[req.body.item] } });
  const page = await readFile(new URL('../page.html', import.meta.url), 'utf8');
  const terms = await readFile(join(__dirname, '../../assets/terms/en.txt'), 'utf8');
  return { status: 201, body: { id: traceId, page, terms, own: new NonRetriableError('x').name } };
};
`,
  'src/board.stream.ts': `
import type { StreamConfig } from 'motia';
export const config: StreamConfig = {
  name: 'board', baseConfig: { storageType: 'default' }, schema: null, canAccess: (_, who) => who.user === 'ada',
};
`,
  'src/price-order.step.js': `
export const config = { type: 'event', name: 'PriceOrder', subscribes: ['order.created'], emits: ['order.priced'] };
export const handler = async ({ id, price }, { emit }) => emit({ topic: 'order.priced', data: { id, total: price * 2 } });
`,
  'src/order.step.js': `
export const config = { type: 'api', name: 'Order', method: 'GET', path: '/orders/:id', emits: [] };
export const handler = async (req, { state }) => ({ status: 200, body: await state.get('orders', req.pathParams.id) });
`,
  'common/tax.py': 'def with_tax(total):\n    return total + 1\n',
  'src/store_order_step.py': `
from pathlib import Path
from common.tax import with_tax
config = {"type": "event", "name": "StoreOrder", "subscribes": ["order.priced"], "emits": []}


async def handler(order, context):
    page = (Path(__file__).parent / "page.html").read_text()
    await context.state.set("orders", order["id"], {"total": with_tax(order["total"]), "page": page})
`,
  'requirements.txt': 'pydantic>=2\n',
};

/** A project with these files, and zod. */
function shop(files: Record<string, string> = SHOP): string {
  const root = createProject(files);
  symlinkSync(join(REPOSITORY, 'node_modules/zod'), join(root, 'node_modules/zod'));
  return root;
}

/** A folder with what a production image has: what was built, and packages, among them neither a compiler nor sources. */
function shipped(built: string): { root: string; framework: string } {
  const root = createProject({});
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
  renameSync(join(built, 'dist'), join(root, 'dist'));
  const framework = join(root, 'node_modules/motia');
  for (const part of ['dist', 'package.json', 'python-worker']) {
    const filter = (path: string) => !/python-worker\/tests|__pycache__/.test(path);
    cpSync(join(REPOSITORY, part), join(framework, part), { recursive: true, filter });
  }
  const packages = readdirSync(join(REPOSITORY, 'node_modules')).filter((name) => !/^\.|^@?esbuild$|^motia/.test(name));
  for (const name of packages) symlinkSync(join(REPOSITORY, 'node_modules', name), join(root, 'node_modules', name));
  expect(() => createRequire(join(framework, 'dist/x.js')).resolve('esbuild')).toThrow('Cannot find module');
  return { root, framework };
}

test('what was built runs alone: no sources, no compiler, nothing written; HTTP → event → Python, streams, settings', async (context) => {
  const python = await pythonEnvironment(context);
  const sources = shop();
  const built = await run(sources, ['build'], python);
  expect(built).toEqual({
    code: 0,
    output: expect.stringMatching(/^Building built-shop …\nBuilt 4 steps and 1 stream into dist\/ in \d+ ms\n$/),
  });
  expect(readdirSync(sources).sort()).toEqual([...topLevel(SHOP), 'dist', 'node_modules'].sort());

  const { root, framework } = shipped(sources);
  const before = await hashTree(join(root, 'dist'), []);
  await using server = await startNatsServer();
  const home = createProject({});
  const env = { ...python, NATS_URL: server.url, HOME: home, MOTIA_TELEMETRY: 'off' };
  const provisioned = motia(root, ['provision'], env, framework);
  expect(await provisioned.exit).toBe(0);
  expect(provisioned.output()).toContain('Provisioned built-shop: 4 steps');
  const gateway = motia(root, ['gateway', '--port', '0'], env, framework);
  const workers = ['worker', 'python-worker'].map((role) => motia(root, [role], env, framework));
  const [, url = ''] = await gateway.until(/"url":"(http:[^"]+)"/);
  await Promise.all(workers.map((worker) => worker.until(/"action":"ready"/)));

  const order = (body: unknown, key = 'k') =>
    fetch(`${url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-key': key },
      body: JSON.stringify(body),
    });
  expect((await order({ item: 'tea' }, 'wrong')).status).toBe(403);
  expect((await order({ item: 'x'.repeat(3_000) })).status).toBe(413);
  const created = await order({ item: 'tea' });
  const body = (await created.json()) as { id: string };
  expect({ status: created.status, body }).toEqual({
    status: 201,
    body: { id: expect.any(String), page: '<h1>Shop</h1>', terms: 'These are the terms.', own: 'NonRetriableError' },
  });
  const stored = await waitFor(async () => (await fetch(`${url}/orders/${body.id}`)).json());
  expect(stored).toMatchObject({ total: 7, page: '<h1>Shop</h1>' });

  expect((await order({ item: 'nothing' })).status).toBe(500);
  const [node] = workers;
  await node?.until(/as asked/);
  expect(node?.output()).toContain('src/lib/fail.ts:4:9'); // sources that are not there
  const programs = [gateway, ...workers];
  for (const { child } of programs) child.kill('SIGTERM');
  expect(await Promise.all(programs.map(({ exit }) => exit))).toEqual([0, 0, 0]);
  expect(await hashTree(join(root, 'dist'), [])).toEqual(before);
  expect(readdirSync(root).sort()).toEqual(['dist', 'node_modules']);
  expect(readdirSync(home).sort()).toEqual(['node_modules', 'package.json']);
});

const topLevel = (files: Record<string, string>) => [
  ...new Set(Object.keys(files).map((file) => file.split('/')[0] as string)),
];

test('the same project makes the same bytes, wherever it is', async (context) => {
  const env = await pythonEnvironment(context);
  const [one, other] = [shop(), shop()];
  writeFileSync(join(other, '.env'), 'SECRET=1\n');
  mkdirSync(join(other, 'dist/node'), { recursive: true });
  writeFileSync(join(other, 'dist/node/old.mjs'), '');
  writeFileSync(join(other, 'dist/mine.txt'), 'stays');
  await Promise.all([run(one, ['build'], env), run(other, ['build'], env)]);
  expect(readFileSync(join(other, 'dist/mine.txt'), 'utf8')).toBe('stays');
  rmSync(join(other, 'dist/mine.txt'));
  const [tree, same] = await Promise.all([hashTree(join(one, 'dist'), []), hashTree(join(other, 'dist'), [])]);
  expect(same).toEqual(tree);
  const files = Object.keys(tree).filter((file) => !file.startsWith('node/chunks/'));
  expect(files.sort()).toEqual([
    'app/assets/terms/en.txt',
    'app/common/tax.py',
    'app/package.json',
    'app/requirements.txt',
    'app/src/lib/prices.json',
    'app/src/page.html',
    'app/src/store_order_step.py',
    'motia.steps.json',
    expect.stringMatching(/^node\/motia\.config\.ts-\w{8}\.mjs$/),
    expect.stringMatching(/^node\/src\/board\.stream\.ts-\w{8}\.mjs$/),
    expect.stringMatching(/^node\/src\/order\.step\.js-\w{8}\.mjs$/),
    expect.stringMatching(/^node\/src\/orders\/create-order\.step\.ts-\w{8}\.mjs$/),
    expect.stringMatching(/^node\/src\/price-order\.step\.js-\w{8}\.mjs$/),
  ]);
  const lock = JSON.parse(readFileSync(join(one, 'dist/motia.steps.json'), 'utf8'));
  expect(lock.steps['app/src/store_order_step.py']).toEqual({
    type: 'event',
    language: 'python',
    filePath: 'src/store_order_step.py',
    config: expect.objectContaining({ name: 'StoreOrder', subscribes: ['order.priced'] }),
  });
  expect(lock.streams.board).toMatchObject({ name: 'board', storageType: 'default', filePath: 'src/board.stream.ts' });
  expect(Object.keys(lock.sources)).toContain('src/lib/guard.ts');
});

test('every problem is told at once, and the earlier build stays', async (context) => {
  const env = await pythonEnvironment(context);
  const step = (config: string) =>
    `export const config = { emits: [], ${config} };\nexport const handler = async () => {};\n`;
  const root = createProject({ 'src/a.step.js': step("type: 'api', name: 'A', method: 'GET', path: '/a'") });
  expect((await run(root, ['build'], env)).code).toBe(0);
  const before = await hashTree(join(root, 'dist'), []);
  const broken = {
    'src/b.step.js': step("type: 'api', name: 'A', method: 'get', path: '/a'"),
    'src/c.step.js': step("type: 'cron', name: 'C', cron: '61 * * * *'"),
    'src/d.step.js': step(`type: 'cron', name: '${'d'.repeat(41)}', cron: '* * * * *'`),
    'src/e.step.js': step("type: 'event', name: 'E', subscribes: ['x'], infrastructure: { handler: { ram: 1 } }"),
    'src/f_step.py':
      'config = {"type": "cron", "name": "A", "cron": "* * * * *", "emits": []}\ndef handler(context): ...\n',
    'src/g_step.py': 'import nothing_of_that_name\n',
    'src/h.step.js': `${step("type: 'cron', name: 'H', cron: '* * * * *', includeFiles: ['./nowhere']")}`,
  };
  for (const [file, text] of Object.entries(broken)) writeFileSync(join(root, file), text);
  const { code, output } = await run(root, ['build'], env);
  expect(code).toBe(1);
  expect(output.slice(output.indexOf('Project contains')).split('\n')).toEqual([
    'Project contains invalid steps:',
    '[src/b.step.js] GET /a is served by src/a.step.js already',
    '[src/b.step.js] the step name "A" is that of src/a.step.js already',
    expect.stringMatching(/^\[src\/c\.step\.js\] invalid config: cron: /),
    expect.stringMatching(/^\[src\/d\.step\.js\] the step name "d+" has 41 characters: 40 are the most$/),
    expect.stringMatching(/^\[src\/e\.step\.js\] invalid config: infrastructure\.handler\.ram: /),
    '[src/f_step.py] the step name "A" is that of src/a.step.js already',
    expect.stringMatching(/^\[src\/g_step\.py\] .*nothing_of_that_name/),
    '[src/h.step.js] includeFiles: ./nowhere fits no file of the project',
    '',
  ]);
  writeFileSync(join(root, 'src/i.step.js'), 'const = 1;');
  expect((await run(root, ['build'], env)).output).toContain('[src/i.step.js] Build error: src/i.step.js:1:7: ');
  expect(await hashTree(join(root, 'dist'), [])).toEqual(before);
  expect(readdirSync(root).filter((name) => name.startsWith('.dist'))).toEqual([]);
});

test('motia install: what the Python steps require, or nothing, also where there is only a build', async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  const without = await run(createProject(), ['install']);
  expect(without).toEqual({ code: 0, output: 'Nothing to install: there are no Python steps\n' });
  const built = createProject({ 'dist/app/src/a_step.py': '', 'package.json': '{}' });
  const installed = await run(built, ['install', '-v'], { MOTIA_PYTHON });
  expect(installed).toEqual({
    code: 0,
    output: expect.stringMatching(/^Python 3\.\S+ has what the steps require \(.+\)\n$/),
  });
  const failed = await run(built, ['install'], { MOTIA_PYTHON: '/bin/false' });
  expect(failed).toEqual({ code: 1, output: expect.stringContaining('MOTIA_PYTHON cannot be used') });
});

test('a project without steps is not built', async () => {
  const root = createProject({});
  expect(await run(root, ['build'])).toEqual({ code: 1, output: expect.stringContaining('Project contains no steps') });
  expect(existsSync(join(root, 'dist'))).toBe(false);
});

test('a build that is not what the sources say is not run', async () => {
  const root = createProject();
  await using server = await startNatsServer();
  const env = { NATS_URL: server.url };
  expect((await run(root, ['build'])).code).toBe(0);
  expect((await run(root, ['provision'], env)).output).toContain(': 1 step,');
  expect(existsSync(join(root, '.motia'))).toBe(false); // nothing was compiled

  writeFileSync(join(root, 'src/hello.step.js'), HELLO_STEP.replace('/hello', '/hullo'));
  writeFileSync(join(root, 'src/more.step.js'), HELLO_STEP.replace('Hello', 'More').replace('/hello', '/more'));
  const changes = '(src/hello.step.js has changed, src/more.step.js is new)';
  const refused = `dist/ is not what the sources say ${changes}: run motia build, or use --no-dist to run the sources\n`;
  const commands = ['provision', 'worker', 'python-worker', 'start'];
  const runs = await Promise.all(commands.map((command) => run(root, [command], env)));
  expect(runs).toEqual(commands.map(() => ({ code: 1, output: refused })));
  expect((await run(root, ['provision', '--no-dist'], env)).output).toContain(': 2 steps,');
  expect((await run(root, ['doctor'], env)).output).toContain(
    'note  Project  motia start would not start: dist/ is not',
  );
});
