/** Writes files of this package into a project. */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Copies files, given by their path in the project. */
export function writeFiles(root: string, files: ReadonlyMap<string, string>): void {
  for (const [path, source] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(source, join(root, path));
  }
}

/** Those that the project has already. */
export function existingFiles(root: string, paths: Iterable<string>): string[] {
  return [...paths].filter((path) => existsSync(join(root, path)));
}
