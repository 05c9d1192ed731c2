/** What handlers print with `console` is stored with the log, in the trace of its run. It is printed all the same. */
import { format } from 'node:util';
import type { LogLevel } from '../../shared/config.ts';
import { currentRun } from './active-run.ts';
import type { ThreadLog } from './thread-log.ts';

const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'debug' } as const;

export function captureConsole(log: ThreadLog): void {
  const { console } = globalThis; // the handlers'
  let capturing = false; // how a value is shown is the user's to say, and may print
  for (const [method, level] of Object.entries(LEVELS) as [keyof typeof LEVELS, LogLevel][]) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      print(...values);
      const run = currentRun.getStore();
      if (!run || capturing || !log.enabled(level)) return;
      capturing = true;
      try {
        log.store(level, { action: 'console', ...run.identity }, format(...values));
      } catch {
        // A value that cannot be shown; `print` has dealt with it.
      } finally {
        capturing = false;
      }
    };
  }
}
