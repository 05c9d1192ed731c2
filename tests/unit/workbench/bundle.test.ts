/** How much a browser loads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../helpers/project.ts';

const FOLDER = join(REPOSITORY, 'dist/workbench');

const SCREENS = readdirSync(join(REPOSITORY, 'workbench/src/screens'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const htmlOf = (screen: string) => readFileSync(join(FOLDER, `${screen}.html`), 'utf8');
const assetsOf = (html: string) =>
  [...html.matchAll(/"\/__motia\/ui\/(assets\/[^"]+)"/g)].map(([, file]) => file as string);

/** As it is sent. */
const sizeOf = (files: string[]): number =>
  files.reduce((sum, file) => {
    const path = join(FOLDER, `${file}.gz`);
    return sum + readFileSync(existsSync(path) ? path : join(FOLDER, file)).length;
  }, 0);

test('each screen is there after less than 300 kB, which its page names at once', () => {
  expect(SCREENS.length).toBeGreaterThan(2);
  for (const screen of SCREENS) {
    const assets = assetsOf(htmlOf(screen));
    const chunk = assets.find((file) => file.startsWith(`assets/${screen}-`)) as string;
    const source = readFileSync(join(FOLDER, chunk), 'utf8');
    for (const [, file] of source.matchAll(/from"\.\/([^"]+)"/g)) {
      expect(assets, screen).toContain(`assets/${file}`);
    }
    expect(assets.length, screen).toBeLessThan(9);
    expect(sizeOf(assets), screen).toBeLessThan(screen === 'flows' ? 230_000 : 160_000);
  }
  expect(readFileSync(join(FOLDER, 'index.html'), 'utf8')).toBe(htmlOf('flows'));
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
