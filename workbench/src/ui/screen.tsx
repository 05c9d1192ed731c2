/** How a screen is laid out: a bar above, what one chooses from, and at the right what is chosen. */
import type { ReactNode } from 'react';
import styles from './screen.module.css';

export function Screen({ testId, children }: { testId?: string; children: ReactNode }) {
  return (
    <div className={styles.screen} data-testid={testId}>
      {children}
    </div>
  );
}

/** Places side by side: columns, and a `Panel` as the last. */
export function Split({ children }: { children: ReactNode }) {
  return <div className={styles.split}>{children}</div>;
}

/** One of them. @param width pixels; without, it takes what is left. */
export function Column({ width, label, children }: { width?: number; label?: string; children: ReactNode }) {
  return (
    <section
      aria-label={label}
      className={styles.column}
      style={width === undefined ? undefined : { flex: 'none', width }}
      data-narrow={width !== undefined || undefined}
    >
      {children}
    </section>
  );
}

export interface Stat {
  name: string;
  value: ReactNode;
  tone?: 'bad' | 'warn' | undefined;
}

/** A few figures above a list. */
export function Stats({ stats }: { stats: readonly Stat[] }) {
  return (
    <dl className={styles.stats}>
      {stats.map(({ name, value, tone }) => (
        <div key={name} className={styles.stat} data-tone={tone}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
