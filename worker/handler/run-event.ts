/** An event run: the handler gets the payload; its failure is reported, not decided on. */
import { type ErrorRecord, NonRetriableError, toErrorRecord } from '../../shared/errors.ts';
import type { EventHandler } from '../../shared/types.ts';
import type { RunResult } from '../threads/messages.ts';
import type { ActiveRun } from './active-run.ts';
import { createContext, type Services } from './context.ts';

/** Has the run. Never rejects. */
export async function runEvent(run: ActiveRun, payload: string, services: Services): Promise<RunResult> {
  try {
    const input = parsePayload(payload);
    checkInput(run, input, services);
    await (run.step.handler as EventHandler)(input, createContext(run, services) as never);
    if (run.hasOpenEmits) await run.settleEmits();
    return { status: 'succeeded' };
  } catch (error) {
    const record: ErrorRecord = toErrorRecord(error);
    run.span.fail(record.message);
    return { status: 'failed', error: record };
  }
}

function parsePayload(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch (error) {
    throw new NonRetriableError(`the event's payload is not JSON: ${(error as Error).message}`);
  }
}

function checkInput(run: ActiveRun, input: unknown, { log }: Services): void {
  const result = run.step.validate?.(input);
  if (!result || result.ok) return;
  log.write(
    'warn',
    { action: 'input_invalid', ...run.identity, issues: result.issues },
    `An event for ${run.step.entry.name} does not fit its input schema`,
  );
}
