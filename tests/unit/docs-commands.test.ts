/** Commands in the documentation are such as this program, and the scripts of projects, know; its data can be read. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { COMMANDS } from '../../cli/command-list.ts';
import { parseCommand } from '../../cli/parse.ts';
import { codeBlocks, documentationPages, placeOf, withoutBlocks } from '../helpers/markdown.ts';
import { REPOSITORY } from '../helpers/project.ts';
import { shellCommands } from '../helpers/shell-words.ts';

const PAGES = documentationPages();
const BLOCKS = PAGES.flatMap(codeBlocks);

/** Languages, and where blocks in them are checked. `text` is for what is no language: drawings, and what programs print. */
const CHECKED = {
  ts: 'code.test.ts',
  tsx: 'code.test.ts',
  js: 'code.test.ts',
  python: 'code.test.ts',
  json: 'here',
  yaml: 'here',
  sh: 'here',
  text: 'here',
};
/** Programs of others. What is asked of them cannot be checked here. */
const FOREIGN = ['cd', 'cp', 'curl', 'docker', 'git', 'helm', 'kubectl', 'mkdir', 'pip', 'sh'];

const scriptsOf = (folder: string) =>
  Object.keys(JSON.parse(readFileSync(join(REPOSITORY, folder, 'package.json'), 'utf8')).scripts);
/** Of this repository, for its own pages; of a new project, for all others. */
const SCRIPTS = [...scriptsOf('.'), ...scriptsOf('cli/templates/starter-typescript')];
const OF_NPM = ['install', 'test', 'create', 'init', 'pkg', 'ci'];

test('there is documentation, and all of it is in languages that are checked', () => {
  expect(BLOCKS.length).toBeGreaterThan(40);
  const odd = BLOCKS.filter(({ language }) => !Object.hasOwn(CHECKED, language));
  expect(odd.map((block) => `${placeOf(block)}: ${block.language || 'no language'}`)).toEqual([]);
});

test.each(PAGES)('commands of %s', async (page) => {
  for (const block of codeBlocks(page).filter(({ language }) => language === 'sh')) {
    for (const words of shellCommands(block.code)) await checkCommand(words, placeOf(block));
  }
  for (const [, line = ''] of withoutBlocks(readFileSync(join(REPOSITORY, page), 'utf8')).matchAll(/`([^`]+)`/g)) {
    if (/^(npx )?motia [a-z]/.test(line) && !line.includes('…')) {
      for (const words of shellCommands(line)) await checkCommand(words, `${page}: \`${line}\``, 'in a sentence');
    }
  }
});

test.each(Object.entries(COMMANDS))('examples that `motia help` gives of %s', async (name, { examples }) => {
  for (const [line] of examples) {
    for (const words of shellCommands(line.replaceAll('$0', 'motia'))) await checkCommand(words, `help of ${name}`);
  }
});

/** Sentences may name a command without all that it needs. */
type Where = 'in a block' | 'in a sentence';

/** @throws Error when it would be refused. */
async function checkCommand(words: readonly string[], place: string, where: Where = 'in a block'): Promise<void> {
  const [program = '', ...args] = words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word)));
  if (program === 'npx' || program === 'sudo') return checkCommand(args, place, where);
  if (program === 'motia') return checkOwnCommand(args, place, where);
  // The program of a clone, by its path.
  if (program === 'node' && args[0]?.endsWith('/dist/cli/main.js')) return checkOwnCommand(args.slice(1), place, where);
  if (/^(npm|pnpm|yarn|bun)$/.test(program)) {
    const [what = '', script = ''] = args;
    const isKnown = what === 'run' ? SCRIPTS.includes(script) : OF_NPM.includes(what);
    expect(isKnown, `${place}: ${words.join(' ')}: there is no such script`).toBe(true);
    return;
  }
  expect(FOREIGN, `${place}: ${program}`).toContain(program);
}

/** Placeholders, as `<step>` and `"$ID"`, stand for any text. */
async function checkOwnCommand(args: readonly string[], place: string, where: Where): Promise<void> {
  if (args.some((arg) => /^(--help|version|completion|<command>)$/.test(arg))) return;
  const wrong = await parseCommand(args).then(
    () => undefined,
    (error) => `${place}: motia ${args.join(' ')}: ${error.message}`,
  );
  if (where === 'in a sentence' && wrong?.includes('Not enough non-option arguments')) return;
  expect(wrong).toBeUndefined();
}

test.each(BLOCKS.filter(({ language }) => language === 'json').map((block) => [placeOf(block), block] as const))(
  '%s is JSON',
  (_, { code }) => void JSON.parse(code),
);

test.each(BLOCKS.filter(({ language }) => language === 'yaml').map((block) => [placeOf(block), block] as const))(
  '%s is YAML',
  (_, { code }) => void parseYaml(code, { strict: true }),
);

test('blocks with a title are run by a test of their page', () => {
  const tests = readdirSync(join(REPOSITORY, 'tests'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(REPOSITORY, 'tests', name), 'utf8'));
  const runs = (page: string) => tests.some((text) => text.includes(`documentedFiles('${basename(page)}')`));
  const titled = BLOCKS.filter(({ title, page }) => title !== undefined && !runs(page));
  expect(titled.map(placeOf)).toEqual([]);
});

test('what is called text is no code', () => {
  const code = /^\s*(import |export |async |await |const |def |motia |npm |curl |\$ )/m;
  expect(BLOCKS.filter((block) => block.language === 'text' && code.test(block.code)).map(placeOf)).toEqual([]);
});
