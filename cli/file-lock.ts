/** Locks between processes: files that only one process can create. */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './process-identity.ts';

const POLL_MS = 100;
/** A lock file is empty for a moment between its creation and the write of its content. */
const EMPTY_GRACE_MS = 2_000;

/** Creates the file with this content; false when there is one already. */
export async function createLockFile(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The content of a lock file; `undefined` when there is none, or when it was created this moment. */
export async function readLockFile(path: string): Promise<string | undefined> {
  try {
    const content = await readFile(path, 'utf8');
    const isFresh = content === '' && Date.now() - (await stat(path)).mtimeMs < EMPTY_GRACE_MS;
    return isFresh ? undefined : content;
  } catch {
    return undefined;
  }
}

/**
 * Removes the lock file if it still has this content. Two processes may find the same stale lock: the slower one must not
 * remove what the faster one has created since, so the file is moved aside first, and put back when it is another one.
 */
export async function removeLockFile(path: string, content: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    return; // gone already
  }
  if ((await readFile(aside, 'utf8')) === content) await rm(aside, { force: true });
  else await rename(aside, path);
}

/**
 * Runs `work` while holding the lock. A lock whose process is gone is taken over.
 *
 * @param onWait called once if another process holds it.
 * @throws Error when another process holds the lock for longer than `waitMs`.
 */
export async function withFileLock<Result>(
  path: string,
  waitMs: number,
  work: () => Promise<Result>,
  onWait: () => void = () => {},
): Promise<Result> {
  const ours = String(process.pid);
  let told = false;
  for (const deadline = Date.now() + waitMs; !(await createLockFile(path, ours)); await sleep(POLL_MS)) {
    const theirs = await readLockFile(path);
    if (theirs !== undefined && !isAlive(Number(theirs))) await removeLockFile(path, theirs);
    else if (Date.now() > deadline) throw new Error(`another process holds ${path}; remove it if that is not so`);
    else if (theirs !== undefined && !told) {
      told = true;
      onWait();
    }
  }
  try {
    return await work();
  } finally {
    await removeLockFile(path, ours);
  }
}
