/** Settings of `motia.config` that concern workers. */
import type { MotiaConfig } from '../shared/types.ts';

export interface WorkerSettings {
  /** A handler that computes for this long without a pause is ended. */
  blockedTimeoutMs: number;
}

const BLOCKED_TIMEOUT_SECONDS = 30;

/** Fills in the defaults. What is no positive number counts as absent. */
export function resolveWorkerSettings({ workers }: MotiaConfig): WorkerSettings {
  const seconds = Number(workers?.blockedTimeout);
  return { blockedTimeoutMs: (seconds > 0 ? seconds : BLOCKED_TIMEOUT_SECONDS) * 1_000 };
}
