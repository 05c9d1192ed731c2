/** Compiles what a project has for the page, a component that shows a step or its tutorial, to one module that the page can import. */
import type { BuildFailure, Plugin } from 'esbuild';
import { MotiaError } from '../../shared/errors.ts';
import { withEsbuild } from '../../shared/steps/esbuild-service.ts';

/** What the page has itself: two copies of React do not work together. It offers them in `globalThis.motiaWorkbench.modules`, by these names. */
const OFFERED = /^(react|react\/jsx-runtime|react-dom|motia\/workbench|@motiadev\/workbench)$/;

const offeredPlugin: Plugin = {
  name: 'offered-by-the-page',
  setup(build) {
    build.onResolve({ filter: OFFERED }, ({ path }) => ({ path, namespace: 'offered' }));
    build.onLoad({ filter: /.*/, namespace: 'offered' }, ({ path }) => ({
      contents: `module.exports = globalThis.motiaWorkbench.modules[${JSON.stringify(path)}];`,
    }));
  },
};

/**
 * @param root of the project, absolute
 * @param path of the component, absolute
 * @throws {MotiaError} `PROJECT_INVALID` that says where it cannot be compiled
 */
export function compileComponent(root: string, path: string): Promise<string> {
  return withEsbuild(async (esbuild) => {
    try {
      const { outputFiles } = await esbuild.build({
        absWorkingDir: root,
        entryPoints: [path],
        outdir: root,
        write: false,
        bundle: true,
        format: 'esm',
        platform: 'browser',
        target: 'es2022',
        jsx: 'automatic',
        jsxDev: false,
        loader: { '.svg': 'dataurl', '.png': 'dataurl', '.jpg': 'dataurl', '.css': 'empty' },
        define: { 'process.env.NODE_ENV': '"production"' },
        sourcemap: 'inline',
        logLevel: 'silent',
        plugins: [offeredPlugin],
      });
      return outputFiles[0]?.text ?? '';
    } catch (error) {
      const { errors = [] } = error as Partial<BuildFailure>;
      const told = errors.map(({ text, location }) => (location ? `${location.file}:${location.line}: ${text}` : text));
      throw new MotiaError('PROJECT_INVALID', told.length > 0 ? told.join('\n') : String(error), { cause: error });
    }
  });
}
