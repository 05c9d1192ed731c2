/** Which files of a project a build is made of, besides those that the compiler finds by itself. */
import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type Discovered, discoverSteps, listFiles, STEP_FOLDERS } from '../../shared/steps/discover.ts';
import { BUILD_FOLDER } from '../../shared/steps/paths.ts';
import { readRequirements } from '../python/requirements.ts';

/** JSX as well, which Node does not run either. */
const TYPESCRIPT = /\.([cm]?ts|tsx|jsx)$/;
const JAVASCRIPT = /\.[cm]?js$/;
const LEFT_OUT = /\.py[co]$/;
const CACHES = /(^|\/)(__pycache__|python_modules)$/;

export interface ProjectFiles extends Discovered {
  /** All there is in the folders of steps, and for Python steps every module of the project and what they require. */
  all: string[];
}

/** Paths are relative to the project, with `/`. */
export async function projectFiles(root: string): Promise<ProjectFiles> {
  const found = discoverSteps(root);
  const inFolders = listFiles(root, STEP_FOLDERS, (folder) => CACHES.test(folder));
  const ofPython = found.python.length === 0 ? [] : await pythonFiles(root);
  const all = [...inFolders, ...ofPython].filter((file) => !LEFT_OUT.test(file));
  return { ...found, all: [...new Set(all)].sort() };
}

/** Python steps may import from anywhere in the project. */
async function pythonFiles(root: string): Promise<string[]> {
  const isForeign = (folder: string) =>
    folder === BUILD_FOLDER || CACHES.test(folder) || existsSync(join(root, folder, 'pyvenv.cfg'));
  const files = listFiles(root, [''], isForeign);
  const { files: required } = await readRequirements(root);
  const inside = required
    .map((file) => relative(root, file).split(sep).join('/'))
    .filter((file) => !/^\.\.|^\//.test(file));
  return [...files.filter((file) => file.endsWith('.py')), ...inside];
}

/** Whether nobody reads it once it is compiled. */
export const isTypeScript = (file: string): boolean => TYPESCRIPT.test(file);

/** Whether a file is in a build as it is. @param compiled the files that modules are made of */
export function isCopied(file: string, compiled: ReadonlySet<string>): boolean {
  return !isTypeScript(file) && !(JAVASCRIPT.test(file) && compiled.has(file));
}
