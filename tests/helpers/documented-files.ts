/** Files that a page of the documentation shows: code blocks with `title=<path>` after their language. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from './project.ts';

/** The text of each, by its path. */
export async function documentedFiles(page: string): Promise<Record<string, string>> {
  const text = await readFile(join(REPOSITORY, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/^```\w+ title=(\S+)\n([\s\S]*?)^```/gm)];
  return Object.fromEntries(blocks.map(([, path = '', code = '']) => [path, code]));
}
