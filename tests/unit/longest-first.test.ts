/** The list of long tests is of files that are there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SECONDS } from '../helpers/longest-first.ts';
import { REPOSITORY } from '../helpers/project.ts';

test('each file that is said to take long is there', () => {
  expect(Object.keys(SECONDS).filter((file) => !existsSync(join(REPOSITORY, file)))).toEqual([]);
});
