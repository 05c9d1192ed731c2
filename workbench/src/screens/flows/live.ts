/** What steps are doing now: counts that are asked for, and pulses that come by themselves. Only nodes are drawn anew of which something has changed. */
import { useEffect, useSyncExternalStore } from 'react';
import { follow } from '../../api/follow.ts';
import { EVERY, useApi } from '../../api/hooks.ts';
import type { Activity, StepActivity, StepPulse } from '../../api/types.ts';
import { useVisible } from '../../lib/use-visible.ts';

export interface StepLoad {
  activity: StepActivity | undefined;
  /** Events that wait in all its subscriptions, and those that are with workers. */
  waiting: number;
  inFlight: number;
  isPaused: boolean;
}

/** Asks again and again for what {@link useLoad} gives: once for all nodes. */
export function LoadsRenewed(): null {
  useApi<Activity>('/activity', { every: EVERY.live });
  return null;
}

const NO_LOAD: StepLoad = { activity: undefined, waiting: 0, inFlight: 0, isPaused: false };

/** @param step its id. */
export const useLoad = (step: string): StepLoad =>
  useApi<Activity, StepLoad>('/activity', { select: (activity) => loadOf(activity, step) }).data ?? NO_LOAD;

function loadOf({ steps, queues }: Activity, step: string): StepLoad {
  const own = queues.filter((queue) => queue.step === step);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  return {
    activity: steps.find((one) => one.step === step),
    waiting: sum(own.map(({ waiting }) => waiting)),
    inFlight: sum(own.map(({ inFlight }) => inFlight)),
    isPaused: own.length > 0 && own.every(({ paused }) => paused),
  };
}

/** What a step shows of its last runs: how they ended, for a moment. */
export type Pulse = 'ran' | 'failed';

/** A step that runs again within this time goes on to shine: nothing is drawn for each run, however many there are. */
const SHINES_MS = 1_000;

const pulses = new Map<string, { pulse: Pulse; timer: ReturnType<typeof setTimeout> }>();
const listeners = new Set<() => void>();

/** Follows what runs, as long as the component is there and the page is shown. */
export function useFollowPulses(): void {
  const isVisible = useVisible();
  useEffect(() => {
    if (!isVisible) return;
    return follow<{ steps: StepPulse[] }>('/activity/follow', { onMessage: ({ steps }) => steps.forEach(addPulse) });
  }, [isVisible]);
}

function addPulse({ step, failed }: StepPulse): void {
  const before = pulses.get(step);
  clearTimeout(before?.timer);
  const pulse = failed > 0 ? 'failed' : 'ran';
  pulses.set(step, { pulse, timer: setTimeout(() => endPulse(step), SHINES_MS) });
  if (before?.pulse !== pulse) tell();
}

function endPulse(step: string): void {
  pulses.delete(step);
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const usePulse = (step: string): Pulse | undefined =>
  useSyncExternalStore(subscribe, () => pulses.get(step)?.pulse);
