/** The loader of compose files that Docker itself uses, built by Go on demand and kept in the cache. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment, readEnvironment } from '../../shared/config.ts';
import { removeFolder } from './remove-folder.ts';

const VERSION = 'v2.16.2';
const BUILD_WITHIN_MS = 180_000;
const run = promisify(execFile);

/** @returns the program, or why there is none here: `{ error }`. */
export async function findComposeLoader(): Promise<{ path: string } | { error: string }> {
  const path = join(readEnvironment().cacheDir, 'tests', `compose-go-${VERSION}`);
  if (existsSync(path)) return { path };
  const work = await mkdtemp(join(tmpdir(), 'motia-compose-go-'));
  try {
    await run('go', ['install', '-trimpath', `github.com/compose-spec/compose-go/v2/cmd@${VERSION}`], {
      env: childEnvironment({ GOBIN: work }) as NodeJS.ProcessEnv,
      timeout: BUILD_WITHIN_MS,
    });
    await mkdir(join(path, '..'), { recursive: true });
    await copyFile(join(work, 'cmd'), path);
    return { path };
  } catch (error) {
    return { error: `compose-go cannot be built: ${(error as Error).message.split('\n')[0]}` };
  } finally {
    await removeFolder(work);
  }
}

/** @throws what the loader says of a file that Docker would not take. */
export async function loadCompose(path: string, file: string): Promise<unknown> {
  const { stdout } = await run(path, ['-format', 'json', file]);
  return JSON.parse(stdout);
}
