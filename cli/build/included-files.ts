/** The files that steps name in `includeFiles`. */
import { dirname, posix } from 'node:path';
import { glob } from 'tinyglobby';
import type { Problem } from './problems.ts';

/**
 * @param wanted by step file: paths and patterns as seen from it
 * @returns `files` relative to the project, with `/`, sorted; a pattern that fits nothing is a problem.
 */
export async function includedFiles(
  root: string,
  wanted: readonly { file: string; patterns: readonly string[] }[],
): Promise<{ files: string[]; problems: Problem[] }> {
  const files = new Set<string>();
  const problems: Problem[] = [];
  for (const { file, patterns } of wanted) {
    for (const pattern of patterns) {
      const inProject = posix.join(dirname(file), pattern);
      const found = inProject.startsWith('..') ? [] : await glob(inProject, { cwd: root, dot: true });
      for (const path of found) files.add(path);
      if (found.length === 0) {
        problems.push({ file, message: `includeFiles: ${pattern} fits no file of the project` });
      }
    }
  }
  return { files: [...files].sort(), problems };
}
