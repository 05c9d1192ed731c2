/**
 * Has a browser load at once what a screen begins with, instead of one thing after the other: for each screen there is a page of its own, which
 * names the chunks of the screen, and a small script before all others that asks for its data (`src/first-requests.ts`).
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Plugin, Rolldown } from 'vite';
import { BASE } from './base.ts';

const PAGE = 'index.html';
/** The screen that the page without a path leads to, which is shown by the page for all other paths. */
const FIRST_SCREEN = 'flows';
const SCREEN = /\/src\/screens\/([\w-]+)\/\1\.tsx$/;

export function firstLoad(): Plugin {
  return {
    name: 'first-load',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_options, bundle) {
      const page = bundle[PAGE];
      if (page?.type !== 'asset') throw new Error(`there is no ${PAGE} in the bundle`);
      const script = this.emitFile({ type: 'asset', name: 'first-requests.js', source: await firstRequests() });
      const first = `<script async fetchpriority="high" src="${BASE}${this.getFileName(script)}"></script>\n    `;
      const html = String(page.source).replace('<script', `${first}<script`);
      for (const chunk of Object.values(bundle)) {
        const screen = chunk.type === 'chunk' ? SCREEN.exec(chunk.facadeModuleId ?? '')?.[1] : undefined;
        if (screen === undefined) continue;
        const links = filesOf(bundle, chunk.fileName)
          .filter((file) => !html.includes(file))
          .map((file) => `  <link rel="modulepreload" crossorigin href="${BASE}${file}">\n  `);
        const source = html.replace('</head>', `${links.join('')}</head>`);
        this.emitFile({ type: 'asset', fileName: `${screen}.html`, source });
        if (screen === FIRST_SCREEN) page.source = source;
      }
    },
  };
}

/** A chunk, and those without which it does not run. */
function filesOf(bundle: Rolldown.OutputBundle, file: string, found: string[] = []): string[] {
  const chunk = bundle[file];
  if (found.includes(file) || chunk?.type !== 'chunk') return found;
  found.push(file);
  for (const one of chunk.imports) filesOf(bundle, one, found);
  return found;
}

/** Bundled by itself: with chunks of the page it would have to wait for them. */
async function firstRequests(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('src/first-requests.ts', import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: 'es2022',
  });
  return outputFiles[0]?.text ?? '';
}
