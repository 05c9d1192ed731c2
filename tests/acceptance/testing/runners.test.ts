/** The test kit as its documentation shows it, in projects whose tests are run by Vitest, Jest and Node's own runner. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { documentedFiles } from '../../helpers/documented-files.ts';
import { jestProgram } from '../../helpers/jest.ts';
import { createProject, fixtureApp, type Project, REPOSITORY } from '../../helpers/project.ts';

/** A test of the old kit's, which goes on with its import as it is. */
const OLD = `
  test('the old name leads to the new kit', async () => {
    const tester = await createMotiaTester();
    const watcher = await tester.watch('receipt.sent');
    await tester.post('/orders', { body: { id: 'o-1', customer: 'Ada' } });
    await tester.waitEvents();
    expect(watcher.getCapturedEvent(0).data).toEqual({ id: 'o-1', attempt: 1 });
    await tester.close();
  });`;

const orders = async (files: Record<string, string> = {}): Promise<Project> =>
  createProject({
    copyOf: fixtureApp('orders'),
    files: { ...(await documentedFiles('testing.md')), ...files },
    packages: { vitest: 'vitest' },
  });

/** Runs a test runner in the project; what it says, if it ends well. */
async function run(project: Project, program: string, ...args: string[]): Promise<string> {
  const env = {
    ...process.env,
    VITEST: undefined,
    VITEST_POOL_ID: undefined,
    NODE_OPTIONS: undefined,
    CI: '1',
    NO_COLOR: '1',
  };
  const ended = promisify(execFile)(process.execPath, [program, ...args].filter(Boolean), { cwd: project.root, env });
  const { stdout, stderr } = await ended.catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout + stderr;
}

test('Vitest, with files side by side and the old name', async () => {
  const project = await orders({
    'tests/old.test.ts': `import { createMotiaTester } from '@motiadev/test';\nimport { expect, test } from 'vitest';${OLD}`,
  });
  const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
  const said = await run(
    project,
    vitest,
    'run',
    'tests/orders.test.ts',
    'tests/create-order.test.ts',
    'tests/old.test.ts',
  );
  expect(said).toMatch(/Tests +7 passed/);
});

test('Jest, with modules of its own kind and the old name', async (context) => {
  const jest = await jestProgram(context);
  const project = await orders({
    'tests/old.test.cjs': `const { createMotiaTester } = require('@motiadev/test');${OLD}`,
  });
  const config = JSON.stringify({ moduleNameMapper: { '^@motiadev/test$': 'motia/testing' } });
  const said = await run(project, jest, '--config', config, '--rootDir', project.root, '--runInBand', 'test.cjs');
  expect(said).toMatch(/Tests: +2 passed/);
  expect(said).not.toContain('did not exit');
});

test('the runner of Node', async () => {
  const project = await orders();
  const said = await run(project, '--test', 'tests/orders.test.mjs');
  expect(said).toMatch(/pass 1\n/);
});
