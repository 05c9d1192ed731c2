/** The token of whoever looks: kept for this tab only, and sent by nothing but the requests of `client.ts`. */
import { useSyncExternalStore } from 'react';

const KEY = 'motia-admin-token';

/** What the gateway has said last about us. */
let isRefused = false;
const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};

export const keptToken = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;

/** @param next `undefined` forgets it. */
export function setToken(next: string | undefined): void {
  if (next === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, next);
  isRefused = next === undefined;
  tell();
}

/** The gateway wants a token, and has not had a right one. */
export function refuseToken(): void {
  if (isRefused) return;
  isRefused = true;
  tell();
}

export const useIsRefused = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isRefused,
  );
