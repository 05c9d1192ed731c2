/** What is generated from a project's steps, in both languages. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LANGUAGES, STEP_TYPES, stepFileName, stepText } from '../../../cli/generate/step-file.ts';
import { typeErrors } from '../../helpers/compiler.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { createProject, dev, motia, run, TSCONFIG } from './program.ts';

const ORDER_STEP = `
import type { Handlers } from 'motia';
import { z } from 'zod';
export const config = {
  type: 'api', name: 'CreateOrder', method: 'POST', path: '/orders', flows: ['orders'],
  emits: ['order.created', 'order.ranked', 'nobody.listens'],
  bodySchema: z.object({ item: z.string(), count: z.number().int() }),
  responseSchema: { 202: z.object({ id: z.string() }) },
} as const;
export const handler: Handlers['CreateOrder'] = async (req, { emit, streams }) => {
  const item: string = req.body.item;
  // @ts-expect-error no such field in the body
  req.body.price;
  await emit({ topic: 'order.created', data: { id: item } });
  await emit({ topic: 'order.ranked', data: { id: item, rank: 1 }, messageGroupId: 'a', delay: 2 });
  await emit({ topic: 'nobody.listens', data: 'anything' });
  // @ts-expect-error a topic that the step does not emit
  await emit({ topic: 'order.lost', data: { id: item } });
  // @ts-expect-error data that the subscriber does not take
  await emit({ topic: 'order.created', data: { id: 1 } });
  // @ts-expect-error a subscriber is FIFO, and there is no group
  await emit({ topic: 'order.ranked', data: { id: item, rank: 1 } });
  const board = await streams.board.get('all', item);
  const score: number | undefined = board?.score;
  // @ts-expect-error no such stream
  streams.bord;
  return { status: 202, body: { id: item } };
};
// @ts-expect-error no such status
export const early: Handlers['CreateOrder'] = async () => ({ status: 200, body: { id: 'x' } });
// @ts-expect-error the body of the response is another one
export const wrong: Handlers['CreateOrder'] = async () => ({ status: 202, body: { name: 'x' } });
`;

const FILES = {
  'tsconfig.json': TSCONFIG,
  'src/create-order.step.ts': ORDER_STEP,
  'motia.config.ts': `
import { defineConfig } from 'motia';
import { z } from 'zod';
export default defineConfig({ streamAuth: { contextSchema: z.object({ userId: z.string() }), authenticate: () => ({ userId: '1' }) } });
`,
  'src/board.stream.ts': `
import type { StreamConfig } from 'motia';
import { z } from 'zod';
export const canAccess: StreamConfig['canAccess'] = (_, who) => who.userId === '1';
// @ts-expect-error streamAuth does not find that out
export const wrong: StreamConfig['canAccess'] = (_, who) => who.name === '1';
export const config = { name: 'board', schema: z.object({ score: z.number() }), baseConfig: { storageType: 'default' } } as const;
`,
  'src/rank_step.py': `
config = {"name": "Rank", "type": "event", "subscribes": ["order.ranked"], "emits": [], "flows": ["orders"],
          "infrastructure": {"queue": {"type": "fifo"}},
          "input": {"type": "object", "properties": {"id": {"type": "string"}, "rank": {"type": "integer"}},
                    "required": ["id", "rank"]}}
print("this is no part of the answer")


async def handler(event, context):
    pass
`,
  'src/charge_step.py': `
config = {"name": "Charge", "type": "event", "subscribes": ["order.created"], "emits": [], "flows": ["orders"],
          "input": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}}


async def handler(event, context):
    pass
`,
};

function shop(): string {
  const root = createProject(FILES);
  symlinkSync(join(REPOSITORY, 'node_modules/zod'), join(root, 'node_modules/zod'));
  return root;
}

test('types.d.ts: right uses compile, and each wrong one is an error', async (context) => {
  const root = shop();
  const env = await pythonEnvironment(context);
  expect(await run(root, ['generate-types'], env)).toEqual({ code: 0, output: 'Wrote types.d.ts\n' });
  expect(await run(root, ['generate-types'], env)).toEqual({ code: 0, output: 'types.d.ts is up to date\n' });
  expect(await typeErrors(root, 'typescript')).toBe('');
  expect(await typeErrors(root, 'typescript5')).toBe('');
});

test('`motia dev` keeps a generated types.d.ts and the diagrams up to date, and leaves a file of somebody else alone', async () => {
  const root = createProject();
  const types = join(root, 'types.d.ts');
  writeFileSync(types, '/**\n * Automatically generated types for motia\n */\n');
  const program = motia(root, ['dev', '--port', '0', '--mermaid']);
  await program.until(/Ready at/);
  const has = (text: string) => waitFor(() => readFileSync(types, 'utf8').includes(text), { within: 20_000 });
  await has("'Hello': ApiRouteHandler<");
  const hello = join(root, 'src/hello.step.js');
  writeFileSync(hello, readFileSync(hello, 'utf8').replace("name: 'Hello'", "name: 'Hullo', flows: ['a/b']"));
  await has("'Hullo'");
  await waitFor(() => existsSync(join(root, '.mermaid/a_b.mmd')), { within: 20_000 });
  const [, url] = await program.until(/Ready at (http:\S+)/);
  const served = await fetch(`${url}/__motia/api/v1/steps/openapi.json`);
  expect(await served.json()).toMatchObject({ openapi: '3.1.0', paths: { '/hello': { get: { summary: 'Hullo' } } } });

  const other = createProject({
    'types.d.ts': 'declare const mine: string;\n',
    'src/x.step.js': readFileSync(hello, 'utf8'),
  });
  await dev(other);
  expect(readFileSync(join(other, 'types.d.ts'), 'utf8')).toBe('declare const mine: string;\n');
});

test('an OpenAPI document and diagrams; a step that does not load is told, and nothing is written', async (context) => {
  const root = shop();
  const env = await pythonEnvironment(context);
  const made = await run(root, ['generate', 'openapi', '--title', 'Shop', '--output', 'docs/api.json'], env);
  expect(made).toEqual({ code: 0, output: 'Wrote docs/api.json\n' });
  expect(JSON.parse(readFileSync(join(root, 'docs/api.json'), 'utf8'))).toMatchObject({
    info: { title: 'Shop', version: '1.0.0' },
    paths: { '/orders': { post: { operationId: 'CreateOrder' } } },
  });
  expect(await run(root, ['generate', 'mermaid'], env)).toEqual({ code: 0, output: 'Wrote .mermaid/orders.mmd\n' });
  expect(readFileSync(join(root, '.mermaid/orders.mmd'), 'utf8')).toContain('-->|"order.ranked"|');

  mkdirSync(join(root, 'steps'));
  writeFileSync(join(root, 'steps/bad_step.py'), 'config = {"name": "Bad"}\n');
  const failed = await run(root, ['generate-types'], env);
  expect(failed).toEqual({ code: 1, output: expect.stringContaining('steps/bad_step.py: invalid config') });
  expect(existsSync(join(root, 'types.d.ts'))).toBe(false);
});

test('new steps of every kind in every language: types fit, the workers load them, a file that is there stays', async (context) => {
  const env = await pythonEnvironment(context);
  const root = createProject({ 'tsconfig.json': FILES['tsconfig.json'], 'src/shop/board.md': '' });
  const generate = (...args: string[]) => run(root, ['generate', 'step', ...args, '-d', 'shop']);
  const event = ['--name', 'TakeMoney', '--type', 'event', '--language', 'python', '--subscribes', 'order.created'];
  const written = await Promise.all([
    generate('--name', 'CreateOrder', '--type', 'api', '--method', 'post', '--path', '/orders', '--emits', 'a,b'),
    generate(...event, '--flows', 'orders, money', '--description', "Takes the customer's money"),
  ]);
  expect(written).toEqual([
    { code: 0, output: 'Wrote src/shop/create-order.step.ts\n' },
    { code: 0, output: 'Wrote src/shop/take_money_step.py\n' },
  ]);
  const again = await generate(...event);
  expect(again).toEqual({ code: 1, output: 'src/shop/take_money_step.py is there already: nothing was written\n' });

  for (const language of LANGUAGES) {
    for (const type of STEP_TYPES) {
      const of = { method: 'PUT', path: `/${language}`, cron: '0 9 * * 1-5', subscribes: ['it\'s "odd"'] };
      const plan = { ...of, name: `${language} ${type}`, type, language, emits: ['order.created', 'x'], flows: [] };
      writeFileSync(join(root, 'src', stepFileName(plan)), stepText(plan));
    }
  }
  expect(await run(root, ['build'], env)).toEqual({ code: 0, output: expect.stringContaining('Built 14 steps into') });
  expect((await run(root, ['generate-types'], env)).code).toBe(0);
  expect(readFileSync(join(root, 'types.d.ts'), 'utf8')).toContain("'typescript api': ApiRouteHandler<");
  expect(await typeErrors(root)).toBe('');
});
