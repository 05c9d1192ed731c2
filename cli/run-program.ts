/** Runs a program to its end, and not a moment longer than this process lives. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { childEnvironment } from '../shared/config.ts';
import { describeEnd } from './child-end.ts';
import { spawnGuarded } from './process-guard.ts';

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
  const child = spawnGuarded(program, args, {
    cwd,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: 'KILL',
    windowsHide: true,
  });
  let stdout = '';
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
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
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : isMissing(program) ? 'no such file' : describeEnd(code, signal)),
    );
  });
  process.off('exit', kill);
  clearTimeout(timer);
  return { stdout, said, failure: isLate ? `not done after ${timeout / 1000} s` : failure };
}

/** Of a name without a folder the shell says so. */
const isMissing = (program: string): boolean => isAbsolute(program) && !existsSync(program);
