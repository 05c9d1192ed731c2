/** The Python environment of the project that a command runs in. */
import type { CommandOptions } from '../options.ts';
import { type PythonEnvironment, preparePythonEnvironment } from './environment.ts';

/**
 * The same for all commands: another one would be made anew by the next.
 * @param requirements the folder where the project says what it requires
 * @throws PythonError as {@link preparePythonEnvironment}.
 */
export function prepareProjectEnvironment(
  { root, env }: CommandOptions,
  requirements = root,
): Promise<PythonEnvironment> {
  return preparePythonEnvironment({
    ...{ root, requirements },
    ...(env.python !== undefined && { configured: env.python }),
    ...(env.virtualEnv !== undefined && { virtualEnv: env.virtualEnv }),
    searchPath: env.searchPath,
    needsTracing: !env.telemetry.disabled && env.telemetry.tracesUrl !== undefined,
    progress: (line) => console.error(line),
  });
}
