/** Drafts and what was sent, kept in this browser; credentials for this tab only. */
import { useState } from 'react';
import type { StepEntry } from '../../api/types.ts';
import { type Auth, type Draft, newDraft } from './draft.ts';

export interface Sent {
  /** Ms since 1970. */
  at: number;
  status: number;
  ms: number;
  draft: Draft;
}

const PREFIX = 'motia-workbench-endpoint';
const AUTH_KEY = `${PREFIX}-auth`;
const MOST_SENT = 30;
/** Longer ones are not kept. */
const LONGEST = 100_000;

function read<Value>(storage: Storage, key: string, fallback: Value): Value {
  try {
    const text = storage.getItem(key);
    return text === null ? fallback : (JSON.parse(text) as Value);
  } catch {
    return fallback;
  }
}

function write(storage: Storage, key: string, value: unknown): void {
  const text = JSON.stringify(value);
  try {
    if (text.length <= LONGEST) storage.setItem(key, text);
  } catch {
    // It is full: what was typed stays in the page.
  }
}

/** The draft of an endpoint, as it was left. */
export function useDraft(step: StepEntry): [Draft, (changes: Partial<Draft>) => void, reset: () => void] {
  const key = `${PREFIX}:${step.id}`;
  const [draft, setDraft] = useState<Draft>(() => ({ ...newDraft(step), ...read(localStorage, key, {}) }));
  const change = (changes: Partial<Draft>) => {
    const next = { ...draft, ...changes };
    setDraft(next);
    write(localStorage, key, next);
  };
  const reset = () => {
    localStorage.removeItem(key);
    setDraft(newDraft(step));
  };
  return [draft, change, reset];
}

/** What was sent to an endpoint, the last one first. */
export function useHistory(step: StepEntry): [readonly Sent[], (sent: Sent) => void, clear: () => void] {
  const key = `${PREFIX}-sent:${step.id}`;
  const [sent, setSent] = useState<readonly Sent[]>(() => read(localStorage, key, []));
  const keep = (next: readonly Sent[]) => {
    setSent(next);
    write(localStorage, key, next);
  };
  return [sent, (one) => keep([one, ...sent].slice(0, MOST_SENT)), () => keep([])];
}

/** Who one is for the app: the same for all endpoints. */
export function useAuth(): [Auth, (auth: Auth) => void] {
  const [auth, setAuth] = useState<Auth>(() => read(sessionStorage, AUTH_KEY, { kind: 'none' }));
  return [
    auth,
    (next) => {
      setAuth(next);
      write(sessionStorage, AUTH_KEY, next);
    },
  ];
}
