/** The projects that `motia create` can begin with; each is a folder of `cli/templates`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../shared/package-root.ts';

export interface Template {
  name: string;
  description: string;
  /** What to try first. */
  tryPath: string;
}

export const TEMPLATES: readonly Template[] = [
  { name: 'starter-typescript', description: 'API, event and state in TypeScript', tryPath: '/hello-world' },
  { name: 'starter-javascript', description: 'The same in JavaScript', tryPath: '/hello-world' },
  { name: 'starter-python', description: 'The same in Python', tryPath: '/hello-world' },
  { name: 'starter-multilang', description: 'TypeScript → Python → JavaScript', tryPath: '/hello-world' },
  { name: 'tutorial', description: 'Orders: retries, dead letters, schedules, step by step', tryPath: '/hello-world' },
  { name: 'realtime-chat', description: 'A chat on a realtime stream, with its page', tryPath: '/hello-world' },
];

export const DEFAULT_TEMPLATE = 'starter-typescript';

const FOLDER = join(PACKAGE_ROOT, 'cli/templates');

/** The files of a template: by their path in the project, where they are. */
export function templateFiles(name: string): Map<string, string> {
  // Under its own name npm would leave this one out of the package.
  const files = new Map([['.gitignore', join(FOLDER, 'gitignore')]]);
  return addFolder(files, join(FOLDER, name));
}

/** The files that tell assistants how to work in a project, likewise. */
export function ruleFiles(): Map<string, string> {
  const folder = join(PACKAGE_ROOT, 'cli/rules');
  return new Map([
    ['AGENTS.md', join(folder, 'AGENTS.md')],
    ['CLAUDE.md', join(folder, 'CLAUDE.md')],
    ['.cursor/rules/motia.mdc', join(folder, 'cursor/motia.mdc')],
  ]);
}

function addFolder(files: Map<string, string>, folder: string): Map<string, string> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1).replaceAll('\\', '/'), path);
  }
  return files;
}
