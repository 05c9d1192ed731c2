/** Starts a program that ends when this process does, in any way, SIGKILL included. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** A descriptor that the program itself does not have. */
const GUARD = 3;

/** Ten seconds at most: where nobody takes note of its end, it is there for ever. */
const ENDED = 'n=0; while [ $n -lt 200 ] && kill -0 $$; do n=$((n+1)); sleep 0.05; done';

export interface GuardedOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'windowsHide'> {
  stdio: ['ignore', 'ignore' | 'pipe', 'pipe' | number];
  /** What it is sent when this process has ended. `KILL` goes to all of its process group. */
  signal: 'TERM' | 'KILL';
  /** Removed when it has ended then. */
  folder?: string | undefined;
}

/**
 * Starts a program in a process group of its own. What becomes that program is a shell, which leaves another one behind: that waits for
 * the end of a pipe that we hold. One start for both, since each stops this process for some milliseconds.
 */
export function spawnGuarded(program: string, args: readonly string[], options: GuardedOptions): ChildProcess {
  const { signal, folder, stdio, ...rest } = options;
  if (process.platform === 'win32') return spawn(program, args, { ...rest, stdio }); // no shell and no process groups
  const target = signal === 'KILL' ? '-$$' : '$$';
  const remove = folder === undefined ? '' : `; ${ENDED}; rm -rf "$0"`;
  const guard = `read -r _ <&${GUARD} && exit; kill -${signal} ${target}${remove}`;
  const script = `(${guard}) </dev/null >/dev/null 2>&1 & exec ${GUARD}<&-; exec "$@"`;
  const child = spawn('sh', ['-c', script, folder ?? 'sh', program, ...args], {
    ...rest,
    detached: true, // it has to outlive a signal to our process group
    stdio: [...stdio, 'pipe'],
  });
  const pipe = child.stdio[GUARD] as Socket | null;
  pipe?.on('error', () => {}).unref(); // the guard was killed as well
  child.once('exit', () => pipe?.end('dismissed\n'));
  return child;
}
