/** Runs a program to its end, and not a moment longer than this process lives. */
import { spawn } from 'node:child_process';
import { childEnvironment } from '../shared/config.ts';
import { guardProcess } from './process-guard.ts';

const isWindows = process.platform === 'win32';
const KEPT_CHARACTERS = 16_384;

interface RunOptions {
  cwd?: string;
  /** Milliseconds until the program is killed. */
  timeout: number;
  env?: Record<string, string | undefined>;
  /** Characters of its output that are kept. Default 16,384. */
  keep?: number;
  /** Told what it writes, on either stream, while it does. */
  onOutput?: ((text: string) => void) | undefined;
}

/**
 * Runs a program to its end. It and what it has started end with this process, whichever way that ends: two installers in
 * one environment would spoil it.
 *
 * @returns the end of what it wrote (`said`: on either stream); `failure` says how it ended unless that was well.
 */
export async function runProgram(program: string, args: readonly string[], options: RunOptions) {
  const { cwd, timeout, env = {}, keep = KEPT_CHARACTERS, onOutput } = options;
  const child = spawn(program, args, {
    cwd,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: !isWindows, // a process group, to be ended as a whole
    windowsHide: true,
  });
  let stdout = '';
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      onOutput?.(text);
      said = (said + text).slice(-keep);
      if (stream === child.stdout) stdout = (stdout + text).slice(-keep);
    });
  }
  const kill = () => {
    if (child.pid === undefined) return;
    try {
      if (isWindows) child.kill();
      else process.kill(-child.pid, 'SIGKILL');
    } catch {} // it has ended
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, timeout);
  process.once('exit', kill);
  const dismissGuard = child.pid === undefined || isWindows ? () => {} : guardProcess('KILL', `-${child.pid}`);
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  dismissGuard();
  process.off('exit', kill);
  clearTimeout(timer);
  return { stdout, said, failure: isLate ? `not done after ${timeout / 1000} s` : failure };
}
