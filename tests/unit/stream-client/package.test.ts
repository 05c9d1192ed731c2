import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const folder = 'stream-client';
const { exports, dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));

/** Imports from outside of the package, and bytes as browsers load it. */
async function bundle(entry: string) {
  const { default: compiled } = exports[entry];
  const { metafile, outputFiles } = await build({
    entryPoints: [compiled.replace('./dist/', `${folder}/src/`).replace('.js', '.ts')],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    external: ['react', 'node:*'],
  });
  const imports = Object.values(metafile.inputs).flatMap(({ imports }) => imports);
  return {
    imports: [...new Set(imports.flatMap(({ path, external }) => (external ? [path] : [])))],
    bytes: gzipSync(outputFiles[0]?.contents ?? '').length,
  };
}

test('browsers load a few kilobytes, and nothing of others but React', async () => {
  expect(dependencies).toBeUndefined();
  const all = await Promise.all(['.', './node', './react'].map(bundle));
  expect(all.map(({ imports }) => imports)).toEqual([[], ['node:module'], ['react']]);
  expect(Math.max(...all.map(({ bytes }) => bytes))).toBeLessThan(4_096);
});
