/** What worker processes and their supervisor say to each other besides the settings. */

import { type ErrorCode, MotiaError } from '../shared/errors.ts';
import type { MetricFamily } from '../shared/metrics/exposition.ts';

/** What a worker process tells. */
export type FromWorker =
  | { type: 'started' }
  | { type: 'metrics'; families: MetricFamily[] }
  | { type: 'failed'; message: string; stack?: string; code?: string };

/** The error that a worker process told of. */
export function toError({ message, stack, code }: Extract<FromWorker, { type: 'failed' }>): Error {
  const error = code === undefined ? new Error(message) : new MotiaError(code as ErrorCode, message);
  error.stack = stack ?? error.stack;
  return error;
}

/** Type of the message that says: the workers of other languages are ready, or will not come. */
export const OTHERS_READY = 'othersReady';

/** Type of the message that asks a worker for its metrics. */
export const ASK_METRICS = 'metrics';
