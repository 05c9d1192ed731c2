// What the Python worker's tests and checks run with: an environment made by the product's own code, once.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

/** Folder of the Python package. */
export const PYTHON_WORKER = join(ROOT, 'python-worker');

/**
 * Path of an interpreter that has all that tests and checks need; `undefined`, with the reason on the terminal, where there
 * is no Python. Call it after `build()`.
 */
export async function testPython() {
  const { preparePythonEnvironment } = await import('../dist/cli/python/environment.js');
  const { PythonError } = await import('../dist/cli/python/toolchain.js');
  const { readEnvironment } = await import('../dist/shared/config.js');
  try {
    const { python } = await preparePythonEnvironment({
      root: join(PYTHON_WORKER, 'tests'),
      searchPath: readEnvironment().searchPath,
      needsTracing: true,
      progress: console.log,
    });
    return python;
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    console.log(`The Python worker is not tested: ${error.message}`);
    return undefined;
  }
}

/** Runs a Python module in the folder of the package. @returns its exit code */
export function runPython(python, ...args) {
  const { status } = spawnSync(python, ['-m', ...args], {
    cwd: PYTHON_WORKER,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status ?? 1;
}

/** The same beside something else, which its output would get in the way of: that comes as a whole. @returns its exit code and output */
export async function runPythonBeside(python, ...args) {
  const child = spawn(python, ['-m', ...args], { cwd: PYTHON_WORKER, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code: code ?? 1, output };
}
