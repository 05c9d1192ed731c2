/** Realtime streams of a project with steps in both languages: each uses those of the other, also such that come with an edit. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const nodeStream = (name: string) => `
  export const config = { name: '${name}', schema: {}, baseConfig: { storageType: 'default' } };`;
const pythonStream = (name: string) => `
config = {"name": "${name}", "schema": {}, "baseConfig": {"storageType": "default"}}
`;
const files = {
  'package.json': '{ "name": "streams", "type": "module" }',
  'src/chat.stream.ts': nodeStream('chat'),
  'src/rooms_stream.py': pythonStream('rooms'),
  'src/node.step.ts': `
    export const config = { type: 'api', name: 'Node', method: 'POST', path: '/node/:stream/:operation', emits: [] };
    export const handler = async (req: any, { streams }: any) => {
      const { stream, operation } = req.pathParams;
      return { status: 200, body: { item: await streams[stream][operation](...req.body) } };
    };`,
  'src/python_step.py': `
config = {"type": "api", "name": "Python", "method": "POST", "path": "/python/:stream/:operation", "emits": []}

async def handler(req, context):
    stream, operation = req.path_params["stream"], req.path_params["operation"]
    return {"status": 200, "body": {"item": await getattr(context.streams[stream], operation)(*req.body)}}
`,
};

test('a step uses the streams that files of the other language define, and reads what that has stored', async (context) => {
  const project = await createProject({ files });
  await using cli = await startCli('start', project, { env: await pythonEnvironment(context) });
  const call = async (path: string, ...args: unknown[]): Promise<{ item: Record<string, unknown> }> => {
    const response = await cli.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
    return (await response.json()) as { item: Record<string, unknown> };
  };
  for (const stream of ['chat', 'rooms']) {
    const first = await call(`/node/${stream}/set`, 'g', 'a', { n: 1 });
    expect(first.item).toMatchObject({ n: 1, id: 'a', __motia: { streamName: stream } });
    expect(await call(`/python/${stream}/get`, 'g', 'a')).toEqual(first);
    const second = await call(`/python/${stream}/update`, 'g', 'a', [{ type: 'increment', path: 'n' }]);
    expect(second.item).toEqual({ ...first.item, n: 2 });
    expect(await call(`/node/${stream}/getGroup`, 'g')).toEqual({ item: [second.item] });
    expect(await call(`/node/${stream}/delete`, 'g', 'a')).toEqual(second);
    expect(await call(`/python/${stream}/get`, 'g', 'a')).toEqual({ item: null });
  }
});

test('a stream file that is added is used at once by steps of both languages, and one that is broken is told', async (context) => {
  const project = await createProject({ files });
  await using cli = await startCli('dev', project, { env: await pythonEnvironment(context) });
  const status = async (language: string, stream: string) => {
    const body = JSON.stringify(['g', 'a', { language }]);
    const headers = { 'content-type': 'application/json' };
    return (await cli.fetch(`/${language}/${stream}/set`, { method: 'POST', headers, body })).status;
  };
  await waitFor(async () => (await status('python', 'chat')) === 200);
  for (const [file, text, stream] of [
    ['src/late.stream.ts', nodeStream('late'), 'late'],
    ['src/later_stream.py', pythonStream('later'), 'later'],
  ] as const) {
    expect([await status('node', stream), await status('python', stream)]).toEqual([500, 500]);
    await project.write(file, text);
    for (const language of ['node', 'python']) {
      await waitFor(async () => (await status(language, stream)) === 200, { within: 15_000 });
    }
  }
  await project.write('src/own.stream.ts', nodeStream('own').replace("'default'", "'custom'"));
  await project.write('src/odd_stream.py', pythonStream('odd').replace('"schema"', '"shcema"'));
  const told = async (file: string) => (await cli.waitForLog({ action: 'step_broken', file })).msg;
  expect(await told('src/own.stream.ts')).toContain('baseConfig.storageType: Storage of the project');
  expect(await told('src/odd_stream.py')).toContain('Unrecognized key: "shcema"');
  expect(await status('node', 'late')).toBe(200);
});
