/** Jest, which is too large to be installed for every contributor: fetched once into a folder of its own. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';
import { REPOSITORY } from './project.ts';

const VERSION = '30.5.2';
const FOLDER = join(REPOSITORY, 'node_modules/.cache', `jest-${VERSION}`);
const PROGRAM = join(FOLDER, 'node_modules/jest/bin/jest.js');

/** Path of its program. Skips the test where it cannot be fetched. */
export async function jestProgram(context: TestContext): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM;
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, 'package.json'), '{ "private": true }\n');
  const args = ['install', `jest@${VERSION}`, '--no-audit', '--no-fund', '--loglevel=error', '--prefix', FOLDER];
  const failed = await promisify(execFile)('npm', args, { timeout: 50_000 }).then(
    () => undefined,
    (error: Error) => error.message,
  );
  context.skip(failed !== undefined, `Jest cannot be installed: ${failed}`);
  return PROGRAM;
}
