/** All code of the documentation compiles: TypeScript with the types that are generated for it, Python under pyright. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type TestContext, test } from 'vitest';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { documentationProject } from './documentation.ts';

const execute = promisify(execFile);
const PROGRAM = join(REPOSITORY, 'dist/cli/main.js');
const COMPILER = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
const PYRIGHT = join(REPOSITORY, 'node_modules/pyright/index.js');

/** What a program says in that folder; nothing if all is well. */
const complaints = (root: string, ...args: string[]) =>
  execute(process.execPath, args, { cwd: root }).then(
    () => '',
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );

test('TypeScript', async (context: TestContext) => {
  const project = await documentationProject();
  const env = { ...process.env, ...(await pythonEnvironment(context)) };
  await execute(process.execPath, [PROGRAM, 'generate-types'], { cwd: project.root, env });
  expect(await complaints(project.root, COMPILER, '-p', '.')).toBe('');
});

test('Python', async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  const project = await documentationProject();
  const settings = { include: ['src', 'fragments'], extraPaths: [join(REPOSITORY, 'python-worker')] };
  await project.write('pyrightconfig.json', JSON.stringify({ ...settings, pythonVersion: '3.10' }));
  expect(await complaints(project.root, PYRIGHT, '--pythonpath', MOTIA_PYTHON)).toBe('');
});
