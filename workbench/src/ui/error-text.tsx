/** An error of somebody's code: its message, and its stack. */
import styles from './error-text.module.css';
import { Copy } from './text.tsx';

export interface ShownError {
  name?: string;
  message?: string;
  stack?: string;
}

export function ErrorText({ error: { name, message = '', stack } }: { error: ShownError }) {
  return (
    <div className={styles.error}>
      <p className={styles.message}>
        {name !== undefined && name !== 'Error' && <strong>{name}: </strong>}
        {message}
        <Copy what="the error" text={stack ?? message} />
      </p>
      {stack !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it
        <pre className={styles.stack} tabIndex={0}>
          {stack}
        </pre>
      )}
    </div>
  );
}
