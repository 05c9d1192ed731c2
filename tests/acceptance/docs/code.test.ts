/** All code of the documentation compiles: TypeScript with the types that are generated for it, Python under pyright. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type TestContext, test } from 'vitest';
import { saidByNode, typeErrors } from '../../helpers/compiler.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { documentationProject } from './documentation.ts';

const execute = promisify(execFile);
const PROGRAM = join(REPOSITORY, 'dist/cli/main.js');
const PYRIGHT = join(REPOSITORY, 'node_modules/pyright/index.js');

test('TypeScript', async (context: TestContext) => {
  const project = await documentationProject();
  const env = { ...process.env, ...(await pythonEnvironment(context)) };
  await execute(process.execPath, [PROGRAM, 'generate-types'], { cwd: project.root, env });
  expect(await typeErrors(project.root)).toBe('');
});

test('Python', async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  const project = await documentationProject();
  const settings = { include: ['src', 'fragments'], extraPaths: [join(REPOSITORY, 'python-worker')] };
  await project.write('pyrightconfig.json', JSON.stringify({ ...settings, pythonVersion: '3.10' }));
  expect(await saidByNode(project.root, PYRIGHT, '--pythonpath', MOTIA_PYTHON)).toBe('');
});
