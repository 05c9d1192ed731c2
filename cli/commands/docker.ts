/** `motia docker`: writes a Dockerfile for the project, builds its image, runs it here. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { confirm } from '@clack/prompts';
import { readPackage } from '../../shared/config.ts';
import { PACKAGE_ROOT } from '../../shared/package-root.ts';
import { discoverSteps } from '../../shared/steps/discover.ts';
import { CliError } from '../cli-error.ts';
import { existingFiles, writeFiles } from '../create/write-files.ts';
import { docker as runDocker } from '../docker/docker.ts';
import { type CommandOptions, commandOptions, DEFAULT_PORT, type DOCKER_ACTIONS, type Flags } from '../options.ts';
import { asks } from '../terminal.ts';

/** By their path in the project, those of this package: the same ones that its own images are built with. */
const FILES = new Map([
  ['Dockerfile', join(PACKAGE_ROOT, 'deploy/Dockerfile')],
  ['.dockerignore', join(PACKAGE_ROOT, 'deploy/Dockerfile.dockerignore')],
]);

export async function docker({ name, skipBuild, force, ...flags }: Flags): Promise<number> {
  const action = flags.action as (typeof DOCKER_ACTIONS)[number];
  const options = commandOptions(flags, 'readable');
  if (action === 'setup') return setUp(options.root, force === true);
  const image = name ?? imageName(options);
  if (action === 'build' || !skipBuild) await buildImage(options.root, image);
  if (action === 'run') await runImage(options, image);
  return 0;
}

async function setUp(root: string, force: boolean): Promise<number> {
  const present = force ? [] : existingFiles(root, FILES.keys());
  if (present.length > 0 && !(await mayReplace(present))) {
    throw new CliError(
      `${present.join(' and ')} ${present.length > 1 ? 'are' : 'is'} there already: nothing was written (--force replaces)`,
    );
  }
  writeFiles(root, FILES);
  for (const file of FILES.keys()) console.log(`Wrote ${file}`);
  return 0;
}

async function mayReplace(files: string[]): Promise<boolean> {
  if (!asks(undefined)) return false;
  return (await confirm({ message: `Replace ${files.join(' and ')}?`, initialValue: false })) === true;
}

async function buildImage(root: string, image: string): Promise<void> {
  if (!existsSync(join(root, 'Dockerfile')))
    throw new CliError('There is no Dockerfile here: motia docker setup writes one');
  const { python } = discoverSteps(root);
  await runDocker(['build', '--target', python.length > 0 ? 'python' : 'node', '-t', image, '.'], root);
}

/** All roles in one container, with the project's `.env`, which the image has not. */
async function runImage({ root, env, port = DEFAULT_PORT }: CommandOptions, image: string): Promise<void> {
  const terminal = asks(undefined) ? ['-it'] : [];
  const settings = existsSync(join(root, '.env')) ? ['-v', `${join(root, '.env')}:/app/.env:ro`] : [];
  const broker = env.broker ? ['-e', 'NATS_URL'] : [];
  await runDocker(
    ['run', ...terminal, '--rm', '-p', `${port}:${DEFAULT_PORT}`, ...settings, ...broker, image, 'start'],
    root,
  );
}

/** Names of images have no capitals, and no @ before the scope. */
function imageName({ root, app }: CommandOptions): string {
  return (readPackage(root).name ?? app).toLowerCase().replace(/^@/, '');
}
