/** Light or dark: as the system has it, until somebody chooses. The choice stays in this browser. */
import { useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'motia-workbench-theme';
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

const chosen = (): Theme => THEMES.find((one) => one === localStorage.getItem(KEY)) ?? 'system';
const isDark = (): boolean => (chosen() === 'system' ? prefersDark.matches : chosen() === 'dark');

function tell(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
}

/** Sets what the style sheets ask for, now and whenever the system changes. */
export function applyTheme(): void {
  prefersDark.addEventListener('change', tell);
  tell();
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  tell();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What is chosen, and whether that means dark now. */
export function useTheme(): { theme: Theme; isDark: boolean } {
  return { theme: useSyncExternalStore(subscribe, chosen), isDark: useSyncExternalStore(subscribe, isDark) };
}
