/** The node of each kind of step. */
import type { ReactNode } from 'react';
import { BaseNode } from './base-node.tsx';
import styles from './kinds.module.css';
import type { StepNodeProps } from './node-types.ts';

export type KindProps = StepNodeProps & { children?: ReactNode };

export const ApiNode = ({ children, ...props }: KindProps) => (
  <BaseNode {...props} variant="api">
    <p className={styles.line}>
      <strong className={styles.method}>{props.data.method}</strong> <code>{props.data.path}</code>
    </p>
    {children}
  </BaseNode>
);

export const EventNode = ({ children, ...props }: KindProps) => (
  <BaseNode {...props} variant="event">
    {children}
  </BaseNode>
);

export const CronNode = ({ children, ...props }: KindProps) => (
  <BaseNode {...props} variant="cron">
    <p className={styles.line}>
      <code>{props.data.cron}</code>
      {props.data.timezone !== undefined && <span> {props.data.timezone}</span>}
    </p>
    {children}
  </BaseNode>
);

export const NoopNode = ({ children, ...props }: KindProps) => (
  <BaseNode {...props} variant="noop">
    {children}
  </BaseNode>
);
