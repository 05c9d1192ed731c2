/** Watches files, and calls back once for all that one save does to them. */
import { statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export interface WatchOptions {
  /** Folder that all paths are relative to; they have `/`. */
  root: string;
  /** Files and folders to watch. Asked after every change again, since there may be more of them. */
  paths: () => readonly string[];
  /** What is of no interest in them. Dotfiles, `node_modules` and `python_modules` never are, but for `.env`. */
  ignored?: (path: string, isFile: boolean) => boolean;
  /** Files that may have been written while nobody watched yet. */
  lookAt: () => Promise<readonly string[]>;
  onChange: () => Promise<void>;
  /** An edit since then (ms since 1970) counts as well. */
  since: number;
}

/** Editors save in several steps; one reload serves them all. */
const SETTLE_MS = 15;
/** The watcher passes on one change of a file in this time and drops the others, such as that of a formatter after a save. */
const DROPS_FOR_MS = 50;
const LOOKS_AFTER_MS = [100, 1_000];
const NEVER = /(^|\/)(node_modules|python_modules|__pycache__|\.[^/]+)(\/|$)/;

/** @returns a function that ends the watching. */
export async function watchFiles(options: WatchOptions): Promise<() => Promise<void>> {
  const { root, paths, ignored = () => false, lookAt, onChange, since } = options;
  const absolute = () => paths().map((path) => join(root, path));
  const { watch } = await import('chokidar'); // not loaded by those who never watch
  const watcher = watch(absolute(), {
    ignoreInitial: true,
    ignored: (path, stats) => {
      const inRoot = relative(root, path).replaceAll(sep, '/');
      return (NEVER.test(inRoot) && !inRoot.endsWith('.env')) || ignored(inRoot, stats?.isFile() === true);
    },
  });
  let settling: NodeJS.Timeout | undefined;
  let toldAt = 0;
  let reloadedAt = since;
  const reloadSoon = () => {
    clearTimeout(settling);
    settling = setTimeout(async () => {
      reloadedAt = Date.now();
      await onChange();
      watcher.add(absolute());
    }, SETTLE_MS);
  };
  watcher.on('all', () => {
    toldAt = Date.now();
    reloadSoon();
  });
  watcher.on('raw', () => {
    if (Date.now() - toldAt <= DROPS_FOR_MS) reloadSoon();
  });
  /** The watcher reads a folder before it watches it: what comes between the two is looked for. */
  const looks = new Set<NodeJS.Timeout>();
  const lookAround = () => {
    for (const ms of LOOKS_AFTER_MS) {
      const timer = setTimeout(async () => {
        looks.delete(timer);
        if ((await lookAt()).some((file) => isNew(join(root, file), reloadedAt))) reloadSoon();
      }, ms).unref();
      looks.add(timer);
    }
  };
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  lookAround();
  watcher.on('addDir', lookAround);
  return () => {
    for (const timer of [settling, ...looks]) clearTimeout(timer);
    return watcher.close();
  };
}

/** Whether a file was written, or moved to its place, since then. */
function isNew(path: string, since: number): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  return file !== undefined && file.ctimeMs >= since;
}
