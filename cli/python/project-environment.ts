/** The Python environment of the project that a command runs in. */
import type { CommandOptions } from '../options.ts';
import { type PythonEnvironment, preparePythonEnvironment } from './environment.ts';
import type { Details } from './toolchain.ts';

/**
 * The same for all commands: another one would be made anew by the next.
 * @param options.requirements the folder where the project says what it requires, if it is not that of the project
 * @param options.details told what the installer says
 * @throws PythonError as {@link preparePythonEnvironment}.
 */
export function prepareProjectEnvironment(
  { root, env }: CommandOptions,
  { requirements = root, details }: { requirements?: string; details?: Details } = {},
): Promise<PythonEnvironment> {
  return preparePythonEnvironment({
    ...{ root, requirements, details },
    ...(env.python !== undefined && { configured: env.python }),
    ...(env.virtualEnv !== undefined && { virtualEnv: env.virtualEnv }),
    searchPath: env.searchPath,
    needsTracing: !env.telemetry.disabled && env.telemetry.tracesUrl !== undefined,
    progress: (line) => console.error(line),
  });
}
