/** The log of an app under test, kept instead of written. */
import type pino from 'pino';
import type { ParseJson } from './http.ts';
import { createMockLogger, isMethod } from './mock-logger.ts';

/** One record of the log. */
export interface LogRecord {
  level: string;
  /** ISO 8601. */
  time: string;
  msg: string;
  /** Name of the step whose handler has written it. */
  step?: string;
  traceId?: string;
  /** What the framework tells, in a word that stays the same. */
  action?: string;
  [field: string]: unknown;
}

const OWN: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'step', 'traceId', 'spanId', 'flows', 'action']);

export class CapturedLog implements pino.DestinationStream {
  readonly records: LogRecord[] = [];
  readonly logger = createMockLogger();
  readonly #parse: ParseJson;
  readonly #also: pino.DestinationStream | undefined;

  /** @param also is written to as well. */
  constructor(parse: ParseJson, also: pino.DestinationStream | undefined) {
    this.#parse = parse;
    this.#also = also;
  }

  write(line: string): void {
    this.#also?.write(line);
    const record = this.#parse(line) as LogRecord;
    this.records.push(record);
    const { level, msg, action } = record;
    if (action !== 'log' || !isMethod(level)) return; // the framework's own
    const fields = Object.fromEntries(Object.entries(record).filter(([name]) => !OWN.has(name)));
    if (Object.keys(fields).length > 0) this.logger[level](msg, fields);
    else this.logger[level](msg);
  }

  clear(): void {
    this.records.length = 0;
    for (const method of Object.values(this.logger)) method.mockClear();
  }
}
