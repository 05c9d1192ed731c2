/** What a row is called, and a word about its state. */
import type { ReactNode } from 'react';
import styles from './name-cell.module.css';

export function NameCell({ name, children }: { name: string; children?: ReactNode }) {
  return (
    <span className={styles.cell}>
      <span className={styles.name} title={name}>
        {name}
      </span>
      {children}
    </span>
  );
}
