/** Whether a build is still what its sources say. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MotiaError } from '../../shared/errors.ts';
import { type Lock, readLock } from '../../shared/steps/built-project.ts';
import { BUILD_FOLDER } from '../../shared/steps/paths.ts';
import type { CommandOptions } from '../options.ts';
import { isTypeScript, projectFiles } from './project-files.ts';

/** Settings of a machine, and what says more than how to compile: a build does not depend on them. */
const NO_SOURCES = new Set(['.env', 'package.json']);
const MOST_NAMED = 3;

/**
 * What is to be run: the build if there is one, unless `--no-dist` asks for the sources.
 * @returns the folder of the build.
 * @throws {MotiaError} `BUILD_UNUSABLE` when sources are there that say something else, another version of the framework has
 *   built it, or `--dist` asks for one that is not there.
 */
export async function findBuild({ root, dist }: CommandOptions): Promise<string | undefined> {
  if (dist === false) return undefined;
  const folder = join(root, BUILD_FOLDER);
  const lock = await readLock(folder);
  if (lock === undefined) {
    if (dist) throw new MotiaError('BUILD_UNUSABLE', `there is no build in ${folder}: run motia build`);
    return undefined;
  }
  const changes = await changesSince(lock, root);
  if (changes.length === 0) return folder;
  const more = changes.length > MOST_NAMED ? ` and ${changes.length - MOST_NAMED} more` : '';
  throw new MotiaError(
    'BUILD_UNUSABLE',
    `${BUILD_FOLDER}/ is not what the sources say (${changes.slice(0, MOST_NAMED).join(', ')}${more}): \
run motia build, or use --no-dist to run the sources`,
  );
}

/** Nothing where there are no sources, as in an image. */
async function changesSince({ sources, ...lock }: Lock, root: string): Promise<string[]> {
  const files = await projectFiles(root);
  const served = new Set([...Object.values(lock.steps), ...Object.values(lock.streams)].map((one) => one.filePath));
  const discovered = [...files.steps, ...files.streams, ...files.python];
  if (discovered.length === 0) return [];
  const now = await hashFiles(root, Object.keys(sources));
  const added = [...new Set([...discovered, ...files.all.filter((file) => !isTypeScript(file))])];
  return [
    ...Object.keys(sources).flatMap((file) =>
      now[file] === undefined ? [`${file} is gone`] : now[file] === sources[file] ? [] : [`${file} has changed`],
    ),
    ...added.filter((file) => sources[file] === undefined && !served.has(file)).map((file) => `${file} is new`),
  ];
}

/** SHA-256 of those of the files that are there. */
export async function hashFiles(root: string, files: Iterable<string>): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const file of new Set(files)) {
    if (NO_SOURCES.has(file)) continue;
    const content = await readFile(join(root, file)).catch(() => undefined);
    if (content) hashes[file] = createHash('sha256').update(content).digest('hex');
  }
  return hashes;
}
