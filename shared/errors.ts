/** The catalogue of coded errors. `code` is stable; the message tells a person what to do. */

export type ErrorCode =
  | 'BROKER_UNREACHABLE'
  | 'BROKER_AUTH'
  | 'BROKER_TOO_OLD'
  | 'BROKER_LOST'
  | 'BROKER_TIMEOUT'
  | 'BROKER_REFUSED'
  | 'BROKER_NAME_TAKEN'
  | 'STORE_FULL'
  | 'PORT_BUSY'
  | 'PROJECT_INVALID'
  | 'INVALID_VALUE'
  | 'UNKNOWN_STEP'
  | 'RUN_OVER'
  | 'RUN_TIMEOUT'
  | 'RUN_CUT_OFF'
  | 'NOT_SUPPORTED';

/** Base of every error this framework throws on purpose. */
export class MotiaError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MotiaError';
    this.code = code;
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

/** An error as it travels between threads and into dead letters. */
export interface ErrorRecord {
  name: string;
  message: string;
  stack?: string;
  code?: string;
  nonRetriable?: boolean;
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
  return record;
}

function readable(thrown: unknown): string {
  try {
    return `${typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)}`.slice(0, LONGEST_TEXT);
  } catch {
    return `a ${typeof thrown} that cannot be shown`;
  }
}
