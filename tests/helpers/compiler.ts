/** What the TypeScript compiler says about a project. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORY } from './project.ts';

/** TypeScript 7, and TypeScript 5. */
export type Compiler = 'typescript' | 'typescript5';

/** The mistakes in the project of a folder, by its own `tsconfig.json`; empty if there are none. */
export const typeErrors = (root: string, compiler: Compiler = 'typescript'): Promise<string> =>
  saidByNode(root, join(REPOSITORY, `node_modules/${compiler}/bin/tsc`), '--noEmit', '-p', '.');

/** What a program that runs in Node says in that folder if it fails; empty if it does not. */
export const saidByNode = (root: string, ...args: string[]): Promise<string> =>
  promisify(execFile)(process.execPath, args, { cwd: root }).then(
    () => '',
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
