/** What user code may do to its thread: an error outside of any await, or `process.exit`, ends its own run only. */
import { MotiaError, toErrorRecord } from '../../shared/errors.ts';
import type { ActiveRun } from './active-run.ts';
import { currentRun } from './active-run.ts';
import type { ThreadLog } from './thread-log.ts';

/** Ends this thread: what `process.exit` does here before user code gets another one. */
export const exitThread = process.exit.bind(process);

/** Installs the guards. `failRun` ends a run as failed. */
export function installGuards(log: ThreadLog, failRun: (run: ActiveRun, error: unknown) => void): void {
  const blame = (kind: string) => (error: unknown) => {
    const run = currentRun.getStore();
    if (run && !run.ended) {
      failRun(run, error);
      return;
    }
    const identity = run?.identity ?? {};
    log.write(
      'error',
      { action: kind, ...identity, err: toErrorRecord(error) },
      `Unhandled error outside of a run: ${toErrorRecord(error).message}`,
    );
  };
  process.on('uncaughtException', blame('uncaught_exception'));
  process.on('unhandledRejection', blame('unhandled_rejection'));

  process.exit = (code) => {
    const run = currentRun.getStore();
    const error = new MotiaError(
      'RUN_CUT_OFF',
      `${run ? 'the handler' : 'a step file'} called process.exit(${code ?? ''})`,
    );
    if (run && !run.ended) failRun(run, error);
    throw error;
  };
}
