/** The loader of compose files that Docker itself uses, made on demand: unlike the other tools of `deploy/`, that takes a minute. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';
import { deployTool } from './helm.ts';
import { REPOSITORY } from './project.ts';

const BUILD_WITHIN_MS = 180_000;
const run = promisify(execFile);

/** Path of the program. Skips the test where there is none and none can be made. */
export async function composeLoader(context: TestContext): Promise<string> {
  const script = join(REPOSITORY, 'scripts/deploy-tools.mjs');
  await run(process.execPath, [script, 'compose-go'], { timeout: BUILD_WITHIN_MS }).catch(({ message }: Error) => {
    console.error(message);
  });
  return deployTool(context, 'compose-go');
}

/** Files as one, the later ones over the first. @throws what the loader says of a file that Docker would not take. */
export async function loadCompose(path: string, ...files: string[]): Promise<unknown> {
  const { stdout } = await run(path, ['-format', 'json', '-no-path-resolution', ...files]);
  return JSON.parse(stdout);
}
