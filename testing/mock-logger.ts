/** A logger that writes nothing and remembers what it was told. */
import { createMockFunction, type MockFunction } from './mock-function.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Say = (message: string, fields?: unknown) => void;

/** A logger whose methods are mocks. Those of a `child` are the same ones. */
export interface MockLogger {
  debug: MockFunction<Say>;
  info: MockFunction<Say>;
  warn: MockFunction<Say>;
  error: MockFunction<Say>;
  child: MockFunction<(fields: Record<string, unknown>) => MockLogger>;
}

export function createMockLogger(): MockLogger {
  const method = (name: string) => createMockFunction<Say>(`logger.${name}`, () => {});
  const logger: MockLogger = {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: createMockFunction('logger.child', (_fields: Record<string, unknown>) => logger),
  };
  return logger;
}

/** Whether a record of the log was made by one of these methods. */
export const isMethod = (level: string): level is (typeof LEVELS)[number] =>
  (LEVELS as readonly string[]).includes(level);
