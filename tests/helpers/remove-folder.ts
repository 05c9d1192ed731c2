import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Removes a folder in which a process may still be writing: a broker whose program was killed notices it a moment later. The
 * retries of `rm` do not help there, since they do not look for new files.
 */
export async function removeFolder(path: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; ; await sleep(100)) {
    try {
      return await rm(path, { recursive: true, force: true });
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
