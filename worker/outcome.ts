/** What becomes of an event after a run: the one place that decides it. Pure. */
import type { ErrorRecord } from '../shared/errors.ts';
import type { Infrastructure } from '../shared/types.ts';

export interface RetryPolicy {
  /** Most attempts, the first included. */
  maxAttempts: number;
  backoff: {
    /** Wait before the second attempt, in ms. */
    initialMs: number;
    factor: number;
    maxMs: number;
    /** Share of the wait that is random, in both directions: 0.2 means ± 20 %. */
    jitter: number;
  };
  /** Whether an event whose attempts are used up becomes a dead letter. */
  deadLetter: boolean;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 4,
  backoff: { initialMs: 1_000, factor: 2, maxMs: 90_000, jitter: 0.2 },
  deadLetter: true,
};

/** The policy of a step. What it does not say has the default. */
export function retryPolicyOf(queue: Infrastructure['queue'] = {}): RetryPolicy {
  const { backoff: usual, ...others } = DEFAULT_RETRY_POLICY;
  const { initial, factor = usual.factor, max, jitter = usual.jitter } = queue.backoff ?? {};
  return {
    maxAttempts: queue.maxRetries === undefined ? others.maxAttempts : queue.maxRetries + 1,
    backoff: {
      initialMs: initial === undefined ? usual.initialMs : initial * 1_000,
      factor,
      maxMs: max === undefined ? usual.maxMs : max * 1_000,
      jitter,
    },
    deadLetter: queue.deadLetter ?? others.deadLetter,
  };
}

export type RunEnd =
  | { status: 'succeeded' }
  | { status: 'failed'; error: ErrorRecord }
  /** The run was not started, or ended through no fault of its own: another worker or thread takes it. */
  | { status: 'displaced' }
  /** Its event may be with another worker by now, which decides. */
  | { status: 'lost' };

export type Outcome =
  | { action: 'ack' }
  | { action: 'retry'; delayMs: number }
  /** Not before `at`, ms since 1970: the same attempt. */
  | { action: 'defer'; at: number }
  | { action: 'bury' }
  | { action: 'drop' }
  | { action: 'handBack' }
  | { action: 'leave' };

/**
 * Decides between done, another attempt, dead letter or nothing instead, handing back and leaving it to others.
 * @param attempt number of the attempt that just ended, from 1.
 * @param random a number from 0 to 1, for the jitter.
 */
export function decideOutcome(end: RunEnd, attempt: number, policy: RetryPolicy, random: number): Outcome {
  if (end.status === 'succeeded') return { action: 'ack' };
  if (end.status === 'displaced') return { action: 'handBack' };
  if (end.status === 'lost') return { action: 'leave' };
  if (end.error.nonRetriable === true || attempt >= policy.maxAttempts) return endFor(policy);
  const { retryAfterSeconds } = end.error;
  const delayMs =
    retryAfterSeconds === undefined ? backoffDelay(attempt, policy, random) : Math.round(retryAfterSeconds * 1_000);
  return { action: 'retry', delayMs };
}

/** What becomes of an event that is not tried again. */
export function endFor(policy: RetryPolicy): Outcome {
  return { action: policy.deadLetter ? 'bury' : 'drop' };
}

function backoffDelay(attempt: number, { backoff }: RetryPolicy, random: number): number {
  const wait = Math.min(backoff.initialMs * backoff.factor ** (attempt - 1), backoff.maxMs);
  return Math.round(wait * (1 + backoff.jitter * (2 * random - 1)));
}

/**
 * An event handed out this often without a finished run ends its workers before they can say so (it exhausts their memory,
 * say). It is buried with that reason instead of going round for ever.
 */
export const MOST_DELIVERIES = 20;
