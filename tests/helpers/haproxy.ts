/** A real HAProxy: the one on PATH, or Debian's package, unpacked and not installed, kept in the cache. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readEnvironment } from '../../shared/config.ts';
import { unpackedPackage, unpackPackages } from './debian-package.ts';

const run = promisify(execFile);

export interface Haproxy {
  program: string;
  /** What it is to be run with. */
  env: Record<string, string>;
}

/** @returns the program, or why there is none here. */
export async function findHaproxy(): Promise<Haproxy | string> {
  const { searchPath } = readEnvironment();
  const installed = searchPath.map((folder) => join(folder, 'haproxy')).find((path) => existsSync(path));
  if (installed) return { program: installed, env: {} };
  const folder = unpackedPackage('haproxy');
  const program = join(folder, 'usr/sbin/haproxy');
  try {
    if (!existsSync(program)) {
      await unpackPackages('haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1');
    }
    const files = await readdir(folder, { recursive: true });
    const libraries = files.find((file) => /liblua5\.3\.so\.0$/.test(file)) ?? '';
    const env = { LD_LIBRARY_PATH: join(folder, libraries, '..') };
    await run(program, ['-v'], { env });
    return { program, env };
  } catch (error) {
    return `there is no HAProxy on PATH, and Debian's package cannot be had: ${(error as Error).message.split('\n')[0]}`;
  }
}
