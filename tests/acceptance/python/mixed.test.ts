/** Both languages in one project: chains, one trace, names and routes that both use, and a machine without Python. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { type ExportedSpan, startCollector } from '../../helpers/collector.ts';
import { createProject } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const chain = {
  'package.json': '{ "name": "mixed", "type": "module" }',
  'src/first.step.ts': `
    export const config = { type: 'api', name: 'First', method: 'POST', path: '/first', emits: ['second'] };
    export const handler = async (req: any, { emit, traceId }: any) => {
      await emit({ topic: 'second', data: { words: ['ts'] } });
      return { status: 200, body: { traceId } };
    };`,
  'src/second_step.py': `
config = {"type": "event", "name": "Second", "subscribes": ["second"], "emits": ["third"]}

async def handler(input, context):
    context.logger.info("in Python", {"words": input["words"]})
    await context.state.set("chain", "python", {"words": input["words"], "falsy": 0})
    await context.emit({"topic": "third", "data": {"words": [*input["words"], "py"]}})
`,
  'src/third.step.ts': `
    export const config = { type: 'event', name: 'Third', subscribes: ['third'], emits: [] };
    export const handler = async (input: any, { state, logger }: any) => {
      logger.info('done', { words: [...input.words, 'ts'], stored: await state.get('chain', 'python') });
    };`,
};

test('TypeScript to Python to TypeScript is one trace with the right parents', async (context) => {
  const environment = await pythonEnvironment(context);
  await using collector = await startCollector();
  const project = await createProject({ files: chain });
  const env = { ...environment, ...collector.env };
  const cli = await startCli('start', project, { env });
  const { traceId } = (await (await cli.fetch('/first', { method: 'POST' })).json()) as { traceId: string };
  const done = await cli.waitForLog({ step: 'Third', msg: 'done' });
  expect(done).toMatchObject({ traceId, words: ['ts', 'py', 'ts'], stored: { words: ['ts'], falsy: 0 } });
  await cli.waitForLog({ step: 'Second' }); // lines of two processes come in any order
  expect(cli.logs({ step: 'Second' })).toMatchObject([{ traceId, msg: 'in Python', words: ['ts'] }]);
  await cli.stop(); // exports what is left

  const named = (name: string) => {
    const found = collector.spans.filter((span) => span.name === name && span.traceId === traceId);
    expect(found, name).toHaveLength(1);
    return found[0] as ExportedSpan;
  };
  const parents = [
    ['run First', 'POST /first'],
    ['send second', 'run First'],
    ['process second', 'send second'],
    ['state.set', 'process second'],
    ['send third', 'process second'],
    ['process third', 'send third'],
    ['state.get', 'process third'],
  ] as const;
  for (const [child, parent] of parents) expect(named(child).parentSpanId, child).toBe(named(parent).spanId);
  expect(named('process second')).toMatchObject({
    kind: 5,
    attributes: { 'motia.step.name': 'Second', 'messaging.destination.name': 'second', 'motia.attempt': 1 },
    resource: { 'service.name': 'mixed', 'motia.role': 'python-worker' },
  });
});

test('without a Python that would do, TypeScript steps run and one message names the others', async () => {
  const project = await createProject({ files: chain });
  await using cli = await startCli('start', project, { env: { MOTIA_PYTHON: '/nowhere/python' } });
  expect((await cli.fetch('/first', { method: 'POST' })).status).toBe(200);
  const told = cli.logs({ action: 'python_unavailable' });
  expect(told).toMatchObject([{ level: 'error', files: ['src/second_step.py'] }]);
  expect(told[0]?.msg).toMatch(/\/nowhere\/python[\s\S]*src\/second_step\.py/);
});

test('a name and a route that both languages use: the Node step keeps them, and all else is served', async (context) => {
  const python = (name: string, path: string) => `
config = {"type": "api", "name": "${name}", "method": "GET", "path": "${path}", "emits": []}

async def handler(req, context):
    return {"status": 200, "body": "python"}
`;
  const project = await createProject({
    files: {
      'package.json': '{ "type": "module" }',
      'src/same.step.ts': `
        export const config = { type: 'api', name: 'Same', method: 'GET', path: '/node', emits: [] };
        export const handler = async () => ({ status: 200, body: 'node' });`,
      'src/a_same_step.py': python('Same', '/python'),
      'src/a_taken_step.py': python('Taken', '/node'),
    },
  });
  await using cli = await startCli('dev', project, { env: await pythonEnvironment(context) });
  const text = async (path: string) => (await cli.fetch(path)).text();
  await waitFor(async () => (await text('/python')) === 'python');
  expect(await text('/node')).toBe('node');
  const warnings = cli.logs({ action: 'project_warning' }).map(({ msg }) => msg);
  expect(warnings).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/src\/a_same_step\.py: the step name "Same" is taken by src\/same\.step\.ts/),
      expect.stringMatching(/src\/a_taken_step\.py: GET \/node is served by src\/same\.step\.ts already/),
    ]),
  );
});
