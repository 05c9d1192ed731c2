/** Cron expressions in words. Pure. */
import cronstrue from 'cronstrue';

const MACROS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** `At 03:00`, or nothing when no words are known for it. */
export function scheduleText(expression: string): string | undefined {
  try {
    return cronstrue.toString(MACROS[expression.trim().toLowerCase()] ?? expression, { use24HourTimeFormat: true });
  } catch {
    return undefined;
  }
}
