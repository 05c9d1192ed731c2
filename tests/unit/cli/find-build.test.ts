/** Which build is run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findBuild, hashFiles } from '../../../cli/build/freshness.ts';
import { lockText } from '../../../cli/build/lock.ts';
import type { CommandOptions } from '../../../cli/options.ts';
import { ownPackage } from '../../../shared/package-root.ts';

/** A project with these files, and a build that was made of those. */
async function project(files: Record<string, string>, motia = ownPackage().version, built = Object.keys(files)) {
  const root = mkdtempSync(join(tmpdir(), 'motia-build-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const folder of ['src', 'dist']) mkdirSync(join(root, folder));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  const sources = await hashFiles(root, built);
  const moduleOf = (file: string) => file;
  const lock = lockText({ motia, bundle: 'b', config: undefined, steps: [], streams: [], moduleOf, sources });
  writeFileSync(join(root, 'dist/motia.steps.json'), lock);
  return root;
}

const found = (root: string, dist?: boolean) => findBuild({ root, dist } as CommandOptions);
const FILES = { 'src/a.step.ts': 'a', 'src/page.html': 'b' };

test('the build there is, or the sources when they are asked for', async () => {
  const root = await project(FILES);
  expect(await found(root)).toBe(join(root, 'dist'));
  expect(await found(root, false)).toBeUndefined();
});

test.each<[string, Record<string, string>]>([
  ['src/a.step.ts has changed', { 'src/a.step.ts': 'changed' }],
  ['src/page.html has changed', { 'src/page.html': 'changed' }],
  ['src/b_step.py is new', { 'src/b_step.py': 'b' }],
])('%s', async (what, edit) => {
  const root = await project(FILES);
  for (const [file, text] of Object.entries(edit)) writeFileSync(join(root, file), text);
  await expect(found(root)).rejects.toMatchObject({
    code: 'BUILD_UNUSABLE',
    message: expect.stringContaining(`(${what})`),
  });
});

test('what says nothing about the code is no change: .env, package.json, a helper that nothing imports', async () => {
  const root = await project(FILES);
  for (const file of ['.env', 'package.json', 'src/helper.ts']) writeFileSync(join(root, file), 'new');
  expect(await found(root)).toBe(join(root, 'dist'));
});

test('a source that is gone is a change, unless they are gone altogether', async () => {
  const root = await project(FILES);
  rmSync(join(root, 'src/page.html'));
  await expect(found(root)).rejects.toThrow('(src/page.html is gone)');
  rmSync(join(root, 'src'), { recursive: true });
  expect(await found(root)).toBe(join(root, 'dist'));
});

test('no build, one of another version, one of Motia 0.17', async () => {
  const root = await project({}, '0.0.1');
  await expect(found(root)).rejects.toThrow(
    `was built by motia 0.0.1, and this is ${ownPackage().version}: run motia build again`,
  );
  writeFileSync(join(root, 'dist/motia.steps.json'), '{"steps":{},"streams":{},"routers":{}}');
  expect(await found(root)).toBeUndefined();
  rmSync(join(root, 'dist'), { recursive: true });
  expect(await found(root)).toBeUndefined();
  await expect(found(root, true)).rejects.toThrow('there is no build in');
});
