/** Projects in temporary folders, as their authors would have them after `npm install`. */
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { removeFolder } from './remove-folder.ts';
import { hashTree } from './tree.ts';

/** The folder of this repository. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Projects of the test suite, by the name of their folder. */
export const fixtureApp = (name: string) => join(REPOSITORY, 'tests/fixtures/apps', name);

export interface ProjectOptions {
  /** Existing project to start from; its `node_modules` and `.motia` are left behind. */
  copyOf?: string;
  /** Files to add or replace, by their path in the project. */
  files?: Record<string, string | Uint8Array>;
  /**
   * Packages in `node_modules` besides `motia`: the name to import, and the folder in this repository's `node_modules`.
   * Default `{ zod: 'zod' }`, which is zod 4; zod 3 is `{ zod: 'zod3' }`.
   */
  packages?: Record<string, string>;
}

export interface Project extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /** Absolute path of something in the project. */
  path(file: string): string;
  read(file: string): Promise<string>;
  /** Writes a file as a whole, and its folders if need be. */
  write(file: string, content: string | Uint8Array): Promise<void>;
  remove(file: string): Promise<void>;
  /** Hash of every file that was not generated, by path; see {@link hashTree}. */
  hash(ignored?: readonly string[]): Promise<Record<string, string>>;
}

const roots = new Set<string>();
// Registered before that of `startCli`, so it runs after it: what runs in a project ends before the project goes.
afterAll(async () => {
  await Promise.all([...roots].map(removeRoot));
});

/** Makes a project; it is removed at the end of the test file at the latest. */
export async function createProject(options: ProjectOptions = {}): Promise<Project> {
  const { copyOf, files = {}, packages = { zod: 'zod' } } = options;
  const root = await realpath(await mkdtemp(join(tmpdir(), 'motia-project-')));
  roots.add(root);
  const path = (file: string) => join(root, file);
  const project: Project = {
    root,
    path,
    read: (file) => readFile(path(file), 'utf8'),
    async write(file, content) {
      await mkdir(dirname(path(file)), { recursive: true });
      await writeFile(path(file), content);
    },
    remove: (file) => rm(path(file), { recursive: true }),
    hash: (ignored) => hashTree(root, ignored),
    [Symbol.asyncDispose]: () => removeRoot(root),
  };
  if (copyOf !== undefined) {
    await cp(copyOf, root, { recursive: true, filter: (source) => !/[\\/](node_modules|\.motia)$/.test(source) });
  }
  for (const [file, content] of Object.entries(files)) await project.write(file, content);
  await link(root, 'motia', REPOSITORY);
  for (const [name, folder] of Object.entries(packages))
    await link(root, name, join(REPOSITORY, 'node_modules', folder));
  return project;
}

async function link(root: string, name: string, target: string): Promise<void> {
  const path = join(root, 'node_modules', name);
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path, 'junction');
}

async function removeRoot(root: string): Promise<void> {
  roots.delete(root);
  await removeFolder(root);
}
