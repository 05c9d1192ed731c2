/** The documentation leads where it says. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../helpers/project.ts';

const PAGES = ['.', 'docs', 'benchmarks', 'stream-client', 'deploy', 'workbench'].flatMap((folder) =>
  readdirSync(join(REPOSITORY, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(path: string): string[] {
  const text = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(PAGES)('the links of %s', (page) => {
  const path = join(REPOSITORY, page);
  const text = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
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
