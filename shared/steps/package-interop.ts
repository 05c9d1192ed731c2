/**
 * `import` of CommonJS packages as TypeScript compiles it for CommonJS projects: `import { verify } from 'jsonwebtoken'`
 * and `import * as jwt from 'jsonwebtoken'` find every export, where Node's own `import` finds some or none of them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const NAMESPACE = 'motia-package';
/** A package name, scoped or not, with or without a subpath. */
const PACKAGE = /^(@[^/]+\/)?[a-z0-9][^/:]*(\/.*)?$/i;
/** These follow Node's rules in any project. */
const ALWAYS_ESM = /\.m[jt]s$/;

/** For projects that are not `"type": "module"`: those follow Node's rules. */
export const packageInteropPlugin: Plugin = {
  name: 'motia-package-interop',
  setup(build) {
    const isCommonJs = new Map<string, boolean>();
    build.onStart(() => isCommonJs.clear());
    build.onResolve({ filter: PACKAGE }, ({ path, kind, importer, namespace, resolveDir }) => {
      if (namespace === NAMESPACE) return { path, external: true };
      if (kind !== 'import-statement' || isBuiltin(path) || ALWAYS_ESM.test(importer)) return undefined;
      const name = packageName(path);
      let commonJs = isCommonJs.get(name);
      if (commonJs === undefined) {
        const folder = findPackage(name, resolveDir);
        commonJs = folder !== undefined && !isModule(join(folder, 'package.json'));
        isCommonJs.set(name, commonJs);
      }
      return commonJs ? { path, namespace: NAMESPACE } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({ contents: wrapperOf(path), loader: 'js' }));
  },
};

/** The folder of an installed package as seen from a folder. */
export function findPackage(name: string, from: string): string | undefined {
  const folders = createRequire(join(from, 'noop.js')).resolve.paths(name) ?? [];
  return folders.map((folder) => join(folder, name)).find((folder) => existsSync(folder));
}

/** The package that a specifier with or without a subpath belongs to. */
export function packageName(specifier: string): string {
  const [first = '', second] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** Whether a package.json says `"type": "module"`. */
export function isModule(packageJson: string): boolean {
  try {
    return JSON.parse(readFileSync(packageJson, 'utf8')).type === 'module';
  } catch {
    return false;
  }
}

/** Still Node's `import`, but a name that Node did not see is looked up, through the prototype, on `module.exports`. */
function wrapperOf(specifier: string): string {
  return `
import * as found from ${JSON.stringify(specifier)};
const whole = found.default;
const names = whole === undefined || whole === null ? null : Object(whole);
module.exports = Object.defineProperties(Object.create(names), Object.getOwnPropertyDescriptors({ ...found }));
Object.defineProperty(module.exports, '__esModule', { value: true });
if (names) Object.defineProperty(module.exports, 'default', { value: names.__esModule ? names.default : whole, enumerable: true });
`;
}
