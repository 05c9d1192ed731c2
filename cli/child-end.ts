/** The end of a child process, and of ours. */
import type { ChildProcess } from 'node:child_process';

/** Resolves with how the process ended. It is killed if ours ends first. */
export function howItEnded(child: ChildProcess): Promise<string> {
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  void exited.then(() => process.off('exit', endWithUs));
  return exited;
}
