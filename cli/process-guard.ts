/** Ends another process when this one ends in any way, SIGKILL included. */
import { spawn } from 'node:child_process';

/**
 * A shell waits for the end of a pipe that we hold, and then sends the signal.
 * @param target process id, or `-` and the id of a process group.
 * @returns takes the guard away.
 */
export function guardProcess(signal: 'TERM' | 'KILL', target: string): () => void {
  const shell = spawn('sh', ['-c', `read -r _; kill -${signal} "$0"`, target], {
    detached: true, // it has to outlive a signal to our process group
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => {}); // no shell on this machine, no guard
  shell.unref();
  return () => shell.kill('SIGKILL');
}
