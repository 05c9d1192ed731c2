/** With the types that are generated for them, other people's projects compile. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { typeErrors } from '../../helpers/compiler.ts';
import { createProject, REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';

const execute = promisify(execFile);
const PROGRAM = join(REPOSITORY, 'dist/cli/main.js');
/** Packages of Motia 0.x that only its old interface needs. */
const OLD_PACKAGES = [
  'core',
  ...['endpoint', 'logs', 'observability', 'states', 'bullmq'].map((name) => `plugin-${name}/plugin`),
];

// Not human-in-the-loop: whatever the types, `strict` refuses what it does with the errors that it catches.
test.for([
  ['middleware-auth-handler-example', 'zod3'],
  ['motia-docker', 'zod3'],
  ['queue-example', 'zod3'],
  ['realtime-todo-api', 'zod3'],
] as const)('%s', async ([name, zod], context) => {
  const source = join(REPOSITORY, '../shared/corpus', name);
  context.skip(!existsSync(source), `no project at ${source}`);
  const project = await createProject({
    copyOf: source,
    packages: { zod, '@types/node': '@types/node' },
    files: { 'old-packages.d.ts': OLD_PACKAGES.map((part) => `declare module '@motiadev/${part}';`).join('\n') },
  });
  const env = { ...process.env, ...(await pythonEnvironment(context)) };
  await execute(process.execPath, [PROGRAM, 'generate-types'], { cwd: project.root, env });
  // Their compiler options are of TypeScript 5.
  expect(await typeErrors(project.root, 'typescript5')).toBe('');
});
