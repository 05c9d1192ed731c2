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

/** Where steps are. */
export const STEP_FOLDERS = ['src', 'steps'];

const STEP = /[._]step\.[cm]?[jt]s$/;
const STREAM = /[._]stream\.[cm]?[jt]s$/;
const PYTHON = /[._](step|stream)\.py$/;

/** Walks `src/` and `steps/` of the project. Follows symbolic links; skips dotfiles and `node_modules`. */
export async function discoverSteps(root: string): Promise<Discovered> {
  const files = await listFiles(root, STEP_FOLDERS);
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

/**
 * The files of some folders of a project. Follows symbolic links; skips dotfiles and `node_modules`.
 * @param folders relative to the root; '' is the root itself
 * @param isSkipped whether a folder is left out as well, given relative to the root
 * @returns sorted paths relative to the root, with `/`
 */
export async function listFiles(
  root: string,
  folders: readonly string[],
  isSkipped: (folder: string) => boolean = () => false,
): Promise<string[]> {
  const files: string[] = [];
  for (const folder of folders) await walk(root, folder, [], files, isSkipped);
  return files.sort();
}

/** `parents`: real paths of the folders above, so that a link to one of them does not go round for ever. */
async function walk(
  root: string,
  folder: string,
  parents: readonly string[],
  files: string[],
  isSkipped: (folder: string) => boolean,
): Promise<void> {
  const real = await realpath(join(root, folder)).catch(() => undefined);
  if (real === undefined || parents.includes(real)) return;
  const entries = await readdir(real, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const kind = entry.isSymbolicLink() ? await stat(join(root, path)).catch(() => undefined) : entry;
    if (kind?.isDirectory()) {
      if (!isSkipped(path)) await walk(root, path, [...parents, real], files, isSkipped);
    } else if (kind?.isFile()) files.push(path);
  }
}
