/** Text for those who hear the page: it is there, and nobody sees it. */
import type { ReactNode } from 'react';
import styles from './hidden.module.css';

export const Hidden = ({ children }: { children: ReactNode }) => <span className={styles.hidden}>{children}</span>;
