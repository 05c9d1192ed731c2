/** Runs the program `docker`, which says itself what it does. */
import { spawn } from 'node:child_process';
import { howItEnded } from '../child-end.ts';
import { CliError } from '../cli-error.ts';
import { shown } from '../python/toolchain.ts';

/** Resolves when it has ended well. Signals go to it, and it ends in its own time. @throws CliError that says how it ended. */
export async function docker(args: readonly string[], cwd: string): Promise<void> {
  console.log(shown('docker', ...args));
  const child = spawn('docker', args, { cwd, stdio: 'inherit' });
  const atTerminal = () => {}; // which sends Ctrl-C to both
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGINT', atTerminal).on('SIGTERM', pass);
  const how = await howItEnded(child);
  process.off('SIGINT', atTerminal).off('SIGTERM', pass);
  if (how === 'exit code 0') return;
  if (how.includes('ENOENT')) {
    throw new CliError(
      'There is no docker on PATH. Install it, or hand the Dockerfile to another program that builds images',
    );
  }
  throw new CliError(`docker ${args[0]} failed (${how})`);
}
