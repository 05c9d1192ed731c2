/** Paths as bundles and manifests write them, and where a build is. */
import { relative, sep } from 'node:path';

/** The path relative to the project, with `/` on every system. */
export function projectPath(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}

/** The folder of a build, in the project. */
export const BUILD_FOLDER = 'dist';
/** In it: the compiled modules; the files that are not compiled, Python sources among them, as in the project; what there is. */
export const MODULES_FOLDER = 'node';
export const FILES_FOLDER = 'app';
export const LOCK_FILE = 'motia.steps.json';
