/** The code in the documentation: which pages there are, the blocks of each, and what a block is part of. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './project.ts';

/** One fenced block. */
export interface CodeBlock {
  /** Path of the page in the repository. */
  page: string;
  /** Line of the fence, from 1. */
  line: number;
  /** First word after the fence. */
  language: string;
  code: string;
  /** Where it stands in a project: what its first line names, as `// src/hello.step.ts` does. */
  file?: string;
  /** The file of another project, as `title=tests/orders.test.ts` after the language says: a test of that page runs it. */
  title?: string;
  /** What a comment in front of it, which no reader sees, says about it: see {@link Frame}. */
  frame?: Frame;
}

/**
 * What a block that does not stand for itself is part of:
 *
 *     <!-- in a handler
 *     declare function pay(order: unknown): Promise<void>;
 *     -->
 */
export interface Frame {
  /** `a handler`: the lines are those of a handler, with its context at hand. `a module`: they are a file. */
  within: 'a handler' | 'a module';
  /** What the block takes for given, in its own language. */
  given: string;
}

const FOLDERS = ['.', 'docs', 'stream-client', 'cli/rules', 'benchmarks', 'deploy', 'workbench', 'examples/graphql'];

/** Paths of all pages of the documentation: those of the repository, and those that a new project gets. */
export function documentationPages(): string[] {
  const templates = readdirSync(join(REPOSITORY, 'cli/templates'), { withFileTypes: true });
  const projects = templates.filter((entry) => entry.isDirectory()).map(({ name }) => join('cli/templates', name));
  return [...FOLDERS, ...projects].flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
}

const BLOCK = /(?:^<!-- in (a handler|a module)\n?((?:(?!-->)[\s\S])*?)-->\n)?^( *)```([^\n]*)\n([\s\S]*?)^\3```$/gm;
const NAMED = /^(?:\/\/|#) ([\w./-]+\.\w+)\n/;

/** The blocks of a page in their order. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(join(REPOSITORY, page), 'utf8');
  return [...text.matchAll(BLOCK)].map((match) => {
    const [all, within, given = '', indent = '', language = '', code = ''] = match;
    const fence = match.index + all.indexOf(`${indent}\`\`\`${language}\n`);
    const block: CodeBlock = {
      page,
      line: text.slice(0, fence).split('\n').length,
      language: language.split(' ')[0] as string,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    };
    const title = / title=(\S+)/.exec(language)?.[1];
    if (title !== undefined) block.title = title;
    const file = NAMED.exec(block.code)?.[1];
    if (file !== undefined) block.file = file;
    if (within !== undefined) block.frame = { within: within as Frame['within'], given: given.trim() };
    return block;
  });
}

/** A page without its blocks. */
export const withoutBlocks = (text: string) => text.replace(/^( *)```[\s\S]*?^\1```$/gm, '');

/** Where a block is, for people. */
export const placeOf = ({ page, line }: CodeBlock) => `${page}:${line}`;
