/** What a folder's disk is like, for a store of events. */
import { open, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface Disk {
  /** Bytes. */
  free: number;
  /** The file system keeps nothing on a disk. */
  inMemory: boolean;
  /** Milliseconds until a small write is on the disk: the median of several. */
  syncMs: number;
}

/** `statfs` types of Linux. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]); // tmpfs, ramfs
const WRITES = 9;
const WRITE = Buffer.alloc(4096, 1);

/** Writes and removes a small file. @throws Error when nothing can be written there. */
export async function measureDisk(folder: string): Promise<Disk> {
  const { bavail, bsize, type } = await statfs(folder);
  const path = join(folder, `.motia-doctor-${process.pid}`);
  const file = await open(path, 'wx');
  try {
    const times: number[] = [];
    for (let write = 0; write < WRITES; write++) {
      const start = performance.now();
      await file.write(WRITE);
      await file.datasync();
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return { free: bavail * bsize, inMemory: IN_MEMORY.has(type), syncMs: times[Math.floor(WRITES / 2)] as number };
  } finally {
    await file.close();
    await unlink(path);
  }
}
