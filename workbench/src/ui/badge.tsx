/** A word with a colour that means something: a state, a kind of step, a language. */
import type { ReactNode } from 'react';
import styles from './badge.module.css';
import { classNames } from './class-names.ts';

export type Tone = 'plain' | 'ok' | 'bad' | 'warn' | 'run' | 'accent' | 'api' | 'event' | 'cron' | 'noop';

/** @param dot a dot of the colour before a plain word, which is calmer in long lists. */
export function Badge({ tone = 'plain', dot = false, children }: { tone?: Tone; dot?: boolean; children: ReactNode }) {
  return (
    <span data-tone={tone} className={classNames(styles.badge, dot && styles.withDot)}>
      {dot && <span className={styles.dot} aria-hidden />}
      {children}
    </span>
  );
}
