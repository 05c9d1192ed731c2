/** How much a browser loads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../helpers/project.ts';

const FOLDER = join(REPOSITORY, 'dist/workbench');

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
  dynamicImports?: string[];
}
const chunks: Record<string, Chunk> = JSON.parse(readFileSync(join(FOLDER, '.vite/manifest.json'), 'utf8'));

/** What comes with a chunk before it runs. */
function filesOf(name: string, found = new Set<string>()): Set<string> {
  const { file, css = [], imports = [] } = chunks[name] as Chunk;
  if (found.has(file)) return found;
  for (const one of [file, ...css]) found.add(one);
  for (const one of imports) filesOf(one, found);
  return found;
}

const sizeOf = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => {
    const path = join(FOLDER, `${file}.gz`);
    return sum + readFileSync(existsSync(path) ? path : join(FOLDER, file)).length;
  }, 0);

test('each screen is there after less than 300 kB', () => {
  const first = filesOf('index.html');
  const screens = Object.keys(chunks).filter((name) => /^src\/screens\/[^/]+\/[^/]+\.tsx$/.test(name));
  expect(screens.length).toBeGreaterThan(2);
  const sizes = Object.fromEntries(screens.map((name) => [name, sizeOf(filesOf(name, new Set(first)))]));
  for (const [name, size] of Object.entries(sizes)) expect(size, name).toBeLessThan(300_000);
  expect(sizeOf(first)).toBeLessThan(110_000);
});

test('nothing is loaded from elsewhere, and licenses of what is in it are with it', () => {
  const html = readFileSync(join(FOLDER, 'index.html'), 'utf8');
  expect(html).not.toMatch(/(src|href)="(?!\/__motia\/ui\/)/);
  expect(html).not.toMatch(/<script(?![^>]* src=)|<style/);
  const styles = readdirSync(join(FOLDER, 'assets')).filter((name) => name.endsWith('.css'));
  for (const name of styles)
    expect(readFileSync(join(FOLDER, 'assets', name), 'utf8')).not.toMatch(/url\(["']?https?:/);
  expect(readFileSync(join(FOLDER, 'licenses.md'), 'utf8')).toMatch(/react/);
});
