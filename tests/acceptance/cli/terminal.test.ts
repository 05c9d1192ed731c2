/** What is printed where somebody reads it, and where a program does. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { createProject, dev, launch } from './program.ts';

const COLOUR = '\u001b[';
/** Python's library can open a terminal. */
const ON_A_TERMINAL = 'import pty, sys; pty.spawn(sys.argv[1:])';

test.for([
  ['on a terminal: readable, in colours', { NO_COLOR: '' }, true],
  ['with NO_COLOR: readable, and plain', { NO_COLOR: '1' }, false],
] as const)('%s', async ([, env, isColoured], context) => {
  const { MOTIA_PYTHON: python } = await pythonEnvironment(context);
  const program = launch(
    createProject(),
    python,
    ['-c', ON_A_TERMINAL, process.execPath, join(REPOSITORY, 'dist/cli/main.js'), 'dev', '--port', '0'],
    { TERM: 'xterm', ...env },
  );
  await program.until(/Ready at http/);
  await program.until(/\[CREATED\] Step \(API\) GET \/hello Hello/);
  expect(program.output().includes(COLOUR)).toBe(isColoured);
  expect(program.output()).not.toContain('{"level"');
});

test('where there is no terminal: a line of JSON for each record, and no colours', async () => {
  const program = await dev(createProject());
  await program.until(/Workbench at .*\n/);
  const lines = program.output().trim().split('\n');
  const others = lines.filter((line) => !line.startsWith('{'));
  expect(others).toEqual([expect.stringMatching(/^Ready at /), expect.stringMatching(/^Workbench at /)]);
  for (const line of lines) if (!others.includes(line)) expect(JSON.parse(line)).toHaveProperty('level');
  expect(program.output()).not.toContain(COLOUR);
});
