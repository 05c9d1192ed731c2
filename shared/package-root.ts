/** This package, as it is installed. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const require = createRequire(import.meta.url);
/** Found by its name, whichever file of the built program this module is in. */
const PACKAGE_JSON = 'motia/package.json';

/** Its folder. */
export const PACKAGE_ROOT = dirname(require.resolve(PACKAGE_JSON));

/** What its `package.json` says. */
export function ownPackage(): { version: string; engines: { node: string } } {
  return require(PACKAGE_JSON);
}
