/** `motia pytest`: runs the project's Python tests with the interpreter of its steps and the fixtures of the test kit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { childEnvironment } from '../../shared/config.ts';
import { CliError } from '../cli-error.ts';
import { commandOptions, type Flags } from '../options.ts';
import { prepareProjectEnvironment } from '../python/project-environment.ts';
import { pythonPath } from '../python/requirements.ts';
import { runProgram } from '../run-program.ts';

const FOUND_WITHIN_MS = 30_000;

/** @returns the exit code of pytest. */
export async function pytest({ args = [], _: [, ...passedOn] = [] }: Flags): Promise<number> {
  const options = commandOptions({}, 'readable');
  const { python } = await prepareProjectEnvironment(options);
  const { failure } = await runProgram(python, ['-c', 'import pytest'], { timeout: FOUND_WITHIN_MS });
  if (failure) {
    throw new CliError(`${python} has no pytest: add it to requirements.txt, or install it in the environment you use`);
  }
  const child = spawn(python, ['-m', 'pytest', '-p', 'motia.testing', ...args, ...passedOn.map(String)], {
    cwd: options.root,
    stdio: 'inherit',
    env: childEnvironment({ PYTHONPATH: pythonPath(), PYTHONHOME: undefined }),
  });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
