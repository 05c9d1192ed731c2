/** Ends another process when this one ends in any way, SIGKILL included. */
import { spawn } from 'node:child_process';

/**
 * A shell waits for the end of a pipe that we hold, and then sends the signal.
 * @param target process id, or `-` and the id of a process group.
 * @param folder removed when the process has ended then.
 * @returns takes the guard away.
 */
export function guardProcess(signal: 'TERM' | 'KILL', target: string, folder?: string): () => void {
  const remove = folder === undefined ? '' : '; while kill -0 "$0" 2>/dev/null; do sleep 0.05; done; rm -rf "$1"';
  const args = ['-c', `read -r _; kill -${signal} "$0"${remove}`, target, ...(folder === undefined ? [] : [folder])];
  const shell = spawn('sh', args, {
    detached: true, // it has to outlive a signal to our process group
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => {}); // no shell on this machine, no guard
  shell.unref();
  return () => shell.kill('SIGKILL');
}
