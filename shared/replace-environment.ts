/** Apart from `config.ts`, which a thread that is to start quickly does without. */
import type { RawEnvironment } from './config.ts';

/** Makes the environment of this thread what it is in another one. */
export function replaceEnvironment(env: RawEnvironment): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
}
