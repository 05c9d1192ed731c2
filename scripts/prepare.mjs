// Brings a clone to the point where it can run: dependencies installed, sources compiled. Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const CLI = join(ROOT, 'dist/cli/main.js');

const SOURCES = [
  'index.ts',
  'workbench.ts',
  'package.json',
  'scripts/build.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
  'stream-client/tsconfig.json',
];
const SOURCE_FOLDERS = ['shared', 'gateway', 'worker', 'scheduler', 'cli', 'testing', 'stream-client/src'];
/** Compiled last. */
const COMPILED = join(ROOT, 'stream-client/dist/index.js');
/** The page is built for itself: it takes longer, and most changes are not about it. */
const PAGE_SOURCES = [
  'package-lock.json',
  'workbench/package.json',
  'workbench/index.html',
  'workbench/vite.config.ts',
  'workbench/precompress.ts',
];
const PAGE_SOURCE_FOLDERS = ['workbench/src', 'workbench/public', 'stream-client/src'];
const PAGE = join(ROOT, 'dist/workbench/index.html');

/**
 * Installs the dependencies when there are none or the lock file is newer. Not by `npm ci`, which refuses a lock file that was
 * written where the builds of some tool for other platforms could not be had.
 */
export function install() {
  const installed = modifiedAt(join(ROOT, 'node_modules/.package-lock.json'));
  if (installed >= modifiedAt(join(ROOT, 'package-lock.json'))) return;
  run('Installing dependencies', 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error');
  const now = new Date();
  utimesSync(join(ROOT, 'node_modules/.package-lock.json'), now, now); // npm leaves it alone when nothing was missing
}

/** Compiles when a source is newer than what was compiled last. */
export function build() {
  if (newest(SOURCES, SOURCE_FOLDERS) > Math.min(modifiedAt(CLI), modifiedAt(COMPILED)))
    run('Compiling', 'npm', 'run', '--silent', 'build:program');
  if (newest(PAGE_SOURCES, PAGE_SOURCE_FOLDERS) > modifiedAt(PAGE))
    run('Building the Workbench', 'npm', 'run', '--silent', 'build:workbench');
}

/** Runs a program in the repository and ends this process when it fails. */
function run(what, program, ...args) {
  console.log(`${what} …`);
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) return;
  console.error(`${what} failed: ${error?.message ?? `${program} ${args.join(' ')} ended with ${status}`}`);
  process.exit(1);
}

function newest(files, folders) {
  const inFolders = folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, String(name))),
    );
  return Math.max(...[...files, ...inFolders].map((file) => modifiedAt(join(ROOT, file))));
}

/** Milliseconds; 0 for what does not exist. */
function modifiedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
