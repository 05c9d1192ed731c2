/** What is in a folder, for comparing before and after. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** What running a project may write. */
const GENERATED = ['.motia', 'node_modules', 'types.d.ts'];

/** The sha256 of every file in a folder, by its path with `/`. What is generated, and what is `ignored`, is left out. */
export async function hashTree(root: string, ignored: readonly string[] = []): Promise<Record<string, string>> {
  const skipped = new Set([...GENERATED, ...ignored]);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !skipped.has(file.split('/', 1)[0] as string))
    .sort();
  const hash = async (file: string) =>
    createHash('sha256')
      .update(await readFile(join(root, file)))
      .digest('hex');
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await hash(file)] as const)));
}
