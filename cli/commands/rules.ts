/** `motia rules pull`: files that tell coding assistants how to work with steps. */
import { ruleFiles } from '../create/templates.ts';
import { existingFiles, writeFiles } from '../create/write-files.ts';
import type { Flags } from '../options.ts';

export async function rules({ force }: Flags): Promise<number> {
  const root = process.cwd();
  const files = ruleFiles();
  const kept = force ? [] : existingFiles(root, files.keys());
  for (const path of kept) {
    files.delete(path);
    console.log(`${path} is there already and stays as it is (--force replaces it)`);
  }
  writeFiles(root, files);
  for (const path of files.keys()) console.log(`Wrote ${path}`);
  return 0;
}
