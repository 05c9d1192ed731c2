/** Whether the gateway takes the token of whoever looks, and what changes it. */
import { useSyncExternalStore } from 'react';
import { TOKEN_KEY } from './address.ts';
import { forgetFirstAnswers } from './first-answers.ts';

/** What the gateway has said last about us. */
let isRefused = false;
const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};

/** @param next `undefined` forgets it. */
export function setToken(next: string | undefined): void {
  if (next === undefined) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, next);
  forgetFirstAnswers();
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
