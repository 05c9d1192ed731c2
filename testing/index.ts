/** The public door of `motia/testing`. */
import './spare-thread.ts';

export type { TesterClock } from './clock.ts';
export type { CapturedEvent, Watcher } from './event-feed.ts';
export type { RequestOptions, TesterResponse } from './http.ts';
export type { LogRecord } from './log.ts';
export { type ContextOf, createMockContext, type MockContext, type MockContextOptions } from './mock-context.ts';
export { createMockFunction, type MockFunction } from './mock-function.ts';
export { createMockLogger, type MockLogger } from './mock-logger.ts';
export { createMotiaTester, type MotiaTester, type TesterOptions } from './tester.ts';
export type { Wait } from './waits.ts';
