import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
// @ts-expect-error a list without types
import { MUTANTS } from '../mutants/mutants.mjs';

test('every mutant changes a text that is there, once', () => {
  const stale = (MUTANTS as { guarantee: string; file: string; from: string }[]).filter(
    ({ file, from }) => readFileSync(file, 'utf8').split(from).length !== 2,
  );
  expect(stale.map(({ guarantee, file }) => `${guarantee}: ${file}`)).toEqual([]);
});
