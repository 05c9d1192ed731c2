/** `motia generate helm-values`: what steps ask for is in the requests of their workers, in both languages. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { parse } from 'yaml';
import { deployTool, find, template, type Values } from '../../helpers/helm.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { createProject, run } from '../cli/program.ts';

const renderStep = (ram: number) => `
export const config = { type: 'event', name: 'Render', subscribes: ['render'], emits: [], infrastructure: { handler: { ram: ${ram} } } };
export const handler = async () => {};
`;
const FILES = {
  'src/render.step.ts': renderStep(1024),
  'src/hello.step.ts': `
export const config = { type: 'api', name: 'Hello', method: 'GET', path: '/hello', emits: [] };
export const handler = async () => ({ status: 200 });
`,
  'src/train_step.py': `
config = {"name": "Train", "type": "event", "subscribes": ["train"], "emits": [], "infrastructure": {"handler": {"ram": 4096, "cpu": 2}}}
async def handler(input, context):
    pass
`,
};

async function memoryOf(root: string, env: Record<string, string>): Promise<Record<string, string>> {
  const written = await run(root, ['generate', 'helm-values', '--scale-by', 'queue'], env);
  expect(written.code, written.output).toBe(0);
  const { workers, pythonWorkers } = parse(readFileSync(join(root, 'helm-values.yaml'), 'utf8'));
  const groups = [
    ...workers.map((group: Values) => ['node', group]),
    ...pythonWorkers.map((group: Values) => ['python', group]),
  ];
  return Object.fromEntries(
    groups.map(([language, { name, resources }]) => [`${language} ${name}`, resources.requests.memory]),
  );
}

test('what steps ask for is requested, and follows them', async (context: TestContext) => {
  const env = await pythonEnvironment(context);
  const root = createProject(FILES);
  const before = { 'node main': '384Mi', 'node ram-1024': '1152Mi', 'python all': '4224Mi' };
  expect(await memoryOf(root, env)).toEqual(before);

  const { 'node ram-1024': _, ...others } = before;
  writeFileSync(join(root, 'src/render.step.ts'), renderStep(2048));
  expect(await memoryOf(root, env)).toEqual({ ...others, 'node ram-2048': '2176Mi' });

  const helm = deployTool(context, 'helm');
  const generated = parse(readFileSync(join(root, 'helm-values.yaml'), 'utf8')) as Values;
  const made = await template(helm, { ...generated, image: { repository: 'shop', tag: 'v1' } });
  expect(find(made, 'Deployment', 'x-motia-worker-ram-2048').spec.template.spec.containers[0]).toMatchObject({
    args: ['worker', '--steps=Render'],
    resources: { requests: { cpu: '1250m', memory: '2176Mi' } },
  });
  expect(find(made, 'ScaledObject', 'x-motia-worker-ram-2048').spec.triggers[0].metadata.query).toContain(
    'step=~"Render"',
  );
  expect(find(made, 'ScaledObject', 'x-motia-python-worker-all').spec.triggers[0].metadata.query).toContain(
    'step=~"Train"',
  );
});
