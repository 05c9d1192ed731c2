/** The Python interpreter that tests run the Python worker with. */
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { preparePythonEnvironment } from '../../cli/python/environment.ts';
import { PythonError } from '../../cli/python/toolchain.ts';
import { readEnvironment } from '../../shared/config.ts';
import { REPOSITORY } from './project.ts';

/** The same environment as that of `npm test` for pytest: made once per machine, by the product's own code. */
const ROOT = join(REPOSITORY, 'python-worker/tests');

let found: Promise<string | undefined> | undefined;

/** For `MOTIA_PYTHON`. `undefined`, with the reason on the terminal, where there is no Python that would do. */
export function testPython(): Promise<string | undefined> {
  found ??= prepare();
  return found;
}

async function prepare(): Promise<string | undefined> {
  const progress = (line: string) => console.error(line);
  const { searchPath } = readEnvironment();
  try {
    return (await preparePythonEnvironment({ root: ROOT, searchPath, needsTracing: true, progress })).python;
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    progress(`SKIPPED: tests of the Python worker. ${error.message}`);
    return undefined;
  }
}

/** What makes `motia` use that interpreter. Skips the test where there is none. */
export async function pythonEnvironment(context: TestContext): Promise<{ MOTIA_PYTHON: string }> {
  const python = await testPython();
  context.skip(python === undefined, 'there is no Python that can run the worker');
  return { MOTIA_PYTHON: python as string };
}
