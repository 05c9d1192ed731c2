/** The catalogue of coded errors. `code` is stable; the message tells a person what to do. */
import { LONGEST_WAIT_S } from './longest-wait.ts';

export type ErrorCode =
  | 'BROKER_UNREACHABLE'
  | 'BROKER_AUTH'
  | 'BROKER_TOO_OLD'
  | 'BROKER_LOST'
  | 'BROKER_TIMEOUT'
  | 'BROKER_REFUSED'
  | 'BROKER_NAME_TAKEN'
  | 'PARTITIONS_FIXED'
  | 'NOT_PROVISIONED'
  | 'STORE_FULL'
  | 'PORT_BUSY'
  | 'PROJECT_INVALID'
  | 'BUILD_UNUSABLE'
  | 'INVALID_VALUE'
  | 'INVALID_BACKUP'
  | 'UNKNOWN_STEP'
  | 'NOT_FOUND'
  | 'REVISION_CONFLICT'
  | 'STATE_GROUP_NOT_DECLARED'
  | 'NOT_REPLAYABLE'
  | 'RUN_OVER'
  | 'RUN_TIMEOUT'
  | 'RUN_CUT_OFF'
  | 'STEP_GONE'
  | 'TEST_TIMEOUT';

/** Base of every error this framework throws on purpose. */
export class MotiaError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MotiaError';
    this.code = code;
  }
}

/** What is stored is not at the revision that a write asked for: nothing was changed. Its code is `REVISION_CONFLICT`. */
export class RevisionConflictError extends MotiaError {
  /** Of what is stored now, 0 for nothing. */
  readonly revision: number;

  constructor(asked: number, revision: number) {
    const there = revision === 0 ? 'nothing is stored there' : `it is at revision ${revision}`;
    super('REVISION_CONFLICT', `the value is not at revision ${asked}: ${there}`);
    this.revision = revision;
  }
}

/** Thrown by a handler to say that another attempt would not help: the event becomes a dead letter at once. */
export class NonRetriableError extends Error {
  /** Survives bundling and a second copy of this package, unlike `instanceof`. */
  readonly nonRetriable = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NonRetriableError';
  }
}

/**
 * Thrown by a handler to say when the next attempt may help, as the `Retry-After` of a service that it called does. The attempt
 * counts as any other.
 */
export class RetryAfterError extends Error {
  /** Wait until the next attempt. Survives bundling and a second copy of this package, unlike `instanceof`. */
  readonly retryAfterSeconds: number;

  /**
   * @param seconds from 0 to 31 days.
   * @throws {MotiaError} `INVALID_VALUE` for any other number.
   */
  constructor(seconds: number, message = `the next attempt may help after ${seconds} s`, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RetryAfterError';
    if (!isWait(seconds)) {
      throw new MotiaError(
        'INVALID_VALUE',
        `RetryAfterError needs seconds from 0 to ${LONGEST_WAIT_S}, not ${seconds}`,
      );
    }
    this.retryAfterSeconds = seconds;
  }
}

const isWait = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= LONGEST_WAIT_S;

/** An error as it travels between threads and into dead letters. */
export interface ErrorRecord {
  name: string;
  message: string;
  stack?: string;
  code?: string;
  nonRetriable?: boolean;
  retryAfterSeconds?: number;
}

const LONGEST_TEXT = 16_384;

/** Describes anything that was thrown. Never throws, whatever its getters do. */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  // Not `instanceof`, which runs the traps of a proxy.
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  if (!isObject) return { name: 'Error', message: readable(thrown) };
  const read = (key: string) => {
    try {
      return (thrown as Record<string, unknown>)[key];
    } catch {
      return undefined;
    }
  };
  const text = (key: string) => {
    const value = read(key);
    return typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : undefined;
  };
  const record: ErrorRecord = { name: text('name') ?? 'Error', message: text('message') ?? readable(thrown) };
  const stack = text('stack');
  if (stack !== undefined) record.stack = stack;
  const code = text('code');
  if (code !== undefined) record.code = code;
  if (read('nonRetriable') === true) record.nonRetriable = true;
  const retryAfterSeconds = read('retryAfterSeconds');
  if (isWait(retryAfterSeconds)) record.retryAfterSeconds = retryAfterSeconds;
  return record;
}

function readable(thrown: unknown): string {
  try {
    return `${typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)}`.slice(0, LONGEST_TEXT);
  } catch {
    return `a ${typeof thrown} that cannot be shown`;
  }
}
