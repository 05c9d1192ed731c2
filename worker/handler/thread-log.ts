/**
 * The log of a handler thread: finished JSON lines, as `shared/logger.ts` writes them, that the broker thread puts where its own
 * go. Without pino, whose loading would double the time a thread needs to start.
 */
import { LOG_LEVELS, type LogLevel } from '../../shared/log-levels.ts';
import { DEFAULT_REDACTION, type Redaction } from '../../shared/redaction.ts';
import { safeFields } from '../../shared/safe-fields.ts';
import { post } from './outbox.ts';

export interface ThreadLog {
  /** What is not told of fields. */
  redaction: Redaction;
  enabled(level: LogLevel): boolean;
  /** Writes a record. `fields` may hold anything. */
  write(level: LogLevel, fields: Record<string, unknown>, message: string): void;
  /** The same for a record that is stored, and not printed. */
  store(level: LogLevel, fields: Record<string, unknown>, message: string): void;
}

/** A log that passes on records of this level and above. */
export function createThreadLog(lowest: LogLevel): ThreadLog {
  const enabled = (level: LogLevel) => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(lowest);
  const say = (t: 'log' | 'console', level: LogLevel, fields: Record<string, unknown>, message: string) => {
    if (!enabled(level)) return;
    const safe = safeFields(fields, log.redaction);
    const line = JSON.stringify({ level, time: new Date().toISOString(), ...safe, msg: message });
    post({ t, line: `${line}\n` });
  };
  const log: ThreadLog = {
    redaction: DEFAULT_REDACTION,
    enabled,
    write: (level, fields, message) => say('log', level, fields, message),
    store: (level, fields, message) => say('console', level, fields, message),
  };
  return log;
}
