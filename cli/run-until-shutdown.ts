/** The life of a long-running command: start, wait for a signal or a failure, close in order. */
import type { Logger } from 'pino';
import { Lifecycle, onShutdown } from '../shared/lifecycle.ts';
import { EXIT } from './cli-error.ts';

/**
 * Runs `start` and then waits. A signal ends the wait, also while `start` still runs, and so does `fail`. Whatever was
 * registered with the lifecycle is closed before this returns.
 *
 * @returns the exit code.
 * @throws what `start` threw or `fail` was given.
 */
export async function runUntilShutdown(
  log: Logger,
  start: (life: Lifecycle, fail: (error: Error) => void) => Promise<void>,
): Promise<number> {
  const life = new Lifecycle();
  const ended = new Promise<void>((resolve, reject) => {
    onShutdown((reason) => {
      const level = process.send ? 'debug' : 'info'; // a supervised process leaves the announcement to its supervisor
      log[level]({ action: 'shutdown' }, `Stopping (${reason})`);
      resolve();
    });
    start(life, reject).catch(reject);
  });
  let errors: Error[];
  try {
    await ended;
  } finally {
    errors = await life.close();
    for (const error of errors) log.error({ action: 'close_failed', err: error }, error.message);
  }
  return errors.length === 0 ? 0 : EXIT.failed;
}
