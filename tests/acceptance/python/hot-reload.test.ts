/** Edits of Python steps and of the modules they import, while 16 clients call. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { pythonSources } from '../failures/reload-sources.ts';
import { Reloads, startClients } from '../failures/reloads.ts';

/** Of ten edits each. */
const ROUNDS = 3;

test('30 edits of every kind: no call fails, the last good version is served meanwhile, and then the new one', async (context) => {
  await using reloads = await Reloads.start(pythonSources, { env: await pythonEnvironment(context) });
  const clients = startClients(reloads, 16);
  for (let round = 0; round < ROUNDS; round++) {
    for (const edit of reloads.everyKind) await edit();
  }
  const calls = await clients.stop();
  expect(clients.failures).toEqual([]);
  expect(calls).toBeGreaterThan(300);
  expect(reloads.cli.logs({ action: 'reload_failed' })).toEqual([]);
});

test('a handler that computes while the code is exchanged ends in peace, and nobody waits for it', async (context) => {
  await using reloads = await Reloads.start(pythonSources, { env: await pythonEnvironment(context) });
  const end = await reloads.addComputing();
  const computing = reloads.call('GET', '/computing');
  const clients = startClients(reloads, 8);
  await reloads.kinds.handler();
  await reloads.kinds.postHandler();
  await clients.stop();
  expect(clients.failures).toEqual([]);
  await end();
  expect((await computing).status).toBe(200);
});

test('what is wrong is said with file, line and what would help, and the other steps serve', async (context) => {
  const project = await createProject({
    files: {
      'package.json': '{}',
      'steps/good_step.py': pythonSources.api('Good', 'GET', '/good', { version: 1 }),
      'steps/syntax_step.py': `config = {}\n\ndef handler(\n`,
      'steps/package_step.py': `import yaml_is_not_here\nconfig = {}\n`,
      'steps/config_step.py': `config = {"type": "api", "name": "x", "metod": "GET", "path": "/x", "emits": []}\ndef handler(): ...\n`,
    },
  });
  await using cli = await startCli('dev', project, { env: await pythonEnvironment(context) });
  expect(await (await cli.fetch('/good')).json()).toEqual({ version: 1 });
  const broken = Object.fromEntries(cli.logs({ action: 'step_broken' }).map(({ file, msg }) => [file, msg]));
  expect(broken).toEqual({
    'steps/syntax_step.py': expect.stringMatching(/^steps\/syntax_step\.py:3:\d+: SyntaxError/),
    'steps/package_step.py': expect.stringMatching(
      /^steps\/package_step\.py:1(:\d+)?: ModuleNotFoundError: No module named 'yaml_is_not_here'.*pip install yaml_is_not_here/,
    ),
    'steps/config_step.py': expect.stringMatching(/^steps\/config_step\.py: invalid config: .*metod/),
  });
});

test('the first Python step of a project that is being served is served, too', async (context) => {
  const project = await createProject({ files: { 'src/empty.step.ts': `export const config = 1;` } });
  await using cli = await startCli('dev', project, { env: await pythonEnvironment(context) });
  await project.write('src/late_step.py', pythonSources.api('Late', 'GET', '/late', { version: 7 }));
  const answer = await waitFor(async () => (await cli.fetch('/late')).status === 200, { within: 15_000 });
  expect(answer).toBe(true);
});
