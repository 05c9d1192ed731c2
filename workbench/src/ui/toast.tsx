/** Short messages that something was done, or was not. Those who hear the page hear them. */
import { useSyncExternalStore } from 'react';
import { classNames } from './class-names.ts';
import styles from './toast.module.css';

interface Message {
  id: number;
  text: string;
  tone: 'ok' | 'bad';
}

const SHOWN_MS = { ok: 3_000, bad: 8_000 };

let messages: readonly Message[] = [];
let count = 0;
const listeners = new Set<() => void>();

function setMessages(next: readonly Message[]): void {
  messages = next;
  for (const listener of listeners) listener();
}

/** @param tone `bad` for what did not work; it stays longer. */
export function toast(text: string, tone: Message['tone'] = 'ok'): void {
  const id = ++count;
  setMessages([...messages, { id, text, tone }]);
  setTimeout(() => setMessages(messages.filter((one) => one.id !== id)), SHOWN_MS[tone]);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => messages,
  );
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {shown.map(({ id, text, tone }) => (
        <div key={id} className={classNames(styles.toast, styles[tone])}>
          {text}
        </div>
      ))}
    </div>
  );
}
