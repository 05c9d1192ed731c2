/** The one logger of every process: JSON lines for machines, one readable line per record for a terminal. */
import { createRequire } from 'node:module';
import pino from 'pino';
import type { LogLevel } from './config.ts';
import { safeFields } from './safe-fields.ts';

export interface SinkOptions {
  /** Readable lines instead of JSON. */
  pretty: boolean;
  /** Colours in readable lines. Default true. */
  color?: boolean;
  /** Fields under readable lines. Default true. */
  showFields?: boolean;
  /** Whether {@link tapLog} hears them. Default true. */
  tapped?: boolean;
  /** Where lines go. Default: standard output, written synchronously, so that the last line before an exit is not lost. */
  destination?: pino.DestinationStream;
}

export interface LoggerOptions extends SinkOptions {
  level: LogLevel;
  /** Fields of every record. */
  base?: Record<string, unknown>;
}

/**
 * A record carries `level`, `time` (ISO 8601) and `msg`, and may carry `action` (machine-readable and stable, for tests and
 * dashboards), `traceId` and `step`. Fields may hold anything: a log call never throws.
 */
export function createLogger(options: LoggerOptions): pino.Logger {
  return pino(
    {
      level: options.level,
      base: options.base ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }), log: (fields) => safeFields(fields) },
      serializers: { err: (error) => error }, // safeFields has described it, causes included
    },
    logSink(options),
  );
}

/** Takes finished JSON lines, and writes them as they are or as a person reads them. */
export function logSink(options: SinkOptions): pino.DestinationStream {
  const destination = options.destination ?? pino.destination({ sync: true });
  const format = options.pretty ? lineFormatter(options) : undefined;
  const write = (line: string) => void destination.write(format ? format(line) : line);
  if (options.destination || options.tapped === false) return { write };
  return {
    write(line) {
      write(line);
      for (const listen of taps) listen(line);
    },
  };
}

const taps = new Set<(line: string) => void>();

/** Has every line heard that this process writes to its standard output from now on. @returns a function that ends it. */
export function tapLog(listen: (line: string) => void): () => void {
  taps.add(listen);
  return () => void taps.delete(listen);
}

/** The formatter alone and not the stream around it: a stream would lose the last lines before an exit. */
function lineFormatter(options: SinkOptions): (line: string) => string {
  // Loaded here because only terminals need it.
  const { prettyFactory }: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty');
  return prettyFactory({
    colorize: options.color ?? true,
    hideObject: options.showFields === false,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'step,traceId,spanId,flows,action,role',
    messageFormat: (record, messageKey) =>
      [record.step, record.traceId, record[messageKey]].filter((part) => part !== undefined).join(' '),
  });
}
