/** The documentation leads where it says. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
// @ts-expect-error a script without types
import { MADE } from '../../scripts/llms.mjs';
import { documentationPages, withoutBlocks } from '../helpers/markdown.ts';
import { REPOSITORY } from '../helpers/project.ts';

/** llms.txt is Markdown as well. */
const PAGES = [...documentationPages(), 'llms.txt'];

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(path: string): string[] {
  const text = withoutBlocks(readFileSync(path, 'utf8'));
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(PAGES)('the links of %s', (page) => {
  const path = join(REPOSITORY, page);
  const text = withoutBlocks(readFileSync(path, 'utf8'));
  const dead = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? path : resolve(dirname(path), file);
      if (!existsSync(linked)) return true;
      return anchor !== undefined && statSync(linked).isFile() && !anchors(linked).includes(anchor);
    });
  expect(dead).toEqual([]);
});

test('the index has every page', () => {
  const index = readFileSync(join(REPOSITORY, 'docs/README.md'), 'utf8');
  const pages = readdirSync(join(REPOSITORY, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
  const linked = [...index.matchAll(/^- \[.+\]\((\S+)\): \S/gm)].map(([, page]) => page);
  expect(linked.sort()).toEqual(pages.sort());
});

test.each(Object.entries<string>(MADE))('%s is up to date (npm run llms)', (path, text) => {
  expect(readFileSync(join(REPOSITORY, path), 'utf8')).toBe(text);
});
