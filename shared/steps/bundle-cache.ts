/** Remembers a clean build between starts, so that an unchanged project starts without esbuild. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseJson } from '../json-values.ts';
import { orNothing } from '../or-nothing.ts';
import { ownPackage } from '../package-root.ts';
import * as z from '../zod.ts';
import type { Bundle } from './bundle.ts';
import { OWN_PACKAGE_SOURCE } from './own-package.ts';

const cacheSchema = z.object({
  key: z.string(),
  hashes: z.record(z.string(), z.string()),
  outputs: z.array(z.string()),
  bundle: z.object({
    id: z.string(),
    root: z.string(),
    entries: z.array(z.object({ file: z.string(), output: z.string(), inputs: z.array(z.string()) })),
    config: z.optional(z.string()),
    inputs: z.array(z.string()),
    failures: z.tuple([]),
  }),
});

/** A bundle of an earlier start and the texts it was made from, by path relative to the root. */
export interface CachedBundle {
  bundle: Bundle;
  texts: Map<string, string>;
  /** Everything it consists of, relative to the output folder. */
  outputs: string[];
}

/**
 * The bundle of the last clean build if no file it depends on has changed. At once: a start waits for it, and to wait for each of
 * many small files takes longer than to read them.
 * @param files all entry points
 */
export function readBundleCache(root: string, outDir: string, files: readonly string[]): CachedBundle | undefined {
  const text = readText(join(outDir, 'cache.json'));
  const cache = text === undefined ? undefined : cacheSchema.safeParse(parseJson(text)).data;
  if (cache === undefined || cache.key !== cacheKey(root, files)) return undefined;
  const { bundle, outputs, hashes } = cache;
  const texts = readTexts(root, bundle.inputs);
  for (const input of bundle.inputs) if (hashOf(texts.get(input)) !== hashes[input]) return undefined;
  return outputs.every((output) => existsSync(join(outDir, output))) ? { bundle, texts, outputs } : undefined;
}

/**
 * Remembers a build without failures. Files it depends on without having compiled them are read now.
 * @param built.texts of the compiled files, by path relative to the root
 */
export async function writeBundleCache(outDir: string, files: readonly string[], built: CachedBundle): Promise<void> {
  const { bundle, texts, outputs } = built;
  const others = readTexts(
    bundle.root,
    bundle.inputs.filter((input) => !texts.has(input)),
  );
  const hashes = Object.fromEntries(
    bundle.inputs.map((input) => [input, hashOf(texts.get(input) ?? others.get(input))]),
  );
  const draft = join(outDir, `cache.json.${randomUUID()}.tmp`); // others may build the same project now
  await mkdir(outDir, { recursive: true });
  await writeFile(draft, JSON.stringify({ key: cacheKey(bundle.root, files), hashes, outputs, bundle }));
  await rename(draft, join(outDir, 'cache.json'));
}

/** Whatever else the output depends on. */
function cacheKey(root: string, files: readonly string[]): string {
  const { version } = createRequire(import.meta.url)('esbuild/package.json');
  return JSON.stringify([version, ownPackage().version, OWN_PACKAGE_SOURCE, root, files]);
}

function readTexts(root: string, files: readonly string[]): Map<string, string> {
  const pairs = files.map((file) => [file, readText(join(root, file))] as const);
  return new Map(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

const readText = (file: string): string | undefined => orNothing(() => readFileSync(file, 'utf8'));

function hashOf(text: string | undefined): string {
  return text === undefined ? 'absent' : createHash('sha256').update(text).digest('hex');
}
