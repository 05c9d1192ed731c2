/** Import names that resolve without being installed: this package itself, and the packages around older versions. */
import type { Plugin } from 'esbuild';
import { OWN_PACKAGE_SOURCE } from './own-package.ts';
import { findPackage, packageName } from './package-interop.ts';

const OURS = /^(motia|@motiadev\/core)$/;
const OLDER = /^(motia\/workbench|@motiadev\/(workbench|test|(plugin|adapter)-[^/]+))(\/.*)?$/;
const CLIENT = /^@motiadev\/stream-client[^/]*(\/.*)?$/;
const OWN = 'motia-own';
const SHIM = 'motia-shim';

/**
 * What the older packages resolve to: a function that stands for every name they export. It can be called (a plugin),
 * constructed (an adapter) and passed around. Named imports look properties up on the prototype, hence the proxy there;
 * `then` and `__esModule` stay absent so that the module looks like no promise and no compiled ES module.
 */
const SHIM_SOURCE = `
function legacy() { return { workbench: [] }; }
const absent = new Set(['then', '__esModule']);
module.exports = Object.setPrototypeOf(legacy, new Proxy(Function.prototype, {
  get: (target, key) =>
    typeof key === 'symbol' || absent.has(key) || key in target ? Reflect.get(target, key) : legacy,
}));
`;

/** Resolves the names above; all other packages stay external and come from the project's `node_modules`. */
export const aliasPlugin: Plugin = {
  name: 'motia-aliases',
  setup(build) {
    build.onResolve({ filter: OURS }, () => ({ path: 'motia', namespace: OWN }));
    build.onResolve({ filter: OLDER }, () => ({ path: 'legacy', namespace: SHIM }));
    build.onResolve({ filter: CLIENT }, ({ path, resolveDir }) =>
      findPackage(packageName(path), resolveDir) ? { path, external: true } : { path: 'legacy', namespace: SHIM },
    );
    build.onLoad({ filter: /.*/, namespace: OWN }, () => ({ contents: OWN_PACKAGE_SOURCE, loader: 'js' }));
    build.onLoad({ filter: /.*/, namespace: SHIM }, () => ({ contents: SHIM_SOURCE, loader: 'js' }));
  },
};
