/** Loads esbuild when it is needed, and ends its process when nothing was built for a while. */

export type Esbuild = typeof import('esbuild');

const IDLE_MS = 20_000;

let users = 0;
let epoch = 0;
let idle: NodeJS.Timeout | undefined;

/**
 * Runs `work` with esbuild. `epoch` tells contexts apart: one made in an earlier epoch is gone, because the service
 * was stopped in between.
 */
export async function withEsbuild<T>(work: (esbuild: Esbuild, epoch: number) => Promise<T>): Promise<T> {
  clearTimeout(idle);
  users++;
  const esbuild = await import('esbuild');
  try {
    return await work(esbuild, epoch);
  } finally {
    users--;
    if (users === 0) idle = setTimeout(() => stop(esbuild), IDLE_MS).unref();
  }
}

function stop(esbuild: Esbuild): void {
  if (users > 0) return;
  epoch++;
  void esbuild.stop();
}
