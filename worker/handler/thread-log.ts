/**
 * The log of a handler thread: finished JSON lines, as `shared/logger.ts` writes them, that the broker thread puts where its own
 * go. Without pino, whose loading would double the time a thread needs to start.
 */
import type { LogLevel } from '../../shared/config.ts';
import { safeFields } from '../../shared/safe-fields.ts';
import { post } from './outbox.ts';

export interface ThreadLog {
  enabled(level: LogLevel): boolean;
  /** Writes a record. `fields` may hold anything. */
  write(level: LogLevel, fields: Record<string, unknown>, message: string): void;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log that passes on records of this level and above. */
export function createThreadLog(lowest: LogLevel): ThreadLog {
  const enabled = (level: LogLevel) => LEVELS.indexOf(level) >= LEVELS.indexOf(lowest);
  return {
    enabled,
    write(level, fields, message) {
      if (!enabled(level)) return;
      const line = JSON.stringify({ level, time: new Date().toISOString(), ...safeFields(fields), msg: message });
      post({ t: 'log', line: `${line}\n` });
    },
  };
}
