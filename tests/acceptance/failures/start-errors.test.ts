/** What is wrong with a project or its surroundings is told in one clear message that names the file or the setting. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';

const step = (config: string, head = '') => `${head}
export const config = { type: 'api', method: 'GET', emits: [], ${config} };
export const handler = async () => ({ status: 200, body: {} });
`;
const GOOD = step(`name: 'Good', path: '/good'`);

async function startOutput(files: Record<string, string>): Promise<{ exit: number | NodeJS.Signals; output: string }> {
  await using project = await createProject({ files: { 'package.json': '{ "type": "module" }', ...files } });
  const cli = await startCli('start', project, { ready: false });
  const exit = await cli.exited;
  return { exit, output: cli.output() };
}

test.each([
  [
    'an unknown config key',
    { 'src/a.step.ts': step(`name: 'A', path: '/a', methods: []`) },
    /src\/a\.step\.ts.*methods/,
  ],
  [
    'an import that is not there',
    { 'src/a.step.ts': step(`name: 'A', path: '/a'`, `import './gone.js';`) },
    /src\/a\.step\.ts.*\.\/gone\.js/s,
  ],
  [
    'an import that throws',
    { 'src/a.step.ts': step(`name: 'A', path: '/a'`, `throw new Error('no database');`) },
    /src\/a\.step\.ts.*no database/s,
  ],
  [
    'an import that exits',
    { 'src/a.step.ts': step(`name: 'A', path: '/a'`, `process.exit(7);`) },
    /src\/a\.step\.ts.*process\.exit\(7\)/s,
  ],
  ['a syntax error', { 'src/a.step.ts': 'export const config = {' }, /src\/a\.step\.ts/],
])('motia start ends with one message: %s', async (_, files, message) => {
  const { exit, output } = await startOutput({ 'src/good.step.ts': GOOD, ...files } as Record<string, string>);
  expect(exit).toBe(1);
  expect(output).toMatch(message);
  const mentions = output.split('\n').filter((line) => message.test(line));
  expect(mentions.length, output).toBeLessThanOrEqual(1);
  expect(output).not.toMatch(/at .*dist\/(worker|cli|shared)\//); // no stack of ours
});

test.each([
  [
    'two steps on one route',
    { 'src/a.step.ts': step(`name: 'A', path: '/a/:id'`), 'src/b.step.ts': step(`name: 'B', path: '/a/:id'`) },
    /src\/b\.step\.ts.*GET \/a\/:id.*src\/a\.step\.ts/,
  ],
  [
    'two steps of one name',
    { 'src/a.step.ts': step(`name: 'A', path: '/a'`), 'src/b.step.ts': step(`name: 'A', path: '/b'`) },
    /src\/b\.step\.ts.*"A".*src\/a\.step\.ts/,
  ],
  [
    'a setting that is wrong',
    { 'motia.config.ts': 'export default { http: { timeout: -1 } };' },
    /motia\.config.*http\.timeout/,
  ],
])('motia start warns once, and serves what is clear: %s', async (_, files, message) => {
  await using project = await createProject({
    files: { 'src/good.step.ts': GOOD, ...files } as Record<string, string>,
  });
  await using cli = await startCli('start', project);
  expect((await cli.fetch('/good')).status).toBe(200);
  const told = cli.logs(({ level, msg }) => level === 'warn' && message.test(msg));
  expect(told).toHaveLength(1);
});

test('a rejection that nobody handles while the steps load is logged, and the rest serves', async () => {
  const files = { 'src/a.step.ts': step(`name: 'A', path: '/a'`, `void Promise.reject(new Error('late database'));`) };
  await using project = await createProject({ files });
  await using cli = await startCli('start', project);
  expect((await cli.fetch('/a')).status).toBe(200);
  const line = await cli.waitForLog({ action: 'unhandled_rejection' });
  expect(line.msg).toContain('late database');
});
