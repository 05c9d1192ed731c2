/** Programs of Debian's packages, unpacked and not installed, kept in the cache. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readEnvironment } from '../../shared/config.ts';
import { removeFolder } from './remove-folder.ts';

const run = promisify(execFile);
const DOWNLOAD_WITHIN_MS = 120_000;

/** Where a program and what it needs are, or will be, when they are unpacked. */
export const unpackedPackage = (name: string): string => join(readEnvironment().cacheDir, 'tests', name);

/**
 * Unpacks packages into one folder, the one of {@link unpackedPackage} by the name of the first.
 * @throws Error where there is no `apt-get`, or no package to be had.
 */
export async function unpackPackages(...names: [string, ...string[]]): Promise<void> {
  const folder = unpackedPackage(names[0]);
  const work = await mkdtemp(join(tmpdir(), 'motia-package-'));
  const options = { cwd: work, timeout: DOWNLOAD_WITHIN_MS };
  await run('apt-get', ['download', ...names], options);
  for (const file of await readdir(work)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', file, 'unpacked'], options);
  }
  await mkdir(join(folder, '..'), { recursive: true });
  await rename(join(work, 'unpacked'), folder).catch(() => run('cp', ['-r', join(work, 'unpacked'), folder]));
  await removeFolder(work);
}
