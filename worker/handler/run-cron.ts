/** A cron run: the handler gets nothing but the context. Its failure is told here, and not tried again. */
import { toErrorRecord } from '../../shared/errors.ts';
import type { CronHandler } from '../../shared/types.ts';
import type { RunResult } from '../threads/messages.ts';
import type { ActiveRun } from './active-run.ts';
import { createContext, type Services } from './context.ts';

/** Has the run. Never rejects. */
export async function runCron(run: ActiveRun, services: Services): Promise<RunResult> {
  try {
    await (run.step.handler as CronHandler)(createContext(run, services) as never);
    if (run.hasOpenEmits) await run.settleEmits();
    return { status: 'succeeded' };
  } catch (error) {
    return failCron(run, error, services);
  }
}

/** The end of a run that failed. */
export function failCron(run: ActiveRun, thrown: unknown, { log }: Services): RunResult {
  const error = toErrorRecord(thrown);
  run.span.fail(error.message);
  const { name } = run.step.entry;
  log.write('error', { action: 'run_failed', ...run.identity, err: error }, `${name} failed: ${error.message}`);
  return { status: 'failed', error };
}
