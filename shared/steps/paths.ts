/** Paths as bundles and manifests write them. */
import { relative, sep } from 'node:path';

/** The path relative to the project, with `/` on every system. */
export function projectPath(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}
