/** Keys that do something: declared where it is done, listed by the help, and silent while somebody types. */
import { useEffect, useRef, useSyncExternalStore } from 'react';

export interface Shortcut {
  /** `?`, `j`, `Escape`, `g t` for one after the other, `Mod+k` for Control or Command. */
  keys: string;
  /** What it does, for the help. */
  title: string;
  run: () => void;
}

/** How long the second key of two may take, in ms. */
const SECOND_KEY_MS = 1_500;

/** The last one of the same keys wins, so that Escape closes what was opened last. */
let active: readonly Shortcut[] = [];
const listeners = new Set<() => void>();
let firstKey: { key: string; at: number } | undefined;

function setActive(next: readonly Shortcut[]): void {
  active = next;
  for (const listener of listeners) listener();
}

/** Does something at these keys as long as the component is there. */
export function useShortcut(keys: string, title: string, run: () => void, enabled = true): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!enabled) return;
    const shortcut: Shortcut = { keys, title, run: () => latest.current() };
    setActive([...active, shortcut]);
    return () => setActive(active.filter((one) => one !== shortcut));
  }, [keys, title, enabled]);
}

/** What keys do now, each once. */
export function useShortcutList(): Shortcut[] {
  const all = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => active,
  );
  return [...new Map(all.map((one) => [one.keys, one])).values()];
}

/** Listens to the whole page. @returns what ends it. */
export function listenToKeys(): () => void {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const name = nameOf(event);
    if (isTyping(event) && name !== 'Escape' && !name.startsWith('Mod+')) return;
    const isSecond = firstKey !== undefined && event.timeStamp - firstKey.at < SECOND_KEY_MS;
    const both = isSecond ? `${firstKey?.key} ${name}` : undefined;
    firstKey = { key: name, at: event.timeStamp };
    const found = active.findLast(({ keys }) => keys === both) ?? active.findLast(({ keys }) => keys === name);
    if (!found) return;
    event.preventDefault();
    firstKey = undefined;
    found.run();
  };
  window.addEventListener('keydown', onKeyDown);
  return () => window.removeEventListener('keydown', onKeyDown);
}

function nameOf({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): string {
  const modifier = ctrlKey || metaKey ? 'Mod+' : altKey ? 'Alt+' : '';
  return modifier + (key.length === 1 ? key.toLowerCase() : key);
}

/** In a field or an editor. */
function isTyping({ target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
