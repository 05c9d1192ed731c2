/** This package, as it is installed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Its folder, seen from `dist/cli`. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What its `package.json` says. */
export function ownPackage(): { version: string; engines: { node: string } } {
  return JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
}
