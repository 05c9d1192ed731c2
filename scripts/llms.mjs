// `npm run llms`: writes what assistants read and other pages have already: llms.txt, the table of contents (https://llmstxt.org) from the
// index of the documentation, and the rule for Cursor from AGENTS.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** What each of the files has to be, by its path. */
export const MADE = { 'llms.txt': tableOfContents(), 'cli/rules/cursor/motia.mdc': cursorRule() };

/** What the README says first, then each list of the index with links that hold from the root. */
function tableOfContents() {
  const [title, ...paragraphs] = read('README.md')
    .replace(/^```[\s\S]*?^```\n/gm, '')
    .split(/\n\n+/);
  const summary = paragraphs.find((text) => text.startsWith('A backend framework')).replaceAll('\n', ' ');
  const index = read('docs/README.md');
  const lists = index.slice(index.indexOf('## ')).replaceAll('](', '](docs/');
  const rules = '- [How to write steps](cli/rules/AGENTS.md): all of it on one page, for assistants\n';
  return `${title}\n\n> ${summary}\n\n${lists.replace('## Start\n\n', `## Start\n\n${rules}`)}`;
}

function cursorRule() {
  const head =
    '---\ndescription: How steps work in this Motia project\nglobs: ["src/**", "steps/**"]\nalwaysApply: true\n---\n';
  return read('cli/rules/AGENTS.md').replace(/^# .*\n/, head);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(MADE)) writeFileSync(join(ROOT, path), text);
}
