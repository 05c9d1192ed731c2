/** The time, for texts like "3 s ago": one clock for all of them, which stands still while nobody looks. */
import { useSyncExternalStore } from 'react';
import { ageText } from './time.ts';

let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  if (document.hidden) return;
  now = Date.now();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = Date.now(); // it stood still while nobody looked
    timer = setInterval(tick, 1_000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** How long ago something was, in words. Only what reads differently is drawn anew. @param at ms since 1970. */
export const useAge = (at: number): string => useSyncExternalStore(subscribe, () => ageText(now - at));

/** Ms since 1970, renewed each second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);
