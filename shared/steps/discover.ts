/** Finds the step and stream files of a project by their names. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths relative to the project, with `/`, sorted. */
export interface Discovered {
  steps: string[];
  streams: string[];
  /** Python steps and streams, which a Python worker loads. */
  python: string[];
}

/** Names of the project's settings; the first one that is there counts. */
export const CONFIG_FILES = ['motia.config.ts', 'motia.config.js', 'motia.config.mjs', 'motia.config.cjs'];

const FOLDERS = ['src', 'steps'];
const STEP = /[._]step\.[cm]?[jt]s$/;
const STREAM = /[._]stream\.[cm]?[jt]s$/;
const PYTHON = /[._](step|stream)\.py$/;

/** Walks `src/` and `steps/` of the project. Follows symbolic links; skips dotfiles and `node_modules`. */
export async function discoverSteps(root: string): Promise<Discovered> {
  const files: string[] = [];
  for (const folder of FOLDERS) await walk(root, folder, [], files);
  files.sort();
  return {
    steps: files.filter((file) => STEP.test(file)),
    streams: files.filter(isStreamFile),
    python: files.filter((file) => PYTHON.test(file)),
  };
}

/** Whether a file defines a stream rather than a step. */
export function isStreamFile(file: string): boolean {
  return STREAM.test(file);
}

/** `parents`: real paths of the folders above, so that a link to one of them does not go round for ever. */
async function walk(root: string, folder: string, parents: readonly string[], files: string[]): Promise<void> {
  const real = await realpath(join(root, folder)).catch(() => undefined);
  if (real === undefined || parents.includes(real)) return;
  const entries = await readdir(real, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = `${folder}/${entry.name}`;
    const kind = entry.isSymbolicLink() ? await stat(join(root, path)).catch(() => undefined) : entry;
    if (kind?.isDirectory()) await walk(root, path, [...parents, real], files);
    else if (kind?.isFile()) files.push(path);
  }
}
