/** The end of a child process, and of ours. */
import type { ChildProcess } from 'node:child_process';

/** Resolves with how the process ended. */
export function howItEnded(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(describeEnd(code, signal)));
  });
}

/** `exit code 1` or `SIGKILL`. */
export const describeEnd = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal ?? `exit code ${code}`;

/** The same; and the process is killed if ours ends first. */
export function endWithUs(child: ChildProcess): Promise<string> {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = howItEnded(child);
  void exited.then(() => process.off('exit', kill));
  return exited;
}
