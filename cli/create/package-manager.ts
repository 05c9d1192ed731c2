/** The package manager of a new project, and how this package gets into it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../shared/package-root.ts';
import { CliError } from '../cli-error.ts';
import { runProgram } from '../run-program.ts';
import { sayIfSlow } from '../say-if-slow.ts';

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

const PACK_MS = 120_000;
const INSTALL_MS = 15 * 60_000;
const INSTALL: Readonly<Record<PackageManager, readonly string[]>> = {
  npm: ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'],
  pnpm: ['install', '--prefer-offline'],
  yarn: ['install'],
  bun: ['install'],
};

/** The one that has started this program, as `npm create` and the like say in `npm_config_user_agent`. */
export function packageManagerOf(userAgent = ''): PackageManager {
  const name = userAgent.split('/')[0];
  return name === 'pnpm' || name === 'yarn' || name === 'bun' ? name : 'npm';
}

/**
 * Writes what the package manager needs to be told in this project. Yarn 1 would refuse a package of the NATS client on Node 20, which says
 * that it wants a newer Node and does not need it; the others only warn.
 */
export function writeManagerSettings(root: string, userAgent = ''): void {
  if (/^yarn\/1\./.test(userAgent)) writeFileSync(join(root, '.yarnrc'), 'ignore-engines true\n');
}

/**
 * Has the project's `package.json` name the project and say where this package comes from. Unless `spec` says otherwise, the
 * project carries it along as an archive: what a registry has under the name `motia` is not this package.
 */
export async function requireFramework(root: string, name: string, spec: string | undefined): Promise<void> {
  const path = join(root, 'package.json');
  const json = JSON.parse(readFileSync(path, 'utf8'));
  json.name = name;
  json.dependencies.motia = spec ?? `file:${await packFramework(root)}`;
  writeFileSync(path, `${JSON.stringify(json, null, 2)}\n`);
}

/** @returns the name of the archive. */
async function packFramework(root: string): Promise<string> {
  const args = ['pack', PACKAGE_ROOT, '--pack-destination', root, '--ignore-scripts', '--loglevel=error'];
  const packing = runProgram('npm', args, { cwd: root, timeout: PACK_MS });
  const { stdout, said, failure } = await sayIfSlow('Packing the framework …', packing);
  const archive = stdout.trim().split('\n').at(-1);
  if (failure === undefined && archive) return archive;
  throw new CliError(
    `The framework could not be packed (npm pack: ${failure}):\n${said}\nGive --motia <path or version>.`,
  );
}

/** @throws CliError that says what to do. */
export async function installPackages(root: string, manager: PackageManager): Promise<void> {
  const { said, failure } = await runProgram(manager, INSTALL[manager], { cwd: root, timeout: INSTALL_MS });
  if (failure === undefined) return;
  throw new CliError(
    `${said.trim()}\n${manager} install failed (${failure}). The project is there: run it again in ${root}`,
  );
}
