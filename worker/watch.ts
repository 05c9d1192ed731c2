/** Watches the files of a project. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { watch } from 'chokidar';
import { discoverSteps } from '../shared/steps/discover.ts';

/** Editors save in several steps; one reload serves them all. */
const SETTLE_MS = 15;
/** The watcher passes on one change of a file in this time and drops the others, such as that of a formatter after a save. */
const DROPS_FOR_MS = 50;
const LOOKS_AFTER_MS = [100, 1_000];

/**
 * Calls back after a change in `src/`, `steps/` or any other input of the steps. `inputs` is asked after every reload, since an
 * edit may import new files. An edit since `since` (ms since 1970) counts as well.
 * @returns a function that ends the watching.
 */
export async function watchProject(
  root: string,
  inputs: () => readonly string[],
  onChange: () => Promise<void>,
  since: number,
): Promise<() => Promise<void>> {
  const watcher = watch([join(root, 'src'), join(root, 'steps'), ...inputs().map((file) => join(root, file))], {
    ignoreInitial: true,
    ignored: (path) => /[\\/](node_modules|\.[^\\/]+)([\\/]|$)/.test(path.slice(root.length)) && !path.endsWith('.env'),
  });
  let settling: NodeJS.Timeout | undefined;
  let toldAt = 0;
  let reloadedAt = since;
  const reloadSoon = () => {
    clearTimeout(settling);
    settling = setTimeout(async () => {
      reloadedAt = Date.now();
      await onChange();
      watcher.add(inputs().map((file) => join(root, file)));
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
        const { steps, streams } = await discoverSteps(root);
        if ([...steps, ...streams, ...inputs()].some((file) => isNew(join(root, file), reloadedAt))) reloadSoon();
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
