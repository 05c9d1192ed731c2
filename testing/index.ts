/** The public door of `motia/testing`. */
import './head-start.ts';

export type { TesterClock } from './clock.ts';
export type { CapturedEvent, Watcher } from './event-feed.ts';
export type { RequestOptions, TesterResponse } from './http.ts';
export type { LogRecord } from './log.ts';
export * from './mocks.ts';
export { createMotiaTester, type MotiaTester, type TesterOptions } from './tester.ts';
export type { Wait } from './waits.ts';
