/** What becomes of an event: the whole decision as a table. */
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_RETRY_POLICY,
  decideOutcome,
  type RetryPolicy,
  type RunEnd,
  retryPolicyOf,
} from '../../../worker/outcome.ts';

const error = { name: 'Error', message: 'broken' };
const succeeded: RunEnd = { status: 'succeeded' };
const displaced: RunEnd = { status: 'displaced' };
const failed: RunEnd = { status: 'failed', error };
const lost: RunEnd = { status: 'lost' };
const nonRetriable: RunEnd = { status: 'failed', error: { ...error, nonRetriable: true } };
const notBefore = (retryAfterSeconds: number): RunEnd => ({ status: 'failed', error: { ...error, retryAfterSeconds } });
const explicitlyRetriable: RunEnd = { status: 'failed', error: { ...error, nonRetriable: false } };

const exact: RetryPolicy = {
  maxAttempts: 4,
  backoff: { initialMs: 1_000, factor: 2, maxMs: 90_000, jitter: 0 },
  deadLetter: true,
};
const dropped: RetryPolicy = { ...exact, deadLetter: false };
const once: RetryPolicy = { ...exact, maxAttempts: 1 };
const many: RetryPolicy = { ...exact, maxAttempts: 50 };

describe('decideOutcome', () => {
  test.each([
    // end, attempt, policy, outcome
    ['success at the first attempt', succeeded, 1, exact, { action: 'ack' }],
    ['success at the last attempt', succeeded, 4, exact, { action: 'ack' }],
    ['success past the last attempt', succeeded, 9, exact, { action: 'ack' }],
    ['no fault of its own', displaced, 1, exact, { action: 'handBack' }],
    ['no fault of its own at the last attempt', displaced, 4, exact, { action: 'handBack' }],
    ['no fault of its own without retries', displaced, 1, once, { action: 'handBack' }],
    ['with another worker by now', lost, 1, exact, { action: 'leave' }],
    ['with another worker by now, at the last attempt', lost, 4, exact, { action: 'leave' }],
    ['first failure', failed, 1, exact, { action: 'retry', delayMs: 1_000 }],
    ['second failure', failed, 2, exact, { action: 'retry', delayMs: 2_000 }],
    ['third failure', failed, 3, exact, { action: 'retry', delayMs: 4_000 }],
    ['fourth failure of four', failed, 4, exact, { action: 'bury' }],
    ['failure past the last attempt', failed, 5, exact, { action: 'bury' }],
    ['failure without retries', failed, 1, once, { action: 'bury' }],
    ['non-retriable at the first attempt', nonRetriable, 1, exact, { action: 'bury' }],
    ['fourth failure of four, without dead letters', failed, 4, dropped, { action: 'drop' }],
    ['third failure of four, without dead letters', failed, 3, dropped, { action: 'retry', delayMs: 4_000 }],
    ['non-retriable, without dead letters', nonRetriable, 1, dropped, { action: 'drop' }],
    ['non-retriable false is an ordinary failure', explicitlyRetriable, 1, exact, { action: 'retry', delayMs: 1_000 }],
    ['the wait that the error asks for', notBefore(120), 1, exact, { action: 'retry', delayMs: 120_000 }],
    ['part of a second', notBefore(0.25), 3, exact, { action: 'retry', delayMs: 250 }],
    ['no wait at all', notBefore(0), 1, exact, { action: 'retry', delayMs: 0 }],
    ['it counts as an attempt', notBefore(120), 4, exact, { action: 'bury' }],
    ['the wait ends growing', failed, 8, many, { action: 'retry', delayMs: 90_000 }],
    ['and stays there however many attempts', failed, 49, many, { action: 'retry', delayMs: 90_000 }],
  ] as const)('%s', (_, end, attempt, policy, outcome) => {
    expect(decideOutcome(end, attempt, policy, 0.5)).toEqual(outcome);
  });

  test.each([
    [0, 800],
    [0.25, 900],
    [0.5, 1_000],
    [1, 1_200],
  ])('the wait is jittered by 20 %% in both directions (random %d)', (random, delayMs) => {
    expect(decideOutcome(failed, 1, DEFAULT_RETRY_POLICY, random)).toEqual({ action: 'retry', delayMs });
  });

  test('four attempts by default', () => {
    const actions = [1, 2, 3, 4].map((attempt) => decideOutcome(failed, attempt, DEFAULT_RETRY_POLICY, 0.5).action);
    expect(actions).toEqual(['retry', 'retry', 'retry', 'bury']);
  });
});

describe('retryPolicyOf', () => {
  test.each([
    ['nothing said', undefined, DEFAULT_RETRY_POLICY],
    ['retries', { maxRetries: 0 }, { ...DEFAULT_RETRY_POLICY, maxAttempts: 1 }],
    ['no dead letters', { deadLetter: false }, { ...DEFAULT_RETRY_POLICY, deadLetter: false }],
    [
      'a backoff in seconds',
      { backoff: { initial: 0.5, factor: 3, max: 10, jitter: 0 } },
      { ...DEFAULT_RETRY_POLICY, backoff: { initialMs: 500, factor: 3, maxMs: 10_000, jitter: 0 } },
    ],
    [
      'part of a backoff',
      { backoff: { initial: 0 } },
      { ...DEFAULT_RETRY_POLICY, backoff: { ...DEFAULT_RETRY_POLICY.backoff, initialMs: 0 } },
    ],
  ])('%s', (_, queue, policy) => {
    expect(retryPolicyOf(queue)).toEqual(policy);
  });
});
