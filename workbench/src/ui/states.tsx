/** What a place shows that has nothing to show: yet, at all, or because something went wrong. Each says what to do. */
import { CircleAlert, type LucideIcon, RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client.ts';
import { Button } from './button.tsx';
import styles from './states.module.css';

interface EmptyProps {
  icon?: LucideIcon;
  title: string;
  /** What leads to there being something, with the code or the command to copy. */
  children?: ReactNode;
  action?: ReactNode;
}

export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <div className={styles.state}>
      {Icon && <Icon size={28} strokeWidth={1.5} aria-hidden className={styles.icon} />}
      <h2 className={styles.title}>{title}</h2>
      {children && <div className={styles.text}>{children}</div>}
      {action}
    </div>
  );
}

/** @param onRetry asks again. */
export function ErrorState({ error, what, onRetry }: { error: Error; what: string; onRetry?: () => void }) {
  return (
    <div className={styles.state} role="alert">
      <CircleAlert size={28} strokeWidth={1.5} aria-hidden className={styles.bad} />
      <h2 className={styles.title}>{what}</h2>
      <div className={styles.text}>
        <p>{error.message}</p>
        <p>{adviceFor(error)}</p>
      </div>
      {onRetry && (
        <Button icon={RotateCw} onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

function adviceFor(error: Error): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 0) return 'Start it with motia dev; this page goes on by itself when it is back.';
  if (error.status === 403)
    return 'Open this page as localhost on the machine that the app runs on, or set MOTIA_ADMIN_TOKEN.';
  if (error.status >= 500) return 'The log of the gateway says more about it.';
  return undefined;
}

/** @param label what comes, for those who hear the page. */
export function Loading({ label = 'Loading' }: { label?: string }) {
  return (
    <div className={styles.loading} role="status" aria-label={label}>
      <span />
      <span />
      <span />
    </div>
  );
}
