/** The lines in docs/troubleshooting.md are those that the program prints, and each code of the catalogue is explained. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../helpers/project.ts';

const PAGE = readFileSync(join(REPOSITORY, 'docs/troubleshooting.md'), 'utf8');

const SOURCES = ['shared', 'gateway', 'worker', 'scheduler', 'cli'].flatMap((folder) =>
  readdirSync(join(REPOSITORY, folder), { recursive: true })
    .map((name) => join(REPOSITORY, folder, String(name)))
    .filter((path) => path.endsWith('.ts') && !path.includes('templates')),
);
/** As one text per file, in which a message that is written in several pieces is one. */
const TEXTS = SOURCES.map((path) => readFileSync(path, 'utf8').replaceAll(/['`] \+\s*['`]|\\\n/g, ''));

/** From a library: the message of zod. */
const OF_OTHERS = ['Unrecognized key: "…"'];

/** What a message looks like in the sources: `…` is a placeholder, or what another function says. */
const pattern = (message: string) =>
  new RegExp(
    message
      .split('…')
      .map((part) => part.trim())
      .filter((part) => part.replaceAll(/\W/g, '') !== '')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^\\n]{0,200}?'),
  );

const lines = [...(PAGE.split('## Codes')[0]?.matchAll(/^\| (?:\d{3} )?`([^`]+)` \|/gm) ?? [])].map(
  ([, line = '']) => line,
);

test('there are lines', () => expect(lines.length).toBeGreaterThan(40));

test.each(lines.filter((line) => !OF_OTHERS.includes(line)))('%s', (line) => {
  expect(TEXTS.some((text) => pattern(line).test(text))).toBe(true);
});

test('each code has its meaning', () => {
  const catalogue = readFileSync(join(REPOSITORY, 'shared/errors.ts'), 'utf8').split('class MotiaError')[0] ?? '';
  const codes = [...catalogue.matchAll(/\| '([A-Z_]+)'/g)].map(([, code]) => code);
  const told = [...(PAGE.split('## Codes')[1] ?? '').matchAll(/`([A-Z_]{4,})`/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(10);
  expect(told.sort()).toEqual(codes.sort());
});
