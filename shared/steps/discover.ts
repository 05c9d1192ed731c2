/** Finds the step and stream files of a project by their names. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { orNothing } from '../or-nothing.ts';

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

/**
 * Walks `src/` and `steps/` of the project. Follows symbolic links; skips dotfiles and `node_modules`. At once: a start waits for it,
 * and to wait for each folder takes longer than to read it.
 */
export function discoverSteps(root: string): Discovered {
  const files = listFiles(root, STEP_FOLDERS);
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
export function listFiles(
  root: string,
  folders: readonly string[],
  isSkipped: (folder: string) => boolean = () => false,
): string[] {
  return folders.flatMap((folder) => [...walk(root, folder, [], isSkipped)]).sort();
}

/** `parents`: real paths of the folders above, so that a link to one of them does not go round for ever. */
function* walk(
  root: string,
  folder: string,
  parents: readonly string[],
  isSkipped: (folder: string) => boolean,
): Generator<string> {
  const real = orNothing(() => realpathSync(join(root, folder)));
  if (real === undefined || parents.includes(real)) return;
  for (const entry of orNothing(() => readdirSync(real, { withFileTypes: true })) ?? []) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const kind = entry.isSymbolicLink() ? orNothing(() => statSync(join(root, path))) : entry;
    if (kind?.isDirectory()) {
      if (!isSkipped(path)) yield* walk(root, path, [...parents, real], isSkipped);
    } else if (kind?.isFile()) yield path;
  }
}
