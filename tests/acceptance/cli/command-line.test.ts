/** What the program says and exits with when it is called rightly and wrongly. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../cli/command-list.ts';
import { createProject, run } from './program.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

test.each([[['version']], [['--version']], [['-V']]])('%j prints the version', async (args) => {
  expect(await run(createProject(), args)).toEqual({ code: 0, output: `motia ${version}\n` });
});

test('--help lists the commands', async () => {
  const { code, output } = await run(createProject(), ['--help']);
  expect(code).toBe(0);
  for (const command of ['dev', 'start', 'gateway', 'worker', 'provision', 'version']) {
    expect(output).toMatch(new RegExp(`^ +motia ${command} +\\w`, 'm'));
  }
});

test('a shell can complete commands and flags', async () => {
  const script = await run(createProject(), ['completion']);
  expect(script).toEqual({ code: 0, output: expect.stringContaining('motia --get-yargs-completions') });
  const flags = await run(createProject(), ['--get-yargs-completions', 'motia', 'dlq', '--']);
  expect(flags.output).toContain('--step');
});

test('every command is in the documentation, and the other way round', () => {
  const page = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');
  const told = [...page.matchAll(/`motia ([\w-]+)/g)].map(([, name]) => name);
  const commands = Object.keys(COMMANDS).map((line) => line.split(' ')[0]);
  expect([...new Set(told)].sort()).toEqual([...commands, 'completion'].sort());
});

test('exit codes are those of the documentation', async () => {
  const page = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/^\| (\d) \|.*\| `motia ([a-z ]+)`[^`|]*(?:`[A-Z_]+`)? \|$/gm)];
  const ended = await Promise.all(examples.map(([, , line = '']) => run(createProject(), line.split(' '))));
  expect(ended.map(({ code }) => code)).toEqual([0, 1, 2]);
  expect(examples.map(([, code]) => Number(code))).toEqual([0, 1, 2]);
});

test('without a command it says which there are, as a container does that was given no role', async () => {
  const { code, output } = await run(createProject(), []);
  expect({ code, output }).toEqual({
    code: 2,
    output: expect.stringMatching(
      /^Which command\?\n {2}motia dev .*\n[\s\S]*motia gateway, worker.* NATS_URL[\s\S]*--help\n$/,
    ),
  });
});

test.each([
  [['deploy'], 'Unknown command: deploy'],
  [['dev', '--watch'], 'Unknown argument: watch'],
  [['dev', '--port', 'http'], '--port takes one whole number from 0 to 65535'],
  [['dev', '-p', '1', '-p', '2'], '--port takes one whole number from 0 to 65535'],
  [['worker', '--topics', ','], '--topics takes one name or several, with commas between them'],
  [['python-worker', '--concurrency', '0'], '--concurrency takes one whole number from 1 to 10000'],
  [['worker', '--threads', '0'], '--threads takes one whole number from 1 to 64'],
  [['start', '--host'], 'Not enough arguments following: host'],
])('%j is wrong usage', async (args, message) => {
  expect(await run(createProject(), args)).toEqual({ code: 2, output: `${message}\nTry motia --help\n` });
});

test.each(['gateway', 'worker', 'provision'])('%s needs NATS_URL', async (command) => {
  const { code, output } = await run(createProject(), [command]);
  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^NATS_URL is not set: .*\n$/) });
});

test('one line says that no broker answers', async () => {
  const commands = ['gateway', 'worker', 'provision', 'start'];
  const results = await Promise.all(
    commands.map((command) => run(createProject(), [command], { NATS_URL: 'nats://127.0.0.1:9' })),
  );
  for (const { code, output } of results) {
    expect(code).toBe(1);
    const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    expect(lines).toEqual([expect.stringContaining('127.0.0.1:9')]);
  }
});

test('an invalid setting is named, also one from .env', async () => {
  const project = createProject({ '.env': 'MOTIA_PORT=many' });
  expect(await run(project, ['dev'])).toEqual({
    code: 1,
    output: 'The environment variable MOTIA_PORT is not valid: expected a whole number.\n',
  });
});
