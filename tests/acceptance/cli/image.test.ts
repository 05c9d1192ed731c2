/** The image of an app, and `motia docker`: without Docker, which no test machine needs to have. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { runDockerfile } from '../../helpers/dockerfile.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { removeFolder } from '../../helpers/remove-folder.ts';
import { createProject, motia, run } from './program.ts';

const execute = promisify(execFile);
const DOCKERFILE = join(REPOSITORY, 'deploy/Dockerfile');

test('hadolint finds nothing in the Dockerfile, nor a shell in the script', async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  const hadolint = join(dirname(MOTIA_PYTHON), 'hadolint');
  context.skip(!existsSync(hadolint), 'there is no hadolint for this machine');
  await execute(hadolint, ['--failure-threshold', 'style', DOCKERFILE]);
  await execute('sh', ['-n', join(REPOSITORY, 'deploy/image/build.sh')]);
});

/** Carried out for real: `npm install`, `motia build`, what is copied. Left out: what a Debian package brings. */
test('what the Dockerfile says makes an app that runs, of the files in the image alone', async (context) => {
  const python = await pythonEnvironment(context);
  const project = createProject({});
  expect((await run(project, ['create', 'app', '-t', 'starter-multilang', '--no-install'])).code).toBe(0);
  const app = join(project, 'app');
  writeFileSync(join(app, '.env'), 'SECRET=1\n');
  const folder = mkdtempSync(join(tmpdir(), 'motia-image-'));
  onTestFinished(() => removeFolder(folder));
  const { stages, skipped } = await runDockerfile({
    dockerfile: DOCKERFILE,
    context: app,
    wanted: ['build', 'runtime', 'python-runtime', 'python'],
    folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, npm_config_prefer_offline: 'true', ...python },
    skip: /^(apt-get|install -d)/,
  });
  expect(skipped).toEqual([
    expect.stringContaining('/data'),
    expect.stringContaining('install -y --no-install-recommends python3'),
  ]);
  const image = stages.python;
  expect(image).toMatchObject({ user: '1000:1000', workdir: '/app', env: { NODE_ENV: 'production' } });
  const root = join(folder, 'python/app');
  expect(readdirSync(root).sort()).toEqual(['dist', 'node_modules', 'package.json']);
  expect(existsSync(join(root, 'node_modules/typescript'))).toBe(false);
  expect(image?.entrypoint).toEqual(['node', 'node_modules/motia/dist/cli/main.js']);

  const framework = join(root, 'node_modules/motia');
  const roleless = motia(root, [], {}, framework);
  expect(await roleless.exit).toBe(2);
  expect(roleless.output()).toContain('gateway, worker, python-worker, scheduler  one role each');
  const data = join(folder, 'data');
  const started = motia(root, ['start', '--port', '0'], { ...python, MOTIA_DATA_DIR: data }, framework);
  const [, url = ''] = await started.until(/"url":"(http:[^"]+)"/);
  const { greetingId } = (await (await fetch(`${url}/hello-world?name=Ada`)).json()) as { greetingId: string };
  await expect
    .poll(async () => (await fetch(`${url}/greetings/${greetingId}`)).json(), { timeout: 20_000 })
    .toMatchObject({ name: 'Ada', letters: 3, done: true });
  started.child.kill('SIGTERM');
  expect(await started.exit).toBe(0);
  expect(readdirSync(root).sort()).toEqual(['dist', 'node_modules', 'package.json']);
}, 180_000);

/** What makes a program called `docker` the first on PATH, which notes how it was called. */
function standIn(exitCode = 0): { env: Record<string, string>; calls: () => string[] } {
  const folder = createProject({ docker: `#!/bin/sh\necho "$PWD: $*" >> "$(dirname "$0")/calls"\nexit ${exitCode}\n` });
  chmodSync(join(folder, 'docker'), 0o755);
  return {
    env: { PATH: `${folder}${delimiter}${process.env.PATH}` },
    calls: () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n'),
  };
}

/** `docker` is a stand-in that notes how it was called. */
test('motia docker: setup, build and run', async () => {
  const root = createProject({ 'package.json': '{"name":"@shops/Tea"}', '.env': '', 'src/a_step.py': '' });
  const { env, calls } = standIn();
  expect(await run(root, ['docker', 'build'], env)).toEqual({
    code: 1,
    output: 'There is no Dockerfile here: motia docker setup writes one\n',
  });
  expect(await run(root, ['docker', 'setup'])).toEqual({ code: 0, output: 'Wrote Dockerfile\nWrote .dockerignore\n' });
  expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toBe(readFileSync(DOCKERFILE, 'utf8'));
  writeFileSync(join(root, 'Dockerfile'), 'mine');
  expect(await run(root, ['docker', 'setup'])).toEqual({
    code: 1,
    output: 'Dockerfile and .dockerignore are there already: nothing was written (--force replaces)\n',
  });
  expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toBe('mine');
  expect((await run(root, ['docker', 'setup', '--force'])).code).toBe(0);

  expect(await run(root, ['docker', 'build'], env)).toEqual({
    code: 0,
    output: 'docker build --target python -t shops/tea .\n',
  });
  await run(root, ['docker', 'run', '-n', 'tea', '-p', '8080'], env);
  await run(root, ['docker', 'run', '-s'], { ...env, NATS_URL: 'nats://broker:4222' });
  const settings = `-v ${root}/.env:/app/.env:ro`;
  expect(calls()).toEqual([
    `${root}: build --target python -t shops/tea .`,
    `${root}: build --target python -t tea .`,
    `${root}: run --rm -p 8080:3000 ${settings} tea start`,
    `${root}: run --rm -p 3000:3000 ${settings} -e NATS_URL shops/tea start`,
  ]);
});

test('docker that fails, and docker that is not there', async () => {
  const root = createProject({ Dockerfile: '' });
  const failing = standIn(125);
  expect(await run(root, ['docker', 'build'], failing.env)).toEqual({
    code: 1,
    output: 'docker build --target node -t shop .\ndocker build failed (exit code 125)\n',
  });
  const { code, output } = await run(root, ['docker', 'build'], { PATH: root });
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('There is no docker on PATH') });
});
